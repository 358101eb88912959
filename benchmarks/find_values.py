"""Does the table of fields tell the truth at scale? Looks for every value of real records at the homes it names.

    python benchmarks/find_values.py studies.json.zip
    python benchmarks/find_values.py studies.json.zip --target fhir-r5 --every 10

A value has to stand in the documents at one of the homes of its field: a text as it is, or as plain text; a word
as text, as its code or by an element that is there for it; a number as a number; a date; a truth value as one, or
behind the name of its fact. What is not there is listed by field with an example, and so are texts of which only
the plain text is left. Exits with 1 when a value is not found that no Issue says to be left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.issues import CATALOGUE
from trialconv.lineage import plain
from trialconv.odm_tree import Node
from trialconv.pipeline import Converted, collect_less, read, transform
from trialconv.record import Record
from trialconv.record.leaves import field_paths, leaf_values
from trialconv_mappings.fields import FieldRow, field_row
from trialconv_mappings.tables import Row, table, table_names

_R5_ELEMENT: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-"
_OVERSIGHT: Final = "protocolSection.oversightModule."
_DESIGN: Final = "protocolSection.designModule."
_DOCUMENTS: Final = "documentSection.largeDocumentModule."

#: How a FHIR document names a fact that it holds as text.
_FACTS: Final = {
    "hasResults": "Has results",
    "protocolSection.statusModule.delayedPosting": "Delayed posting",
    "protocolSection.statusModule.resultsWaived": "Results waived",
    "protocolSection.statusModule.expandedAccessInfo.hasExpandedAccess": "Has expanded access",
    f"{_OVERSIGHT}oversightHasDmc": "Oversight has DMC",
    f"{_OVERSIGHT}isFdaRegulatedDrug": "FDA regulated drug",
    f"{_OVERSIGHT}isFdaRegulatedDevice": "FDA regulated device",
    f"{_OVERSIGHT}isUnapprovedDevice": "Unapproved device",
    f"{_OVERSIGHT}isPpsd": "Pediatric postmarket surveillance",
    f"{_OVERSIGHT}isUsExport": "US export",
    f"{_OVERSIGHT}fdaaa801Violation": "FDAAA 801 violation",
    f"{_DESIGN}patientRegistry": "Patient registry",
    f"{_DESIGN}expandedAccessTypes.individual": "Expanded access individual",
    f"{_DESIGN}expandedAccessTypes.intermediate": "Expanded access intermediate",
    f"{_DESIGN}expandedAccessTypes.treatment": "Expanded access treatment",
    "protocolSection.eligibilityModule.genderBased": "Eligibility is based on gender",
    f"{_DOCUMENTS}noSap": "No statistical analysis plan",
    f"{_DOCUMENTS}largeDocs[].hasProtocol": "Has protocol",
    f"{_DOCUMENTS}largeDocs[].hasSap": "Has statistical analysis plan",
    f"{_DOCUMENTS}largeDocs[].hasIcf": "Has informed consent form",
}
#: Words that an element says by being there, or by its truth value.
_ELEMENTS: Final = {
    "ACTUAL": re.compile(r"actualNumber|ACTSUB"),
    "ESTIMATED": re.compile(r"targetNumber|PLANSUB"),
}
_MARKS: Final = re.compile(r"^\s*(?:[*•·-]\s*|\(?\d{1,2}[.)]\s*)+")
_HEADING: Final = re.compile(r".*:|(?:inclusion|exclusion)\b.*\bcriteria", re.IGNORECASE)


#: What a study parameter is called in ODM 2.0 and in SDM-XML.
_PARAMETERS: Final = ("StudyParameter", "sdm:Parameter")
_FIELDS: Final = frozenset(field_paths())
#: The targets whose documents can be searched. R4B is as R4, the JSON of ODM as its XML.
_TARGETS: Final = tuple(
    name for name in TARGETS if name.startswith(("fhir", "odm")) and name not in ("fhir-r4b", "odm-2.0-json")
)


class Leaf(NamedTuple):
    """A value of a document and its place, written as the homes of the tables of fields are."""

    place: str
    value: Any


class Missing(NamedTuple):
    """A value that does not stand as it is at the homes of its field, and what is wrong with it."""

    field: str
    wrong: str
    value: Any
    record: str


#: What can be wrong with a value.
NOT_FOUND: Final = "not found"
LEFT_OUT: Final = "left out, with an Issue"
PLAIN_ONLY: Final = "only as plain text, without its markup"


def missing_values(record: Record, target: str) -> Iterator[Missing]:
    """Yield the values of a record that do not stand as they are where the table of fields says so."""
    made = transform(record, TARGETS[target], Options(), check=False)
    at_home = _by_field(made, target)
    left_out = {
        re.sub(r"\[\d*\]", "", found.source_path) for found in made.issues if CATALOGUE[found.code].left_out
    }
    for field, items in leaf_values(record).items():
        row = field_row(target, field)
        if row is None or not row.home:
            continue
        there = at_home.get(field, [])
        texts = {leaf.value for leaf in there if isinstance(leaf.value, str)}
        above = field.replace("[]", "")
        said = any(above == place or above.startswith(place + ".") for place in left_out)
        for value in items:
            if _stands(row, value, there, texts):
                continue
            if isinstance(value, str) and _plainly_stands(field, value, texts):
                yield Missing(field, PLAIN_ONLY, value, record.nct_id)
            else:
                yield Missing(field, LEFT_OUT if said else NOT_FOUND, value, record.nct_id)


def _by_field(made: Converted, target: str) -> dict[str, list[Leaf]]:
    found: dict[str, list[Leaf]] = {}
    is_odm = isinstance(made.document, Node)
    for leaf in _odm_leaves(made.document) if is_odm else _fhir_leaves(made.document):
        # The parameter with the registry's own string of a text names the field.
        fields = (leaf.place,) if leaf.place in _FIELDS else _fields_at(target, leaf.place)
        for field in fields:
            found.setdefault(field, []).append(leaf)
    return found


@cache
def _fields_at(target: str, place: str) -> tuple[str, ...]:
    """Return the fields that have a home at a place, or above it."""
    return tuple(field for field, homes in _homes(target) if any(_is_at(place, home) for home in homes))


@cache
def _homes(target: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = ((path, field_row(target, path)) for path in field_paths())
    return tuple((path, row.homes) for path, row in rows if row is not None and row.homes)


def _is_at(place: str, home: str) -> bool:
    # The name of an extension in a home may be the beginning of several (`5.0 ResearchStudy.recruitment`).
    if home.endswith(")"):
        return place.startswith(home[:-1])
    return place == home or place.startswith((home + ".", home + "/"))


def _fhir_leaves(bundle: dict[str, Any]) -> Iterator[Leaf]:
    resources = [entry["resource"] for entry in bundle["entry"]]
    names = {f"{each['resourceType']}/{each['id']}": each["name"] for each in resources if "name" in each}
    yield from _leaves(bundle.get("meta", {}), "Bundle.meta", names)
    for resource in resources:
        yield from _leaves(resource, resource["resourceType"], names)


def _leaves(value: Any, place: str, names: dict[str, Any]) -> Iterator[Leaf]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, place, names)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "extension":
                for each in item:
                    rest = {name: part for name, part in each.items() if name != "url"}
                    yield from _leaves(rest, f"{place}.extension({_short(each['url'])})", names)
            elif key == "reference" and item in names:
                yield from _leaves(names[item], f"{place}.reference", {})
            else:
                yield from _leaves(item, f"{place}.{key.removeprefix('_')}", names)
    else:
        yield Leaf(place, value)


def _short(url: str) -> str:
    if url.startswith(_R5_ELEMENT):
        return "5.0 " + url.removeprefix(_R5_ELEMENT)
    return url.rpartition("/")[2]


def _odm_leaves(node: Node, above: str = "") -> Iterator[Leaf]:
    here = f"{above}/{node.name}" if above else "" if node.name == "ODM" else node.name
    is_parameter = above.startswith(tuple(f"{name}[" for name in _PARAMETERS)) or above in _FIELDS
    if node.name in _PARAMETERS:
        is_parameter = True
        steps = node.attributes["ShortName"].split(".")
        here = f"{node.name}[{'.'.join('n' if step.isdecimal() else step for step in steps)}]"
        if here.endswith(".markup]"):
            here = node.attributes["Term"]
    elif is_parameter:
        here = above
    for name, value in node.attributes.items():
        yield Leaf(here if is_parameter else f"{here}/@{name}", value)
    for child in node.children:
        if isinstance(child, str):
            yield Leaf(here, child)
        else:
            yield from _odm_leaves(child, here)


def _stands(row: FieldRow, value: Any, there: list[Leaf], texts: set[str]) -> bool:
    """Tell whether a value of a field stands as it is among the leaves at the field's homes."""
    field = row.path
    if isinstance(value, bool):
        return _truth_stands(field, value, there, texts)
    if isinstance(value, int | float):
        return str(value) in texts or any(_is_number(leaf.value, value) for leaf in there)
    if value in texts or any(_holds(text, value) for text in texts):
        return True
    if any(code.code in texts for use in row.code_uses if use.way == "word" for code in _rows(use.name, value)):
        return True
    if field.endswith("interventionNames[]"):
        # An arm refers to an intervention by its type and name, and the plan to it by its name.
        return value.partition(": ")[2] in texts
    return _by_element(field, value, there)


