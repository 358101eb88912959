"""The study parameters read back: those of CDISC by their short names, and the registry's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from trialconv_mappings.back import is_field
from trialconv_mappings.odm.arms import LINK_TERM
from trialconv_mappings.odm.back.named import Named, number_of
from trialconv_mappings.odm.back.said import PHASES, Said, Way, as_it_stands, by_duration, by_table
from trialconv_mappings.odm.parameters import ENCODED, ESCAPED
from trialconv_mappings.tables import table

_P: Final = "protocolSection."
_DESIGN: Final = _P + "designModule."
_ELIGIBILITY: Final = _P + "eligibilityModule."
_OWN: Final = "CTG."
_EXTRAS: Final = "extras"
#: More steps than any source has beside the registry's fields.
_DEEPEST: Final = 20
_RETENTION: Final = _DESIGN + "bioSpec.retention"
NCT: Final = re.compile(r"NCT[0-9]{8}")


class Parameter(NamedTuple):
    """A parameter of a study: its short name, its term, its value, and the position among those of its name."""

    name: str
    term: str
    value: str
    position: int


class Official(NamedTuple):
    """What a parameter of CDISC says: the field, `{}` standing for the position, and how its value says it."""

    path: str
    way: Way


def _text(path: str) -> Official:
    return Official(_P + path, as_it_stands())


def _coded(path: str, name: str) -> Official:
    return Official(path, by_table(name))


#: The parameters that answer for a field of the registry. A text, a flag, a term, or a duration.
OFFICIAL: Final[dict[str, Official]] = {
    "TITLE": _text("identificationModule.officialTitle"),
    "SPREFID": _text("identificationModule.orgStudyIdInfo.id"),
    "SPONSOR": _text("sponsorCollaboratorsModule.leadSponsor.name"),
    "SSTDTC": _text("statusModule.startDateStruct.date"),
    "SENDTC": _text("statusModule.completionDateStruct.date"),
    "EXPASTAT": _text("statusModule.expandedAccessInfo.statusForNctId"),
    "EXPARECN": _text("statusModule.expandedAccessInfo.nctId"),
    "DMCIND": _text("oversightModule.oversightHasDmc"),
    "FDADRIND": _text("oversightModule.isFdaRegulatedDrug"),
    "FDADEIND": _text("oversightModule.isFdaRegulatedDevice"),
    "HLTSUBJI": _text("eligibilityModule.healthyVolunteers"),
    "OBSTPOPD": _text("eligibilityModule.studyPopulation"),
    "RTSPCDES": _text("designModule.bioSpec.description"),
    "INDIC": _text("conditionsModule.conditions[{}]"),
    "KEYWORD": _text("conditionsModule.keywords[{}]"),
    "PUBMEDID": _text("referencesModule.references[{}].pmid"),
    "CITNSTDY": _text("referencesModule.references[{}].citation"),
    "URLSTDY": _text("referencesModule.seeAlsoLinks[{}].url"),
    "URLSTDYD": _text("referencesModule.seeAlsoLinks[{}].label"),
    "OUTMSPRI": _text("outcomesModule.primaryOutcomes[{}].measure"),
    "OUTMSSEC": _text("outcomesModule.secondaryOutcomes[{}].measure"),
    "OUTMSADD": _text("outcomesModule.otherOutcomes[{}].measure"),
    "TPHASE": _coded(PHASES, "cdisc_trial_phase"),
    "RANDOM": _coded(_DESIGN + "designInfo.allocation", "cdisc_allocation"),
    "INTMODEL": _coded(_DESIGN + "designInfo.interventionModel", "cdisc_intervention_model"),
    "TINDTP": _coded(_DESIGN + "designInfo.primaryPurpose", "cdisc_primary_purpose"),
    "OBSMODEL": _coded(_DESIGN + "designInfo.observationalModel", "cdisc_observational_model"),
    "OBSTIMP": _coded(_DESIGN + "designInfo.timePerspective", "cdisc_time_perspective"),
    "TBLIND": _coded(_DESIGN + "designInfo.maskingInfo.masking", "cdisc_masking"),
    "SEXPOP": _coded(_ELIGIBILITY + "sex", "cdisc_sex"),
    "OBSTSMM": _coded(_ELIGIBILITY + "samplingMethod", "cdisc_sampling_method"),
    "INTTYPE": _coded(_P + "armsInterventionsModule.interventions[{}].type", "cdisc_intervention_type"),
    "AGEMIN": Official(_ELIGIBILITY + "minimumAge", by_duration()),
    "AGEMAX": Official(_ELIGIBILITY + "maximumAge", by_duration()),
    "TRGFUDUR": Official(_DESIGN + "targetDuration", by_duration()),
}
#: Parameters that count or sum up what others say.
_DERIVED: Final = frozenset({"NARMS", "NCOHORT", "TCNTRL"})
_STUDY_TYPES: Final = by_table("cdisc_study_type")
_REGISTRIES: Final = by_table("cdisc_patient_registry")
_ENROLLMENT: Final = {"ACTSUB": "ACTUAL", "PLANSUB": "ESTIMATED"}


def parameters(study: Named) -> Iterator[Parameter]:
    """Yield the parameters of a study in their order."""
    counts: Counter[str] = Counter()
    for element in ("StudyParameter", "sdm:Parameter"):
        for node in study.all(element):
            name = node.attributes.get("ShortName") or node.attributes.get("Term") or ""
            counts[name] += 1
            holder = next((each for each in node.elements if each.name in ("ParameterValue", "sdm:Value")), None)
            if holder is None:
                continue
            value = holder.attributes.get("Value", holder.text)
            oid = node.attributes.get("OID", "")
            known = number_of(oid.removeprefix(f"PAR.{name}."))
            yield Parameter(name, node.attributes.get("Term", ""), value, known or counts[name])


def read_parameters(study: Named, said: Said) -> tuple[bool, dict[str, Any]]:
    """Read the parameters of a study. Returns whether some are the registry's own, and the extras among them."""
    found = list(parameters(study))
    extras: dict[str, Any] = {}
    own = [each for each in found if each.name.startswith(_OWN)]
    for each in own:
        _read_own(each, said, extras)
    for each in found:
        if not each.name.startswith(_OWN):
            _read_official(each, said)
    _read_retention(found, said)
    return bool(own), extras


