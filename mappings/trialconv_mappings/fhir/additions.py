"""What the registry itself adds to a record: its annotations, its tracking of results, removed countries, MeSH.

FHIR has no elements for these, so that each has an extension of trialconv, whose parts bear the registry's names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import at_once, checked_date, remembered
from trialconv_mappings.fhir.parts import Element, country, extension, nested_extension, put_markdown
from trialconv_mappings.fhir.terms import (
    CONDITION_ANCESTOR,
    DERIVED_FROM,
    EXACT_TEXT,
    INTERVENTION_ANCESTOR,
    REMOVED_COUNTRY,
    SUBMISSION_TRACKING,
    UNPOSTED_RESULTS,
    VIOLATION,
)
from trialconv_mappings.mesh import MESH, is_mesh_id


class Part(NamedTuple):
    """A part of an extension: the attribute of the struct, the registry's name, and the type of its value."""

    attribute: str
    name: str
    key: str


_ANNOTATIONS = "annotationSection.annotationModule"
_TRACKING = "derivedSection.miscInfoModule.submissionTracking"
UNPOSTED_EVENT: Final = (
    Part("type", "type", "valueString"),
    Part("date", "date", "valueDate"),
    Part("date_unknown", "dateUnknown", "valueBoolean"),
)
VIOLATION_EVENT: Final = (
    Part("type", "type", "valueString"),
    Part("description", "description", "valueMarkdown"),
    Part("creation_date", "creationDate", "valueDate"),
    Part("issued_date", "issuedDate", "valueDate"),
    Part("release_date", "releaseDate", "valueDate"),
    Part("posted_date", "postedDate", "valueDate"),
)
SUBMISSION: Final = (
    Part("release_date", "releaseDate", "valueDate"),
    Part("unrelease_date", "unreleaseDate", "valueDate"),
    Part("unrelease_date_unknown", "unreleaseDateUnknown", "valueBoolean"),
    Part("reset_date", "resetDate", "valueDate"),
    Part("mcp_release_n", "mcpReleaseN", "valueInteger"),
)

#: The parts of the tracking that are no submissions, with the paths of their fields below it.
TRACKED: Final = {
    "estimatedResultsFirstSubmitDate": "estimatedResultsFirstSubmitDate",
    "firstPostDate": "firstMcpInfo.postDateStruct.date",
    "firstPostDateType": "firstMcpInfo.postDateStruct.type",
}


def registry_additions(ctx: Context) -> list[Element]:
    """Return the extensions of a ResearchStudy for the registry's own additions; most records have few."""
    study = ctx.record.study
    module = study.annotation_section.annotation_module
    found = []
    unposted = module.unposted_annotation
    parts = []
    if unposted.unposted_responsible_party:
        parts.append(extension("responsibleParty", valueString=unposted.unposted_responsible_party))
    path = f"{_ANNOTATIONS}.unpostedAnnotation.unpostedEvents"
    parts += _events(ctx, "event", unposted.unposted_events, UNPOSTED_EVENT, path)
    if parts:
        found.append(nested_extension(ctx.options.base + UNPOSTED_RESULTS, parts))
    violations = module.violation_annotation.violation_events
    path = f"{_ANNOTATIONS}.violationAnnotation.violationEvents"
    found += _events(ctx, ctx.options.base + VIOLATION, violations, VIOLATION_EVENT, path)
    misc = study.derived_section.misc_info_module
    for number, name in enumerate(misc.removed_countries):
        if name:
            source = f"derivedSection.miscInfoModule.removedCountries[{number}]"
            place = country(ctx, name, source, "ResearchStudy.extension(removed-country)")
            found.append(extension(ctx.options.base + REMOVED_COUNTRY, valueCodeableConcept=place))
    found += _tracking(ctx)
    return found


