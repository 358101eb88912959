"""The definitions behind the schemas: `trialconv --version --verbose` and `trialconv doctor` tell of them."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.resources import files

from trialconv.formats import USDM_MODEL_VERSION


def definition_lines() -> list[str]:
    """Return a line per definition package (FHIR version, name, version, hash), and one each for ODM and USDM."""
    text = files("trialconv.validators").joinpath("_generated", "packages.json").read_text(encoding="utf-8")
    lines = [
        f"FHIR {definitions['release']} {definitions['fhirVersion']}: "
        f"{package['name']} {package['version']} sha256 {package['sha256']}"
        for definitions in json.loads(text)
        for package in definitions["packages"]
    ]
    return [
        *lines,
        f"ODM 1.3.2 and 2.0: schemas of odmlib {version('odmlib')}",
        f"USDM 4.0: API {USDM_MODEL_VERSION} of cdisc-org/DDF-RA",
    ]
