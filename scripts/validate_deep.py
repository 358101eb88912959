"""Judge what to-fhir writes by the HL7 validator.

    python scripts/validate_deep.py [--definitions] [SOURCE...]

Without a SOURCE: the made-up studies of the tests and examples, in every FHIR version and way of delivery, and,
where they are at hand, the real studies of the smoke set in R4 and R5. With sources (as for to-fhir): those, in
every version. `--definitions` judges the definitions of our extensions instead, which takes seconds for each.

Errors that are argued away stand in hl7_suppressions.csv: the message's id, the element, a piece of the message,
and why. Returns 1 for any other error, and for a line of that file that nothing needs; 2 when the validator is not
there. `make validator` fetches it.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from trialconv import pipeline
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import Issue, UsageError
from trialconv.validators.hl7.installation import find_installation
from trialconv.validators.hl7.validator import Hl7Validator
from trialconv_mappings.extensions import package_folder

ROOT = Path(__file__).resolve().parent.parent
SUPPRESSIONS = Path(__file__).resolve().parent / "hl7_suppressions.csv"
MOST_SUPPRESSIONS = 10
#: Every way in which bundles differ by more than what the record says.
DELIVERIES: tuple[Options, ...] = (
    Options(),
    Options(narrative=True, provenance=True, shared_organizations=True, request="conditional-update"),
    Options(narrative=True, request="conditional-create"),
    Options(bundle="collection", unknown_status="last-known"),
    Options(bundle="batch", contacts=False),
)


class Document(NamedTuple):
    """Something to judge: what it is, its bytes, and its FHIR version."""

    name: str
    data: bytes
    version: FhirVersion


class Suppression(NamedTuple):
    """An error that is argued away: only with this id, on this element, and with this in its message."""

    message_id: str
    path: str
    text: str
    reason: str

    def covers(self, found: Issue) -> bool:
        """Tell whether a finding is this error."""
        return (
            found.rule == f"hl7:{self.message_id}"
            and element_path(found.target_path) == self.path
            and self.text in found.message
        )


def element_path(path: str) -> str:
    """Return the element of a path: from the innermost resource on, without positions and ids.

    >>> element_path("Bundle.entry[5].resource(Location/NCT1-site).extension[1]")
    'Location.extension'
    """
    inner = re.sub(r"^.*\((\w+)(?:/[^)]*)?\)", r"\1", path)
    return re.sub(r"\[\d+\]", "", inner)


def suppressions(file: Path = SUPPRESSIONS) -> list[Suppression]:
    """Return the reviewed suppressions. Raises ValueError when there are too many, or one says too little."""
    with file.open(encoding="utf-8", newline="") as lines:
        found = [Suppression(*row) for row in list(csv.reader(lines))[1:]]
    if len(found) > MOST_SUPPRESSIONS:
        raise ValueError(f"{file}: {len(found)} suppressions, and {MOST_SUPPRESSIONS} are the most")
    for one in found:
        if not all(one):
            raise ValueError(f"{file}: the message id, the path, a piece of the message and the reason: {one}")
    return found


def our_definitions() -> Iterator[Document]:
    """Yield the definitions of our extensions, and the terminology that comes with them."""
    for version in FHIR_VERSIONS:
        for file in sorted(package_folder(version).iterdir(), key=lambda one: one.name):
            if file.name != "package.json":
                yield Document(f"{version} {file.name}", file.read_bytes(), version)


def bundles(sources: Sequence[str]) -> Iterator[Document]:
    """Yield the bundles of studies."""
    if sources:
        for version in FHIR_VERSIONS:
            yield from _bundles(sources, version, DELIVERIES[:1])
        return
    made_up = [str(ROOT / "examples"), *map(str, sorted((ROOT / "tests" / "cases").glob("*/*/input.*")))]
    smoke = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared")) / "corpus" / "smoke"
    if not smoke.is_dir():
        sys.stderr.write(f"no real studies at {smoke.parent.parent}; TRIALCONV_SHARED names another folder\n")
    for version in FHIR_VERSIONS:
        yield from _bundles(made_up, version, DELIVERIES)
        if smoke.is_dir() and version != "R4B":
            yield from _bundles([str(smoke)], version, DELIVERIES[:1])


def _bundles(sources: Iterable[str], version: FhirVersion, deliveries: Sequence[Options]) -> Iterator[Document]:
    target = TARGETS[f"fhir-{version.lower()}"]
    for source in sources:
        for record in pipeline.read(source):
            for number, options in enumerate(deliveries):
                made = pipeline.transform(record, target, options, check=False)
                way = f", delivery {number}" if number else ""
                yield Document(f"{version} {record.nct_id}{way}", made.data, version)


def judge(
    wanted: Iterable[Document], validator: Hl7Validator, known: Sequence[Suppression], *, all_needed: bool
) -> int:
    """Judge documents, say what is wrong with them and how it went, and return the exit code.

    With `all_needed` a suppression that no document needs is wrong, too.
    """
    argued = Counter(dict.fromkeys(known, 0))
    counts: Counter[str] = Counter()
    for document in wanted:
        counts[f"documents of {document.version}"] += 1
        for found in validator.judge(document.data, document.version):
            if found.severity != "error":
                counts[f"{found.severity} {found.rule}"] += 1
                continue
            reasons = [one for one in argued if one.covers(found)]
            argued.update(reasons)
            if not reasons:
                counts["errors"] += 1
                sys.stdout.write(f"{document.name}: {found}\n")
    for line, number in sorted(counts.items()):
        sys.stdout.write(f"{number:7} {line}\n")
    for one, number in argued.items():
        sys.stdout.write(f"{number:7} suppressed: {one.message_id} at {one.path} ({one.text})\n")
    unused = [one for one, number in argued.items() if all_needed and not number]
    for one in unused:
        sys.stdout.write(f"nothing needs the suppression of {one.message_id} at {one.path} ({one.text})\n")
    sys.stdout.write(f"{counts['errors'] or 'no'} errors beyond the suppressions\n")
    return 1 if counts["errors"] or unused else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sources", nargs="*", metavar="SOURCE")
    parser.add_argument("--definitions", action="store_true")
    wanted = parser.parse_args(arguments)
    try:
        with Hl7Validator(find_installation(), told=lambda text: sys.stderr.write(f"{text}\n")) as validator:
            if wanted.definitions:
                return judge(our_definitions(), validator, (), all_needed=False)
            return judge(bundles(wanted.sources), validator, suppressions(), all_needed=not wanted.sources)
    except UsageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
