"""The summary of a study: the official trial summary parameters, then the registry's own."""

from __future__ import annotations

from typing import Any

from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.odm.carried import Carrier
from trialconv_mappings.odm.parameters import Parameters


def fill_summary(summary: Parameters) -> None:
    """Add the parameters of a record to those that its elements needed."""
    summary.collect()
    Carrier(summary).carry(summary.ctx.record.study)
    _extras(summary, summary.ctx.record.extras)


def _extras(summary: Parameters, extras: Any, path: str = "extras", short_name: str = "CTG.extras") -> None:
    """Carry the texts of a source that the registry's data structure has no field for."""
    if isinstance(extras, dict):
        for key, value in extras.items():
            if key == "unread" and not summary.ctx.options.contacts:
                # Nobody can tell whether a text that was not understood holds contacts.
                summary.ctx.note("withheld-contact", "texts not understood were left out", "extras.unread")
                continue
            name = clean(summary.ctx, str(key), path, "StudyParameter/@ShortName")
            _extras(summary, value, f"{path}.{name}", f"{short_name}.{name}")
    elif isinstance(extras, list):
        for position, value in enumerate(extras, 1):
            _extras(summary, value, path + "[]", f"{short_name}.{position}")
    elif isinstance(extras, str):
        summary.carry(short_name, path, extras)