def _tracking(ctx: Context) -> list[Element]:
    """Return what the registry tells of results that were submitted and are not posted yet."""
    tracking = ctx.record.study.derived_section.misc_info_module.submission_tracking
    first = tracking.first_mcp_info.post_date_struct
    days = (tracking.estimated_results_first_submit_date, first.date)
    parts = []
    for (name, path), day in zip(TRACKED.items(), days, strict=False):
        if day and (day := checked_date(ctx, day, f"{_TRACKING}.{path}", "ResearchStudy.extension")):
            parts.append(extension(name, valueDate=day))
    if first.type:
        parts.append(extension("firstPostDateType", valueString=first.type))
    path = f"{_TRACKING}.submissionInfos"
    parts += _events(ctx, "submissionInfo", tracking.submission_infos, SUBMISSION, path)
    return [nested_extension(ctx.options.base + SUBMISSION_TRACKING, parts)] if parts else []


def _events(ctx: Context, url: str, events: list[Any], plan: tuple[Part, ...], source: str) -> list[Element]:
    """Return an extension for each event, with a part for each thing that the registry says of it."""
    found = []
    for number, event in enumerate(events):
        parts = []
        for part in plan:
            value = getattr(event, part.attribute)
            if value is None or value == "":
                continue
            made = _part(ctx, part, value, f"{source}[{number}].{part.name}")
            if made is not None:
                parts.append(made)
        if parts:
            found.append(nested_extension(url, parts))
    return found


# MeSH: the same headings stand in very many records, so that equal pieces are one object.


@remembered(32_768)
def _ancestor(base: str, url: str, id_: str | None, term: str | None) -> Element:
    return {"url": base + url, "valueCoding": _coding(base, id_, term)}


@remembered(16_384)
def _keyword(base: str, module: str, id_: str | None, term: str | None) -> Element:
    made: Element = {"extension": [{"url": base + DERIVED_FROM, "valueCode": module}]}
    made["coding"] = [_coding(base, id_, term)]
    if term:
        made["text"] = term
    return made


def _coding(base: str, id_: str | None, term: str | None) -> Element:
    """Return the Coding of a heading. What has not the form of a MeSH identifier stands beside the code."""
    made: Element = {}
    if is_mesh_id(id_):
        made |= {"system": MESH, "code": id_}
    elif id_:
        made["_code"] = {"extension": [{"url": base + EXACT_TEXT, "valueString": id_}]}
    if term:
        made["display"] = term
    return made


_MODULES: Final[tuple[tuple[str, Callable[[Any], Any], str], ...]] = (
    ("conditions", lambda derived: derived.condition_browse_module, CONDITION_ANCESTOR),
    ("interventions", lambda derived: derived.intervention_browse_module, INTERVENTION_ANCESTOR),
)


def mesh_ancestors(ctx: Context) -> list[Element]:
    """Return an extension for each MeSH heading above those derived from the conditions and the interventions."""
    derived, base = ctx.record.study.derived_section, ctx.options.base
    found: list[Element] = []
    ancestor = at_once(_ancestor)
    for _, module, url in _MODULES:
        meshes = module(derived).ancestors
        found += [ancestor(base, url, mesh.id, mesh.term) for mesh in meshes if mesh.id or mesh.term]
    return found


def mesh_keywords(ctx: Context) -> list[Element]:
    """Return the MeSH headings that the registry derived, as keywords that say what they were derived from.

    They are no conditions: the sponsor did not name them.
    """
    derived, base = ctx.record.study.derived_section, ctx.options.base
    found: list[Element] = []
    keyword = at_once(_keyword)
    for name, module, _ in _MODULES:
        found += [
            keyword(base, name, mesh.id, mesh.term) for mesh in module(derived).meshes if mesh.id or mesh.term
        ]
    return found


def _part(ctx: Context, part: Part, value: Any, source: str) -> Element | None:
    """Return a part of an extension; None and an Issue for a value that its type cannot hold."""
    target = "ResearchStudy.extension"
    made: Element = {"url": part.name}
    if part.key == "valueMarkdown":
        put_markdown(ctx, made, part.key, value, source, target)
        return made
    if part.key == "valueDate" and checked_date(ctx, value, source, target) is None:
        return None
    if part.key == "valueInteger" and not -(2**31) <= value < 2**31:
        ctx.note("number-out-of-range", f"{value} cannot be carried", source, target)
        return None
    made[part.key] = value
    return made
