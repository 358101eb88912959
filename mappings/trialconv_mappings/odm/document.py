"""The ODM document of a record: the root, the study and its metadata version, in either version of ODM."""

from __future__ import annotations

from typing import Final

import trialconv
from trialconv.context import Context
from trialconv.lineage import plain
from trialconv.odm_tree import NAMESPACES, SDM_NAMESPACE, Node
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.odm import arms, study_design
from trialconv_mappings.odm.administration import Identity, admin_data
from trialconv_mappings.odm.carried import Carrier
from trialconv_mappings.odm.parameters import Parameters
from trialconv_mappings.odm.sdm import as_sdm
from trialconv_mappings.odm.summary import fill_summary
from trialconv_mappings.odm.text import description

_IDS: Final = "protocolSection.identificationModule."
_TEXTS: Final = "protocolSection.descriptionModule."
_HASH_LENGTH: Final = 12


def build_odm(ctx: Context) -> Node:
    """Return the ODM document of a record, in the version that the options ask for.

    The content follows the schema of that version (https://github.com/cdisc-org/DataExchange-ODM), for ODM 1.3.2
    with that of SDM-XML 1.0 unless the options ask for it plain. What had to be filled in, could not be coded or
    was left out becomes an Issue of the context.
    """
    created = ctx.created("ODM/@CreationDateTime")
    label = _version_label(ctx)
    identity = Identity("ST." + ctx.record.nct_id, "MDV." + label, created[:10])
    parameters = Parameters(ctx)
    if ctx.options.odm_version == "2.0":
        study = _study_v2(parameters, identity, label)
    else:
        study = _study_v1(parameters, identity, label)
    root = Node("ODM", _root_attributes(ctx, created, label), [study, *admin_data(ctx, identity, parameters)])
    if any(found.code == "character-replaced" for found in ctx.issues):
        Carrier(parameters).carry_encoded(ctx.record.study)
    return root


def _version_label(ctx: Context) -> str:
    """Return the version of the record: the day of its last update and the beginning of its content's hash."""
    version = ctx.record.version
    source = "protocolSection.statusModule.lastUpdatePostDateStruct.date"
    day = clean(ctx, version.date or "undated", source, "Study/MetaDataVersion/@OID")
    return day + "." + version.content_hash[:_HASH_LENGTH]


def _root_attributes(ctx: Context, created: str, label: str) -> dict[str, str]:
    version = ctx.options.odm_version
    has_design = version == "1.3.2" and not ctx.options.odm_plain
    return {
        "xmlns": NAMESPACES[version],
        **({"xmlns:sdm": SDM_NAMESPACE} if has_design else {}),
        "FileType": "Snapshot",
        "Granularity": "Metadata",
        "FileOID": "ODM-" + version + "." + ctx.record.nct_id + "." + label,
        "CreationDateTime": created,
        "ODMVersion": version,
        "Originator": "trialconv",
        "SourceSystem": "trialconv",
        "SourceSystemVersion": trialconv.__version__,
    }


def _study_name(ctx: Context, target_path: str) -> str:
    """Return the name by which the sponsor knows the study, or the NCT number where there is none."""
    own = ctx.record.study.protocol_section.identification_module.org_study_id_info.id
    if own:
        return clean(ctx, own, _IDS + "orgStudyIdInfo.id", target_path)
    ctx.note("filled-in", "the NCT number, since the registry has no id of the sponsor", target_path=target_path)
    return ctx.record.nct_id


def _study_v2(parameters: Parameters, identity: Identity, label: str) -> Node:
    ctx = parameters.ctx
    name = _study_name(ctx, "Study/@ProtocolName")
    children = []
    summary = ctx.record.study.protocol_section.description_module.brief_summary
    if summary:
        children.append(description(ctx, plain(summary), _TEXTS + "briefSummary", "Study/Description"))
    criteria, conditions = study_design.criteria_and_conditions(ctx, study_design.listed(ctx))
    protocol = Node("Protocol", {}, [*_protocol_v2(parameters), *criteria, *_aliases(ctx)])
    children.append(_metadata_version(identity, label, protocol, conditions))
    attributes = {"OID": identity.study, "StudyName": name, "ProtocolName": name, "VersionID": label}
    return Node("Study", attributes, children)


