"""Who may take part: the Group that defines the study's population.

The members of `Group.characteristic` all have to hold (R4, R4B and R5), so that only study-wide criteria
stand there, each with its alternatives inside its text.
"""

from __future__ import annotations

import re
from typing import Final

from trialconv.context import Context
from trialconv.lineage import code, plain
from trialconv_mappings.criteria import split_criteria
from trialconv_mappings.fhir.parts import Element, coding, concept, extension, ncit
from trialconv_mappings.fhir.terms import ARTIFACT_DESCRIPTION
from trialconv_mappings.tables import table

_MODULE = "protocolSection.eligibilityModule"
_SEX: Final = table("fhir_sex")
_AGE_UNITS: Final = table("ucum_age_unit")
_LARGEST_UNSIGNED_INT: Final = 2_147_483_647
_AGE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ([A-Za-z]+)")

# What the registry's fields mean, in the NCI Thesaurus (CDISC codelist TSPARM).
_MINIMUM_AGE: Final = ncit("C49693", "Planned Minimum Age of Subjects", "Minimum age")
_MAXIMUM_AGE: Final = ncit("C49694", "Planned Maximum Age of Subjects", "Maximum age")
_SEX_OF_PARTICIPANTS: Final = ncit("C49696", "Sex of Study Group", "Sex")
_HEALTHY: Final = ncit("C98737", "Healthy Subject Indicator", "Accepts healthy volunteers")
_INCLUSION: Final = {"text": "Inclusion criterion"}
_EXCLUSION: Final = {"text": "Exclusion criterion"}


def eligibility_group(ctx: Context, id_: str) -> Element:
    """Return the Group of the study's eligible population, also where the record says nothing of it."""
    module = ctx.record.study.protocol_section.eligibility_module
    group: Element = {"resourceType": "Group", "id": id_}
    description = module.eligibility_criteria
    in_r5 = ctx.options.fhir_version == "R5"
    if description and not in_r5:
        group["extension"] = [extension(ARTIFACT_DESCRIPTION, valueMarkdown=description)]
    group["type"] = "person"
    if in_r5:
        group["membership"] = "definitional"
    else:
        group["actual"] = False
    group["name"] = f"{ctx.record.nct_id} eligible population"
    if description and in_r5:
        group["description"] = description
    count = enrollment_count(ctx)
    # R5 has elements for the planned and the actual number; of an unknown kind this is the only place.
    kind = ctx.record.study.protocol_section.design_module.enrollment_info.type
    if count is not None and not (in_r5 and kind in ("ACTUAL", "ESTIMATED")):
        group["quantity"] = count
    if characteristics := [*_demographics(ctx), *_criteria(ctx, description)]:
        group["characteristic"] = characteristics
    return group


def enrollment_count(ctx: Context) -> int | None:
    """Return the number of participants, planned or actual; None and an Issue for one that FHIR cannot hold."""
    count = ctx.record.study.protocol_section.design_module.enrollment_info.count
    if count is None or 0 <= count <= _LARGEST_UNSIGNED_INT:
        return count
    source = "protocolSection.designModule.enrollmentInfo.count"
    ctx.note("number-out-of-range", f"{count} participants cannot be carried", source, "Group.quantity")
    return None


def _demographics(ctx: Context) -> list[Element]:
    module = ctx.record.study.protocol_section.eligibility_module
    found = []
    low, high = module.minimum_age, module.maximum_age
    if low:
        found.append(_age(ctx, low, ">=", _MINIMUM_AGE, "minimumAge"))
    if high:
        found.append(_age(ctx, high, "<=", _MAXIMUM_AGE, "maximumAge"))
    # Sex ALL, and that healthy people may take part, are no traits of the members: see `study_facts.classifiers`.
    if module.sex and module.sex != "ALL":
        source, target = f"{_MODULE}.sex", "Group.characteristic.valueCodeableConcept"
        value = concept(ctx, _SEX, module.sex, source, target)
        found.append({"code": _SEX_OF_PARTICIPANTS, "valueCodeableConcept": value, "exclude": False})
    if module.healthy_volunteers is False:
        found.append({"code": _HEALTHY, "valueBoolean": False, "exclude": False})
    if module.gender_description:
        found.append(_texted({"text": "Gender eligibility"}, plain(module.gender_description), exclude=False))
    if module.study_population:
        found.append(_texted({"text": "Study population"}, plain(module.study_population), exclude=False))
    return found


def _age(ctx: Context, age: str, comparator: str, code_: Element, field: str) -> Element:
    """Return an age limit: a quantity with a UCUM unit, or the registry's words and an Issue."""
    source, target = f"{_MODULE}.{field}", "Group.characteristic.valueQuantity"
    match = _AGE.fullmatch(age)
    rows = code(ctx, _AGE_UNITS, match[2], source, target) if match else ()
    if match is None or not rows:
        ctx.note("age-not-understood", f"{age!r} is not a number and a unit of time", source, target)
        return _texted(code_, age, exclude=False)
    number = float(match[1])
    quantity = {
        "value": int(number) if number.is_integer() else number,
        "comparator": comparator,
        "unit": match[2],
        "system": coding(rows[0])["system"],
        "code": rows[0].code,
    }
    return {"code": code_, "valueQuantity": quantity, "exclude": False}


def _texted(code_: Element, text: str, *, exclude: bool) -> Element:
    return {"code": code_, "valueCodeableConcept": {"text": text}, "exclude": exclude}


def _criteria(ctx: Context, markup: str | None) -> list[Element]:
    if not markup:
        return []
    criteria = split_criteria(markup)
    if not criteria:
        source, target = f"{_MODULE}.eligibilityCriteria", "Group.characteristic"
        ctx.note("criteria-not-split", "the criteria are carried as one text", source, target)
        return []
    return [
        {
            "code": _EXCLUSION if kind == "exclusion" else _INCLUSION,
            "valueCodeableConcept": {"text": text},
            "exclude": kind == "exclusion",
        }
        for kind, text in criteria
    ]
