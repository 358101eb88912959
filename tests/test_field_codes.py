"""The column `codes` of the tables of fields says which code tables code a field: every claim is tried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, get_args

import pytest
from msgspec import inspect

from made_up import Field, Tree, changed, fields, full_study, put, record, study, typed_leaves
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.odm_tree import Node
from trialconv.pipeline import coverage, transform
from trialconv.record import enums
from trialconv_mappings.fields import field_row, field_rows
from trialconv_mappings.mesh import MESH, is_mesh_id
from trialconv_mappings.tables import CodeTable, Row, table, table_names

#: What was looked up: the table and the word.
LookUps = set[tuple[str, str]]

#: Tables whose words are none of the record's: names of parameters, codes, and what every document says.
NO_WORDS = {"cdisc_parameter", "sdtm_null_flavor", "usdm_fixed", "usdm_preferred_term"}
STUDY_TYPE = "protocolSection.designModule.studyType"
REGISTRY = "protocolSection.designModule.patientRegistry"
#: Targets that have the registry's words and no codes for them.
WITHOUT_CODES = ("warehouse", "rpe")
#: Tables that are looked at for a field and give it no code: a patient registry has the code of that, and not of
#: its study type; what is kept of specimens is yes or no in USDM.
NO_CODES = {
    ("usdm-4.0", REGISTRY): {"cdisc_study_type"},
    ("usdm-4.0", "protocolSection.designModule.bioSpec.retention"): {
        "cdisc_specimens_retained",
        "cdisc_specimens_with_dna",
    },
}
#: Values that are looked up, in this field alone: units of ages, the one word that makes another party of it.
_LOOKED_UP = {
    "protocolSection.eligibilityModule.minimumAge": "30 Months",
    "protocolSection.eligibilityModule.maximumAge": "4000 Weeks",
    "protocolSection.sponsorCollaboratorsModule.responsibleParty.type": "SPONSOR_INVESTIGATOR",
}
CONDITION = "protocolSection.conditionsModule.conditions[]"
INTERVENTION = "protocolSection.armsInterventionsModule.interventions[].name"
DERIVED = "derivedSection."


@contextmanager
def watched() -> Iterator[LookUps]:
    """Collect what is looked up in code tables, with nothing remembered from before."""
    for name in table_names():
        table(name).memo.clear()
    found: LookUps = set()
    get = CodeTable.get

    def spy(self: CodeTable, source: str) -> tuple[Row, ...] | None:
        found.add((self.name, source))
        return get(self, source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CodeTable, "get", spy)
        yield found


def look_ups(tree: Tree, target: str) -> LookUps:
    """Return what a conversion of a study looks up in code tables."""
    made = record(tree)
    with watched() as found:
        transform(made, TARGETS[target], Options(), check=False)
    return {(name, word) for name, word in found if name not in NO_WORDS}


def full_studies(target: str) -> list[Tree]:
    """Return studies with every field: one, or one of each type where types are coded differently."""
    if target != "usdm-4.0":
        return [full_study()]
    made = []
    for kind in get_args(enums.StudyType):
        tree = full_study()
        put(tree, STUDY_TYPE, kind)
        put(tree, REGISTRY, value=False)
        made.append(tree)
    return made


def claimed(path: str, target: str, tree: Tree) -> set[str]:
    """Return the code tables that the table of fields names for a field of a study, of those that there are."""
    row = field_row(target, path)
    assert row is not None
    kind = tree["protocolSection"].get("designModule", {}).get("studyType")
    uses = (use for use in row.code_uses if not use.study_types or kind in use.study_types)
    return {use.name for use in uses if use.way != "mesh"} & set(table_names())


def texts(document: Any) -> Iterator[str]:
    """Yield every text of a document."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, Node):
        yield from document.attributes.values()
        yield from texts(document.children)
    elif isinstance(document, dict):
        yield from texts(list(document.values()))
    elif isinstance(document, list | tuple):
        for part in document:
            yield from texts(part)


@pytest.mark.parametrize("target", TARGETS)
def test_claims_name_what_there_is(target: str) -> None:
    """A claim names a code table that is there, if only for another version of the target, or a way of MeSH."""
    versions = [name for name in TARGETS if name.partition("-")[0] == target.partition("-")[0]]
    for number, row in enumerate(field_rows(target)):
        uses = [use for name in versions for use in field_rows(name)[number].code_uses]
        ways = {use.way for use in row.code_uses}
        assert len(ways) <= 1, row.path
        assert ways <= {"word", "joined", "unit", "span", "mesh"}, row.path
        types = {kind for use in row.code_uses for kind in use.study_types}
        assert types <= set(get_args(enums.StudyType)), row.path
        if "mesh" in ways:
            assert {use.name for use in row.code_uses} <= {"condition", "intervention", "heading"}, row.path
        elif row.code_uses:
            assert any(use.name in table_names() for use in uses), row.path


