"""The registry record: the one vocabulary between readers and mappings."""

from __future__ import annotations

from trialconv.record.decode import Finding, decode_results, decode_study, study_from_tree
from trialconv.record.model import Record, SourceInfo, Study, Version

__all__ = [
    "Finding",
    "Record",
    "SourceInfo",
    "Study",
    "Version",
    "decode_results",
    "decode_study",
    "study_from_tree",
]
