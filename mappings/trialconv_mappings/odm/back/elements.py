"""The elements of a study read back: its ids and texts, arms, interventions, end points and criteria."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trialconv.odm_tree import Node
from trialconv_mappings.cdisc.text import FORBIDDEN
from trialconv_mappings.criteria import composed_text, says_criteria
from trialconv_mappings.odm.back.named import Named, number_of
from trialconv_mappings.odm.back.parameters import NCT, registered_numbers
from trialconv_mappings.odm.back.said import PHASES, Said, Way, by_table

_P: Final = "protocolSection."
_IDS: Final = _P + "identificationModule."
_TEXTS: Final = _P + "descriptionModule."
_ARMS: Final = _P + "armsInterventionsModule."
_OUTCOMES: Final = _P + "outcomesModule."
_REGISTRY: Final = "ClinicalTrials.gov"
_CRITERIA: Final = _P + "eligibilityModule.eligibilityCriteria"
_KINDS: Final = {"PRI": "primaryOutcomes", "SEC": "secondaryOutcomes", "OTH": "otherOutcomes"}
_LEVELS: Final = {"Primary": "primaryOutcomes", "Secondary": "secondaryOutcomes"}


def read_elements(study: Named, said: Said, *, is_ours: bool) -> None:
    """Read the elements of a study but for its parameters."""
    _ids(study, said)
    _texts(study, said, is_ours=is_ours)
    for phase in study.all("TrialPhase"):
        said.show(PHASES, phase.attributes.get("Value"), "TrialPhase/@Value", by_table("cdisc_trial_phase"))
    for number, indication in enumerate(study.all("StudyIndication"), 1):
        path = f"{_P}conditionsModule.conditions[{position(indication, 'IND.', number)}]"
        said.show(path, _words(indication), "StudyIndication/Description")
    for population in study.all("StudyTargetPopulation"):
        said.show(
            _P + "eligibilityModule.studyPopulation", _words(population), "StudyTargetPopulation/Description"
        )
    _arms(study, said)
    _interventions(study, said, is_ours=is_ours)
    _end_points(study, said)
    _criteria(study, said)


def position(node: Node, prefix: str, otherwise: int) -> int:
    """Return the position that the OID of an element tells; another where it tells none."""
    oid = node.attributes.get("OID", "")
    known = number_of(oid.removeprefix(prefix)) if oid.startswith(prefix) else None
    return otherwise if known is None else known


def _ids(study: Named, said: Said) -> None:
    """Read the ids. A number of the registry is known by its context, or by its form."""
    secondary, aliases, number = 0, 0, None
    for alias in study.all("Alias"):
        context, name = alias.attributes.get("Context", ""), alias.attributes.get("Name")
        kind, _, rest = context.partition(":")
        if name is None:
            continue
        if kind == "secondaryId":
            at, _, type_ = rest.partition(":")
            secondary = number_of(at) or secondary + 1
            said.show(f"{_IDS}secondaryIdInfos[{secondary}].id", name, "Protocol/Alias/@Name")
            said.show(f"{_IDS}secondaryIdInfos[{secondary}].type", type_ or None, "Protocol/Alias/@Context")
        elif kind != _REGISTRY and not NCT.fullmatch(name):
            said.notes.note("not-understood", f"the alias {name[:80]!r} of {context[:80]!r}", "Alias")
        elif number is None and not rest:
            number = name
            said.show(_IDS + "nctId", name, "Protocol/Alias/@Name")
        else:
            aliases = number_of(rest.rpartition(":")[2]) or aliases + 1
            said.show(f"{_IDS}nctIdAliases[{aliases}]", name, "Protocol/Alias/@Name")
    _registered(study, said)


def _registered(study: Named, said: Said) -> None:
    """Read the numbers that registries gave, from the parameter for them where no alias has them."""
    aliases = {alias.attributes.get("Name") for alias in study.all("Alias")}
    numbers = registered_numbers(study)
    if said.first_shown(_IDS + "nctId") is not None:
        if strange := [each for each in numbers if each not in aliases]:
            message = f"{strange[0][:80]!r} is the name of no Alias, which are used"
            said.notes.note("contradiction", message, "StudyParameter[REGID]")
        return
    names = [study.node.attributes.get("ProtocolName", ""), study.node.attributes.get("StudyName", "")]
    names += [node.text for name in ("ProtocolName", "StudyName") for node in study.all(name)]
    names.append(study.node.attributes.get("OID", "").removeprefix("ST."))
    found = next((each for each in (*numbers, *names) if NCT.fullmatch(each)), None)
    said.show(_IDS + "nctId", found, "Study")
    for position_, number in enumerate((each for each in numbers if each != found), 1):
        said.show(f"{_IDS}secondaryIdInfos[{position_}].id", number, "StudyParameter[REGID]")


def _texts(study: Named, said: Said, *, is_ours: bool) -> None:
    names = {name: study.node.attributes.get(name) for name in ("StudyName", "ProtocolName")}
    for name in names:
        for node in study.all(name):
            names[name] = node.text
    own, number = _IDS + "orgStudyIdInfo.id", said.first_shown(_IDS + "nctId")
    if names["ProtocolName"] != number:
        said.show(own, names["ProtocolName"], "ProtocolName")
    if is_ours and names["StudyName"] != number:
        said.show(own, names["StudyName"], "StudyName")
    elif not is_ours and names["StudyName"] != names["ProtocolName"]:
        said.show(_IDS + "briefTitle", names["StudyName"], "StudyName")
    for node in (*study.node.elements, *study.all("StudyDescription")):
        if node.name == "Description":
            said.show(_TEXTS + "briefSummary", _words(study.node), "Study/Description")
        elif node.name == "StudyDescription" and node.text:
            said.show(_TEXTS + "briefSummary", node.text, "StudyDescription")
    for protocol in study.all("Protocol"):
        said.show(_TEXTS + "detailedDescription", _words(protocol), "Protocol/Description")


def _words(node: Node) -> str | None:
    """Return the words of an element's own description; None without one."""
    for child in node.elements:
        if child.name == "Description":
            return "".join(text.text for text in child.find_all("TranslatedText")) or child.text
    return None


