"""Who may take part, read back from the Group of the study's population."""

from __future__ import annotations

import re
from typing import Any, Final

from trialconv_mappings.back import Notes, put, typed, words
from trialconv_mappings.criteria import composed_text, says_criteria
from trialconv_mappings.fhir.back.element import Part
from trialconv_mappings.fhir.terms import ELIGIBILITY_CRITERION

_M = "protocolSection.eligibilityModule."
#: The fields by the text of the characteristic's code.
_FIELDS: Final = {
    "Minimum age": "minimumAge",
    "Maximum age": "maximumAge",
    "Sex": "sex",
    "Accepts healthy volunteers": "healthyVolunteers",
    "Eligibility is based on gender": "genderBased",
    "Gender eligibility": "genderDescription",
    "Study population": "studyPopulation",
}
#: The fields by the code that the NCI Thesaurus has for them.
_CODES: Final = {"C49693": "minimumAge", "C49694": "maximumAge", "C49696": "sex", "C98737": "healthyVolunteers"}
#: The characteristics that say again what the text of the criteria says.
_CRITERIA: Final = {
    "Inclusion criterion": "inclusion",
    "Exclusion criterion": "exclusion",
    "Eligibility criteria": None,
}
_PLACE: Final = "Group.characteristic"
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def read_eligibility(groups: list[Part], tree: dict[str, Any], notes: Notes) -> None:
    """Put the criteria text and the traits of the population into the tree."""
    for group in groups:
        text = group.exact("description")
        criteria: list[tuple[str, str]] = []
        for found in group.extensions("artifact-description"):
            text = text if text is not None else found.said()
        for tree_of_criteria in group.extensions(ELIGIBILITY_CRITERION):
            tree_of_criteria.ask_all()
        for trait in group.parts("characteristic"):
            code = trait.part("code")
            name = code.exact("text")
            field = _FIELDS.get(name or "") or next((_CODES[c] for _, c in code.codes() if c in _CODES), None)
            if field is not None:
                trait.ask("exclude")
                code.ask_all()
                value = _value(trait, field, notes)
                put(tree, _M + field, typed(_M + field, value) if value is not None else None)
            elif name in _CRITERIA:
                if kind := _CRITERIA[name]:
                    criteria.append((kind, trait.part("valueCodeableConcept").exact("text") or ""))
                trait.ask_all()
            else:
                shown = f"the characteristic {code.words() or ''!r}"
                notes.note("not-understood", shown[:200], _PLACE)
                trait.ask_all()
        put(tree, _M + "eligibilityCriteria", _text(text, criteria, notes, is_described="description" in group))


def _text(text: str | None, criteria: list[tuple[str, str]], notes: Notes, *, is_described: bool) -> str | None:
    """Return the text of the criteria: what is said in a text, as long as it has the criteria that are listed.

    Where it has not, the list is used, which is an element of every version; unless the text is one, too.
    """
    if text is None or not criteria:
        return text if text is not None or not criteria else composed_text(criteria)
    if says_criteria(_visible(text), criteria, with_cohorts=False):
        return text
    used = "the text" if is_described else "the list"
    notes.note("contradiction", f"the text of the criteria has others than their list; {used} is used", _PLACE)
    return text if is_described else composed_text(criteria)


def _visible(text: str) -> str:
    """Return a text without the characters that FHIR cannot hold."""
    return _CONTROLS.sub("\ufffd", text)


def _value(trait: Part, field: str, notes: Notes) -> str | None:
    if "valueBoolean" in trait:
        return trait.value("valueBoolean")
    if "valueQuantity" in trait:
        return _age(trait.part("valueQuantity"), notes)
    concept = trait.part("valueCodeableConcept")
    if field == "sex":
        return words("fhir_sex").word(concept.codes(), concept.exact("text"), notes, _PLACE)
    return concept.words()


def _age(quantity: Part, notes: Notes) -> str | None:
    """Return an age limit in the registry's words; the code tells the unit, the unit's own name its number."""
    number, unit, code = quantity.value("value"), quantity.text("unit"), quantity.text("code")
    system = quantity.text("system") or ""
    quantity.ask("comparator")
    known = words("ucum_age_unit")
    if code is not None and (system, code) in known and (system, code) not in known.codes_of(unit or ""):
        singular, plural = sorted(known.with_code(code))
        unit = singular if number == "1" else plural
    if number is None or unit is None:
        notes.note("not-understood", f"an age of {number} {unit}", _PLACE)
        return None
    return f"{number} {unit}"
