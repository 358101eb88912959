"""What an installation has: packages, extras, schemas, programs beside it, and whether the conversions work."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import Final, Literal

import msgspec

from trialconv import __version__
from trialconv.issues import SourceError

#: `ok`: it is there and works. `missing`: it is not there, and only what needs it does not work. `broken`: what
#: every installation needs does not work.
State = Literal["ok", "missing", "broken"]

_NAME_END = re.compile(r"[^A-Za-z0-9._-]")
_EXTRA = re.compile(r"extra == ['\"]([a-z0-9-]+)['\"]")
#: Extras that are not for users.
_NOT_FOR_USERS: Final = frozenset({"dev"})
#: The study that is converted to see whether conversions work. It is made up.
_STUDY: Final = (
    b'{"protocolSection":{"identificationModule":{"nctId":"NCT99999900","briefTitle":"A Made-up Study"},'
    b'"statusModule":{"overallStatus":"COMPLETED","lastUpdatePostDateStruct":{"date":"2021-03-02"}},'
    b'"designModule":{"studyType":"OBSERVATIONAL"}}}'
)


class Check(msgspec.Struct, frozen=True):
    """What was looked for, what was found, and what to do about it."""

    topic: str
    name: str
    state: State
    found: str
    advice: str = ""


def examine() -> Iterator[Check]:
    """Yield what an installation has, one thing after the other. Nothing is fetched and nothing is written."""
    yield Check("trialconv", "trialconv", "ok", __version__)
    yield Check("trialconv", "Python", "ok", f"{platform.python_implementation()} {platform.python_version()}")
    yield from _packages()
    yield from _schemas()
    yield from _programs()
    yield from _conversions()


def _packages() -> Iterator[Check]:
    """Tell of each required package, and of each extra, whether it is installed."""
    extras: dict[str, list[str]] = {}
    for line in distribution("trialconv").requires or ():
        name, extra = _NAME_END.split(line, maxsplit=1)[0], _EXTRA.search(line)
        if extra is not None:
            extras.setdefault(extra[1], []).append(name)
        elif (there := _version(name)) is None:
            yield Check("packages", name, "broken", "not installed", "Install trialconv again.")
        else:
            yield Check("packages", name, "ok", there)
    for title, names in extras.items():
        if title in _NOT_FOR_USERS:
            continue
        absent = [name for name in names if _version(name) is None]
        if absent:
            advice = f"pip install 'trialconv[{title}]'"
            yield Check("extras", title, "missing", f"not installed: {', '.join(absent)}", advice)
        else:
            yield Check("extras", title, "ok", ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _schemas() -> Iterator[Check]:
    from trialconv.definitions import definition_lines

    try:
        lines = definition_lines()
    except (OSError, ValueError, PackageNotFoundError) as error:
        yield Check("schemas", "definitions", "broken", str(error), "Install trialconv again.")
        return
    for line in lines:
        name, _, found = line.partition(": ")
        yield Check("schemas", name, "ok", found)


def _programs() -> Iterator[Check]:
    """Tell of the programs that some commands call."""
    java = shutil.which("java")
    if java is None:
        yield Check("programs", "Java", "missing", "no java on the path", "Install Java 17 or newer.")
        return
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 (a fixed program)
    lines = (said.stderr or said.stdout).splitlines()
    yield Check("programs", "Java", "ok", lines[0] if lines else "it does not tell its version")


def _conversions() -> Iterator[Check]:
    """Convert a small study to every target, and judge what comes out."""
    from trialconv.catalog import TARGETS
    from trialconv.context import Options
    from trialconv.pipeline import transform_isolated
    from trialconv.readers.ctgov_json import read_study
    from trialconv.record import SourceInfo

    for target in TARGETS.values():
        made = transform_isolated(read_study(_STUDY, SourceInfo("doctor")), target, Options())
        if isinstance(made, SourceError):
            yield Check("targets", target.name, "broken", str(made), "Install trialconv again.")
        elif not made.valid:
            yield Check("targets", target.name, "broken", str(made.findings[0]), "Report it.")
        else:
            yield Check("targets", target.name, "ok", "a made-up study was converted and is valid")