def _rows(name: str, value: str) -> tuple[Row, ...]:
    return (table(name).get(value) or ()) if name in table_names() else ()


def _plainly_stands(field: str, value: str, texts: set[str]) -> bool:
    text = plain(value)
    if text in texts or any(_holds(each, text) for each in texts):
        return True
    # Criteria may stand one by one: each line, without what marks it as a heading or as a criterion.
    lines = (_MARKS.sub("", line).strip() for line in text.splitlines()) if field.endswith("Criteria") else ()
    lines = [line for line in lines if line and not _HEADING.fullmatch(line)]
    return bool(lines) and all(any(line in each for each in texts) for line in lines)


def _by_element(field: str, value: str, there: list[Leaf]) -> bool:
    """Tell whether a word, or a number with its unit, is said by elements made for it."""
    if field.endswith("Age"):
        number, _, unit = value.partition(" ")
        said = {str(leaf.value) for leaf in there}
        return {number, unit} <= said
    if value in _ELEMENTS and field.endswith(".type"):
        actual = value == "ACTUAL"
        return any(
            _ELEMENTS[value].search(leaf.place) or (leaf.value is actual and "actual" in leaf.place)
            for leaf in there
        )
    return False


def _truth_stands(field: str, value: bool, there: list[Leaf], texts: set[str]) -> bool:
    word = "true" if value else "false"
    fact = _FACTS.get(field)
    if fact is not None and f"{fact}: {word}" in texts:
        return True
    if f"Accepts healthy volunteers: {word}" in texts or {"Y" if value else "N", word} & texts:
        return True
    return any(leaf.value is value and "actual" not in leaf.place for leaf in there)


