"""The registry's own parameters: every field that has no ODM element of its own, one value each.

The fields are found from the record's types, so that a field which the record learns is carried at once. What
has a home elsewhere is listed in `homes.py` by its path and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from msgspec.inspect import ListType, NoneType, RawType, StructType, UnionType, type_info

from trialconv.formats import OdmVersion
from trialconv.lineage import as_json, checked_date, code, plain
from trialconv.record import Study
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.markup import MARKUP
from trialconv_mappings.odm.codelists import coding
from trialconv_mappings.odm.homes import CODED, HOMES, names_a_contact
from trialconv_mappings.odm.parameters import ENCODED, ESCAPED, Parameters
from trialconv_mappings.odm.text import encoded_if_forbidden
from trialconv_mappings.tables import table

#: Objects that stand in the short names with another name than nothing.
_PREFIXES: Final = {
    "protocolSection.ipdSharingStatementModule": "ipdSharingStatement.",
    "derivedSection.conditionBrowseModule": "conditionBrowse.",
    "derivedSection.interventionBrowseModule": "interventionBrowse.",
}
_WRAPPERS: Final = ("Section", "Module", "designInfo", "maskingInfo")


#: What to do with a value: it is given the carrier, the value, the field and the names of the objects around it.
_Handler = Callable[["Carrier", Any, "_Field", str], None]
#: Which handler a field has, by its path; None leaves it out.
_Choice = Callable[[str], _Handler | None]


class _Field(NamedTuple):
    """How to carry a field: as a value, a list of values, or a list of objects that have a plan."""

    kind: _Handler
    value_kind: _Handler
    short: str
    path: str
    plan: _Plan | None


class _Plan(NamedTuple):
    """The fields of a struct that are carried, with those of the objects inside it, and how to fetch them."""

    fetch: Callable[[Any], tuple[Any, ...]]
    fields: tuple[_Field, ...]


class Carrier:
    """Carries the fields of one study into its parameters."""

    def __init__(self, parameters: Parameters) -> None:
        self._ctx = parameters.ctx
        self._add = parameters.registry

    def carry(self, study: Study) -> None:
        """Add a parameter for every value that has no home elsewhere, in the registry's order.

        A text whose escapes were undone, here or in its home, has the registry's own string beside it.
        """
        self._object(study, _plan(self._ctx.options.odm_version, self._ctx.options.contacts), "CTG.")

    def carry_encoded(self, study: Study) -> None:
        """Add the own string of every text with a character that XML cannot hold, in base64."""
        self._object(study, _encoded_plan(self._ctx.options.contacts), "CTG.")

    def _object(self, struct: Any, plan: _Plan, prefix: str) -> None:
        add = self._add
        for value, field in zip(plan.fetch(struct), plan.fields, strict=False):
            if value is None:
                continue
            handler = field.value_kind
            # What nearly every value is, without a call for each.
            if handler is _WORDS and isinstance(value, str) and value.isprintable():
                add(prefix + field.short, field.path, value)
            elif handler is not _HOME or value == "" or isinstance(value, list):
                field.kind(self, value, field, prefix)

    def _list(self, items: list[Any], field: _Field, prefix: str) -> None:
        """Handle each value of a list, named by its position."""
        for position, item in enumerate(items, 1):
            field.value_kind(self, item, field, f"{prefix}{field.short}.{position}")

    def _objects(self, items: list[Any], field: _Field, prefix: str) -> None:
        """Add the parameters of every object of a list."""
        if field.plan is not None:
            for position, item in enumerate(items, 1):
                self._object(item, field.plan, f"{prefix}{field.short}.{position}.")

    def _single(self, value: Any, field: _Field, prefix: str) -> None:
        field.value_kind(self, value, field, prefix + field.short)

    def _words(self, value: Any, field: _Field, short_name: str) -> None:
        """Add the parameter of a value that is words, a number or a truth value."""
        self._add(short_name, field.path, self._held(value, field, short_name))

    def _held(self, value: Any, field: _Field, short_name: str) -> str:
        """Return a value as a parameter can hold it."""
        if not isinstance(value, str):
            return as_json(value)
        if value.isprintable():
            return value
        return clean(self._ctx, value, field.path, f"StudyParameter[@OID='PAR.{short_name}']")

    def _date(self, value: str, field: _Field, short_name: str) -> None:
        """Add the parameter of a date. A text that is no date is noted, and stays as the registry's words."""
        held = self._held(value, field, short_name)
        checked_date(self._ctx, held, field.path, f"StudyParameter[@OID='PAR.{short_name}']")
        self._add(short_name, field.path, held)

    def _coded(self, value: str, field: _Field, short_name: str) -> None:
        """Add the parameter of a word that has a CDISC term, with its code."""
        held = self._held(value, field, short_name)
        name = CODED[field.path]
        rows = code(self._ctx, table(name), held, field.path, "StudyParameter/ParameterValue/Coding")
        self._add(short_name, field.path, held, tuple(coding(name, row) for row in rows))

    def _text(self, value: str, field: _Field, short_name: str) -> None:
        """Add the parameter of a text that the registry keeps as markdown."""
        self._words(plain(value), field, short_name)
        self._markup(value, field, short_name)

    def _markup(self, value: str, field: _Field, short_name: str) -> None:
        """Add the registry's own string of a text, where the plain text is another."""
        if ("\\" in value or "&" in value) and plain(value) != value:
            self._words(value, field, short_name + ESCAPED)

    def _home(self, value: Any, field: _Field, short_name: str) -> None:
        """Add a text without characters, which elements and official parameters leave out."""
        if value == "":
            self._words(value, field, short_name)

    def _home_text(self, value: str, field: _Field, short_name: str) -> None:
        (self._markup if value else self._home)(value, field, short_name)

    def _encoded(self, value: Any, field: _Field, short_name: str) -> None:
        if isinstance(value, str) and (encoded := encoded_if_forbidden(value)):
            self._add(short_name + ENCODED, field.path, encoded)


