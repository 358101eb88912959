"""`trialconv validate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import Issue, at_or_above, issue


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--fhir-version",
    type=click.Choice(FHIR_VERSIONS, case_sensitive=False),
    help="The FHIR version. Default: told from the content, else R4.",
)
@click.option(
    "--engine",
    type=click.Choice(["trialconv", "fhir.resources"]),
    default="trialconv",
    show_default=True,
    help="Who judges FHIR: our own schemas, or the fhir.resources library (R4B, R5).",
)
@click.option(
    "--extensions",
    is_flag=True,
    help="Judge each FHIR extension by its definition, too: place, value, parts, number.",
)
@click.option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON line per Issue.",
)
def command(
    files: tuple[str, ...], fhir_version: FhirVersion | None, engine: str, extensions: bool, report_format: str
) -> None:
    """Check FHIR, ODM, USDM, Define-XML and trial design datasets.

    Each is checked against its official schema and the rules beyond it; the content tells which it is.

    FILE is FHIR JSON (a resource or a Bundle), FHIR NDJSON, ODM XML (1.3.2, 2.0), USDM JSON (4.0), Define-XML 2.1,
    Dataset-JSON 1.1 or a SAS transport file. FHIR is judged by its invariants as well, TS and TI by the rules of
    SDTM. FILE may be - for standard input. Exits with 3 when an error is found.

    \b
    Examples:
      trialconv validate bundle.json
      trialconv validate --format json odm/*.xml
      trialconv validate sdtm/ts.xpt sdtm/ti.json sdtm/define.xml
    """
    worst = 0
    for name in files:
        findings = [
            msgspec.structs.replace(found, record=name) for found in _judge(name, fhir_version, engine, extensions)
        ]
        errors = len(at_or_above(findings, "error"))
        worst = max(worst, 3 if errors else 0)
        for found in findings:
            click.echo(msgspec.json.encode(found) if report_format == "json" else str(found))
        if report_format == "text":
            click.echo(f"{name}: {_count(errors)}", err=True)
    sys.exit(worst)


def _count(errors: int) -> str:
    return f"{errors or 'no'} error{'' if errors == 1 else 's'}"


def _judge(name: str, fhir_version: FhirVersion | None, engine: str, extensions: bool) -> list[Issue]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return [issue("unreadable-source", error.strerror or str(error))]
    from trialconv.judging import validate

    return validate(data, fhir_version=fhir_version, engine=engine, extensions=extensions)
