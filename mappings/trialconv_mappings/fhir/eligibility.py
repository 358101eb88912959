"""The tree of the eligibility criteria, where a version can hold it.

R5 has `EvidenceVariable.characteristic.definitionByCombination` (https://hl7.org/fhir/R5/evidencevariable.html),
whose code says how its members hold together. It is used where the text says so, and for the lists below the
registry's headings: all inclusion criteria have to be met and no exclusion criterion
(https://clinicaltrials.gov/policy/protocol-definitions#EligibilityCriteria). Everything else of the tree, and all
of it before R5, is an extension that nests as the text does.
"""

from __future__ import annotations

from typing import Final

from trialconv.context import Context
from trialconv.lineage import TRACING, derived
from trialconv_mappings.criteria import CriteriaTree, Criterion, whole_text
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.terms import ELIGIBILITY_CRITERION

_KINDS: Final[dict[str | None, Element]] = {
    "inclusion": {"url": "kind", "valueCode": "inclusion"},
    "exclusion": {"url": "kind", "valueCode": "exclusion"},
    None: {"url": "kind", "valueCode": "not-stated"},
}
_JOINERS: Final = {joiner: {"url": "joiner", "valueCode": joiner} for joiner in ("all-of", "any-of")}
_ROLES: Final = {
    role: {"url": "role", "valueCode": role} for role in ("section", "heading", "note", "text", "nothing", "whole")
}
#: What the words of a criterion decide on.
_DECIDED: Final = frozenset(("role", "kind", "joiner"))
_WORDS_ONLY: Final = frozenset(("note", "text", "nothing"))


def criterion_extensions(ctx: Context, nodes: tuple[Criterion, ...]) -> list[Element]:
    """Return the extensions that hold nodes of the tree with everything below them.

    What a node shares with the one above it is said once: its kind and its cohort. A node without a role is a
    criterion.
    """
    url = ctx.options.base + ELIGIBILITY_CRITERION
    return [_extension(url, node, None, None) for node in nodes]


def _extension(url: str, node: Criterion, kind: str | None, cohort: str | None) -> Element:
    parts: list[Element] = []
    if node.role != "criterion":
        parts.append(_ROLES[node.role])
    if node.kind != kind:
        parts.append(_KINDS[node.kind])
    parts.append({"url": "text", "valueString": node.text})
    if node.joiner is not None:
        parts.append(_JOINERS[node.joiner])
    if node.cohort is not None and node.cohort != cohort:
        parts.append({"url": "cohort", "valueString": node.cohort})
    if node.doubt is not None:
        parts.append({"url": "doubt", "valueString": node.doubt})
    if TRACING.on:
        parts = [derived(part, node.text) if part["url"] in _DECIDED else part for part in parts]
    if node.children:
        parts += [_extension(url, child, node.kind, node.cohort) for child in node.children]
    return {"url": url, "extension": parts}


def eligibility_variable(ctx: Context, id_: str, tree: CriteriaTree) -> Element:
    """Return the EvidenceVariable (R5) of the criteria.

    Its characteristics all have to hold: they are the study-wide criteria. What is said of a cohort, what has no
    kind and what is no criterion stands beside them, in extensions and notes.
    """
    made: Element = {"resourceType": "EvidenceVariable", "id": id_}
    characteristics, others, notes = _members(ctx, tree.nodes)
    if others:
        made["extension"] = criterion_extensions(ctx, tuple(others))
    made["url"] = ctx.options.base + "/EvidenceVariable/" + id_
    made["name"] = ctx.record.nct_id + "_Eligibility"
    made["status"] = "active"
    if notes:
        made["note"] = notes
    if characteristics:
        made["characteristic"] = characteristics
    return made


def _members(ctx: Context, nodes: tuple[Criterion, ...]) -> tuple[list[Element], list[Criterion], list[Element]]:
    """Return the characteristics of nodes that hold each for itself, the nodes that are none, and the notes."""
    characteristics: list[Element] = []
    others: list[Criterion] = []
    notes: list[Element] = []
    for node in nodes:
        if node.role in _WORDS_ONLY and node.cohort is None:
            notes.append({"text": node.text})
        elif node.kind is None or node.cohort is not None:
            others.append(node)
        elif node.role == "section":
            below = _section(ctx, node)
            if below is None:
                others.append(node)
            else:
                characteristics.append(below)
        else:
            characteristics.append(_characteristic(ctx, node, exclude=node.kind == "exclusion"))
    return characteristics, others, notes


def _section(ctx: Context, section: Criterion) -> Element | None:
    """Return the characteristic of a section, or None when none of its members is one."""
    turned = section.joiner == ("all-of" if section.kind == "exclusion" else "any-of")
    if turned:
        return _characteristic(ctx, section, exclude=section.kind == "exclusion")
    characteristics, others, notes = _members(ctx, section.children)
    if not characteristics:
        return None
    made: Element = {}
    if others:
        made["extension"] = criterion_extensions(ctx, tuple(others))
    made["description"] = section.text
    if notes:
        made["note"] = notes
    made["definitionByCombination"] = {
        "code": derived("all-of", section.text),
        "characteristic": characteristics,
    }
    return made


def _characteristic(ctx: Context, node: Criterion, *, exclude: bool) -> Element:
    """Return the characteristic of a criterion: its words, or the combination of sub-criteria that it states."""
    made: Element = {}
    joined = node.joiner is not None and all(child.kind or child.role in _WORDS_ONLY for child in node.children)
    if node.children and not joined:
        made["extension"] = criterion_extensions(ctx, node.children)
    if joined:
        made["description"] = node.text
        notes = [{"text": child.text} for child in node.children if child.role in _WORDS_ONLY]
        if notes:
            made["note"] = notes
    if exclude:
        made["exclude"] = derived(True, node.text)
    if joined:
        below = [
            _characteristic(ctx, child, exclude=False) for child in node.children if child.role not in _WORDS_ONLY
        ]
        made["definitionByCombination"] = {"code": node.joiner, "characteristic": below}
    else:
        made["definitionCodeableConcept"] = {"text": whole_text(node)}
    return made
