"""What USDM demands and a registry does not say: the only place that such values come from.

A placeholder can be told from what was read: a text says that it is one, a code is Unknown or Other, and an object
with another value of this kind has the extension attribute `filledIn` with the names of the attributes. Each kind
is one Issue `filled-in` per study.
"""

from __future__ import annotations

from typing import Final

from trialconv.context import Context
from trialconv.lineage import filled

#: The text for any text that the registry does not have.
NOT_STATED: Final = "Not stated in the registry record."

#: Rows of the table `usdm_fixed`. Unknown: the record says nothing. Other: no code fits what it says.
UNKNOWN: Final = "unknown"
OTHER: Final = "other"

#: For truth values: neither is true, but one has to be there.
FALSE: Final = False

#: The limits of a range of ages that has no lower or upper limit. Nobody has reached the upper one.
YOUNGEST: Final = 0
OLDEST: Final = 150
AGE_UNIT: Final = "Year"

#: The time of the only event of the placeholder timeline, as an ISO 8601 duration.
AT_ONCE: Final = "P0D"

#: How an organisation is identified, since the registry has no identifiers of organisations.
BY_NAME: Final = "Name in ClinicalTrials.gov"


class Placeholders:
    """The placeholders of one document, by the place where they stand."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], int] = {}

    def note(self, target: str, what: str) -> None:
        """Count a placeholder; `what` says what was filled in."""
        key = target, what
        self._found[key] = self._found.get(key, 0) + 1

    def text(self, target: str) -> str:
        """Return the text that says that the registry has none."""
        self.note(target, "a text that says so")
        return filled(NOT_STATED)

    def false(self, target: str) -> bool:
        """Return the truth value for something that the registry does not say."""
        self.note(target, "false")
        return filled(FALSE)

    def report(self, ctx: Context) -> None:
        """Make an Issue of each kind of placeholder at each place."""
        for (target, what), count in self._found.items():
            times = f", {count} times" if count > 1 else ""
            ctx.note("filled-in", f"{what}{times}, since the registry does not say it", target_path=target)
