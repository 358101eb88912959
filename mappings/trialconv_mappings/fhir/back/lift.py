"""A ResearchStudy of R4 or R4B in the shape of R5, so that the way back is written once.

What R5 has as elements stands in R4 in the official extensions for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trialconv_mappings.fhir.back.element import Asked, Part
from trialconv_mappings.fhir.parts import Element

_RENAMED: Final = {"reasonStopped": "whyStopped", "location": "region", "category": "studyDesign"}
_MARKS: Final = (
    *("progressStatus", "associatedParty", "comparisonGroup", "descriptionSummary", "recruitment", "label"),
    *("outcomeMeasure", "studyDesign", "whyStopped", "region", "classifier", "date"),
)
_R4_ONLY: Final = (
    "arm",
    "sponsor",
    "enrollment",
    "reasonStopped",
    "category",
    "location",
    "principalInvestigator",
)
_PREFIX: Final = "extension-ResearchStudy."


def is_r5(study: Part) -> bool:
    """Tell a ResearchStudy of R5 from one of R4, whose status is the trial's and whose arms are `arm`."""
    if any(mark in study for mark in _MARKS):
        return True
    return study.raw.get("status") in ("draft", "retired", "unknown") and not any(key in study for key in _R4_ONLY)


def lifted(study: Part, asked: Asked) -> Part:
    """Return a ResearchStudy in the shape of R5; one of R5 as it is."""
    if is_r5(study):
        return study
    made: Element = {}
    for key, value in study.raw.items():
        bare = key.removeprefix("_")
        made[key[: len(key) - len(bare)] + _RENAMED.get(bare, bare)] = value
    _lift_extensions(study, made)
    made["relatedArtifact"] = [_artifact(each) for each in study.parts("relatedArtifact")]
    made["comparisonGroup"] = [_arm(each) for each in study.parts("arm")]
    made.pop("arm", None)
    return Part(made, asked)


def _lift_extensions(study: Part, made: Element) -> None:
    """Put what stands in extensions into the elements that R5 has for it."""
    rest = []
    for found in study.parts("extension"):
        url = found.raw.get("url")
        name = url.rpartition("/")[2].removeprefix(_PREFIX) if isinstance(url, str) and _PREFIX in url else ""
        if name in _SHAPES:
            made.setdefault(name, []).append(_SHAPES[name](found))
        elif name in ("descriptionSummary", "date"):
            made[name], made["_" + name] = _primitive(found)
        elif name.startswith("recruitment."):
            made.setdefault("recruitment", {})[name.partition(".")[2]] = _primitive(found)[0]
        else:
            rest.append(found.raw)
    made["extension"] = rest


def _primitive(extension: Part) -> tuple[Any, Any]:
    """Return the value of an extension and what stands beside it."""
    for key, value in extension.raw.items():
        if key.startswith("value"):
            return value, extension.raw.get("_" + key, {})
        if key.startswith("_value") and key[1:] not in extension.raw:
            return None, value
    return None, {}


def _parts(extension: Part) -> Element:
    """Return an extension of extensions as an element with a key for each part; a part that repeats is a list."""
    made: Element = {}
    for part in extension.parts("extension"):
        url = part.raw.get("url")
        if not isinstance(url, str) or "/" in url:
            made.setdefault("extension", []).append(part.raw)
            continue
        value, beside = _primitive(part)
        if url in made:
            made[url] = [*made[url], value] if isinstance(made[url], list) else [made[url], value]
        else:
            made[url] = value
            if beside:
                made["_" + url] = beside
    return made


def _value(extension: Part) -> Any:
    return _primitive(extension)[0]


#: What R5 has as lists of elements, with the shape of each.
_SHAPES: Final[dict[str, Callable[[Part], Any]]] = {
    "label": _parts,
    "progressStatus": _parts,
    "outcomeMeasure": _parts,
    "associatedParty": _parts,
    "classifier": _value,
}


def _artifact(artifact: Part) -> Element:
    made = {key: value for key, value in artifact.raw.items() if key not in ("url", "_url", "extension")}
    rest = []
    for found in artifact.parts("extension"):
        url = found.raw.get("url")
        name = url.rpartition("/")[2] if isinstance(url, str) else ""
        if name == "extension-RelatedArtifact.classifier":
            made.setdefault("classifier", []).append(_value(found))
        elif name == "extension-RelatedArtifact.publicationDate":
            made["publicationDate"], made["_publicationDate"] = _primitive(found)
        else:
            rest.append(found.raw)
    made["extension"] = rest
    if "url" in artifact or "_url" in artifact:
        document = made.get("document")
        address = {key: artifact.raw[key] for key in ("url", "_url") if key in artifact}
        made["document"] = {**(document if isinstance(document, dict) else {}), **address}
    return made


def _arm(arm: Part) -> Element:
    link = arm.extension("extension-ResearchStudy.comparisonGroup.linkId")
    return {**arm.raw, "linkId": link.said()} if link else arm.raw
