"""JSON to structs: a fast, strict way for the records that follow the OpenAPI, patient ones for the rest.

The strict decoder refuses unknown fields, unknown enum values and wrong types at the first of them. Most such
records have only fields that the OpenAPI does not list: these are taken out of the tree, each noted as a Finding
with its path. Where that is not all, the patient way walks through every value, notes what cannot be held, takes
it out, and puts unknown enum words back afterwards.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from trialconv.issues import Issue, issue
from trialconv.record.base import TREE, RegistryStruct
from trialconv.record.model import Study
from trialconv.record.results import ResultsSection

_SHOWN = 80


class Finding(NamedTuple):
    """Something in a JSON tree that the OpenAPI does not list: an issue code, a path and a message."""

    code: str
    path: str
    message: str

    def as_issue(self, record: str) -> Issue:
        """Return the finding as an Issue of the named record."""
        return issue(self.code, self.message, record=record, source_path=self.path)


def decode_study(data: bytes | memoryview) -> tuple[Study, list[Finding]]:
    """Decode one API v2 study from UTF-8 JSON.

    Raises msgspec.DecodeError for malformed JSON, UnicodeDecodeError for other than UTF-8, RecursionError for
    one nested too deeply, and msgspec.ValidationError when the top level is no object.
    """
    try:
        study = _STUDY.decode(data)
    except msgspec.ValidationError:
        tree = TREE.decode(data)
    else:
        # The decoder passes over the results without a look at their characters.
        if str(study.results_section, "utf-8").strip("{} \t\r\n") in ("", "null"):
            study.results_section = Study().results_section
        return study, []
    if not isinstance(tree, dict):
        raise msgspec.ValidationError("Expected an object")
    return study_from_tree(tree)


def study_from_tree(tree: dict[str, Any]) -> tuple[Study, list[Finding]]:
    """Make a Study of a tree with the registry's keys, and note what the OpenAPI does not list."""
    results = tree.get("resultsSection")
    rest = {key: value for key, value in tree.items() if key != "resultsSection"}
    study, findings = _from_tree(rest, Study, "")
    if isinstance(results, dict) and results:
        study.results_section = msgspec.Raw(msgspec.json.encode(results))
    elif results is not None and results != {}:
        findings.append(_wrong_type("resultsSection", "an object", results))
    return study, findings


def decode_results(data: bytes) -> tuple[ResultsSection, list[Finding]]:
    """Decode a results section; no bytes give an empty one."""
    if not data:
        return ResultsSection(), []
    try:
        return _RESULTS.decode(data), []
    except msgspec.ValidationError:
        return _from_tree(TREE.decode(data), ResultsSection, "resultsSection")


_S = TypeVar("_S", bound=RegistryStruct)


def _from_tree(tree: Any, kind: type[_S], path: str) -> tuple[_S, list[Finding]]:
    findings: list[Finding] = []
    if isinstance(tree, dict):
        listed = _listed_only(tree, kind, path, findings)
        try:
            return msgspec.convert(listed, kind), findings
        except msgspec.ValidationError:
            pass  # something else is the matter, too
    walk = _Walk()
    cleaned = walk.clean(tree, kind, path)
    made = msgspec.convert(cleaned if cleaned is not _DROPPED else {}, kind)
    for trail, word in walk.kept_words:
        _put(made, trail, word)
    return made, walk.findings


def _listed_only(
    tree: dict[str, Any], kind: type[RegistryStruct], path: str, findings: list[Finding]
) -> dict[str, Any]:
    """Return the object without the fields that the OpenAPI does not list, at any depth, and note each of them."""
    known = _fields(kind)
    kept = tree
    if not tree.keys() <= known.keys():
        kept = {}
        for key, value in tree.items():
            if key in known:
                kept[key] = value
            else:
                findings.append(_unknown_field(f"{path}.{key}" if path else key, key))
    for key, below in _nested(kind):
        value = kept.get(key)
        place = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            made: Any = _listed_only(value, below, place, findings)
        elif isinstance(value, list):
            made = [
                _listed_only(item, below, f"{place}[{position}]", findings) if isinstance(item, dict) else item
                for position, item in enumerate(value)
            ]
        else:
            continue
        if made is not value:
            if kept is tree:
                kept = dict(tree)
            kept[key] = made
    return kept


@cache
def _nested(kind: type[RegistryStruct]) -> tuple[tuple[str, type[RegistryStruct]], ...]:
    """Return the fields of a struct that hold structs or lists of structs, each with the struct."""
    found = []
    for key, (_, shape) in _fields(kind).items():
        below = shape.item.struct if shape.item is not None else shape.struct
        if below is not None:
            found.append((key, below))
    return tuple(found)


def _unknown_field(path: str, key: str) -> Finding:
    return Finding("unknown-field", path, f"the field {key!r} is not in the OpenAPI")


class _Shape(NamedTuple):
    """What a field may hold: a struct, a list of a shape, one of some words, or a plain type."""

    struct: type[RegistryStruct] | None = None
    item: _Shape | None = None
    words: frozenset[str] = frozenset()
    plain: type | None = None


@cache
def _fields(kind: type[RegistryStruct]) -> dict[str, tuple[str, _Shape]]:
    """Return the JSON name of every field of a struct with its attribute name and shape."""
    hints = get_type_hints(kind)
    return {field.encode_name: (field.name, _shape(hints[field.name])) for field in msgspec.structs.fields(kind)}


