"""Define-XML 2.1: what the datasets of a study are made of, and where it comes from.

https://www.cdisc.org/standards/data-exchange/define-xml/define-xml-v2-1. The document is ODM 1.3.2 with the
extensions of the namespace `def`. Codelists hold the terms that the datasets use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import trialconv
from trialconv.lineage import TRACING, at_once, derived, distinct, numbered, remembered
from trialconv.odm_tree import NAMESPACES, Node
from trialconv_mappings.cdisc.codelists import CODELISTS, Codelist
from trialconv_mappings.sdtm.criteria import CATEGORIES, TrialCriterion
from trialconv_mappings.sdtm.datasets import TI_VARIABLES, TS_VARIABLES, Dataset, Identity
from trialconv_mappings.sdtm.trial_summary import Summary, parameter_term

DEFINE_NAMESPACE: Final = "http://www.cdisc.org/ns/def/v2.1"
_SDTMIG: Final = "3.4"
_SDTMIG_OID: Final = "STD.SDTMIG"

#: The codelist of TSPARM, whose terms are those of TSPARMCD, and the version of both.
_TERM_CODELIST: Final = "C67152"
_PARAMETERS: Final = CODELISTS["cdisc_parameter"]

_STRUCTURES: Final = {"TS": "One record per trial summary parameter value", "TI": "One record per I/E criterion"}
_MANDATORY: Final = frozenset({"STUDYID", "DOMAIN", "TSSEQ", "TSPARMCD", "TSPARM", "IETESTCD", "IETEST", "IECAT"})
_ROLES: Final = {variable.name: variable.role for variable in (*TS_VARIABLES, *TI_VARIABLES)}

#: The codelist of a variable, by its OID.
_CODELIST_OF: Final = {
    "TSPARMCD": "CL.TSPARMCD",
    "TSPARM": "CL.TSPARM",
    "TSVALNF": "CL.NULLFLAVOR",
    "IETESTCD": "CL.IETESTCD",
    "IECAT": "CL.IECAT",
}
#: What the values of a parameter are, where they are neither text nor of a codelist.
_DATA_TYPES: Final = {
    **dict.fromkeys(("SSTDTC", "SENDTC"), "partialDate"),
    **dict.fromkeys(("AGEMIN", "AGEMAX", "TRGFUDUR"), "durationDatetime"),
    **dict.fromkeys(("ACTSUB", "PLANSUB", "NARMS", "NCOHORT"), "integer"),
}
_CODED_DATA: Final = {"FCNTRY": "CL.ISO3166"}


class Study(NamedTuple):
    """What a Define-XML is made of: names of the study, its datasets with their files, and what they hold."""

    identity: Identity
    nct_id: str
    name: str
    description: str
    protocol_name: str
    datasets: list[tuple[Dataset, str]]
    summary: Summary
    criteria: list[TrialCriterion]


def define_xml(study: Study) -> Node:
    """Return the Define-XML of a study as a tree."""
    identity = study.identity
    attributes = {
        "xmlns": NAMESPACES["1.3.2"],
        "xmlns:def": DEFINE_NAMESPACE,
        "xmlns:xlink": "http://www.w3.org/1999/xlink",
        "ODMVersion": "1.3.2",
        "FileType": "Snapshot",
        "FileOID": "DEFINE." + identity.label,
        "CreationDateTime": identity.created,
        "Originator": "trialconv",
        "SourceSystem": "trialconv",
        "SourceSystemVersion": trialconv.__version__,
        "def:Context": "Other",
    }
    names = (
        ("StudyName", study.name),
        ("StudyDescription", study.description),
        ("ProtocolName", study.protocol_name),
    )
    variables = Node("GlobalVariables", {}, [Node(name, {}, (text,)) for name, text in names])
    return Node("ODM", attributes, [Node("Study", {"OID": identity.study_oid}, [variables, _version(study)])])


def _version(study: Study) -> Node:
    coded = sorted(name for name in study.summary.codelists if name in study.summary.entries)
    typed = sorted(name for name in (*_DATA_TYPES, *_CODED_DATA) if _has_value(study, name))
    # Which of them there are, the entries decide.
    wanted = {*coded, *typed}
    names = _parameters(study.summary)
    levels = [name for name in names if name in wanted]
    children = [_standards(study)]
    if levels:
        children += [_value_list(study, levels), *map(at_once(_where_clause), levels)]
    children += [_item_group(study, dataset, file) for dataset, file in study.datasets]
    children += [item for dataset, _ in study.datasets for item in _items(study, dataset, levels)]
    children += [_value_item(study, name) for name in levels]
    children += _codelists(study, names, coded)
    children += _methods()
    if study.criteria:
        text = "A text of more than 200 bytes is shortened; the codelist of IETESTCD has the whole."
        comment = Node("def:CommentDef", {"OID": "COM.IETEST"}, [_description(text)])
        children.append(derived(comment, [each.text for each in study.criteria]))
    attributes = {
        "OID": study.identity.version_oid,
        "Name": "Trial design datasets of " + study.nct_id,
        "def:DefineVersion": "2.1.0",
    }
    return Node("MetaDataVersion", attributes, children)


def _parameters(summary: Summary) -> list[str]:
    """Return the names of the parameters that have entries, in the order of the names."""
    names = sorted(summary.entries)
    return [derived(name, summary.entries[name]) for name in names] if TRACING.on else names


def _has_value(study: Study, name: str) -> bool:
    return any(entry.value for entry in study.summary.entries.get(name, ()))


def _standards(study: Study) -> Node:
    guide = {"OID": _SDTMIG_OID, "Name": "SDTMIG", "Type": "IG", "Version": _SDTMIG, "Status": "Final"}
    children = [Node("def:Standard", guide)]
    used = {_PARAMETERS, *study.summary.codelists.values()} | ({CATEGORIES} if study.criteria else set())
    for codelist in sorted({_standard_oid(each): each for each in used}.items()):
        attributes = {
            "OID": codelist[0],
            "Name": "CDISC/NCI",
            "Type": "CT",
            "PublishingSet": codelist[1].package,
            "Version": codelist[1].effective,
            "Status": "Final",
        }
        children.append(Node("def:Standard", attributes))
    return Node("def:Standards", {}, children)


def _standard_oid(codelist: Codelist) -> str:
    return f"STD.CT.{codelist.package}.{codelist.effective}"


def _value_list(study: Study, levels: list[str]) -> Node:
    """Return the value list of TSVAL: a definition for each parameter whose values are not plain text."""
    refs = []
    for number, name in numbered(levels):
        attributes = {"ItemOID": "IT.TS.TSVAL." + name, "OrderNumber": str(number), "Mandatory": "No"}
        refs.append(Node("ItemRef", attributes, [Node("def:WhereClauseRef", {"WhereClauseOID": "WC.TS." + name})]))
    return Node("def:ValueListDef", {"OID": "VL.TS.TSVAL"}, refs)


@remembered(None)
def _where_clause(name: str) -> Node:
    check = {"Comparator": "EQ", "SoftHard": "Soft", "def:ItemOID": "IT.TS.TSPARMCD"}
    clause = Node("RangeCheck", check, [Node("CheckValue", {}, (name,))])
    return Node("def:WhereClauseDef", {"OID": "WC.TS." + name}, [clause], shared={})


def _item_group(study: Study, dataset: Dataset, file: str) -> Node:
    name = dataset["name"]
    attributes = {
        "OID": "IG." + name,
        "Name": name,
        "Repeating": "No",
        "IsReferenceData": "Yes",
        "SASDatasetName": name,
        "Domain": name,
        "Purpose": "Tabulation",
        "def:Structure": _STRUCTURES[name],
        "def:StandardOID": _SDTMIG_OID,
        "def:ArchiveLocationID": "LF." + name,
    }
    refs = []
    for number, column in enumerate(dataset["columns"], 1):
        ref = {
            "ItemOID": column["itemOID"],
            "OrderNumber": str(number),
            "Mandatory": "Yes" if column["name"] in _MANDATORY else "No",
        }
        if "keySequence" in column:
            ref["KeySequence"] = str(column["keySequence"])
        if column["name"] == "TSSEQ":
            ref["MethodOID"] = "MT.TSSEQ"
        ref["Role"] = _ROLES.get(column["name"], "Result Qualifier")
        refs.append(Node("ItemRef", ref))
    leaf = Node("def:leaf", {"ID": "LF." + name, "xlink:href": file}, [Node("def:title", {}, (file,))])
    label = _description(dataset["label"])
    return Node("ItemGroupDef", attributes, [label, *refs, Node("def:Class", {"Name": "TRIAL DESIGN"}), leaf])


def _items(study: Study, dataset: Dataset, levels: list[str]) -> Iterator[Node]:
    for column in dataset["columns"]:
        name = column["name"]
        attributes = {"OID": column["itemOID"], "Name": name, **_type_of(column), "SASFieldName": name}
        if name == "IETEST":
            attributes["def:CommentOID"] = "COM.IETEST"
        children = [_description(column["label"])]
        if name in _CODELIST_OF:
            children.append(Node("CodeListRef", {"CodeListOID": _CODELIST_OF[name]}))
        children.append(_origin(study, name))
        if name == "TSVAL" and levels:
            children.append(Node("def:ValueListRef", {"ValueListOID": "VL.TS.TSVAL"}))
        yield Node("ItemDef", attributes, children)


def _type_of(column: dict[str, Any]) -> dict[str, str]:
    if column["dataType"] == "integer":
        return {"DataType": "integer", "Length": "8"}
    return {"DataType": "text", "Length": str(column["length"])}


def _origin(study: Study, name: str) -> Node:
    """Return where a variable's values come from.

    The registry's record is no protocol, and the protocol is not what was read: the values have the record as
    their predecessor, and the description names it.
    """
    if name == "TSSEQ":
        return Node("def:Origin", {"Type": "Derived", "Source": "Vendor"})
    if (name.startswith("TSVAL") and name not in ("TSVALNF", "TSVALCD")) or name in ("STUDYID", "IETEST"):
        text = "Record " + study.nct_id + " of ClinicalTrials.gov"
        return Node("def:Origin", {"Type": "Predecessor", "Source": "Sponsor"}, [_description(text)])
    return Node("def:Origin", {"Type": "Assigned", "Source": "Vendor"})


def _value_item(study: Study, name: str) -> Node:
    """Return the definition of the values of one parameter."""
    values = [entry.value for entry in study.summary.entries[name] if entry.value]
    attributes = {
        "OID": "IT.TS.TSVAL." + name,
        "Name": name,
        "DataType": derived(_DATA_TYPES.get(name, "text"), name),
    }
    if attributes["DataType"] in ("text", "integer"):
        length = str(max(map(len, values), default=1))
        attributes["Length"] = derived(length, values) if TRACING.on else length
    attributes["SASFieldName"] = name
    children = [_description(parameter_term(name).display)]
    codelist = _codelist_oid(name) if name in study.summary.codelists else _CODED_DATA.get(name)
    if codelist is not None:
        children.append(Node("CodeListRef", {"CodeListOID": codelist}))
    # The record has the registry's word; the term for it is assigned.
    children.append(_origin(study, "TSVAL" if codelist is None else "TSVALCD"))
    return Node("ItemDef", attributes, children)


def _codelist_oid(name: str) -> str:
    return "CL.TSVAL." + name


def _codelists(study: Study, names: list[str], coded: list[str]) -> Iterator[Node]:
    summary = study.summary
    parameters = [*map(at_once(_parameter), names)]
    title = "Trial Summary Parameter Test Name"
    yield _codelist("CL.TSPARMCD", _PARAMETERS.name, _PARAMETERS, [each for each, _ in parameters])
    yield _codelist("CL.TSPARM", title, _PARAMETERS, [each for _, each in parameters], _TERM_CODELIST)
    for name in coded:
        codelist = summary.codelists[name]
        terms = distinct((entry.value, entry.code) for entry in summary.entries[name] if entry.value)
        if terms:
            items = [_term(str(value), str(code)) for value, code in terms]
            yield _codelist(_codelist_oid(name), f"{codelist.name} ({name})", codelist, items)
    dictionaries = [("CL.NULLFLAVOR", "Null Flavor", "ISO 21090")]
    if _has_value(study, "FCNTRY"):
        countries = ("CL.ISO3166", "Country", "ISO 3166")
        dictionaries.append(derived(countries, summary.entries["FCNTRY"]))
    for oid, title, dictionary in dictionaries:
        external = Node("ExternalCodeList", {"Dictionary": dictionary})
        yield Node("CodeList", {"OID": oid, "Name": title, "DataType": "text"}, [external])
    if study.criteria:
        kinds = {"INCLUSION": "C25532", "EXCLUSION": "C25370"}
        used = sorted(distinct(criterion.category for criterion in study.criteria))
        yield _codelist(
            "CL.IECAT", CATEGORIES.name, CATEGORIES, [_term(kind, derived(kinds[kind], kind)) for kind in used]
        )
        attributes = {
            "OID": "CL.IETESTCD",
            "Name": "Criteria",
            "DataType": "text",
            "def:IsNonStandard": "Yes",
        }
        yield Node("CodeList", attributes, [_decoded(each.short_name, each.whole) for each in study.criteria])


@remembered(None)
def _parameter(name: str) -> tuple[Node, Node]:
    """Return a parameter as a term of TSPARMCD, and as one of TSPARM."""
    term = parameter_term(name)
    made = _decoded(name, term.display, term.code)
    made.shared = {}
    return made, _term(term.display, term.code)


def _codelist(oid: str, name: str, codelist: Codelist, items: list[Node], code: str = "") -> Node:
    attributes = {"OID": oid, "Name": name, "DataType": "text", "def:StandardOID": _standard_oid(codelist)}
    return Node("CodeList", attributes, [*items, _alias(code or codelist.code)])


@remembered(None)
def _term(value: str, code: str) -> Node:
    """Return a term of a codelist. There are few, so that each is made and written once."""
    return Node("EnumeratedItem", {"CodedValue": value}, [_alias(code)], shared={})


def _decoded(value: str, meaning: str, code: str = "") -> Node:
    decode = Node("Decode", {}, [Node("TranslatedText", {"xml:lang": "en"}, (meaning,))])
    return Node("CodeListItem", {"CodedValue": value}, [decode, _alias(code)] if code else [decode])


def _alias(code: str) -> Node:
    return Node("Alias", {"Context": "nci:ExtCodeID", "Name": code})


def _methods() -> list[Node]:
    text = "Numbers the records of a parameter, from 1, in the order of the registry's record"
    attributes = {"OID": "MT.TSSEQ", "Name": "Sequence number", "Type": "Computation"}
    return [Node("MethodDef", attributes, [_description(text)])]


def _description(text: str) -> Node:
    return Node("Description", {}, [Node("TranslatedText", {"xml:lang": "en"}, (text,))])