def _arms(study: Named, said: Said) -> None:
    for number, arm in enumerate((*study.all("Arm"), *study.all("sdm:Arm")), 1):
        at = position(arm, "ARM.", number)
        path = f"{_ARMS}armGroups[{at}]."
        show_name(said, path + "label", arm.attributes.get("Name"), f"Arm {at}", "Arm/@Name")
        said.show(path + "description", _words(arm), "Arm/Description")


def show_name(said: Said, path: str, name: str | None, otherwise: str, place: str) -> None:
    """Show a name; one that is filled in where the registry has none says nothing, unless its own words say so."""
    if name != otherwise or said.own.get(path) == otherwise:
        said.show(path, name, place)


def _interventions(study: Named, said: Said, *, is_ours: bool) -> None:
    for number, node in enumerate(study.all("StudyIntervention"), 1):
        path = f"{_ARMS}interventions[{position(node, 'INT.', number)}]."
        text, place = _words(node) or "", "StudyIntervention/Description"
        name = said.own.get(path + "name") or ""
        if text == name:
            rest = ""
        elif name and text.startswith(name + "\n\n"):
            rest = text[len(name) + 2 :]
        elif name or not is_ours:
            # The name is the first paragraph; there is no element for it.
            name, _, rest = text.partition("\n\n")
            said.show(path + "name", name, place)
        else:
            rest = text
        said.show(path + "description", rest or None, place)
        for coding in node.elements:
            if coding.name == "Coding":
                code = coding.attributes.get("Code")
                said.show(path + "type", code, "StudyIntervention/Coding", by_table("cdisc_intervention_type"))


def _end_points(study: Named, said: Said) -> None:
    counts: dict[str, int] = {}
    for node in study.all("StudyEndPoint"):
        oid, level = node.attributes.get("OID", ""), node.attributes.get("Level")
        kind = _KINDS.get(oid[3:6]) if oid.startswith("EP.") else None
        field = _LEVELS.get(level or "") or kind
        if field is None:
            said.notes.note("not-understood", f"an end point of the level {level!r}", "StudyEndPoint/@Level")
            continue
        counts[field] = counts.get(field, 0) + 1
        at = position(node, oid[:7], counts[field]) if kind == field else counts[field]
        path = f"{_OUTCOMES}{field}[{at}]."
        name, text = node.attributes.get("Name"), _words(node)
        show_name(said, path + "measure", name, f"Outcome {at}", "StudyEndPoint/@Name")
        if text != name or said.own.get(path + "description") == name:
            said.show(path + "description", text, "StudyEndPoint/Description")


def _criteria(study: Named, said: Said) -> None:
    """Read the criteria: the whole text as long as it says them, else a text made of them."""
    listed = list(_listed(study, said))
    if listed:

        def says(_: str, markup: str) -> bool:
            shown = FORBIDDEN.sub("\ufffd", markup)
            return any(says_criteria(text, listed, with_cohorts=True) for text in dict.fromkeys((markup, shown)))

        said.show(_CRITERIA, composed_text(listed), "Criterion/Description", Way(says, lambda shown: [shown]))
        return
    for condition in study.all("ConditionDef"):
        if condition.attributes.get("OID") == "COND.ELIG":
            said.show(_CRITERIA, _words(condition), "ConditionDef/Description")


def _listed(study: Named, said: Said) -> Iterator[tuple[str, str]]:
    conditions = {node.attributes.get("OID"): node for node in study.all("ConditionDef")}
    for kind in ("inclusion", "exclusion"):
        name = f"{kind.capitalize()}Criteria"
        for section in (*study.all(name), *study.all("sdm:" + name)):
            for node in section.elements:
                condition = conditions.get(node.attributes.get("ConditionOID"))
                text, other = _words(node), _words(condition) if condition is not None else None
                if text and other and text != other:
                    message = f"the condition says {other[:80]!r}, and the criterion {text[:80]!r}, which is used"
                    said.notes.note("contradiction", message, "ConditionDef/Description")
                text = text or other or node.attributes.get("Name")
                if text and node.name.endswith("Criterion"):
                    yield kind, text
