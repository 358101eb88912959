"""What studies share stands in the files of a run once, and not once in each shard.

Workers know nothing of one another, so that each shard has all that its studies need. Who sees all shards takes
what is there again out of the later ones. What is shared has the same id only where it says the same, so that it
does not matter which of them stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from trialconv.bulk.accounts import Accounts
from trialconv.bulk.job import Job, OutputFile, ShardReport
from trialconv.bulk.shard import output_file, report_path
from trialconv.issues import SinkError
from trialconv.sinks.files import GrowingFile

#: What studies may share: https://hl7.org/fhir/organization.html, with `shared_organizations`.
_KIND: Final = "Organization"


def keep_shared_once(job: Job, accounts: Accounts) -> None:
    """Leave each shared resource in the first shard that has it. All shards have to be there.

    As when a shard is made its account goes first and comes last, so that one that was interrupted in between is
    made again. Raises SinkError.
    """
    if not job.options.shared_organizations:
        return
    for target in (name for name, layout in job.layouts.items() if layout == "resources"):
        known: set[str] = set()
        for report in accounts.reports():
            name = f"{target}/{_KIND}.{report.shard:05}.ndjson"
            listed = next((file for file in report.files if file.name == name), None)
            if listed is not None:
                _keep_new(job.folder, report, listed, known, accounts)


def _keep_new(folder: Path, report: ShardReport, listed: OutputFile, known: set[str], accounts: Accounts) -> None:
    """Leave in a file what is not known yet; `known` learns it."""
    path = folder / listed.name
    kept = GrowingFile(path)
    try:
        for line in _lines(path):
            id_ = orjson.loads(line)["id"]
            if id_ not in known:
                known.add(id_)
                kept.write(line)
                kept.records += 1
        if kept.records == listed.records:
            return
        kept.close(sync=True)
        report_path(folder, report.shard).unlink()
        report.files.remove(listed)
        if kept.records:
            report.files.append(output_file(path.parent.name, kept.publish()))
            report.files.sort(key=lambda file: file.name)
        else:
            path.unlink()
        accounts.replace(report)
    finally:
        kept.discard()


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise SinkError(f"{path} cannot be read: {error.strerror or error}") from error
