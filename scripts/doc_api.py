"""The reference of the Python API, made from what `trialconv` exports: signatures, types and docstrings."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import trialconv
from trialconv import context, issues

#: What callers need beside the names of `trialconv.__all__`, with the module that has it.
_BESIDE: Final[dict[str, Any]] = {
    "Options": context.Options,
    "TrialconvError": issues.TrialconvError,
    "UsageError": issues.UsageError,
    "SourceError": issues.SourceError,
    "OutputError": issues.OutputError,
}
_WIDTH: Final = 100


class _Bare(str):
    """The text of an annotation, which `inspect` writes without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def api(_: Path) -> str:
    """Return the functions, then the classes, then what is imported from the modules below."""
    names = [name for name in trialconv.__all__ if not name.startswith("_")]
    exported = {name: getattr(trialconv, name) for name in names}
    functions = [name for name in names if inspect.isfunction(exported[name])]
    others = [name for name in names if name not in functions]
    return "\n\n".join(
        (
            "## Functions",
            *(_entry(name, exported[name], "trialconv") for name in functions),
            "## Classes",
            *(_entry(name, exported[name], "trialconv") for name in others),
            "## Options and errors",
            *(_entry(name, found, found.__module__) for name, found in _BESIDE.items()),
        )
    )


def _entry(name: str, found: Any, module: str) -> str:
    parts = [f"### {name}", f"`from {module} import {name}`"]
    if not isinstance(found, type):
        parts.append(_fenced(_signature(name, found)))
        return "\n\n".join((*parts, _text(found))) if inspect.isfunction(found) else "\n\n".join(parts)
    parts.append(_text(found))
    fields = list(_fields(found))
    if fields:
        parts.append(_fenced("\n".join(fields)))
    parts += [f"**`{_call(member, each)}`** {_text(each)}" for member, each in _members(found)]
    return "\n\n".join(parts)


def _signature(name: str, found: Any) -> str:
    """Return a function with its parameters, one on a line where they are many, or an alias with its meaning."""
    if not inspect.isfunction(found):
        return f"{name} = {_type(found)}"
    signature = _bare(found)
    text = f"{name}{signature}"
    if len(text) <= _WIDTH:
        return text
    lines, keyword = [], False
    for each in signature.parameters.values():
        if each.kind is inspect.Parameter.KEYWORD_ONLY and not keyword:
            keyword = True
            lines.append("    *,")
        lines.append(f"    {each},")
    return "\n".join((f"{name}(", *lines, f") -> {signature.return_annotation}"))


def _bare(found: Any) -> inspect.Signature:
    """Return the signature of a function or method, without `self` and without quotes around annotations."""
    signature = inspect.signature(found)
    parameters = [
        each.replace(annotation=_Bare(_type(each.annotation)))
        for each in signature.parameters.values()
        if each.name != "self"
    ]
    return signature.replace(parameters=parameters, return_annotation=_Bare(_type(signature.return_annotation)))


def _fields(found: type) -> Iterator[str]:
    """Yield the public fields that a class declares, with their types, and the defaults of options."""
    defaults = {}
    if dataclasses.is_dataclass(found):
        defaults = {each.name: f" = {each.default!r}" for each in dataclasses.fields(found)}
    for base in _ours(found):
        for name, kind in inspect.get_annotations(base).items():
            if not name.startswith("_"):
                yield f"{name}: {_type(kind)}{defaults.get(name, '')}"


def _members(found: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods, as functions, and the properties of a class."""
    kinds = (property, functools.cached_property)
    for base in _ours(found):
        for name, member in vars(base).items():
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, kinds)):
                yield name, member


def _ours(found: type) -> list[type]:
    return [base for base in reversed(found.__mro__) if base.__module__.partition(".")[0] == "trialconv"]


def _call(name: str, member: Any) -> str:
    if inspect.isfunction(member):
        return f"{name}{_bare(member)}"
    getter = member.fget if isinstance(member, property) else member.func
    return f"{name}: {_type(inspect.signature(getter).return_annotation)}"


def _type(kind: Any) -> str:
    text = kind if isinstance(kind, str) else inspect.formatannotation(kind)
    return re.sub(r"\b(?:typing|collections\.abc)\.", "", text)


def _text(found: Any) -> str:
    """Return a docstring as Markdown. A paragraph with indented lines is a drawing and stays as it is."""
    text = inspect.getdoc(found)
    if not text:
        raise ValueError(f"{found!r} has no docstring")
    paragraphs = text.split("\n\n")
    return "\n\n".join(_fenced(each) if "\n  " in each else each for each in paragraphs)


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```"
