"""A ResearchStudy of R4 or R4B in the shape of R5, so that the way back is written once.

What R5 has as elements stands in R4 in the official extensions for them.
"""

from __future__ import annotations

from typing import Any

from trialconv_mappings.fhir.back.bundles import named, value_of
from trialconv_mappings.fhir.parts import Element

_RENAMED = {"reasonStopped": "whyStopped", "location": "region", "category": "studyDesign"}


def is_r5(study: Element) -> bool:
    """Tell a ResearchStudy of R5 from one of R4, whose status is the trial's and whose arms are `arm`."""
    marks = ("progressStatus", "associatedParty", "comparisonGroup", "descriptionSummary", "recruitment", "label")
    return any(mark in study for mark in marks)


def lifted(study: Element) -> Element:
    """Return a ResearchStudy in the shape of R5; one of R5 as it is."""
    if is_r5(study):
        return study
    made: Element = {}
    for key, value in study.items():
        bare = key.removeprefix("_")
        made[key[: len(key) - len(bare)] + _RENAMED.get(bare, bare)] = value
    _move(made, "label", _parts)
    _move(made, "progressStatus", _parts)
    _move(made, "outcomeMeasure", _outcome)
    _move(made, "associatedParty", _party)
    _move(made, "classifier", lambda found: value_of(found))
    for key in ("descriptionSummary", "date"):
        found = named(study, f"extension-ResearchStudy.{key}")
        if found:
            made[key], made["_" + key] = _primitive(found[0])
    made["recruitment"] = {
        key: value_of(found)
        for key in ("actualNumber", "targetNumber")
        for found in named(study, f"extension-ResearchStudy.recruitment.{key}")
    }
    made["relatedArtifact"] = [_artifact(each) for each in study.get("relatedArtifact", ())]
    made["comparisonGroup"] = [_arm(each) for each in study.get("arm", ())]
    return made


def _move(made: Element, name: str, shape: Any) -> None:
    found = [shape(each) for each in named(made, f"extension-ResearchStudy.{name}")]
    if found:
        made[name] = found


def _primitive(extension: Element) -> tuple[Any, Element]:
    """Return the value of an extension and what stands beside it."""
    for key, value in extension.items():
        if key.startswith("value"):
            return value, extension.get("_" + key, {})
    return None, {}


def _parts(extension: Element) -> Element:
    """Return an extension of extensions as an element with a key for each part."""
    made: Element = {}
    for part in extension.get("extension", ()):
        if "/" in part["url"]:
            made.setdefault("extension", []).append(part)
        else:
            made[part["url"]], beside = _primitive(part)
            if beside:
                made["_" + part["url"]] = beside
    return made


def _outcome(extension: Element) -> Element:
    made = _parts(extension)
    if "type" in made:
        made["type"] = [made["type"]]
    return made


def _party(extension: Element) -> Element:
    made = _parts(extension)
    made["classifier"] = [value_of(part) for part in extension["extension"] if part["url"] == "classifier"]
    return made


def _artifact(artifact: Element) -> Element:
    made = {key: value for key, value in artifact.items() if key not in ("url", "_url")}
    made["classifier"] = [value_of(found) for found in named(artifact, "extension-RelatedArtifact.classifier")]
    for found in named(artifact, "extension-RelatedArtifact.publicationDate"):
        made["publicationDate"], made["_publicationDate"] = _primitive(found)
    if "url" in artifact or "_url" in artifact:
        made["document"] = {key: artifact[key] for key in ("url", "_url") if key in artifact}
    return made


def _arm(arm: Element) -> Element:
    link = named(arm, "extension-ResearchStudy.comparisonGroup.linkId")
    return {**arm, "linkId": value_of(link[0])} if link else arm
