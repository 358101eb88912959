"""Two documents, FHIR Bundles or ODM, compared by their elements where there is no record to compare.

The resources of Bundles are matched by type and id, the elements of ODM by their OID, Name or the like. The day of
the registry's data, which a Bundle of trialconv carries, is no change.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from trialconv.differences.json_patch import apply_step, resource_key, steps, value_at
from trialconv.differences.model import Change, Difference, Kind, Side
from trialconv.differences.texts import pieces
from trialconv.differences.words import shortened
from trialconv.issues import SourceError, UsageError, issue

DocumentKind = Literal["fhir", "odm"]

_KINDS: Final[dict[str, Kind]] = {"add": "added", "remove": "removed", "replace": "changed", "move": "reordered"}
_DATA_VERSION: Final = "/StructureDefinition/registry-data-version"
_LONG: Final = 40
_NCT: Final = re.compile(r"NCT\d{8}")

_Tree = dict[str, Any]


def diff_bundles(before: _Tree, after: _Tree, sources: tuple[str, str] = ("", "")) -> Difference:
    """Return what changed between two FHIR Bundles, by resource and element.

    Raises UsageError for other JSON.
    """
    for each in (before, after):
        if each.get("resourceType") != "Bundle":
            raise UsageError(f"expected a FHIR Bundle, found resourceType {each.get('resourceType')!r}")
    old, new = _without_data_version(before), _without_data_version(after)
    number = _one_study(_study_number(old), _study_number(new))
    one, other = _entries(old), _entries(new)
    changes = list(_changes({**old, "entry": None}, {**new, "entry": None}, "Bundle", ""))
    for name in dict.fromkeys([*one, *other]):
        if name not in other:
            changes.append(_whole("removed", name, one[name]["resource"]))
        elif name not in one:
            changes.append(_whole("added", name, other[name]["resource"]))
        else:
            ours, theirs = one[name], other[name]
            changes += _changes(ours["resource"], theirs["resource"], name.partition("/")[0], name)
            changes += _changes(_rest(ours), _rest(theirs), "Bundle.entry", name)
    return Difference(number, _side(old, sources[0], "fhir"), _side(new, sources[1], "fhir"), changes)


def diff_odm(before: _Tree, after: _Tree, sources: tuple[str, str] = ("", "")) -> Difference:
    """Return what changed between two ODM documents, as `odm_tree_of` reads them, by element."""
    number = _one_study(*(_number_in(str(each.get("Study", [{}])[0].get("@OID"))) for each in (before, after)))
    changes = list(_changes(before, after, "ODM", ""))
    return Difference(number, _side(before, sources[0], "odm"), _side(after, sources[1], "odm"), changes)


def bundle_of(data: bytes, source: str) -> _Tree:
    """Read a FHIR Bundle in JSON. Raises SourceError."""
    try:
        tree = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(issue("malformed-source", f"not JSON: {error}", record=source)) from None
    if not isinstance(tree, dict) or tree.get("resourceType") != "Bundle":
        message = "this is FHIR, but no Bundle; diff compares whole Bundles"
        raise SourceError(issue("not-a-study", message, record=source))
    return tree


def odm_tree_of(data: bytes, source: str) -> _Tree:
    """Read an ODM document in XML as a tree: attributes as `@Name`, elements in lists. Raises SourceError.

    Nothing outside of the document is read: no DTD, no entities, no network.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise SourceError(issue("malformed-source", f"not well-formed XML: {error.msg}", record=source)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise SourceError(issue("malformed-source", "the XML has a DOCTYPE, which is not read", record=source))
    return _element_tree(root)


def _element_tree(element: Any) -> _Tree:
    made: _Tree = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    if text := "".join(piece for piece in (element.text, *(child.tail for child in element)) if piece).strip():
        made["text"] = text
    for child in element:
        if isinstance(child.tag, str):
            made.setdefault(_local(child.tag), []).append(_element_tree(child))
    return made


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _without_data_version(bundle: _Tree) -> _Tree:
    """Return a Bundle without the day of the registry's data."""
    meta = bundle.get("meta")
    if not isinstance(meta, dict) or not isinstance(meta.get("extension"), list):
        return bundle
    kept = [each for each in meta["extension"] if not str(each.get("url", "")).endswith(_DATA_VERSION)]
    rest = {key: value for key, value in meta.items() if key != "extension"} | (
        {"extension": kept} if kept else {}
    )
    made = {key: value for key, value in bundle.items() if key != "meta"}
    return {**made, "meta": rest} if rest else made


def _entries(bundle: _Tree) -> dict[str, _Tree]:
    """Return the entries of a Bundle by what identifies their resources. Raises UsageError for one without."""
    found: dict[str, _Tree] = {}
    for number, entry in enumerate(bundle.get("entry", [])):
        name = resource_key(entry)
        if name is None or not isinstance(name, str):
            raise UsageError(
                f"Bundle.entry[{number}] has neither an id nor a fullUrl, so that it cannot be matched"
            )
        found[name] = entry
    return found


def _rest(entry: _Tree) -> _Tree:
    return {key: value for key, value in entry.items() if key != "resource"}


def _changes(before: Any, after: Any, above: str, item: str) -> Iterator[Change]:
    now = copy.deepcopy(before)
    for step in steps(before, after):
        old = value_at(now, step.path) if step.op in ("remove", "replace") else None
        new = step.value if step.op in ("add", "replace") else None
        place = above + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in step.path)
        field = above + "".join(f".{part}" for part in step.path if isinstance(part, str))
        note = f"moved from position {step.source[-1]}" if step.op == "move" else ""
        words: list[Any] = []
        if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) >= _LONG:
            words = pieces(old, new)
        texts = (_text(old), _text(new))
        apply_step(now, step)
        yield Change(_KINDS[step.op], field, field, item, place, place, old, new, *texts, words=words, note=note)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else shortened(msgspec.json.encode(value).decode())


def _whole(kind: Kind, name: str, resource: _Tree) -> Change:
    old, new = (resource, None) if kind == "removed" else (None, resource)
    field = name.partition("/")[0]
    return Change(kind, field, field, name, "", "", old, new, _text(old), _text(new))


def _study_number(bundle: _Tree) -> str:
    """Return the NCT number of the study of a Bundle, or nothing."""
    for entry in bundle.get("entry", []):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "ResearchStudy":
            for identifier in resource.get("identifier", []):
                if number := _number_in(str(identifier.get("value"))):
                    return number
    return ""


def _number_in(text: str) -> str:
    found = _NCT.search(text)
    return found[0] if found else ""


def _one_study(before: str, after: str) -> str:
    """Return the number of the study of two documents. Raises UsageError when they are of two trials."""
    if before and after and before != after:
        raise UsageError(f"these are different trials, {before} and {after}; diff compares two versions of one")
    return before or after


def _side(tree: _Tree, source: str, kind: DocumentKind) -> Side:
    digest = hashlib.sha256(msgspec.json.encode(tree, order="sorted")).hexdigest()
    return Side(source, kind, "", None, digest)
