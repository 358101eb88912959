"""Who may take part: the Group that defines the study's population.

The members of `Group.characteristic` all have to hold (R4, R4B and R5), so that only study-wide criteria
stand there, each with its sub-criteria and alternatives inside its text. The tree of criteria stands beside it.
"""

from __future__ import annotations

import re
from typing import Final

from trialconv.context import Context
from trialconv.lineage import TRACING, code, derived, derived_each, parsed
from trialconv_mappings.criteria import CriteriaTree, criteria_tree, study_wide, whole_text
from trialconv_mappings.fhir.eligibility import criterion_extensions, eligibility_variable
from trialconv_mappings.fhir.parts import (
    Element,
    coding,
    concept,
    extension,
    ncit,
    put_markdown,
    put_plain,
    reference,
)
from trialconv_mappings.fhir.terms import ARTIFACT_DESCRIPTION
from trialconv_mappings.tables import table

_MODULE = "protocolSection.eligibilityModule"
_SEX: Final = table("fhir_sex")
_AGE_UNITS: Final = table("ucum_age_unit")
_LARGEST_UNSIGNED_INT: Final = 2_147_483_647
_AGE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ([A-Za-z]+)")
#: Minutes of a unit as UCUM defines them (https://ucum.org/ucum, 4.2: a mean Julian year and its twelfth part).
_MINUTES: Final = {"a": 525_960, "mo": 43_830, "wk": 10_080, "d": 1_440, "h": 60, "min": 1}

# What the registry's fields mean, in the NCI Thesaurus (CDISC codelist TSPARM).
_MINIMUM_AGE: Final = ncit("C49693", "Planned Minimum Age of Subjects", "Minimum age")
_MAXIMUM_AGE: Final = ncit("C49694", "Planned Maximum Age of Subjects", "Maximum age")
_SEX_OF_PARTICIPANTS: Final = ncit("C49696", "Sex of Study Group", "Sex")
_HEALTHY: Final = ncit("C98737", "Healthy Subject Indicator", "Accepts healthy volunteers")
_TEXT: Final = f"{_MODULE}.eligibilityCriteria"
_GENDER_BASED: Final = {"text": "Eligibility is based on gender"}
_CRITERIA: Final = {"text": "Eligibility criteria"}
_INCLUSION: Final = {"text": "Inclusion criterion"}
_EXCLUSION: Final = {"text": "Exclusion criterion"}


def eligible_population(ctx: Context, id_: str) -> list[Element]:
    """Return the Group of the study's eligible population and, in R5, the EvidenceVariable of its criteria.

    The Group is first, and there also where the record says nothing of eligibility.
    """
    others = "criteria of a cohort, or of no stated kind, are in the tree of the criteria only"
    tree = criteria_tree(ctx, "Group.characteristic", others)
    if ctx.options.fhir_version != "R5" or not tree.nodes:
        return [_group(ctx, id_, tree, None)]
    variable = eligibility_variable(ctx, id_ + "-criteria", tree)
    return [_group(ctx, id_, tree, variable["id"]), variable]


def _group(ctx: Context, id_: str, tree: CriteriaTree, variable_id: str | None) -> Element:
    group: Element = {"resourceType": "Group", "id": id_}
    description = ctx.record.study.protocol_section.eligibility_module.eligibility_criteria
    in_r5 = ctx.options.fhir_version == "R5"
    if description and not in_r5:
        whole = extension(ARTIFACT_DESCRIPTION)
        put_markdown(ctx, whole, "valueMarkdown", description, _TEXT, "Group.extension(artifact-description)")
        group["extension"] = [whole, *criterion_extensions(ctx, tree.nodes)]
    group["type"] = "person"
    if in_r5:
        group["membership"] = "definitional"
    else:
        group["actual"] = False
    group["name"] = ctx.record.nct_id + " eligible population"
    if description and in_r5:
        put_markdown(ctx, group, "description", description, _TEXT, "Group.description")
    count = enrollment_count(ctx)
    # R5 has elements for the planned and the actual number; of an unknown kind this is the only place.
    kind = ctx.record.study.protocol_section.design_module.enrollment_info.type
    if count is not None and not (in_r5 and kind in ("ACTUAL", "ESTIMATED")):
        group["quantity"] = derived(count, kind) if in_r5 else count
    characteristics = [*_demographics(ctx), *_criteria(tree)]
    if variable_id is not None:
        value = reference("EvidenceVariable", variable_id)
        characteristics.append({"code": _CRITERIA, "valueReference": value, "exclude": False})
    if characteristics:
        group["characteristic"] = characteristics
    return group


