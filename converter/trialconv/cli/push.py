"""`trialconv push`."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialconv.cli.options import Size, base_option, reader_option
from trialconv.cli.server_options import connection, server_options
from trialconv.formats import FHIR_VERSIONS
from trialconv.readers.sources import MAX_RECORD_SIZE

if TYPE_CHECKING:
    from trialconv.cli.push_input import Inputs, Prepared
    from trialconv.cli.server_report import FateReport
    from trialconv.context import Options
    from trialconv.fhir_server.capability import Capabilities
    from trialconv.fhir_server.fates import Fate
    from trialconv.fhir_server.journal import Journal
    from trialconv.fhir_server.push import Policy, Pusher

#: The types that a study becomes; what a server says of them decides who chooses the ids.
_TYPES = (
    *("ResearchStudy", "PlanDefinition", "ActivityDefinition", "Group"),
    *("Organization", "Practitioner", "PractitionerRole", "Location"),
)


@click.command("push")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE|BUNDLE...")
@server_options
@click.option(
    "--fhir-version",
    type=click.Choice(FHIR_VERSIONS, case_sensitive=False),
    help="Refuse a server of another version. Default: records become what the server has.",
)
@click.option(
    "--request",
    type=click.Choice(["auto", "put", "conditional-update", "conditional-create"]),
    default="auto",
    show_default=True,
    help="Under our ids (put), or under the server's. auto: put where the server lets clients choose ids.",
)
@click.option(
    "--left",
    type=click.Choice(["keep", "retire", "delete"]),
    default="keep",
    show_default=True,
    help="What becomes of what an earlier version of the study brought and the present one has not.",
)
@click.option(
    "--state", type=click.Path(path_type=Path, dir_okay=False), help="A journal; a run takes up where it ends."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="How many studies are sent at the same time.",
)
@click.option(
    "--max-entries", type=click.IntRange(min=1), metavar="N", help="Send transactions of at most N entries."
)
@reader_option
@click.option("--no-validate", "check", flag_value=False, default=True, help="Do not validate before sending.")
@click.option("--no-contacts", "contacts", flag_value=False, default=True, help="Leave out contacts' details.")
@click.option("--shared-organizations", is_flag=True, help="Let studies share Organizations.")
@click.option("--narrative", is_flag=True, help="Add texts for people.")
@click.option("--provenance", is_flag=True, help="Add a Provenance.")
@click.option(
    "--unknown-status", type=click.Choice(["absent", "last-known"]), default="absent", help="As in to-fhir."
)
@base_option
@click.option("--created", metavar="INSTANT", help="The instant for formats that demand one (ISO 8601).")
@click.option(
    "--max-record-size", "limit", type=Size(), default=MAX_RECORD_SIZE, show_default="50M", help="As in to-fhir."
)
def command(sources: tuple[str, ...], **values: Any) -> None:
    """Bring studies into a FHIR server.

    SOURCE is what the converting commands read; BUNDLE is FHIR JSON, a Bundle or one a line. What the server has
    is read and compared first, and only what differs is written: pushing again writes nothing. Secrets come from
    the environment or from files, never from the command line.

    \b
    Examples:
      trialconv push NCT01234567.json --server https://fhir.example.org/r4
      trialconv push studies.zip --server https://fhir.example.org/r4 --state push.ndjson --report fates.ndjson
      trialconv push bundles/ --server https://fhir.example.org/r4 --auth bearer --token-file token.txt

    Exit codes: 0 fine, 2 usage, 3 a study is not valid, 4 some failed, 5 the server cannot be had or took nothing.
    """
    sys.exit(_run(sources, values))


def _run(sources: tuple[str, ...], values: dict[str, Any]) -> int:
    from trialconv.cli.push_input import Inputs
    from trialconv.cli.server_report import FateReport
    from trialconv.fhir_server.connect import connected
    from trialconv.fhir_server.journal import Journal
    from trialconv.fhir_server.push import Policy, Pusher

    how = connection(values)
    policy = Policy(
        dry_run=values.pop("dry_run"),
        force=values.pop("force"),
        left=values.pop("left"),
        max_entries=values.pop("max_entries"),
        retry=how.retry,
    )
    state, concurrency = values.pop("state"), values.pop("concurrency")
    report_file, verbose = values.pop("report_file"), values.pop("verbose")
    reader, limit, check = values.pop("reader"), values.pop("limit"), values.pop("check")
    with ExitStack() as stack:
        report = FateReport(report_file, verbose=verbose, force=policy.force, dry=policy.dry_run)
        server, capabilities = stack.enter_context(connected(how, report.progress.say))
        inputs = Inputs(sources, _options(values, capabilities), reader, limit, check)
        journal = stack.enter_context(Journal(state, server.base)) if state else None
        _tell_beginning(report, capabilities, journal, inputs.options)
        stack.enter_context(report)
        pusher = Pusher(server, capabilities, policy)
        run = _Run(pusher, policy, report, journal, concurrency)
        run.all(inputs)
        return report.exit_code(run.invalid)


def _options(values: dict[str, Any], capabilities: Capabilities) -> Options:
    """Return the options of the conversion: to what the server has, in the way that it lets us store."""
    from trialconv.context import Options
    from trialconv.issues import UsageError

    wanted = values.pop("fhir_version")
    if wanted is not None and wanted != capabilities.version:
        raise UsageError(f"the server has FHIR {capabilities.version} ({capabilities.number}), not {wanted}")
    request = values.pop("request")
    if request == "auto":
        request = "put" if capabilities.takes_ids(_TYPES) else "conditional-update"
    return Options(fhir_version=capabilities.version, request=request, **values)


def _tell_beginning(
    report: FateReport, capabilities: Capabilities, journal: Journal | None, options: Options
) -> None:
    name = f"{capabilities.software}, " if capabilities.software else ""
    way = "transactions" if capabilities.transaction else "single requests, since it takes no transactions"
    report.progress.say(
        f"server: {name}FHIR {capabilities.version} ({capabilities.number}); {way}; {options.request}"
    )
    if unlisted := capabilities.unlisted(_TYPES):
        report.progress.say(
            f"warning: the server does not list {', '.join(unlisted)} among its types; tried all the same"
        )
    if journal is not None and journal.unfinished:
        studies = ", ".join(journal.unfinished[:5]) + (" ..." if len(journal.unfinished) > 5 else "")
        report.progress.say(f"a former run broke off in {studies}; compared and sent again")


class _Run:
    """Studies on their way, several at a time; told of in the order of the input."""

    def __init__(
        self, pusher: Pusher, policy: Policy, report: FateReport, journal: Journal | None, concurrency: int
    ) -> None:
        self._pusher = pusher
        self._report = report
        self._journal = journal
        self._concurrency = concurrency
        self._policy = policy
        self._stopped = ""
        self.invalid = 0

    def all(self, inputs: Inputs) -> None:
        """Push everything. Raises SinkError when the server is gone, after the account of what was on its way."""
        from trialconv.issues import SinkError

        under_way: deque[Future[Fate]] = deque()
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="push") as pool:
            try:
                for prepared in self._to_push(inputs):
                    under_way.append(pool.submit(self._push, prepared))
                    while len(under_way) >= 2 * self._concurrency:
                        self._take(under_way.popleft())
                    if self._stopped:
                        break
                while under_way:
                    self._take(under_way.popleft())
            finally:
                # Nothing is under way any more, unless somebody has interrupted us.
                for future in under_way:
                    future.cancel()
        if self._stopped:
            raise SinkError(f"{self._stopped}; push again to go on from here")

    def _to_push(self, inputs: Inputs) -> Iterator[Prepared]:
        from trialconv.issues import SourceError

        for prepared in inputs.prepared():
            if isinstance(prepared, SourceError):
                self._report.input_refused(prepared.issue)
            elif not prepared.valid:
                self.invalid += 1
                self._report.fate(_invalid(prepared))
            else:
                yield prepared

    def _push(self, prepared: Prepared) -> Fate:
        from trialconv.fhir_server.fates import Fate, StoppedError

        unit = prepared.unit
        if self._stopped:
            return Fate(study=unit.study, end="not tried")
        if self._journal is not None and not self._policy.dry_run:
            clean = self._policy.left == "keep" or not self._journal.left(unit.study)
            if clean and self._journal.is_done(unit.study, unit.digest):
                return Fate(study=unit.study, end="done before", digest=unit.digest)
            self._journal.begin(unit.study)
        try:
            left = self._journal.left(unit.study) if self._journal is not None else ()
            fate = self._pusher.push(unit, left)
        except StoppedError as error:
            self._stopped, fate = str(error), error.fate
        if self._journal is not None and not self._policy.dry_run:
            self._journal.end(fate)
        return fate

    def _take(self, future: Future[Fate]) -> None:
        self._report.fate(future.result())


def _invalid(prepared: Prepared) -> Fate:
    import msgspec

    from trialconv.fhir_server.fates import Fate
    from trialconv.issues import at_or_above

    errors = at_or_above(prepared.findings, "error")
    issues = [msgspec.structs.replace(found, record=prepared.unit.study) for found in errors]
    return Fate(study=prepared.unit.study, end="failed", digest=prepared.unit.digest, issues=issues)