def _shape(hint: Any) -> _Shape:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in get_args(hint) if arg is not type(None))
        return _shape(inner)
    if origin is list:
        return _Shape(item=_shape(get_args(hint)[0]))
    if origin is Literal:
        return _Shape(words=frozenset(get_args(hint)))
    if isinstance(hint, type) and issubclass(hint, RegistryStruct):
        return _Shape(struct=hint)
    return _Shape(plain=hint)


def attribute_names(kind: type[RegistryStruct], path: str) -> list[str]:
    """Return the attribute names along a path of JSON names (`a.b[].c`) from a struct.

    Raises KeyError when the path is not one of the struct's.
    """
    names = []
    for step in path.split("."):
        name, shape = _fields(kind)[step.removesuffix("[]")]
        names.append(name)
        while shape.item is not None:
            shape = shape.item
        kind = shape.struct or kind
    return names


def leaf_paths(kind: type[RegistryStruct], above: str = "") -> list[str]:
    """Return the path of every leaf field below a struct, in the order of the OpenAPI; lists end in `[]`."""
    found = []
    for key, (_, shape) in _fields(kind).items():
        path = f"{above}.{key}" if above else key
        while shape.item is not None:
            path, shape = path + "[]", shape.item
        found.extend([path] if shape.struct is None else leaf_paths(shape.struct, path))
    return found


class FieldShape(NamedTuple):
    """A field of a struct: its JSON name, its attribute, and what it holds.

    `struct` is None where it holds values; `is_list`: a list of them; `is_raw`: bytes that are not decoded.
    """

    key: str
    attribute: str
    struct: type[RegistryStruct] | None
    is_list: bool
    is_raw: bool


@cache
def struct_fields(kind: type[RegistryStruct]) -> dict[str, FieldShape]:
    """Return the fields of a struct by their JSON names, in the order of the OpenAPI."""
    found = {}
    for key, (name, shape) in _fields(kind).items():
        held = shape.item or shape
        found[key] = FieldShape(key, name, held.struct, shape.item is not None, held.plain is msgspec.Raw)
    return found


def field_words(kind: type[RegistryStruct], steps: list[str]) -> frozenset[str]:
    """Return the words of the enumeration at the end of some JSON names from a struct; none for another field."""
    for step in steps:
        _, shape = _fields(kind).get(step, ("", _Shape()))
        shape = shape.item or shape
        if shape.struct is None:
            return shape.words
        kind = shape.struct
    return frozenset()


_DROPPED: Any = object()


class _Walk:
    """One walk through a tree: what was found, and the unknown words to put back with the way to them."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.kept_words: list[tuple[list[str | int], str]] = []
        self._trail: list[str | int] = []

    def clean(self, value: Any, kind: type[RegistryStruct], path: str) -> Any:
        """Return the object with only what the struct can hold."""
        if not isinstance(value, dict):
            self.findings.append(_wrong_type(path, "an object", value))
            return _DROPPED
        fields = _fields(kind)
        kept = {}
        for key, item in value.items():
            place = f"{path}.{key}" if path else key
            if key not in fields:
                self.findings.append(_unknown_field(place, key))
                continue
            name, shape = fields[key]
            self._trail.append(name)
            cleaned = self._clean_value(item, shape, place)
            self._trail.pop()
            if cleaned is not _DROPPED:
                kept[key] = cleaned
        return kept

    def _clean_value(self, value: Any, shape: _Shape, path: str) -> Any:
        if value is None:
            return _DROPPED
        if shape.struct is not None:
            return self.clean(value, shape.struct, path)
        if shape.item is not None:
            return self._clean_list(value, shape.item, path)
        if shape.words:
            return self._clean_word(value, shape.words, path)
        if shape.plain is msgspec.Raw:
            return _DROPPED
        if not _is_a(value, shape.plain):
            self.findings.append(_wrong_type(path, _TYPE_NAMES.get(shape.plain, "a value"), value))
            return _DROPPED
        return value

    def _clean_list(self, value: Any, shape: _Shape, path: str) -> Any:
        if not isinstance(value, list):
            self.findings.append(_wrong_type(path, "a list", value))
            return _DROPPED
        kept: list[Any] = []
        for position, item in enumerate(value):
            self._trail.append(len(kept))
            cleaned = self._clean_value(item, shape, f"{path}[{position}]")
            self._trail.pop()
            if cleaned is not _DROPPED:
                kept.append(cleaned)
        return kept

    def _clean_word(self, value: Any, words: frozenset[str], path: str) -> Any:
        if not isinstance(value, str):
            self.findings.append(_wrong_type(path, "a word", value))
            return _DROPPED
        if value in words:
            return value
        self.findings.append(
            Finding(
                "unknown-enum-value",
                path,
                f"the value {value[:_SHOWN]!r} is not in the OpenAPI; kept as text",
            )
        )
        self.kept_words.append(([*self._trail], value))
        return next(iter(sorted(words)))


_TYPE_NAMES: dict[type | None, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _is_a(value: Any, plain: type | None) -> bool:
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if plain is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return plain is not None and isinstance(value, plain)


def _wrong_type(path: str, expected: str, value: Any) -> Finding:
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
    return Finding("wrong-type", path, f"expected {expected}, found {shown}")


def _put(target: Any, trail: list[str | int], word: str) -> None:
    """Set the value at the end of the trail (attribute names and list positions) to the word."""
    for step in trail[:-1]:
        target = target[step] if isinstance(step, int) else getattr(target, step)
    last = trail[-1]
    if isinstance(last, int):
        target[last] = word
    else:
        setattr(target, last, word)


_STUDY = msgspec.json.Decoder(Study)
_RESULTS = msgspec.json.Decoder(ResultsSection)
