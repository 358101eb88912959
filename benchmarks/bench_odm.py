"""How long a study takes to ODM: mapping, writing, validating, for each version.

    python benchmarks/bench_odm.py [STUDIES] [--every N] [--rounds N]

STUDIES is a zip or a folder of API v2 studies, one JSON file each. Without it, one made-up study with 12 sites
is used. Each study counts with its fastest round; reading and hashing the record are not counted. The exit code
is 1 when any document has an error.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trialconv.context import Context, Options
from trialconv.formats import ODM_VERSIONS, OdmVersion
from trialconv.record import Record, SourceInfo, decode_study
from trialconv.validators.odm import validate_odm_xml
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm

_STEPS = ("build", "write", "validate")


def _made_up_study() -> bytes:
    sites = [
        {
            "facility": f"Made-up Hospital {number}",
            "city": "Oslo",
            "zip": f"{number:05}",
            "country": "Norway",
            "status": "RECRUITING",
            "geoPoint": {"lat": 59.9 + number / 100, "lon": 10.7},
        }
        for number in range(12)
    ]
    outcome = {"measure": "Made-up measure", "timeFrame": "12 weeks", "description": "Made-up words. " * 20}
    criteria = "\n".join(f"* Made-up criterion {number} of some length, \\>= {number}" for number in range(10))
    protocol = {
        "identificationModule": {"nctId": "NCT99999901", "orgStudyIdInfo": {"id": "MADE-UP-1"}},
        "descriptionModule": {"briefSummary": "Made-up words. " * 60, "detailedDescription": "More. " * 300},
        "conditionsModule": {"conditions": ["Made-up fever"], "keywords": ["made up", "fever"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "designInfo": {"allocation": "RANDOMIZED", "maskingInfo": {"masking": "DOUBLE"}},
            "enrollmentInfo": {"count": 100, "type": "ACTUAL"},
        },
        "outcomesModule": {"primaryOutcomes": [outcome], "secondaryOutcomes": [outcome] * 8},
        "eligibilityModule": {
            "eligibilityCriteria": f"Inclusion Criteria:\n\n{criteria}\n\nExclusion Criteria:\n\n{criteria}",
            "sex": "ALL",
            "minimumAge": "18 Years",
        },
        "contactsLocationsModule": {"locations": sites},
    }
    return msgspec.json.encode({"protocolSection": protocol, "hasResults": False})


def _studies(path: Path | None) -> Iterator[tuple[str, bytes]]:
    if path is None:
        yield "made up", _made_up_study()
    elif path.is_dir():
        for file in sorted(path.glob("*.json")):
            yield file.name, file.read_bytes()
    else:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield name, archive.read(name)


def _measure(record: Record, version: OdmVersion, rounds: int) -> tuple[list[float], int, int]:
    """Return the fastest time of each step in milliseconds, the size and the number of errors."""
    best = [float("inf")] * len(_STEPS)
    size = errors = 0
    for _ in range(rounds):
        context = Context(record, Options(odm_version=version))
        start = time.perf_counter()
        root = build_odm(context)
        built = time.perf_counter()
        data = write_odm_xml(root)
        written = time.perf_counter()
        issues = validate_odm_xml(data)
        times = (built - start, written - built, time.perf_counter() - written)
        best = [min(before, now * 1000) for before, now in zip(best, times, strict=True)]
        size, errors = len(data), len(issues)
    return best, size, errors


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="?", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take only every Nth study")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    studies = list(_studies(options.studies))[:: options.every]
    failed = 0
    for version in ODM_VERSIONS:
        times: list[list[float]] = []
        sizes = []
        for name, data in studies:
            record = Record(decode_study(data)[0], SourceInfo(name))
            assert record.version  # noqa: S101 - computed once per record, and no part of the mapping
            best, size, errors = _measure(record, version, options.rounds)
            times.append(best)
            sizes.append(size)
            failed += bool(errors)
        print(f"ODM {version}: {len(studies)} studies, mean size {statistics.mean(sizes):.0f} bytes")  # noqa: T201
        for step, column in zip(_STEPS, zip(*times, strict=True), strict=True):
            mean, median, most = statistics.mean(column), statistics.median(column), max(column)
            print(f"  {step:9} mean {mean:7.3f} ms   median {median:7.3f} ms   most {most:7.3f} ms")  # noqa: T201
    print(f"documents with errors: {failed}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
