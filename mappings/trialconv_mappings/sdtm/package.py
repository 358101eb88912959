"""The files of a study: TS and TI in the formats that the options ask for, and their Define-XML."""

from __future__ import annotations

from typing import Any, Final

from trialconv.context import Context
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.sdtm.criteria import TrialCriterion, criteria_rows, trial_criteria
from trialconv_mappings.sdtm.datasets import (
    MINIMAL_VARIABLES,
    TI_VARIABLES,
    TS_VARIABLES,
    Dataset,
    Identity,
    Row,
    ascii_dataset,
    dataset,
    more_values,
    shortened,
)
from trialconv_mappings.sdtm.define import Study, define_xml
from trialconv_mappings.sdtm.trial_summary import Summary, start_of_study, summary_rows, trial_summary

_IDS: Final = "protocolSection.identificationModule."
_HASH_LENGTH: Final = 12
_AFTER_TSVAL: Final = 7


def build_sdtm(ctx: Context) -> dict[str, Any]:
    """Return the files of a study as plain documents, by name and in the order to write them.

    `ts.json`, `ti.json` and `ts.xpt`, `ti.xpt` are datasets in the structure of Dataset-JSON, those of SAS
    transport files in ASCII; `define.xml` is a tree. TI is left out where there are no criteria to list.
    """
    identity, study_id = _identity(ctx), _study_id(ctx)
    if ctx.options.sdtm_minimal:
        return {"ts.xpt": ascii_dataset(ctx, _minimal(start_of_study(ctx), study_id, identity))}
    summary, criteria = trial_summary(ctx), trial_criteria(ctx)
    datasets = [_ts(summary, study_id, identity)]
    if criteria:
        datasets.append(_ti(criteria, study_id, identity))
    files: dict[str, Any] = {}
    if ctx.options.sdtm_format != "xport":
        files |= {_file(each, ".json"): each for each in datasets}
    if ctx.options.sdtm_format != "dataset-json":
        files |= {_file(each, ".xpt"): ascii_dataset(ctx, each) for each in datasets}
    suffix = ".json" if ctx.options.sdtm_format == "dataset-json" else ".xpt"
    described = [(each, _file(each, suffix)) for each in datasets]
    protocol_name, description = _names(ctx, study_id)
    files["define.xml"] = define_xml(
        Study(identity, ctx.record.nct_id, study_id, description, protocol_name, described, summary, criteria)
    )
    return files


def build_dataset(ctx: Context, name: str) -> Dataset:
    """Return the dataset `TS` or `TI` alone; a TI without criteria to list has no rows."""
    identity, study_id = _identity(ctx), _study_id(ctx)
    if name == "TS":
        return _ts(trial_summary(ctx), study_id, identity)
    return _ti(trial_criteria(ctx), study_id, identity)


def _ts(summary: Summary, study_id: str, identity: Identity) -> Dataset:
    rows, more = summary_rows(summary, study_id)
    variables = (*TS_VARIABLES[:_AFTER_TSVAL], *more_values(more), *TS_VARIABLES[_AFTER_TSVAL:])
    return dataset("TS", variables, rows, identity)


def _ti(criteria: list[TrialCriterion], study_id: str, identity: Identity) -> Dataset:
    return dataset("TI", TI_VARIABLES, criteria_rows(criteria, study_id), identity)


def _file(made: Dataset, suffix: str) -> str:
    return f"{made['name'].lower()}{suffix}"


def _identity(ctx: Context) -> Identity:
    created = ctx.created("datasetJSONCreationDateTime")
    version = ctx.record.version
    source = "protocolSection.statusModule.lastUpdatePostDateStruct.date"
    day = clean(ctx, version.date or "undated", source, "MetaDataVersion/@OID")
    label = day + "." + version.content_hash[:_HASH_LENGTH]
    return Identity("ST." + ctx.record.nct_id, "MDV." + label, ctx.record.nct_id + "." + label, created)


def _study_id(ctx: Context) -> str:
    """Return STUDYID: the option, the sponsor's own number, or the NCT number where there is none."""
    if ctx.options.study_id:
        return ctx.options.study_id
    own = ctx.record.study.protocol_section.identification_module.org_study_id_info.id or ""
    return shortened(clean(ctx, own, _IDS + "orgStudyIdInfo.id", "STUDYID").strip()) or ctx.record.nct_id


def _names(ctx: Context, study_id: str) -> tuple[str, str]:
    """Return the name of the protocol and the description of the study, for the Define-XML."""
    protocol = ctx.record.study.protocol_section
    ids = protocol.identification_module
    own = clean(ctx, ids.org_study_id_info.id or "", _IDS + "orgStudyIdInfo.id", "ProtocolName").strip()
    title = ids.official_title or ids.brief_title or study_id
    return own or ctx.record.nct_id, clean(ctx, title, _IDS + "officialTitle", "StudyDescription")


def _minimal(summary: Summary, study_id: str, identity: Identity) -> Dataset:
    """Return the TS of a study without data in SDTM: its start, and the sponsor's number if STUDYID is another."""
    entries = {name: found[0] for name, found in summary.entries.items()}
    if "SPREFID" in entries and entries["SPREFID"].value == study_id:
        del entries["SPREFID"]
    rows: list[Row] = [
        [study_id, name, shortened(entry.value) if entry.value else None, entry.null_flavor]
        for name, entry in entries.items()
    ]
    return dataset("TS", MINIMAL_VARIABLES, rows, identity)
