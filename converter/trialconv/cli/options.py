"""Options that several commands have, in the same words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from trialconv.catalog import READERS
from trialconv.context import BASE
from trialconv.readers.sources import MAX_RECORD_SIZE

_F = TypeVar("_F", bound=Callable[..., Any])

_SIZE_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number of bytes: `1000`, `64K`, `50M`, `1G`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes."""
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("B")
        unit = text[-1:] if text[-1:] in _SIZE_UNITS else ""
        number = text.removesuffix(unit)
        if not number.isdecimal() or int(number) < 1:
            self.fail(f"{value!r} is not a size such as 50M", param, ctx)
        return int(number) * _SIZE_UNITS[unit]


reader_option: Final = click.option(
    "--from", "reader", type=click.Choice(list(READERS)), help="Force a reader. Default: by content."
)
record_size_option: Final = click.option(
    "--max-record-size",
    type=Size(),
    default=MAX_RECORD_SIZE,
    show_default="50M",
    help="The largest single record.",
)
contacts_option: Final = click.option(
    "--no-contacts",
    "contacts",
    flag_value=False,
    default=True,
    help="Leave out names, e-mail addresses and telephone numbers of contacts.",
)
validate_option: Final = click.option(
    "--no-validate", "check", flag_value=False, default=True, help="Do not validate."
)
base_option: Final = click.option(
    "--base", default=BASE, show_default=True, help="What stands before urls of our own."
)
issues_option: Final = click.option(
    "--issues",
    "issues_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every Issue to this file, as JSON lines.",
)
verbose_option: Final = click.option(
    "--verbose", "-v", is_flag=True, help="Print every Issue, not only those from warnings on."
)


def with_options(function: _F, decorators: Sequence[Callable[[_F], _F]]) -> _F:
    """Add options to a command, in their order."""
    for decorator in reversed(decorators):
        function = decorator(function)
    return function
