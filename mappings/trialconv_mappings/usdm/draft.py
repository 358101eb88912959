"""The pieces that all of a USDM document is made of: objects with ids, codes, texts, extension attributes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import TRUTH, counted, filled, join, looked_up, plain
from trialconv.lineage import code as look_up
from trialconv_mappings.markup import MARKUP
from trialconv_mappings.tables import table
from trialconv_mappings.usdm import placeholders
from trialconv_mappings.usdm.terms import Term, country, fixed, terms

#: A USDM object: what JSON makes of it.
Element = dict[str, Any]

#: What every reader of JSON can hold as a whole number.
LARGEST_INTEGER: Final = 2**63 - 1
_PROTOCOL: Final = "protocolSection."
_FILLED_IN: Final = "filledIn"


class Draft:
    """A document in the making: the counts of its ids and names, and its placeholders."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.fill = placeholders.Placeholders()
        self._base = f"{ctx.options.base}/usdm/"
        self._ids: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._none = counted(0)

    def id(self, kind: str) -> str:
        """Return the next id of a class."""
        number = self._ids.get(kind, self._none) + 1
        self._ids[kind] = number
        return kind + "_" + str(number)

    def name(self, prefix: str) -> str:
        """Return the next name with a prefix."""
        number = self._names.get(prefix, self._none) + 1
        self._names[prefix] = number
        return prefix + str(number)

    def make(self, kind: str, **attributes: Any) -> Element:
        """Return an object of a class; attributes that are None or an empty list are left out.

        It gets the next id unless `id` is given.
        """
        made: Element = {"id": attributes.pop("id", None) or self.id(kind)}
        for name, value in attributes.items():
            if value or (value is not None and value != []):
                made[name] = value
        made["instanceType"] = kind
        return made

    # codes

    def code(self, term: Term) -> Element:
        """Return a Code."""
        return {
            "id": self.id("Code"),
            "code": term.code,
            "codeSystem": term.system,
            "codeSystemVersion": term.version,
            "decode": term.decode,
            "instanceType": "Code",
        }

    def code_again(self, code: Element) -> Element:
        """Return a Code that says the same as another one, with an id of its own."""
        return {**code, "id": self.id("Code")}

    def fixed(self, name: str) -> Element:
        """Return the Code of a row of `usdm_fixed`."""
        return self.code(fixed(name))

    def alias(self, codes: list[Element]) -> Element | None:
        """Return an AliasCode around the first of some codes, if there is one."""
        return self.make("AliasCode", standardCode=codes[0]) if codes else None

    def coded(self, name: str, word: str | None, source: str, target: str) -> list[Element]:
        """Return the codes for a word of the registry where USDM demands none; an unknown word is an Issue."""
        return [self.code(term) for term in self._terms(name, word, source, target)] if word else []

    def required(self, name: str, word: str | None, source: str, target: str) -> Element:
        """Return the code that USDM demands for a word: Unknown without a word, Other for one without a code."""
        if not word:
            return self.unknown(target)
        found = self._terms(name, word, source, target)
        if found:
            return self.code(found[0])
        self.fill.note(target, f"the code {fixed(placeholders.OTHER).decode} for {word}")
        return self.code(filled(fixed(placeholders.OTHER), word))

    def unknown(self, target: str, *of: Any) -> Element:
        """Return the code for what the registry does not say; `of` is what it says instead."""
        self.fill.note(target, f"the code {fixed(placeholders.UNKNOWN).decode}")
        return self.code(filled(fixed(placeholders.UNKNOWN), *of))

    def country(self, name: str | None, source: str, target: str) -> Element | None:
        """Return the code of a country by the registry's name for it, if it has one."""
        if not name:
            return None
        rows = looked_up(table("countries"), name)
        if not rows:
            self.ctx.uncoded.append(("countries", name))
        if rows is None:
            self.ctx.note("country-without-code", f"{name!r} is not in the table of countries", source, target)
        return self.code(country(rows[0].code)) if rows else None

    def _terms(self, name: str, word: str, source: str, target: str) -> tuple[Term, ...]:
        return terms(name, look_up(self.ctx, table(name), word, source, target))

    # texts

    def text_or_placeholder(self, text: str | None, target: str) -> str:
        """Return a text that USDM demands, or the placeholder for it."""
        return text or self.fill.text(target)

    # extension attributes

    def carried(self, path: str, value: Any) -> list[Element]:
        """Return a value of the registry as extension attributes named by its path, one per item of a list.

        An object of a list is an attribute with a class, which holds the attributes of its fields.
        """
        if value is None:
            return []
        if type(value) is str and path not in MARKUP:
            return [self.extension(_name(path), "valueString", value)]
        return list(_attributes(self, path, _name(path), value))

    def marked(self, *names: str) -> list[Element]:
        """Return the extension attributes that say which attributes of an object are placeholders."""
        return [self.extension(_FILLED_IN, "valueString", filled(name)) for name in names]

    def extension(self, name: str, kind: str, value: Any) -> Element:
        """Return an extension attribute."""
        return {
            "id": self.id("ExtensionAttribute"),
            "url": self._base + name,
            kind: value,
            "instanceType": "ExtensionAttribute",
        }

    def extension_class(self, name: str, attributes: list[Element]) -> Element:
        """Return an extension attribute that holds others."""
        held = self.make("ExtensionClass", url=self._base + name, extensionAttributes=attributes)
        return self.extension(name, "valueExtensionClass", held)


@cache
def _name(path: str) -> str:
    """Return the end of the url of what stands at a path of the registry."""
    return path.removeprefix(_PROTOCOL).replace("[]", "")


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """Return the names of the fields of a struct, in Python and in the registry."""
    return tuple(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


def _attributes(draft: Draft, path: str, name: str, value: Any) -> Iterator[Element]:
    if value is None:
        return
    if isinstance(value, str):
        yield draft.extension(name, "valueString", plain(value) if path in MARKUP else value)
    elif isinstance(value, TRUTH):
        yield draft.extension(name, "valueBoolean", value)
    elif isinstance(value, int):
        # A number that is too large stays as its digits.
        if abs(value) <= LARGEST_INTEGER:
            yield draft.extension(name, "valueInteger", value)
        else:
            yield draft.extension(name, "valueString", str(value))
    elif isinstance(value, float):
        yield draft.extension(name, "valueQuantity", draft.make("Quantity", value=value))
    elif isinstance(value, list):
        for item in value:
            yield from _attributes(draft, path + "[]", name, item)
    else:
        yield from _inside(draft, path, name, value)


def _inside(draft: Draft, path: str, name: str, value: Any) -> Iterator[Element]:
    pairs: Any
    if isinstance(value, dict):
        pairs = value.items()
    else:
        pairs = ((key, getattr(value, attribute)) for attribute, key in _names(value.__class__))
    held: list[Element] = []
    for key, inner in pairs:
        held += _attributes(draft, f"{path}.{key}", f"{name}.{key}", inner)
    if held and path.endswith("[]"):
        yield draft.extension_class(name, held)
    else:
        yield from held


def html(text: str) -> str:
    """Return a plain text as HTML, which USDM demands of some: a paragraph per line that is not empty."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = [line.strip() for line in safe.split("\n")]
    return join("", ["<p>" + line + "</p>" for line in lines if line]) or "<p></p>"
