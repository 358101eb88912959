"""A record as the registry's own JSON, API v2 (https://clinicaltrials.gov/data-api/api)."""

from __future__ import annotations

from typing import Any

import msgspec

from trialconv.context import Context

_PLACES = "protocolSection.contactsLocationsModule"


def build_registry_json(ctx: Context) -> bytes:
    """Return the JSON of a record, which has all of it but for contacts that the options leave out."""
    data = ctx.record.to_json()
    if ctx.options.contacts:
        return data
    tree = msgspec.json.decode(data)
    module: dict[str, Any] = tree.get("protocolSection", {}).get("contactsLocationsModule", {})
    count = len(module.pop("centralContacts", ()))
    count += sum(len(location.pop("contacts", ())) for location in module.get("locations", ()))
    if count:
        ctx.note("withheld-contact", f"{count} contacts were left out", _PLACES)
    if not module:
        tree.get("protocolSection", {}).pop("contactsLocationsModule", None)
    return msgspec.json.encode(tree)
