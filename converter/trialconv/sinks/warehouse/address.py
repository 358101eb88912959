"""Where a warehouse is: `duckdb:FILE`, `parquet:DIR`, `postgresql://...`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trialconv.issues import UsageError

if TYPE_CHECKING:
    from trialconv.sinks.warehouse.model import Warehouse

_POSTGRESQL: Final = ("postgresql://", "postgres://")
_FORMS: Final = "duckdb:FILE, parquet:DIR or postgresql://..."
_SECRET: Final = re.compile(r"(?i)([?&](?:password|sslpassword|passfile)=)[^&]*")


def open_warehouse(address: str, *, create: bool = True) -> Warehouse:
    """Open the warehouse at an address, and make its schema where there is none, or migrate an older one.

    `create` False refuses what is not there yet. Raises UsageError for an address of another form or a package
    that is missing, SinkError for a place that cannot be written, holds something else, or has a newer schema.
    """
    kind, _, path = address.partition(":")
    try:
        if kind == "duckdb" and path:
            from trialconv.sinks.warehouse.in_duckdb import DuckDbWarehouse

            return DuckDbWarehouse(Path(path), create=create)
        if kind == "parquet" and path:
            from trialconv.sinks.warehouse.in_parquet import ParquetWarehouse

            return ParquetWarehouse(Path(path), create=create)
        if address.startswith(_POSTGRESQL):
            from trialconv.sinks.warehouse.in_postgresql import PostgresWarehouse

            return PostgresWarehouse(address, create=create)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{kind} needs the package {error.name}; `pip install 'trialconv[warehouse]'` installs it"
        ) from error
    raise UsageError(f"{redacted(address)!r} is no warehouse; there are {_FORMS}")


def redacted(address: str) -> str:
    """Return an address without the password that it may hold, for messages."""
    scheme, slashes, rest = address.partition("://")
    if not slashes:
        return address
    # A password that is not encoded as it should be may hold any sign.
    user, at, place = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{scheme}://{name}{':***' if colon else ''}{at}{place}"
    return _SECRET.sub(r"\1***", shown)
