"""The options of the commands that put records into a warehouse, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialconv import __version__
from trialconv.cli.conversion import Size
from trialconv.context import BASE, Options, clock
from trialconv.formats import FHIR_VERSIONS
from trialconv.readers.sources import MAX_RECORD_SIZE

if TYPE_CHECKING:
    from trialconv.loading import Preparation
    from trialconv.sinks.warehouse import LoadStart

_F = TypeVar("_F", bound=Callable[..., Any])


def warehouse_options(function: _F) -> _F:
    """Add the options that say which warehouse it is, and what is made of a record."""
    decorators = (
        click.option(
            "--to",
            "address",
            required=True,
            metavar="WAREHOUSE",
            help="duckdb:FILE, parquet:DIR or postgresql://[USER@]HOST[:PORT]/DATABASE.",
        ),
        click.option(
            "--fhir-version",
            type=click.Choice(FHIR_VERSIONS, case_sensitive=False),
            default="R4",
            show_default=True,
            help="The FHIR version of the table fhir_resources.",
        ),
        click.option("--no-fhir", "fhir", flag_value=False, default=True, help="Leave fhir_resources empty."),
        click.option("--history", is_flag=True, help="Keep the whole record of every version in study_versions."),
        click.option("--keep-invalid", is_flag=True, help="Load studies that fail validation, too."),
        click.option("--no-validate", "check", flag_value=False, default=True, help="Do not validate."),
        click.option(
            "--fail-on",
            type=click.Choice(["error", "warning"]),
            help="Exit with 3 when an Issue is this grave or graver. Default: a study that fails validation.",
        ),
        click.option(
            "--issues",
            "issues_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write every Issue to this file, as JSON lines.",
        ),
        click.option("--force", is_flag=True, help="Overwrite the file of --issues."),
        click.option(
            "--no-contacts",
            "contacts",
            flag_value=False,
            default=True,
            help="Leave out names, e-mail addresses and telephone numbers of contacts.",
        ),
        click.option("--base", default=BASE, show_default=True, help="What stands before urls of our own."),
        click.option("--created", metavar="INSTANT", help="When the load started (ISO 8601). Default: now."),
        click.option(
            "--workers", type=click.IntRange(min=0), help="Worker processes; 0: none. Default: one per processor."
        ),
        click.option(
            "--max-record-size",
            type=Size(),
            default=MAX_RECORD_SIZE,
            show_default="50M",
            help="The largest single record.",
        ),
        click.option("--verbose", "-v", is_flag=True, help="Print every Issue, not only those from warnings on."),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def preparation(values: Mapping[str, Any]) -> Preparation:
    """Return what is to be made of a record, as the options say."""
    from trialconv.loading import Preparation

    options = Options(base=values["base"], contacts=values["contacts"], created=values["created"])
    target = f"fhir-{values['fhir_version'].lower()}" if values["fhir"] else None
    return Preparation(options, target, values["check"], values["keep_invalid"], values["history"])


def load_start(values: Mapping[str, Any]) -> LoadStart:
    """Return what a load says of itself: it starts when an option or SOURCE_DATE_EPOCH says, else now, in UTC."""
    from trialconv.sinks.warehouse import LoadStart

    started = clock(values["created"]) or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return LoadStart(started, __version__, values["fhir_version"] if values["fhir"] else None)
