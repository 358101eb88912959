"""The options of the commands that ask the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trialconv.cli.options import with_options
from trialconv.registry.client import LARGEST_PAGE, PER_MINUTE, REGISTRY_URL, URL_VARIABLE

_F = TypeVar("_F", bound=Callable[..., Any])


def registry_options(function: _F) -> _F:
    """Add the options that say which registry is asked, and how fast."""
    decorators = (
        click.option(
            "--registry-url",
            envvar=URL_VARIABLE,
            show_envvar=True,
            default=REGISTRY_URL,
            show_default=True,
            help="The address of the API.",
        ),
        click.option("--insecure-http", is_flag=True, help="Allow an address without https on another machine."),
        click.option(
            "--per-minute",
            type=click.FloatRange(min=0, min_open=True),
            default=PER_MINUTE,
            show_default=True,
            help="The most calls a minute. The registry allows about 50.",
        ),
        click.option(
            "--page-size",
            type=click.IntRange(1, LARGEST_PAGE),
            default=LARGEST_PAGE,
            show_default=True,
            help="Records a call.",
        ),
    )
    return with_options(function, decorators)


def parameters_of(pairs: tuple[str, ...], query: str | None) -> dict[str, str]:
    """Return the parameters of the API that `--param NAME=VALUE` and `--query` name."""
    parameters: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or name in parameters:
            raise click.BadParameter(
                f"{pair!r} is not NAME=VALUE" if not sign else f"{name} is given twice", param_hint="--param"
            )
        parameters[name] = value
    if query is not None:
        if "query.term" in parameters:
            raise click.BadParameter("query.term is what --query sets", param_hint="--param")
        parameters["query.term"] = query
    return parameters
