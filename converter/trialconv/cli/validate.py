"""`trialconv validate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from trialconv.cli.progress import Progress
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import Issue, UsageError, at_or_above, issue
from trialconv.judging import ENGINES

if TYPE_CHECKING:
    from trialconv.validators.hl7.validator import Hl7Validator


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--fhir-version",
    type=click.Choice(FHIR_VERSIONS, case_sensitive=False),
    help="The FHIR version. Default: told from the content, else R4.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="trialconv",
    show_default=True,
    help="Who judges FHIR: our own schemas, the library fhir.resources (R4B, R5), or HL7's validator in Java.",
)
@click.option(
    "--hl7-jar",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The validator_cli.jar of HL7 to use. Default: what `make validator` fetched.",
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
    files: tuple[str, ...],
    fhir_version: FhirVersion | None,
    engine: str,
    hl7_jar: Path | None,
    extensions: bool,
    report_format: str,
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
      trialconv validate --engine hl7 bundles/*.json
      trialconv validate sdtm/ts.xpt sdtm/ti.json sdtm/define.xml
    """
    if hl7_jar and engine != "hl7":
        raise UsageError("--hl7-jar goes with --engine hl7")
    if engine == "hl7" and extensions:
        raise UsageError("--extensions is of our own engine; HL7's judges extensions in any case")
    progress = Progress("files")
    worst = 0
    with _hl7_validator(engine, hl7_jar, progress) as hl7:
        judge = partial(_judge, fhir_version=fhir_version, engine=engine, extensions=extensions, hl7=hl7)
        for number, name in enumerate(files, start=1):
            findings = [msgspec.structs.replace(found, record=name) for found in judge(name)]
            errors = len(at_or_above(findings, "error"))
            worst = max(worst, 3 if errors else 0)
            for found in findings:
                click.echo(msgspec.json.encode(found) if report_format == "json" else str(found))
            if report_format == "text":
                progress.say(f"{name}: {_count(errors)}")
            progress.tick(number)
        progress.done()
    sys.exit(worst)


@contextmanager
def _hl7_validator(engine: str, jar: Path | None, progress: Progress) -> Iterator[Hl7Validator | None]:
    """Give the one HL7 validator for all files, if it is the engine."""
    if engine != "hl7":
        yield None
        return
    from trialconv.validators.hl7.installation import find_installation
    from trialconv.validators.hl7.validator import Hl7Validator

    with Hl7Validator(find_installation(jar), told=progress.show) as validator:
        yield validator


def _count(errors: int) -> str:
    return f"{errors or 'no'} error{'' if errors == 1 else 's'}"


def _judge(
    name: str, *, fhir_version: FhirVersion | None, engine: str, extensions: bool, hl7: Hl7Validator | None
) -> list[Issue]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return [issue("unreadable-source", error.strerror or str(error))]
    from trialconv.judging import validate

    return validate(data, fhir_version=fhir_version, engine=engine, extensions=extensions, hl7=hl7)
