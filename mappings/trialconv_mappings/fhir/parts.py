"""The pieces that all resources are made of: concepts, extensions, contact points, ids."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import TRACING, checked_date, checked_link, code, derived, looked_up, plain, substituted
from trialconv.record.protocol import Contact
from trialconv_mappings.fhir.terms import CONTACTPOINT_EXTENSION, EXACT_TEXT, FILLED_FROM, NCIT
from trialconv_mappings.tables import CodeTable, Row, table

#: A FHIR resource or element: what JSON makes of it.
Element = dict[str, Any]

_COUNTRIES: Final = table("countries")


def coding(row: Row) -> Element:
    """Return the Coding of a table row."""
    if row.display:
        return {"system": row.system, "code": row.code, "display": row.display}
    return {"system": row.system, "code": row.code}


def concept(
    ctx: Context, codes: CodeTable, value: str, source: str, target: str, text: str | None = None
) -> Element:
    """Return a CodeableConcept: the table's codings, and the registry's own word as text.

    Equal concepts are one object: a document is written, not changed, once it is built.
    """
    known = codes.memo.get((value, text))
    if known is not None and not TRACING.on:
        return known
    codings = [coding(row) for row in code(ctx, codes, value, source, target)]
    made: Element = {"coding": codings, "text": text or value} if codings else {"text": text or value}
    if codings and not TRACING.on:
        codes.memo[value, text] = made
    return made


def ncit(code_: str, display: str, text: str) -> Element:
    """Return a CodeableConcept of the NCI Thesaurus, for what the registry's field itself means.

    `display` is the preferred term, `text` the registry's own name of the field.
    """
    return {"coding": [{"system": NCIT, "code": code_, "display": display}], "text": text}


def country(ctx: Context, name: str, source: str, target: str) -> Element:
    """Return a country as a CodeableConcept: its ISO 3166-1 code where the table has one, and its name."""
    known = _COUNTRIES.memo.get((name, None))
    if known is not None and not TRACING.on:
        return known
    rows = looked_up(_COUNTRIES, name)
    if rows is None:
        ctx.note("country-without-code", f"{name!r} is not in the table of countries", source, target)
    if not rows:
        ctx.uncoded.append((_COUNTRIES.name, name))
        return {"text": name}
    made: Element = {"coding": [coding(rows[0])], "text": name}
    if not TRACING.on:
        _COUNTRIES.memo[name, None] = made
    return made


def extension(url: str, **value: Any) -> Element:
    """Return an extension with one value: `extension(url, valueCode="unknown")`."""
    return {"url": url, **value}


def nested_extension(url: str, parts: list[Element]) -> Element:
    """Return an extension that is made of extensions."""
    return {"url": url, "extension": parts}


def exactly(ctx: Context, text: str) -> Element:
    """Return what stands beside an element of text: the registry's exact string."""
    return {"extension": [{"url": ctx.options.base + EXACT_TEXT, "valueString": text}]}


def filled_from(ctx: Context, path: str) -> Element:
    """Return what stands beside an element that holds the value of another field: the path of that field."""
    return {"extension": [{"url": ctx.options.base + FILLED_FROM, "valueString": path}]}


def put_plain(ctx: Context, made: Element, key: str, markup: str, prefix: str = "") -> None:
    """Put registry markup into an element that holds plain text.

    The exact string stands beside it where the two differ, and only then. `prefix` names what the text is about.
    """
    text = plain(markup)
    made[key] = prefix + text if prefix else text
    if text is not markup and text != markup:
        made["_" + key] = exactly(ctx, markup)


# What Markdown takes for the beginning of HTML: https://spec.commonmark.org/0.31.2/#raw-html.
_TAG: Final = re.compile(r"<[A-Za-z/!?]")
_HTML: Final = re.compile(r"(?<!\\)<(?=[A-Za-z/!?])")


def escaped_html(markup: str) -> str:
    """Return markup with a backslash before each angle bracket that Markdown would take for HTML."""
    return substituted(_HTML, r"\<", markup)