def enrollment_count(ctx: Context) -> int | None:
    """Return the number of participants, planned or actual; None and an Issue for one that FHIR cannot hold."""
    count = ctx.record.study.protocol_section.design_module.enrollment_info.count
    if count is None or is_count(count):
        return count
    source = "protocolSection.designModule.enrollmentInfo.count"
    ctx.note("number-out-of-range", f"{count} participants cannot be carried", source, "Group.quantity")
    return None


def is_count(number: int) -> bool:
    """Tell whether FHIR can hold a number as one of participants."""
    return 0 <= number <= _LARGEST_UNSIGNED_INT


def _demographics(ctx: Context) -> list[Element]:
    module = ctx.record.study.protocol_section.eligibility_module
    found = []
    low, high = module.minimum_age, module.maximum_age
    if low:
        found.append(_age(ctx, low, ">=", _MINIMUM_AGE, "minimumAge"))
    if high:
        found.append(_age(ctx, high, "<=", _MAXIMUM_AGE, "maximumAge"))
    if low and high and _out_of_order(found):
        ctx.note("age-order", f"{low} lies above {high}", f"{_MODULE}.minimumAge", "Group.characteristic")
    # The codes of these characteristics say that they are of the study's population as a whole.
    if module.sex:
        source, target = f"{_MODULE}.sex", "Group.characteristic.valueCodeableConcept"
        value = concept(ctx, _SEX, module.sex, source, target)
        found.append({"code": _SEX_OF_PARTICIPANTS, "valueCodeableConcept": value, "exclude": False})
    if module.healthy_volunteers is not None:
        found.append({"code": _HEALTHY, "valueBoolean": module.healthy_volunteers, "exclude": False})
    if module.gender_based is not None:
        found.append({"code": _GENDER_BASED, "valueBoolean": module.gender_based, "exclude": False})
    if module.gender_description:
        found.append(_described(ctx, "Gender eligibility", module.gender_description))
    if module.study_population:
        found.append(_described(ctx, "Study population", module.study_population))
    return found


def _out_of_order(limits: list[Element]) -> bool:
    """Tell whether the first of two age limits lies above the second."""
    low, high = (limit.get("valueQuantity") for limit in limits)
    if low is None or high is None:
        return False
    return bool(low["value"] * _MINUTES[low["code"]] > high["value"] * _MINUTES[high["code"]])


def _age(ctx: Context, age: str, comparator: str, code_: Element, field: str) -> Element:
    """Return an age limit: a quantity with a UCUM unit, or the registry's words and an Issue."""
    source, target = f"{_MODULE}.{field}", "Group.characteristic.valueQuantity"
    match = _AGE.fullmatch(age)
    unit = parsed(match[2], age) if match else ""
    rows = code(ctx, _AGE_UNITS, unit, source, target) if unit else ()
    if match is None or not rows:
        ctx.note("age-not-understood", f"{age!r} is not a number and a unit of time", source, target)
        return _texted(code_, age, exclude=False)
    number = float(match[1])
    quantity = {
        "value": parsed(int(number) if number.is_integer() else number, age),
        "comparator": comparator,
        "unit": unit,
        "system": coding(rows[0])["system"],
        "code": rows[0].code,
    }
    return {"code": code_, "valueQuantity": quantity, "exclude": False}


def _described(ctx: Context, name: str, markup: str) -> Element:
    value: Element = {}
    put_plain(ctx, value, "text", markup)
    return {"code": {"text": name}, "valueCodeableConcept": value, "exclude": False}


def _texted(code_: Element, text: str, *, exclude: bool) -> Element:
    return {"code": code_, "valueCodeableConcept": {"text": text}, "exclude": exclude}


def _criteria(tree: CriteriaTree) -> list[Element]:
    nodes = study_wide(tree)
    made = [
        {
            "code": _EXCLUSION if node.kind == "exclusion" else _INCLUSION,
            "valueCodeableConcept": {"text": whole_text(node)},
            "exclude": node.kind == "exclusion",
        }
        for node in nodes
    ]
    return derived_each(made, [node.text for node in nodes]) if TRACING.on else made
