"""Every real study to every form of ODM: crashes, errors, unequal bytes, and what the published schemas say.

    python benchmarks/check_odm_corpus.py [--every N]

The studies and the published schemas, of ODM JSON and of SDM-XML, are in the folder that TRIALCONV_SHARED names;
the project contains neither. The exit code is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
from bench_core import ROOT, development_studies, say
from lxml import etree

from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.issues import SourceError
from trialconv.pipeline import collect_less, transform_isolated
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv.validators.odm import validate_odm_xml

FORMS = ("odm-2.0", "odm-2.0-json", "odm-1.3.2", "odm-1.3.2-plain")


def published(folder: Path) -> dict[str, Callable[[bytes], bool]]:
    """Return what the published schema of each form says of a document."""
    sdm = etree.XMLSchema(etree.parse(folder / "sdm-1.0-on-odm-1.3.2" / "sdm1-0-0.xsd"))
    text = (folder / "odm-2.0-jsonschema" / "ODM.schema.json").read_text(encoding="utf-8")
    judge = jsonschema_rs.validator_for(json.loads(text))

    def by_sdm(data: bytes) -> bool:
        return bool(sdm.validate(etree.fromstring(data)))

    return {
        "odm-2.0-json": lambda data: judge.is_valid(json.loads(data)),
        "odm-1.3.2": by_sdm,
        "odm-1.3.2-plain": by_sdm,
    }


def check(data: bytes, form: str, judge: Callable[[bytes], bool] | None) -> list[str]:
    """Return what is wrong with one study in one form."""
    source, target = SourceInfo("corpus"), TARGETS[form]
    made = transform_isolated(read_study(data, source), target, Options())
    again = transform_isolated(read_study(data, source), target, Options(), check=False)
    if isinstance(made, SourceError) or isinstance(again, SourceError):
        return ["crash"]
    found = [f"finding {each.rule}" for each in made.findings]
    if again.data != made.data:
        found.append("unequal bytes")
    if judge is not None and not judge(made.data):
        found.append("refused by the published schema")
    if not form.endswith("json") and len(validate_odm_xml(made.data)) != len(made.findings):
        found.append("the file is judged in another way than the tree")
    return found


def main() -> int:
    """Check all studies. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Convert every real study to every form of ODM.")
    parser.add_argument("--every", type=int, default=1, help="take only every Nth study")
    given = parser.parse_args()
    studies = development_studies()[:: given.every]
    if not studies:
        return 1
    collect_less()
    judges = published(Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared")) / "schemas")
    wrong = 0
    for form in FORMS:
        counts = Counter(found for data in studies for found in check(data, form, judges.get(form)))
        wrong += counts.total()
        say(f"{form}: {len(studies)} studies, {dict(counts) or 'nothing wrong'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
