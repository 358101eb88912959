"""`trialconv doctor`."""

from __future__ import annotations

import sys
from typing import Final

import click
import msgspec

_MARKS: Final = {"ok": "ok      ", "missing": "missing ", "broken": "BROKEN  "}


@click.command("doctor")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON line per check.",
)
def command(format_: str) -> None:
    """Tell what this installation has, and how to get what is missing.

    Looks at the packages, the extras, the schemas and the programs that some commands call, and converts a made-up
    study to every target. Nothing is fetched or written. Exits with 1 when something is broken that every
    installation needs; what is merely missing is no failure.

    \b
    Examples:
      trialconv doctor
      trialconv doctor --format json
    """
    from trialconv.doctor import examine

    broken = False
    topic = ""
    for check in examine():
        broken = broken or check.state == "broken"
        if format_ == "json":
            click.echo(msgspec.json.encode(check))
            continue
        if check.topic != topic:
            topic = check.topic
            click.echo(topic)
        advice = f" -> {check.advice}" if check.advice else ""
        click.echo(f"  {_MARKS[check.state]}{check.name}: {check.found}{advice}")
    sys.exit(1 if broken else 0)
