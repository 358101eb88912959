"""trialconv: clinical-trial registry records to FHIR, CDISC ODM and SDTM.

The public surface is small: `read` yields records, `convert` makes a document of one, `validate` judges a
document, `coverage` tells what was kept and where, `diff` what changed between two versions, `fhir_models`
hands a bundle over to fhir.resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trialconv.differences.compare import diff
    from trialconv.differences.model import Change, Difference
    from trialconv.issues import Issue, Severity
    from trialconv.judging import fhir_models, validate
    from trialconv.pipeline import convert, coverage, read
    from trialconv.placement import Coverage
    from trialconv.record import Record

__version__ = "0.1.0"

__all__ = [
    "Change",
    "Coverage",
    "Difference",
    "Issue",
    "Record",
    "Severity",
    "__version__",
    "convert",
    "coverage",
    "diff",
    "fhir_models",
    "read",
    "validate",
]

_HOMES = {
    "Change": "trialconv.differences.model",
    "Coverage": "trialconv.placement",
    "Difference": "trialconv.differences.model",
    "Issue": "trialconv.issues",
    "Severity": "trialconv.issues",
    "Record": "trialconv.record",
    "convert": "trialconv.pipeline",
    "coverage": "trialconv.pipeline",
    "diff": "trialconv.differences.compare",
    "fhir_models": "trialconv.judging",
    "read": "trialconv.pipeline",
    "validate": "trialconv.judging",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use, so that `trialconv --help` does not load parsers and validators."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trialconv' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