def put_markdown(
    ctx: Context, made: Element, key: str, markup: str, source: str, target: str, prefix: str = ""
) -> None:
    """Put registry markup into an element that holds Markdown, as it stands, after the name of what it is about.

    FHIR forbids HTML in Markdown. An angle bracket that looks like some is escaped, with the exact string beside
    it and an Issue (https://hl7.org/fhir/R4/datatypes.html#markdown).
    """
    # Most angle brackets are escaped or begin no word; a pattern that begins with the bracket itself is quick.
    if "<" in markup and _TAG.search(markup) and _HTML.search(markup):
        made[key] = prefix + escaped_html(markup)
        made["_" + key] = exactly(ctx, markup)
        ctx.note("html-like-text", "an angle bracket is escaped", source, target)
    else:
        made[key] = prefix + markup


def put_link(ctx: Context, made: Element, key: str, link: str, source: str, target: str) -> None:
    """Put a web address into an element, or beside it what cannot be one, or had space around it."""
    address = checked_link(ctx, link, source, target)
    if address is not None:
        made[key] = address
    if address != link:
        made["_" + key] = exactly(ctx, link)


def reference(type_: str, id_: str) -> Element:
    """Return a relative Reference."""
    return {"reference": type_ + "/" + id_}


def period(
    ctx: Context, start: str | None, end: str | None, sources: tuple[str, str], target: str
) -> Element | None:
    """Return a Period, or None when there is nothing to put into it. `sources` are the fields of start and end.

    FHIR forbids a period that ends before it starts (per-1). Such a one gives its start alone and an Issue.
    """
    made: Element = {}
    if start and (start := checked_date(ctx, start, sources[0], target)):
        made["start"] = start
    if end and (end := checked_date(ctx, end, sources[1], target)):
        if start and starts_after(start, end):
            ctx.note("date-order", f"the start {start} lies after the end {end}", sources[1], target)
        else:
            made["end"] = end
    return made or None


def starts_after(start: str, end: str) -> bool:
    """Tell whether a partial date lies after another at the precision that both have."""
    shared = min(len(start), len(end))
    return start[:shared] > end[:shared]


def telecom(contact: Contact) -> list[Element]:
    """Return the ContactPoints of a telephone number, its extension and an e-mail address.

    The extension for extensions stands beside the value. R4's core has it on the ContactPoint, but HL7's package
    of extensions, which validators load for every version, has moved it.
    """
    points: list[Element] = []
    if contact.phone or contact.phone_ext:
        point: Element = {"system": "phone"}
        if contact.phone:
            point["value"] = contact.phone
        if contact.phone_ext:
            point["_value"] = {"extension": [extension(CONTACTPOINT_EXTENSION, valueString=contact.phone_ext)]}
        points.append(point)
    if contact.email:
        points.append({"system": "email", "value": contact.email})
    return points


def not_carried(ctx: Context, source: str, why: str) -> None:
    """Say that a value which has a home is not carried this time, and why."""
    ctx.note("field-not-mapped", f"not in this document: {why}", source)


class Ids:
    """The ids of one study's resources.

    An id is `<NCT number>-<part>-<hash of what the part says>`: it does not move when another part is added or
    the order changes. Parts that say the same get a running number.
    """

    def __init__(self, nct_id: str) -> None:
        self._nct_id = nct_id
        self._taken: dict[str, tuple[int, str]] = {}

    def derive(self, part: str, content: str, *of: str | None) -> str:
        """Return a new id for a part with this content, which is made `of` values of the record."""
        made = f"{self._nct_id}-{part}-{blake2b(content.encode(), digest_size=8).hexdigest()}"
        if TRACING.on:
            made = derived(made, self._nct_id, content, of)
        known = self._taken.get(made)
        if known is None:
            self._taken[made] = (1, made)
            return made
        number, first = known[0] + 1, known[1]
        self._taken[made] = (number, first)
        return derived(f"{made}-{number}", made, first)
