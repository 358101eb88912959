"""How good the validation of FHIR is: false alarms on HL7's examples, and made-up defects that are found.

    python scripts/fhir_evidence.py

Judges every example of the three versions and every defect of tests/fhir_defects.py and
tests/fhir_rule_defects.py, and writes docs/validation.json, from which `make docs` makes a table. Which findings
in the examples are right was decided by reading them: tests/fhir_examples_flagged.csv.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fhir_packages import EXAMPLES, PackageError, cache_folder, examples, package_file

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))

from fhir_defects import DEFECTS  # noqa: E402 - a module of the tests
from fhir_rule_defects import RULE_DEFECTS  # noqa: E402
from trialconv.formats import FHIR_VERSIONS, FhirVersion  # noqa: E402
from trialconv.issues import at_or_above  # noqa: E402
from trialconv.validators.fhir import validate_fhir  # noqa: E402
from trialconv.validators.schema import STUDY_TYPES  # noqa: E402


def reviewed() -> set[tuple[str, str, str]]:
    """Return version, file and rule of the findings in examples that are right."""
    with (ROOT / "tests" / "fhir_examples_flagged.csv").open(encoding="utf-8", newline="") as stream:
        return {(row["version"], row["file"], row["rule"]) for row in csv.DictReader(stream)}


def of_examples(version: FhirVersion) -> dict[str, int]:
    """Return how many examples there are, and how many have errors, rightly or not; those of our types apart."""
    right = reviewed()
    counts = {"files": 0, "ourFiles": 0, "rightlyFlagged": 0, "ourRightlyFlagged": 0, "falseAlarms": 0}
    counts["ourFalseAlarms"] = 0
    for name, resource in examples(package_file(EXAMPLES[version], cache_folder(), fetch=True)):
        ours = resource["resourceType"] in STUDY_TYPES
        rules = {found.rule for found in at_or_above(validate_fhir(resource, version), "error")}
        alarms = {rule for rule in rules if (version, name, rule) not in right}
        counts["files"] += 1
        counts["ourFiles"] += ours
        counts["rightlyFlagged"] += bool(rules) and not alarms
        counts["ourRightlyFlagged"] += ours and bool(rules) and not alarms
        counts["falseAlarms"] += bool(alarms)
        counts["ourFalseAlarms"] += ours and bool(alarms)
        for rule in sorted(alarms):
            sys.stdout.write(f"not reviewed: {version} {name} {rule}\n")
    return counts


def of_defects(version: FhirVersion) -> dict[str, int]:
    """Return how many defects there are, and how many give the one Issue that is due and no other."""
    defects = [one for one in (*DEFECTS, *RULE_DEFECTS) if version in one.versions]
    found = [
        [(issue.code, issue.rule, issue.target_path) for issue in validate_fhir(one.document(version), version)]
        for one in defects
    ]
    exact = sum(issues == [(one.code, one.rule, one.path)] for one, issues in zip(defects, found, strict=True))
    rules = {one.rule for one in RULE_DEFECTS if version in one.versions}
    return {
        "defects": len(defects),
        "found": sum(map(bool, found)),
        "foundExactly": exact,
        "invariants": len(rules),
    }


def main() -> int:
    """Measure and write. Returns the exit code: 2 when a package is missing."""
    figures: dict[str, Any] = {}
    try:
        for version in FHIR_VERSIONS:
            figures[version] = {"examples": of_examples(version), "defects": of_defects(version)}
            sys.stdout.write(f"{version}: {figures[version]}\n")
    except PackageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    path = ROOT / "docs" / "validation.json"
    path.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


if __name__ == "__main__":
    raise SystemExit(main())