@pytest.mark.parametrize("target", TARGETS)
def test_a_field_is_looked_up_in_the_tables_that_it_claims(target: str) -> None:
    """Changing a field changes what is looked up in the code tables that it names, and in no other table."""
    kinds = dict(typed_leaves())
    for tree in full_studies(target):
        before = look_ups(tree, target)
        assert before or target in WITHOUT_CODES
        for field in fields():
            other = "MADE_UP_WORD" if isinstance(kinds[field.path], inspect.LiteralType) else field.values[1]
            other = _LOOKED_UP.get(field.path, other)
            if field.path == REGISTRY and target == "usdm-4.0":
                other = True
            after = look_ups(changed(tree, Field(field.path, (None, other))), target)
            found = {name for name, _ in before ^ after}
            if field.path == STUDY_TYPE and target == "usdm-4.0":
                # All of the design depends on it.
                assert found >= claimed(field.path, target, tree)
                continue
            others = NO_CODES.get((target, field.path), set())
            assert found - others == claimed(field.path, target, tree), field.path


def words(path: str) -> list[Any]:
    """Return every value that the OpenAPI has for a field of words or of yes and no, or examples of others."""
    kind = dict(typed_leaves())[path]
    if isinstance(kind, inspect.LiteralType):
        return list(kind.values)
    if isinstance(kind, inspect.BoolType):
        return [True, False]
    return ["Norway", "Nowhere", "18 Years", "18 moons", "N/A"]


@pytest.mark.parametrize("target", TARGETS)
def test_what_counts_as_coded_has_its_code_in_the_document(target: str) -> None:
    """A value counts as coded if, and only if, the conversion looks it up and its code stands in the document."""
    tried = 0
    for row in field_rows(target):
        if not row.code_uses:
            continue
        for tree, word in product(full_studies(target), words(row.path)):
            put(tree, row.path, word)
            if not (tables := claimed(row.path, target, tree)):
                continue
            made = record(tree)
            with watched() as found:
                document = transform(made, TARGETS[target], Options(), check=False).document
            there = set(texts(document))
            key = {True: "true", False: "false"}.get(word, word) if isinstance(word, bool) else word
            unit = key.rpartition(" ")[2]
            keys = {key, unit, unit.removesuffix("s")}
            # The code of one table may be what the next one has the code for.
            keys |= {code.code for name in tables for code in table(name).get(key) or ()}
            # SDM-XML has no place for a code: the submission value tells the term.
            codes = {
                code.display if target == "odm-1.3.2" else code.code
                for name, looked_up in found
                if name in tables and looked_up in keys
                for code in table(name).get(looked_up) or ()
            }
            (counted,) = (each for each in coverage([made], target).fields if each.field == row.path)
            placed = counted.values - counted.not_placed
            assert counted.coded == (min(placed, 1) if codes & there else 0), (row.path, word)
            tried += bool(codes & there)
    assert tried > 50 or target in ("odm-1.3.2-plain", *WITHOUT_CODES)


def with_mesh(term: str, id_: str | None = "D000001") -> Tree:
    """Return a study whose condition and intervention are called Made-up Thing, with a heading for each."""
    tree = study(
        designModule={"studyType": "INTERVENTIONAL"},
        conditionsModule={"conditions": ["Made-up Thing"]},
        armsInterventionsModule={"interventions": [{"type": "DRUG", "name": "Made-up Thing"}]},
    )
    mesh = {"term": term, **({"id": id_} if id_ else {})}
    tree["derivedSection"] = {
        "conditionBrowseModule": {"meshes": [mesh], "ancestors": [mesh]},
        "interventionBrowseModule": {"meshes": [mesh]},
    }
    return tree


def mesh_codings(document: Any) -> int:
    """Count the codings of MeSH in a document; SDTM writes its name in a word, rows their ids."""
    if isinstance(document, dict) and "studies" in document:
        return sum(is_mesh_id(row.get("mesh_id")) for rows in document.values() for row in rows)
    if isinstance(document, dict) and "ts.json" in document:
        return sum(text == "MeSH" for text in texts(document["ts.json"]))
    return sum(text == MESH for text in texts(document))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("term", "id_"),
    [
        ("made-up thing", "D000001"),
        ("Made-up other", "D000001"),
        ("Made-up thing", "none"),
        ("Made-up thing", None),
    ],
)
def test_mesh_codes_are_counted(target: str, term: str, id_: str | None) -> None:
    """As many values count as coded by MeSH as the document has codings of it: headings by id and by term."""
    made = record(with_mesh(term, id_))
    counted = {each.field: each.coded for each in coverage([made], target).fields}
    of_fields = {
        row.path for row in field_rows(target) if any(use.way == "mesh" for use in row.code_uses) and row.home
    }
    # The id and the term of one heading are one coding.
    codings = sum(counted[path] for path in of_fields if not (path.startswith(DERIVED) and path.endswith(".id")))
    document = transform(made, TARGETS[target], Options(), check=False).document
    assert codings == mesh_codings(document)
    if target.startswith("fhir"):
        is_same = term.casefold() == "made-up thing" and id_ == "D000001"
        assert (counted[CONDITION], counted[INTERVENTION]) == (is_same, is_same)
        assert (codings > 0) == (id_ == "D000001")
