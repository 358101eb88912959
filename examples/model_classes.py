"""Go on with a study as objects of the library fhir.resources (FHIR R5).

python examples/model_classes.py [FILE]
"""

# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import sys
from pathlib import Path

import trialconv

EXAMPLE = Path(__file__).parent / "studies" / "NCT99999901.json"


def main(source: Path) -> None:
    """Print the groups that a study compares, and who is responsible for it."""
    record = next(trialconv.read(source))
    bundle = trialconv.fhir_models(trialconv.convert(record, "fhir-r5"), "R5")
    study = bundle.entry[0].resource
    for group in study.comparisonGroup or []:
        print(f"{group.name}: {group.type.text if group.type else 'no type'}")
    for party in study.associatedParty or []:
        print(f"{party.role.text or party.role.coding[0].code}: {party.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLE)
