"""The options of the commands that put records into a warehouse, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialconv import __version__
from trialconv.cli.options import (
    base_option,
    contacts_option,
    issues_option,
    record_size_option,
    validate_option,
    verbose_option,
    with_options,
)
from trialconv.context import Options, clock
from trialconv.formats import FHIR_VERSIONS

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
        validate_option,
        click.option(
            "--fail-on",
            type=click.Choice(["error", "warning"]),
            help="Exit with 3 when an Issue is this grave or graver. Default: a study that fails validation.",
        ),
        issues_option,
        click.option("--force", is_flag=True, help="Overwrite the file of --issues."),
        contacts_option,
        base_option,
        click.option("--created", metavar="INSTANT", help="When the load started (ISO 8601). Default: now."),
        click.option(
            "--workers", type=click.IntRange(min=0), help="Worker processes; 0: none. Default: one per processor."
        ),
        record_size_option,
        verbose_option,
    )
    return with_options(function, decorators)


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
