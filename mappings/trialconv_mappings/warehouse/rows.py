"""All rows of a record."""

from __future__ import annotations

from trialconv.context import Context
from trialconv_mappings.warehouse.design import Rows, arm_rows, criteria_rows, outcome_rows, words_rows
from trialconv_mappings.warehouse.people import party_rows, site_rows
from trialconv_mappings.warehouse.sources import (
    document_rows,
    event_rows,
    identifier_rows,
    mesh_rows,
    reference_rows,
)
from trialconv_mappings.warehouse.study_row import study_row
from trialconv_mappings.warehouse_tables import STUDIES


def build_rows(ctx: Context) -> Rows:
    """Return the rows of a record by table, without the columns that the warehouse fills in.

    Days are texts (`yyyy-MM-dd`), so that the rows are plain JSON. A table without a row has an empty list.
    """
    return {
        STUDIES: [study_row(ctx)],
        **words_rows(ctx),
        **arm_rows(ctx),
        **outcome_rows(ctx),
        **criteria_rows(ctx),
        **site_rows(ctx),
        **party_rows(ctx),
        **identifier_rows(ctx),
        **reference_rows(ctx),
        **mesh_rows(ctx),
        **document_rows(ctx),
        **event_rows(ctx),
    }