_WORDS: Final = Carrier._words
_HOME: Final = Carrier._home


@cache
def _plan(version: OdmVersion, contacts: bool) -> _Plan:
    """Return the plan for a study, with or without the details of contacts."""
    homes = HOMES[version]

    def choose(path: str) -> _Handler | None:
        if not contacts and names_a_contact(path):
            return None
        if path in homes:
            return Carrier._home_text if path in MARKUP else Carrier._home
        if path in MARKUP:
            return Carrier._text
        # SDM-XML has no place for a code.
        if version == "2.0" and path in CODED:
            return Carrier._coded
        return Carrier._date if _is_date(path) else Carrier._words

    return _study_plan(choose)


@cache
def _encoded_plan(contacts: bool) -> _Plan:
    """Return the plan that looks at every text of a study."""
    return _study_plan(lambda path: Carrier._encoded if contacts or not names_a_contact(path) else None)


def _study_plan(choose: _Choice) -> _Plan:
    info = type_info(Study)
    if not isinstance(info, StructType):
        raise TypeError("a study is a struct")
    return _struct_plan(info, "", choose)


def _struct_plan(info: StructType, path: str, choose: _Choice) -> _Plan:
    found = list(_fields(info, path, "", "", choose))
    names = [name for name, _ in found]
    # With a single name attrgetter returns no tuple; the second one stands beside no field.
    fetch = attrgetter(*names) if len(names) > 1 else attrgetter(*(names * 2)) if names else _nothing
    return _Plan(fetch, tuple(field for _, field in found))


def _fields(
    info: StructType, path: str, short: str, attribute: str, choose: _Choice
) -> Iterator[tuple[str, _Field]]:
    """Yield the fields of a struct and of the objects inside it, each with the attributes that lead to it."""
    for field in info.fields:
        below = f"{path}.{field.encode_name}" if path else field.encode_name
        name = attribute + field.name
        kind = _without_none(field.type)
        if isinstance(kind, StructType):
            prefix = short + _prefix(field.encode_name, below)
            yield from _fields(kind, below, prefix, name + ".", choose)
        elif isinstance(kind, RawType):
            continue
        elif (made := _field(kind, short + field.encode_name, below, choose)) is not None:
            yield name, made


def _field(kind: Any, short: str, path: str, choose: _Choice) -> _Field | None:
    """Return how to carry a value or a list, or None when nothing of it is to be carried."""
    item = None
    if isinstance(kind, ListType):
        path += "[]"
        item = _without_none(kind.item_type)
        if isinstance(item, StructType):
            plan = _struct_plan(item, path, choose)
            return _Field(Carrier._objects, Carrier._words, short, path, plan) if plan.fields else None
    handler = choose(path)
    if handler is None:
        return None
    kind = Carrier._list if item is not None else Carrier._single
    return _Field(kind, handler, short, path, None)


def _is_date(path: str) -> bool:
    name = path.rpartition(".")[2]
    return name == "date" or (name.endswith("Date") and name != "uploadDate")


def _prefix(name: str, path: str) -> str:
    if path in _PREFIXES:
        return _PREFIXES[path]
    return "" if name.endswith(_WRAPPERS) else name + "."


def _without_none(kind: Any) -> Any:
    """Return the one type of a union beside None."""
    if isinstance(kind, UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, NoneType))
    return kind


def _nothing(_: Any) -> tuple[Any, ...]:
    return ()
