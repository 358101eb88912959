"""ODM 2.0 by trialconv and by odmlib alone: the same documents built, written and validated, in one run.

    python benchmarks/bench_odm_odmlib.py [--every N] [--rounds N]

Of trialconv everything from the record on is counted: mapping, writing, the official XML schema and the rules.
odmlib is given the finished tree: its objects are made of it and written to a file, which its schema validator
judges, and its objects check their order and their OIDs. Both schemas are compiled before. The time is that of
the processor, since other programs may use the machine. The studies are the real ones that `bench_core.py` tells
about. Writes docs/performance.json.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Final

from bench_core import ROOT, development_studies, machine, say

from trialconv import __version__
from trialconv.context import Context, Options
from trialconv.odm_tree import Node
from trialconv.pipeline import collect_less
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo
from trialconv.validators.odm import schema_folder, validate_odm_tree
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from odmlib.odm_2_0 import model
    from odmlib.odm_parser import ODMSchemaValidator
    from odmlib.oid_generator import create_oid_checker

_NUMBERS: Final = frozenset({"Latitude", "Longitude"})


def ours(record: Record) -> Node:
    """Build, write and validate a document; return its tree. Raises ValueError for an invalid one."""
    root = build_odm(Context(record, Options()))
    if found := validate_odm_tree(root, write_odm_xml(root)):
        raise ValueError(str(found[0]))
    return root


def theirs(root: Node, validator: Any, path: Path) -> None:
    """Build, write and validate the same document with odmlib. Raises what odmlib raises for an invalid one."""
    document = _object(root)
    document.write_xml(str(path))
    validator.validate_file(str(path))
    document.validate(oid_checker=create_oid_checker("odm_2_0"))


def _object(node: Node) -> Any:
    """Return an element and all below it as objects of odmlib."""
    values: dict[str, Any] = {
        name.rpartition(":")[2]: float(value) if name in _NUMBERS else value
        for name, value in node.attributes.items()
        if not name.startswith("xmlns")
    }
    if node.text:
        values["_content"] = node.text
    made = getattr(model, node.name)(**values)
    for child in node.elements:
        held = getattr(made, child.name, None)
        if isinstance(held, list):
            held.append(_object(child))
        else:
            setattr(made, child.name, _object(child))
    return made


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Compare ODM 2.0 by trialconv with odmlib alone.")
    parser.add_argument("--every", type=int, default=40, help="take only every Nth study (default: 40)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    given = parser.parse_args()
    records = [read_study(data, SourceInfo("benchmark")) for data in development_studies()[:: given.every]]
    if not records:
        return 1
    validator = ODMSchemaValidator(str(schema_folder("2.0") / "ODM.xsd"))
    trees = [ours(record) for record in records]
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name, "study.xml")
    theirs(trees[0], validator, path)
    collect_less()  # as the commands do, for both
    times: list[tuple[float, float]] = []
    for number in range(1, given.rounds + 1):
        gc.collect()
        start = time.process_time()
        for record in records:
            ours(record)
        between = time.process_time()
        for tree in trees:
            theirs(tree, validator, path)
        times.append((between - start, time.process_time() - between))
        say(f"round {number}: {times[-1][0]:.2f} s and {times[-1][1]:.2f} s")
    figures = {
        "machine": machine(),
        "trialconv": __version__,
        "studies": len(records),
        "rounds": given.rounds,
        "ms": round(statistics.median(mine for mine, _ in times) / len(records) * 1e3, 2),
        "odmlib_ms": round(statistics.median(other for _, other in times) / len(records) * 1e3, 1),
        "ratio": round(statistics.median(other / mine for mine, other in times), 1),
    }
    folder.cleanup()
    kept_in = ROOT / "docs" / "performance.json"
    kept = json.loads(kept_in.read_text(encoding="utf-8"))
    kept["odmlib"] = figures
    kept_in.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    say(f"{figures['ms']} ms and {figures['odmlib_ms']} ms a study: {figures['ratio']} times faster")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


if __name__ == "__main__":
    sys.exit(main())