def _is_number(found: Any, value: float) -> bool:
    if isinstance(found, str):
        try:
            return float(found) == value
        except ValueError:
            return False
    return isinstance(found, int | float) and not isinstance(found, bool) and found == value


def _holds(text: str, value: str) -> bool:
    """Tell whether a value stands in a text, with no letter or digit before or after it."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        before, after = text[at - 1 : at], text[end : end + 1]
        if not (before.isalnum() and value[0].isalnum()) and not (after.isalnum() and value[-1].isalnum()):
            return True
        at = text.find(value, at + 1)
    return False


def main() -> int:
    """Look for the values of all records of a source. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Look for every value of real records in their documents.")
    parser.add_argument("source", help="a file, a folder or a ZIP of records")
    parser.add_argument("--target", action="append", choices=_TARGETS, help="default: all")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth record")
    given = parser.parse_args()
    collect_less()
    code = 0
    for target in given.target or _TARGETS:
        lost: Counter[tuple[str, str]] = Counter()
        examples: dict[tuple[str, str], Missing] = {}
        values = 0
        for number, record in enumerate(read(given.source)):
            if number % given.every:
                continue
            values += sum(len(items) for items in leaf_values(record).values())
            for missing in missing_values(record, target):
                lost[missing[:2]] += 1
                examples.setdefault(missing[:2], missing)
        sys.stdout.write(f"{target}: {values:,} values, {sum(lost.values()):,} not as they are at their homes\n")
        for key, count in lost.items():
            field, wrong, value, study = examples[key]
            code = 1 if wrong == NOT_FOUND else code
            sys.stdout.write(f"  {count:7,} {wrong}: {field} ({study}: {str(value)[:90]!r})\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