def _read_own(parameter: Parameter, said: Said, extras: dict[str, Any]) -> None:
    name, term, value = parameter.name, parameter.term, parameter.value
    if term == LINK_TERM:
        return
    if term.partition(".")[0].removesuffix("[]") == _EXTRAS and name.count(".") < _DEEPEST:
        extras[name.removeprefix(f"{_OWN}{_EXTRAS}.")] = value
        return
    path = _placed(term, name)
    if path is None:
        said.notes.note(
            "not-understood", f"no field of the registry: {term[:100]!r}", f"StudyParameter[{name[:80]}]"
        )
    elif name.endswith(ENCODED):
        said.add_encoded(path, value)
    elif name.endswith(ESCAPED):
        said.add_markup(path, value)
    else:
        said.add_own(path, value)


def _placed(term: str, name: str) -> str | None:
    """Return the path of a field with its positions, which its short name has; None for what is no field."""
    positions = [step for step in name.split(".") if number_of(step) is not None]
    if not is_field(term) or len(positions) != term.count("[]"):
        return None
    following = iter(positions)
    return re.sub(r"\[\]", lambda _: f"[{next(following)}]", term)


def _read_official(parameter: Parameter, said: Said) -> None:
    name, value = parameter.name, parameter.value
    place = f"StudyParameter[{name[:80]}]"
    if name in OFFICIAL:
        official = OFFICIAL[name]
        said.show(official.path.format(parameter.position), value, place, official.way)
    elif name == "STYPE":
        path, way = (
            (_DESIGN + "patientRegistry", _REGISTRIES)
            if _REGISTRIES.means(value)
            else (_DESIGN + "studyType", _STUDY_TYPES)
        )
        said.show(path, value, place, way)
    elif name in _ENROLLMENT:
        said.show(_DESIGN + "enrollmentInfo.count", value, place)
        said.show(_DESIGN + "enrollmentInfo.type", _ENROLLMENT[name], place)
    elif name not in _DERIVED and name not in ("REGID", "BRIND", "BRDNAIND"):
        message = f"the parameter {parameter.term[:80]!r}, {value[:80]!r}, is no field of the registry"
        said.notes.note("not-understood", message, place)


def _read_retention(found: list[Parameter], said: Said) -> None:
    """Read whether specimens are kept, and whether with DNA: two parameters for one word of the registry."""
    flags = {each.name: each.value for each in found if each.name in ("BRIND", "BRDNAIND")}
    if not flags:
        return

    def means(_: str) -> list[str]:
        # Of specimens that are not kept nobody asks what is in them.
        asked = ("BRIND",) if flags.get("BRIND") == "N" else tuple(flags)
        return [word for word in _RETENTIONS if all(_RETENTIONS[word].get(name) == flags[name] for name in asked)]

    place = "StudyParameter[BRIND]"
    said.show(_RETENTION, ", ".join(flags.values()), place, Way(lambda shown, word: word in means(shown), means))


def _flags_of_retention() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, source in (("BRIND", "cdisc_specimens_retained"), ("BRDNAIND", "cdisc_specimens_with_dna")):
        for row in table(source):
            found.setdefault(row.source, {})
            if row.code:
                found[row.source][name] = row.display
    return found


_RETENTIONS: Final = _flags_of_retention()


def registered_numbers(study: Named) -> list[str]:
    """Return the numbers that registries gave a study, as its parameters have them."""
    return [each.value for each in parameters(study) if each.name == "REGID"]
