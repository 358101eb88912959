"""The command `trialconv`. Its subcommands are imported when they are called, so that --help stays fast."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from trialconv import __version__
from trialconv.issues import TrialconvError

#: The subcommands: the module that holds each, and the line that --help prints.
COMMANDS: Final = {
    "to-fhir": ("trialconv.cli.to_fhir", "Convert records to FHIR bundles."),
    "to-odm": ("trialconv.cli.to_odm", "Convert records to CDISC ODM study definitions."),
    "to-usdm": ("trialconv.cli.to_usdm", "Convert records to CDISC USDM study definitions."),
    "to-sdtm": ("trialconv.cli.to_sdtm", "Convert records to the SDTM datasets TS and TI."),
    "to-rpe": ("trialconv.cli.to_rpe", "Convert records to IHE RPE messages, which EHRs import studies from."),
    "explain": ("trialconv.cli.explain", "Tell where a value of a document comes from, or of a record went."),
    "from-fhir": ("trialconv.cli.from_fhir", "Make registry records of FHIR bundles."),
    "from-odm": ("trialconv.cli.from_odm", "Make registry records of CDISC ODM study definitions."),
    "load": ("trialconv.cli.load", "Load records into DuckDB, PostgreSQL or Parquet."),
    "push": ("trialconv.cli.push", "Bring studies into a FHIR server."),
    "withdraw": ("trialconv.cli.withdraw", "Take studies back from a FHIR server."),
    "bulk": ("trialconv.cli.bulk", "Convert a whole registry: over all cores, in shards, and resumable."),
    "coverage": ("trialconv.cli.coverage", "Tell which values of records stand where in a target."),
    "diff": ("trialconv.cli.diff", "Tell what changed between two versions of a record."),
    "codes": ("trialconv.cli.codes", "Look at the code tables, and find what they have no code for."),
    "fetch": ("trialconv.cli.fetch", "Fetch records from ClinicalTrials.gov."),
    "sync": ("trialconv.cli.sync", "Keep a warehouse current with ClinicalTrials.gov."),
    "validate": ("trialconv.cli.validate", "Check FHIR, ODM, USDM, Define-XML and trial design datasets."),
    "doctor": ("trialconv.cli.doctor", "Tell what this installation has, and how to get the rest."),
    "completion": ("trialconv.cli.completion", "Print the script for a shell's completion."),
    "serve": ("trialconv.cli.serve", "Serve the page and the HTTP interface."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the catalogue."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command. Returns None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(COMMANDS[cmd_name][0])
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; when the reader of our output goes away (`| head`), stop without a complaint."""
        # Here and not in main, since click makes an exit code 1 of it on its own.
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stdout = None
            sys.exit(0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _print_version(*, verbose: bool) -> None:
    click.echo(f"trialconv {__version__}")
    if verbose:
        from trialconv.definitions import definition_lines

        for line in definition_lines():
            click.echo(line)


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, help="Show the version; with --verbose also the definitions behind the schemas."
)
@click.option("--verbose", is_flag=True, help="Say more with --version.")
@click.pass_context
def cli(ctx: click.Context, version: bool, verbose: bool) -> None:
    """Clinical-trial registry records to FHIR and CDISC ODM, USDM and SDTM, checked against the official schemas.

    \b
    Examples:
      trialconv to-fhir NCT01234567.json > bundle.json
      trialconv to-odm ctg-studies.json.zip --out odm/
      trialconv validate bundle.json
    """
    if version:
        _print_version(verbose=verbose)
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line. Exit codes: 0 fine, 1 unexpected, 2 usage, 3 issues, 4 failed records, 5 output."""
    # Registry text is Unicode; a terminal's own encoding may not hold it.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="trialconv", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("trialconv: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TrialconvError as error:
        click.echo(f"trialconv: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # the last resort: a person gets a sentence, a developer the traceback
        if os.environ.get("TRIALCONV_DEBUG"):
            raise
        kind = type(error).__name__
        click.echo(f"trialconv: unexpected {kind}: {error}. TRIALCONV_DEBUG=1 shows where.", err=True)
        sys.exit(1)
