"""Rewrite the expected documents of tests/cases and the outlines of tests/criteria_cases.

Read the diff before you commit it.

Each folder `tests/cases/<reader>/<case>` holds one made-up input (`input.json`, `.xml` or `.txt`), a WHY.md that
says what the case is for, the documents that it becomes, and the issues on the way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson

import criteria_outline
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import Converted, read, trace, transform
from trialconv.tracing.lines import as_csv, csv_header

CASES = Path(__file__).resolve().parent / "cases"

#: The targets whose documents are kept. R4B differs from R4 in no element that a study uses.
KEPT = ("fhir-r4", "fhir-r5", "odm-2.0", "odm-1.3.2", "odm-1.3.2-plain", "usdm-4.0", "sdtm")


#: The cases of which the lineage is kept, for a target each: small ones, since every value has a line.
TRACED = {"bare": "fhir-r5", "two-arms": "odm-1.3.2-plain"}


def folders() -> list[Path]:
    """Return the folders of all cases."""
    return sorted(path.parent for path in CASES.glob("*/*/input.*"))


def expected(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file that a case should have, in a form that people can read."""
    (source,) = folder.glob("input.*")
    (record,) = read(source)
    issues = []
    for name in KEPT:
        target = TARGETS[name]
        made = transform(record, target, Options())
        issues += [{"target": name, **msgspec.to_builtins(found)} for found in made.issues + made.findings]
        if made.files:
            yield from ((f"{name}-{file}", _readable(file, made)) for file in made.files)
            continue
        pretty = target.suffix == ".json"
        content = orjson.dumps(made.document, option=orjson.OPT_INDENT_2) if pretty else made.data.rstrip(b"\n")
        yield f"{name}{target.suffix}", content + b"\n"
    if name := TRACED.get(folder.name):
        yield f"lineage-{name}.csv", csv_header() + as_csv(trace(record, name))
    yield "issues.json", orjson.dumps(issues, option=orjson.OPT_INDENT_2) + b"\n"


def _readable(file: str, made: Converted) -> bytes:
    """Return a file of several: a dataset with a row on each line, XML as it is."""
    if not file.endswith(".json"):
        return made.files[file]
    dataset = made.document[file]
    head = orjson.dumps({**dataset, "rows": []}, option=orjson.OPT_INDENT_2).decode()
    rows = ",\n".join("    " + orjson.dumps(row).decode() for row in dataset["rows"])
    return head.replace('"rows": []', f'"rows": [\n{rows}\n  ]').encode() + b"\n"


def main() -> None:
    """Write what every case becomes now."""
    for folder in folders():
        for name, content in expected(folder):
            path = folder / name
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
                sys.stdout.write(f"written: {path.relative_to(CASES.parent.parent)}\n")
    criteria_outline.rewrite()


if __name__ == "__main__":
    main()
