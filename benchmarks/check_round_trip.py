"""Do real records come back? The figures over every study of the development set, form by form.

    python benchmarks/check_round_trip.py [--every N] [--form NAME ...]

Each record is converted, read again from the bytes, and compared value by value in the fields that the form has a
home for. Prints for each form how many studies and values came back equal, the first that did not, and the time
of reading back; then on how many studies all standards agree on the facts of `tests/facts.py`. Ends with 1 when
anything differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import facts  # noqa: E402
from round_trip import FORMS, differences, only_record, said, written  # noqa: E402
from trialconv.catalog import TARGETS  # noqa: E402
from trialconv.context import Options  # noqa: E402
from trialconv.pipeline import collect_less, transform  # noqa: E402
from trialconv.readers.ctgov_json import read_study  # noqa: E402
from trialconv.record import Record, SourceInfo  # noqa: E402


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--every", type=int, default=1, help="take only every Nth study")
    parser.add_argument("--form", action="append", choices=list(FORMS), help="default: all forms")
    arguments = parser.parse_args()
    collect_less()
    records = _records(arguments.every)
    wrong = sum(_come_back(records, form) for form in arguments.form or FORMS)
    wrong += _agree(records)
    return 1 if wrong else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _records(every: int) -> list[Record]:
    folder = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared"))
    with zipfile.ZipFile(folder / "corpus" / "ctg-studies-dev.json.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".json"))[::every]
        return [read_study(archive.read(name), SourceInfo(name)) for name in names]


def _come_back(records: list[Record], form: str) -> int:
    """Print how many of some records come back from a form, and return how many do not."""
    equal = leaves = lost = noted = 0
    seconds = 0.0
    for record in records:
        data = written(record, form)
        started = time.process_time()
        back = only_record(data)
        seconds += time.process_time() - started
        one = said(record, form)
        found = differences(one, said(back, form))
        leaves += len(one)
        lost += len(found)
        equal += not found
        noted += bool(back.issues)
        if found and lost == len(found):
            _say(f"  first difference, {record.nct_id}: {next(iter(found.items()))}")
    rate = 100 * (leaves - lost) / leaves
    _say(
        f"{form}: {equal} of {len(records)} studies, {leaves - lost} of {leaves} values ({rate:.4g} %), "
        f"{noted} studies with Issues, {1000 * seconds / len(records):.1f} ms to read one"
    )
    return len(records) - equal


def _agree(records: list[Record]) -> int:
    wrong = 0
    for record in records:
        made = {name: transform(record, TARGETS[name], Options(), check=False).data for name in facts.TARGETS}
        if found := facts.differing(made):
            wrong += 1
            _say(f"  {record.nct_id} differs in {', '.join(found)}")
    _say(f"agreement of {', '.join(facts.TARGETS)}: {len(records) - wrong} of {len(records)} studies")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
