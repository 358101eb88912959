"""What a resource says, apart from how a server keeps it: a normal form, its hash, and comparison.

Servers give resources versions and instants, drop what is empty, write numbers and instants their own way, make
references absolute or add a narrative. None of that changes what a resource says, and none of it is compared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from trialconv.context import BASE

#: The tag in `meta` that remembers, on the server, the hash of what was sent. It tells a server that keeps less
#: than it was sent from a study that says more than it did.
HASH_SYSTEM: Final = f"{BASE}/CodeSystem/content-hash"

_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_LOCAL: Final = re.compile(r"(?:https?://\S*/)?([A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})(?:/_history/\S+)?")
#: Elements that are texts in R5, https://hl7.org/fhir/R5/json.html#primitive; HAPI writes them as numbers.
_INTEGERS_64: Final = frozenset({"size"})
_DIGITS: Final = re.compile(r"\d{1,19}", re.ASCII)
_SPACE: Final = re.compile(r"\s+")


def normal_form(resource: Mapping[str, Any], *, base: str = "") -> dict[str, Any]:
    """Return what a resource says: without id and meta, with values in one way of writing.

    A reference to a resource below `base`, the address of the server, is made relative and loses its version.
    A generated narrative is left out, which is made of the rest.
    """
    left_out = {"id", "meta"}
    if resource.get("text", {}).get("status") == "generated":
        left_out.add("text")
    kept = {key: value for key, value in resource.items() if key not in left_out}
    made = _normal(kept, base.rstrip("/") + "/" if base else "")
    return made if isinstance(made, dict) else {}


def _normal(value: Any, base: str, key: str = "") -> Any:
    if isinstance(value, dict):
        items = {name: _normal(item, base, name) for name, item in value.items()}
        return {name: item for name, item in items.items() if item not in (None, {}, [])}
    if isinstance(value, list):
        made = [_normal(item, base, key) for item in value]
        # The order of extensions means nothing (https://hl7.org/fhir/R4/extensibility.html); servers change it.
        return sorted(made, key=_key_of) if key == "extension" else made
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() else float(value)
    return _normal_text(value, base, key)


def _normal_text(value: str, base: str, key: str) -> str | int:
    if key == "reference":
        if base and value.startswith(base) and (found := _LOCAL.fullmatch(value)):
            return found[1]
        return value.partition("/_history/")[0]
    if key in _INTEGERS_64 and _DIGITS.fullmatch(value):
        return int(value)
    if key == "div":
        return _SPACE.sub(" ", value).strip()
    if _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            return value
    return value


def _key_of(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_hash(normal: Mapping[str, Any]) -> str:
    """Return the hash of a normal form: 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(_key_of(normal)).hexdigest()[:32]


def hashes_in(resource: Mapping[str, Any]) -> set[str]:
    """Return the hashes that a resource remembers: several where a server keeps the tags of former versions."""
    tags = resource.get("meta", {}).get("tag", ())
    return {tag["code"] for tag in tags if tag.get("system") == HASH_SYSTEM and "code" in tag}


def marked(resource: Mapping[str, Any], digest: str, there: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a resource as it is sent: with the tag of its hash, and with the tags and labels that others gave it.

    `there` is what the server has. Its security labels, profiles and tags are its own affair and stay.
    """
    meta: dict[str, Any] = dict(resource.get("meta", {}))
    before: Mapping[str, Any] = (there or {}).get("meta", {})
    for name in ("profile", "security", "tag"):
        foreign = [one for one in before.get(name, ()) if not _is_hash(one) and one not in meta.get(name, ())]
        if foreign or name in meta:
            meta[name] = [*meta.get(name, ()), *foreign]
    meta["tag"] = [*meta.get("tag", ()), {"system": HASH_SYSTEM, "code": digest}]
    made = {key: value for key, value in resource.items() if key in ("resourceType", "id")}
    made["meta"] = meta
    made.update((key, value) for key, value in resource.items() if key not in ("resourceType", "id", "meta"))
    return made


def _is_hash(tag: Any) -> bool:
    return isinstance(tag, dict) and tag.get("system") == HASH_SYSTEM


def not_kept(ours: Any, theirs: Any, path: str = "") -> list[str] | None:
    """Return the paths of what a server did not keep of a normal form.

    None when the server's form says anything that ours does not: then it is more than a matter of keeping.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if not theirs.keys() <= ours.keys():
            return None
        lost: list[str] = []
        for key, value in ours.items():
            below = not_kept(value, theirs[key], f"{path}.{key}") if key in theirs else [f"{path}.{key}"]
            if below is None:
                return None
            lost += below
        return lost
    if isinstance(ours, list) and isinstance(theirs, list):
        return _not_kept_of_list(ours, theirs, path)
    return [] if _same(ours, theirs) else None


def _not_kept_of_list(ours: list[Any], theirs: list[Any], path: str) -> list[str] | None:
    """Match the items of two lists in their order; what has no match on the server's side was not kept."""
    lost: list[str] = []
    waiting = list(theirs)
    for number, item in enumerate(ours):
        place = f"{path}[{number}]"
        below = not_kept(item, waiting[0], place) if waiting else None
        if below is None:
            lost.append(place)
        else:
            lost += below
            del waiting[0]
    return None if waiting else lost


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two normal forms differ, the deepest that tell."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            if key in ours and key in theirs:
                yield from differences(ours[key], theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif not _same(ours, theirs):
        yield path


def _same(ours: Any, theirs: Any) -> bool:
    # To Python true is 1, to JSON it is not.
    return type(ours) is type(theirs) and bool(ours == theirs)
