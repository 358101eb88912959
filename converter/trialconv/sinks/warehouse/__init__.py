"""Warehouses: databases and files that hold the rows of many studies, each study in one version.

One narrow interface (`Warehouse`) over three places: DuckDB, PostgreSQL and Parquet. `open_warehouse` opens one
and makes or migrates its schema, `merge` puts studies into it. See docs/warehouse.md.
"""

from trialconv.sinks.warehouse.address import open_warehouse
from trialconv.sinks.warehouse.model import (
    Batch,
    LoadStart,
    MergeRules,
    RegistryState,
    StoredVersion,
    StudyVersion,
    Verdict,
    Warehouse,
    merge,
)

__all__ = [
    "Batch",
    "LoadStart",
    "MergeRules",
    "RegistryState",
    "StoredVersion",
    "StudyVersion",
    "Verdict",
    "Warehouse",
    "merge",
    "open_warehouse",
]
