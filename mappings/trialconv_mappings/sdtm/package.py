"""The files of a study: TS and TI in the formats that the options ask for, and their Define-XML."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

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
from trialconv_mappings.sdtm.trial_summary import Summary, summary_rows, trial_summary

_IDS: Final = "protocolSection.identificationModule."
_HASH_LENGTH: Final = 12
_AFTER_TSVAL: Final = 7


def build_sdtm(ctx: Context) -> dict[str, Any]:
    """Return the files of a study as plain documents, by name and in the order to write them.

    `ts.json`, `ti.json` and `ts.xpt`, `ti.xpt` are datasets in the structure of Dataset-JSON, those of SAS
    transport files in ASCII; `define.xml` is a tree. TI is left out where there are no criteria to list.
    """
    made = _datasets(ctx)
    if ctx.options.sdtm_minimal:
        return {"ts.xpt": ascii_dataset(ctx, _minimal(made))}
    files: dict[str, Any] = {}
    if ctx.options.sdtm_format != "xport":
        files |= {_file(each, ".json"): each for each in made.datasets}
    if ctx.options.sdtm_format != "dataset-json":
        files |= {_file(each, ".xpt"): ascii_dataset(ctx, each) for each in made.datasets}
    suffix = ".json" if ctx.options.sdtm_format == "dataset-json" else ".xpt"
    described = [(each, _file(each, suffix)) for each in made.datasets]
    protocol_name, description = _names(ctx, made.study_id)
    files["define.xml"] = define_xml(
        Study(
            made.identity,
            ctx.record.nct_id,
            made.study_id,
            description,
            protocol_name,
            described,
            made.summary,
            made.criteria,
        )
    )
    return files


def build_dataset(ctx: Context, name: str) -> Dataset:
    """Return the dataset `TS` or `TI` alone; a TI without criteria to list has no rows."""
    made = _datasets(ctx)
    for each in made.datasets:
        if each["name"] == name:
            return each
    return dataset(name, TI_VARIABLES, [], made.identity)


class _Made(NamedTuple):
    """The datasets of a study and what they were made of."""

    identity: Identity
    study_id: str
    summary: Summary
    criteria: list[TrialCriterion]
    datasets: list[Dataset]


def _datasets(ctx: Context) -> _Made:
    identity = _identity(ctx)
    study_id = _study_id(ctx)
    summary = trial_summary(ctx)
    if ctx.options.sdtm_minimal:
        return _Made(identity, study_id, summary, [], [])
    rows, more = summary_rows(summary, study_id)
    variables = (*TS_VARIABLES[:_AFTER_TSVAL], *more_values(more), *TS_VARIABLES[_AFTER_TSVAL:])
    datasets = [dataset("TS", variables, rows, identity)]
    criteria = trial_criteria(ctx)
    if criteria:
        datasets.append(dataset("TI", TI_VARIABLES, criteria_rows(criteria, study_id), identity))
    return _Made(identity, study_id, summary, criteria, datasets)


def _file(made: Dataset, suffix: str) -> str:
    return f"{made['name'].lower()}{suffix}"


def _identity(ctx: Context) -> Identity:
    created = ctx.created("datasetJSONCreationDateTime")
    version = ctx.record.version
    source = "protocolSection.statusModule.lastUpdatePostDateStruct.date"
    day = clean(ctx, version.date or "undated", source, "MetaDataVersion/@OID")
    label = f"{day}.{version.content_hash[:_HASH_LENGTH]}"
    return Identity(f"ST.{ctx.record.nct_id}", f"MDV.{label}", f"{ctx.record.nct_id}.{label}", created)


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


def _minimal(made: _Made) -> Dataset:
    """Return the TS of a study without data in SDTM: its start, and the sponsor's number if STUDYID is another."""
    names = ["SSTDTC"]
    own = made.summary.entries.get("SPREFID")
    if own and own[0].value != made.study_id:
        names.append("SPREFID")
    rows: list[Row] = [
        [made.study_id, name, entry.value, entry.null_flavor]
        for name in names
        for entry in made.summary.entries[name][:1]
    ]
    return dataset("TS", MINIMAL_VARIABLES, rows, made.identity)