def _metadata_version(identity: Identity, label: str, protocol: Node, conditions: list[Node]) -> Node:
    attributes = {"OID": identity.metadata_version, "Name": "Registry record " + label}
    return Node("MetaDataVersion", attributes, [protocol, *conditions])


def _protocol_v2(parameters: Parameters) -> list[Node]:
    """Return the children of Protocol before its criteria, in the order of the schema."""
    ctx = parameters.ctx
    fill_summary(parameters)
    arms.write_links(parameters)
    return [
        *_detailed_description(ctx),
        Node("StudySummary", {}, parameters.nodes),
        *arms.structure(parameters),
        *study_design.trial_phase(ctx),
        *study_design.indications(ctx),
        *study_design.interventions(ctx),
        *study_design.end_points(ctx, parameters),
        *study_design.target_population(ctx),
    ]


def _detailed_description(ctx: Context) -> list[Node]:
    text = ctx.record.study.protocol_section.description_module.detailed_description
    if not text:
        return []
    return [description(ctx, plain(text), _TEXTS + "detailedDescription", "Protocol/Description")]


def _aliases(ctx: Context) -> list[Node]:
    """Return the ids of the study; an Alias context may stand only once, so that repeated ones are counted."""
    ids = ctx.record.study.protocol_section.identification_module
    pairs = [("ClinicalTrials.gov", ids.nct_id, _IDS + "nctId")]
    pairs += [
        (f"ClinicalTrials.gov:alias:{position}", alias, _IDS + "nctIdAliases[]")
        for position, alias in enumerate(ids.nct_id_aliases, 1)
    ]
    pairs += [
        (_secondary_context(ctx, position, other.type), other.id, _IDS + "secondaryIdInfos[].id")
        for position, other in enumerate(ids.secondary_id_infos, 1)
    ]
    made = []
    for context, value, source in pairs:
        if not value and ctx.options.odm_plain and source.endswith("secondaryIdInfos[].id"):
            ctx.note("field-not-mapped", "not in this document: the id is missing", source)
        if value:
            name = clean(ctx, value, source, f"Protocol/Alias[@Context='{context}']/@Name")
            made.append(Node("Alias", {"Context": context, "Name": name}))
    return made


def _secondary_context(ctx: Context, position: int, kind: str | None) -> str:
    if not kind:
        return f"secondaryId:{position}"
    cleaned = clean(ctx, kind, _IDS + "secondaryIdInfos[].type", "Protocol/Alias/@Context")
    return f"secondaryId:{position}:" + cleaned


def _study_v1(parameters: Parameters, identity: Identity, label: str) -> Node:
    """Return the study in ODM 1.3.2: names, texts and ids in its own elements, the design in those of SDM-XML."""
    ctx = parameters.ctx
    name = _study_name(ctx, "GlobalVariables/ProtocolName")
    summary = ctx.record.study.protocol_section.description_module.brief_summary or ""
    target = "GlobalVariables/StudyDescription"
    text = clean(ctx, plain(summary), _TEXTS + "briefSummary", target)
    if not text:
        ctx.note("filled-in", "an empty text, since the registry has no summary", target_path=target)
    texts = (("StudyName", name), ("StudyDescription", text), ("ProtocolName", name))
    variables = Node("GlobalVariables", {}, [Node(element, {}, (held,)) for element, held in texts])
    criteria, conditions = study_design.criteria_and_conditions(ctx, study_design.listed(ctx))
    children = [*_detailed_description(ctx), *_aliases(ctx)]
    if not ctx.options.odm_plain:
        children += _study_design(parameters, criteria)
    version = _metadata_version(identity, label, Node("Protocol", {}, children), conditions)
    return Node("Study", {"OID": identity.study}, [variables, version])


def _study_design(parameters: Parameters, criteria: list[Node]) -> list[Node]:
    """Return the elements of SDM-XML, in the order of its schema."""
    fill_summary(parameters)
    structure = arms.structure(parameters)
    return [Node("sdm:Summary", {}, parameters.nodes), *map(as_sdm, criteria), *map(as_sdm, structure)]
