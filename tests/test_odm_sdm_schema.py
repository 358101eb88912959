"""Our schema for SDM-XML judges as the published one does, which the project does not contain."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from odm_sdm_variants import EVERYTHING, variants
from trialconv.context import Context, Options
from trialconv.record import Record, SourceInfo, decode_study
from trialconv.validators.odm import compiled_schema, validate_odm_xml
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm


@pytest.fixture(scope="module")
def official(shared: Path) -> etree.XMLSchema:
    """Return the published schema of SDM-XML 1.0, over ODM 1.3.2."""
    return etree.XMLSchema(etree.parse(shared / "schemas" / "sdm-1.0-on-odm-1.3.2" / "sdm1-0-0.xsd"))


def test_whole_design_is_valid() -> None:
    """A document with every element and attribute of SDM-XML has no error of the schema or the rules."""
    assert validate_odm_xml(EVERYTHING.encode()) == []


def test_each_broken_variant_is_judged_the_same(official: etree.XMLSchema) -> None:
    """Of several hundred broken documents both schemas refuse the same ones."""
    own = compiled_schema("1.3.2")
    judged = {name: (own.validate(root), official.validate(root)) for name, root in variants()}
    assert [name for name, (ours, theirs) in judged.items() if ours != theirs] == []
    refused = sum(not ours for ours, _ in judged.values())
    assert len(judged) > 400
    assert refused > 250


@pytest.mark.parametrize("plain", [False, True])
def test_real_studies_are_valid_for_both(
    official: etree.XMLSchema, smoke_studies: list[tuple[str, bytes]], plain: bool
) -> None:
    """Every study of the small set is valid by the published schema as by ours."""
    for name, data in smoke_studies:
        record = Record(decode_study(data)[0], SourceInfo(name))
        made = write_odm_xml(build_odm(Context(record, Options(odm_version="1.3.2", odm_plain=plain))))
        assert official.validate(etree.fromstring(made)), (name, official.error_log)
        assert (b"sdm:Summary" in made) != plain


def test_elements_of_another_namespace_are_refused_with_their_place() -> None:
    """An element or attribute of a foreign namespace is an error with its line and path."""
    element = EVERYTHING.replace("<sdm:Summary>", '<x:Summary xmlns:x="urn:made-up"/><sdm:Summary>')
    attribute = EVERYTHING.replace("<sdm:Summary>", '<sdm:Summary xmlns:x="urn:made-up" x:y="z">')
    for text in (element, attribute):
        found = validate_odm_xml(text.encode())
        assert found[0].code == "schema"
        assert found[0].source_path.startswith("line ")
        assert "/Summary" in found[0].target_path
