"""TI: the eligibility criteria of a record as rows."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import join, looked_up
from trialconv_mappings.cdisc.codelists import CODELISTS, Codelist
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.criteria import Block, listed_criteria
from trialconv_mappings.sdtm.ascii_text import ascii_text
from trialconv_mappings.sdtm.datasets import Row, shortened
from trialconv_mappings.tables import table

_SOURCE: Final = "protocolSection.eligibilityModule.eligibilityCriteria"
_PREFIXES: Final = {"inclusion": "INCL", "exclusion": "EXCL"}

#: The codelist of IECAT.
CATEGORIES: Final[Codelist] = CODELISTS["cdisc_criterion_kind"]


class TrialCriterion(NamedTuple):
    """A criterion as TI has it: its short name, the text that fits, the whole text, and its category."""

    short_name: str
    text: str
    whole: str
    category: str


def trial_criteria(ctx: Context) -> list[TrialCriterion]:
    """Return the criteria of a record, or none and an Issue where the text cannot be split for certain."""
    if not ctx.record.study.protocol_section.eligibility_module.eligibility_criteria:
        return []
    criteria = _top_level(ctx)
    if not criteria:
        message = "no criterion could be told apart for certain, and TI has a row for each"
        ctx.note("dataset-left-out", message, _SOURCE, "TI")
    found: list[TrialCriterion] = []
    counts = dict.fromkeys(_PREFIXES, 0)
    seen: dict[str, str] = {}
    used: set[str] = set()
    for kind, text in criteria:
        whole = clean(ctx, text, _SOURCE, "TI.IETEST").strip()
        flat = join(" ", whole.split())
        category = _category(kind)
        if flat in seen:
            both = "twice" if seen[flat] == category else "as a reason to include and to exclude"
            ctx.note("duplicate-criterion", f"{flat[:60]!r} is given {both}", _SOURCE, "TI.IETEST")
            if seen[flat] == category:
                continue
        seen[flat] = category
        counts[kind] += 1
        short_name = f"{_PREFIXES[kind]}{counts[kind]:03}"
        fitting = shortened(flat)
        spelled = ascii_text(fitting)
        if spelled in used:
            # IETESTCD and IETEST go together one to one (CORE-000743), in either format.
            fitting = shortened(flat, f"... ({short_name})")
        used.add(spelled)
        if fitting != flat:
            ctx.note("text-shortened", f"{short_name} does not stand there as it is", _SOURCE, "TI.IETEST")
        found.append(TrialCriterion(short_name, fitting, whole, category))
    return found


def criteria_rows(found: list[TrialCriterion], study_id: str) -> list[Row]:
    """Return the rows of TI, sorted by its keys."""
    ordered = sorted(found)
    return [[study_id, "TI", each.short_name, each.text, each.category] for each in ordered]


def _top_level(ctx: Context) -> list[Block]:
    """Return the study's top-level criteria: the one place where this room asks for them."""
    return listed_criteria(ctx, "TI.IETEST", only_place=True)


def _category(kind: str) -> str:
    (row,) = looked_up(table("cdisc_criterion_kind"), kind) or ()
    return row.display
