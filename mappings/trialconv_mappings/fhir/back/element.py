"""An element of a document as it is read back: whatever it turns out to be, asking it for something is safe.

JSON from elsewhere may have a number where an object belongs, or one object where a list does; XML does not tell
one from the other. An element gives what is asked for where it has it, and remembers what it was asked for, so
that what nobody asked for can be named.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

from trialconv.lineage import plain
from trialconv_mappings.back import Code
from trialconv_mappings.fhir.parts import escaped_html
from trialconv_mappings.fhir.terms import EXACT_TEXT, FILLED_FROM

#: The characters that a document has U+FFFD for: in JSON, and in XML.
_REPLACED: Final = (
    re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]"),
    re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"),
)
_REPLACEMENT: Final = "\ufffd"

#: The keys that were asked for, each with the object that has it.
Asked = set[tuple[int, str]]


class Part:
    """An object of a document, or an empty one in the place of what is none."""

    __slots__ = ("_asked", "raw")

    def __init__(self, raw: Any, asked: Asked) -> None:
        self._asked = asked
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __contains__(self, key: str) -> bool:
        return key in self.raw

    def ask(self, *keys: str) -> None:
        """Remember that keys were asked for: what they hold is known, or says nothing of its own."""
        self._asked.update((id(self.raw), key) for key in keys if key in self.raw)

    def ask_all(self) -> None:
        """Remember everything below as asked for: it says again what is read elsewhere."""
        waiting: list[Any] = [self.raw]
        for each in waiting:
            if isinstance(each, dict):
                self._asked.update((id(each), key) for key in each)
                waiting += each.values()
            elif isinstance(each, list):
                waiting += each

    def parts(self, key: str) -> list[Part]:
        """Return the objects at a key, be it a list of them or a single one."""
        value = self.raw.get(key)
        items = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
        found = [Part(item, self._asked) for item in items if isinstance(item, dict)]
        if found:
            self.ask(key)
        return found

    def part(self, key: str) -> Part:
        """Return the first object at a key, or an empty one."""
        return next(iter(self.parts(key)), Part(None, self._asked))

    def text(self, key: str) -> str | None:
        """Return the text at a key; None where there is no text."""
        value = self.raw.get(key)
        if not isinstance(value, str):
            return None
        self.ask(key)
        return value

    def texts(self, key: str) -> list[str]:
        """Return the texts at a key, be it a list of them or a single one."""
        value = self.raw.get(key)
        found = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
        if found:
            self.ask(key)
        return found

    def value(self, key: str) -> str | None:
        """Return a text, a number or a truth value at a key as JSON writes it; None where there is none."""
        value = self.raw.get(key)
        if isinstance(value, str) or value is None or isinstance(value, dict | list):
            return self.text(key)
        self.ask(key)
        return json.dumps(value)

    def beside(self, key: str) -> Part:
        """Return what stands beside a primitive value."""
        return self.part("_" + key)

    def extensions(self, name: str) -> list[Part]:
        """Return the extensions whose url is a name or ends in it after a slash."""
        found = []
        for each in self.parts("extension"):
            url = each.raw.get("url")
            if isinstance(url, str) and (url == name or url.endswith("/" + name.lstrip("/"))):
                each.ask("url")
                found.append(each)
        return found

    def extension(self, name: str) -> Part:
        """Return the first extension of that name, or an empty one."""
        return next(iter(self.extensions(name)), Part(None, self._asked))

    def said(self) -> str | None:
        """Return the value of an extension as a text; None where it has none, or an object."""
        for key in self.raw:
            if key.startswith(("value", "_value")):
                return self.exact(key.removeprefix("_"))
        return None

    def held(self) -> Part:
        """Return the object that is the value of an extension, or an empty one."""
        key = next((key for key in self.raw if key.startswith("value")), "")
        return self.part(key)

    def exact(self, key: str, prefix: str = "") -> str | None:
        """Return the registry's string of an element of text, without the name before it.

        The exact string that stands beside the element is used as long as the element still says it.
        """
        shown = self.value(key)
        if shown is not None:
            shown = shown.removeprefix(prefix)
        exact = self.beside(key).extensions(EXACT_TEXT)
        texts = [_decoded(found) for found in exact]
        for found in exact:
            found.ask_all()
        for text in texts:
            if text is not None and (shown is None or shown in _forms(text := text.removeprefix(prefix))):
                return text
        return shown

    def is_filled_in(self, key: str) -> bool:
        """Tell whether an element says that it was filled in from another field."""
        marks = self.beside(key).extensions(FILLED_FROM)
        for mark in marks:
            mark.ask_all()
        return bool(marks)

    def codes(self) -> list[Code]:
        """Return the codes of a CodeableConcept."""
        return [(coding.text("system") or "", code) for coding in self.codings() if (code := coding.text("code"))]

    def codings(self) -> list[Part]:
        """Return the codings of a CodeableConcept. What they display says no more than the codes."""
        found = self.parts("coding")
        for coding in found:
            coding.ask("display", "version", "userSelected")
        return found

    def words(self) -> str | None:
        """Return the text of a CodeableConcept; where it has none, what its first code is called."""
        text = self.exact("text")
        displays = [each.text("display") for each in self.codings()]
        self.ask_all()
        return text if text is not None else next((display for display in displays if display), None)


def _decoded(found: Part) -> str | None:
    """Return the exact string that an extension holds."""
    encoded = found.text("valueBase64Binary")
    if encoded is None:
        return found.said()
    try:
        return b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _forms(text: str) -> Iterator[str]:
    """Yield every form in which the mapping shows a string of the registry."""
    for shown in (text, plain(text), escaped_html(text), text.strip(), text.partition("T")[0]):
        yield shown
        for pattern in _REPLACED:
            yield pattern.sub(_REPLACEMENT, shown)


def said_texts(concepts: list[Part]) -> list[str]:
    """Return the words of CodeableConcepts that have some."""
    return [text for concept in concepts if (text := concept.words())]
