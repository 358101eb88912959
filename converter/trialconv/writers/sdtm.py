"""The files of a study's trial design datasets to bytes, each by the ending of its name."""

from __future__ import annotations

from typing import Any

from trialconv.writers.json import write_json
from trialconv.writers.odm_xml import write_odm_xml
from trialconv.xport import encode_xport


def write_sdtm(files: dict[str, Any]) -> dict[str, bytes]:
    """Return the bytes of each file: Dataset-JSON, a SAS transport file, or XML.

    Raises ValueError for what a transport file cannot hold.
    """
    return {name: _written(name, document) for name, document in files.items()}


def _written(name: str, document: Any) -> bytes:
    if name.endswith(".json"):
        return write_json(document) + b"\n"
    if name.endswith(".xpt"):
        return encode_xport(document, document["datasetJSONCreationDateTime"])
    return write_odm_xml(document)
