"""Convert one record to FHIR R4, check the bundle, and look at what is in it.

python examples/one_study.py [FILE]
"""

# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import trialconv

EXAMPLE = Path(__file__).with_name("NCT06108596.txt")


def main(source: Path) -> None:
    """Print what the first record of a source becomes."""
    record = next(trialconv.read(source))
    bundle = trialconv.convert(record, "fhir-r4")
    errors = [found for found in trialconv.validate(bundle, fhir_version="R4") if found.severity == "error"]

    study = bundle["entry"][0]["resource"]
    print(f"{study['id']}: {study['title']}")
    print(f"status: {study.get('status', 'not stated')}")
    print(f"conditions: {', '.join(condition['text'] for condition in study.get('condition', []))}")
    for name, count in Counter(entry["resource"]["resourceType"] for entry in bundle["entry"]).items():
        print(f"{count:3} {name}")
    print(f"{len(errors)} errors")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLE)
