"""Load a folder, a ZIP or a long file of studies into rows: one per study and site.

python examples/many_studies.py [SOURCE] > sites.csv

A record that cannot be read is named on standard error, and the others go on.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import trialconv
from trialconv.issues import SourceError

EXAMPLES = Path(__file__).with_name("studies")


def rows(source: Path) -> Iterator[tuple[str, ...]]:
    """Yield the study, its status, and the place and status of each site."""
    for record in trialconv.read(source, on_error=complain):
        protocol = record.study.protocol_section
        for site in protocol.contacts_locations_module.locations:
            cells = (record.nct_id, protocol.status_module.overall_status, site.country, site.city, site.status)
            yield tuple(cell or "" for cell in cells)


def complain(error: SourceError) -> None:
    """Say that a record could not be read, and why."""
    sys.stderr.write(f"{error}\n")


def main(source: Path) -> None:
    """Write the rows of a source as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("study", "study status", "country", "city", "site status"))
    writer.writerows(rows(source))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES)
