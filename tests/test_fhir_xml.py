"""FHIR XML: the official schemas accept it, and read back it is what the JSON is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from command_runner import run
from fhir_valid import valid_resources
from fhir_xml_reader import read_fhir_xml, with_canonical_narratives
from made_up import Tree, encoded, full_study, record, study
from trialconv.catalog import TARGETS, fhir_in_xml
from trialconv.context import Options
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv.writers.fhir_xml import write_fhir_xml

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "generate_fhir_elements.py"
OPTIONS = [
    Options(),
    Options(bundle="collection"),
    Options(request="conditional-update", narrative=True, provenance=True, shared_organizations=True),
]

Judge = Callable[[bytes], list[str]]


@pytest.fixture(scope="session")
def xml_schemas(tmp_path_factory: pytest.TempPathFactory) -> Callable[[FhirVersion], Judge]:
    """Return what gives a judge for a FHIR version: the messages of the official XML schema about a document."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import fhir_packages
    finally:
        sys.path.pop(0)
    folder = Path(os.environ.get("TRIALCONV_FHIR_PACKAGES") or fhir_packages.cache_folder())
    known: dict[str, etree.XMLSchema] = {}

    def judge(version: FhirVersion) -> Judge:
        if version not in known:
            try:
                path = fhir_packages.unpack_xml_schemas(version, folder, tmp_path_factory.mktemp(version))
            except fhir_packages.PackageError as problem:
                pytest.skip(f"no official XML schema: {problem}")
            known[version] = etree.XMLSchema(etree.parse(path))

        def messages(data: bytes) -> list[str]:
            known[version].validate(etree.fromstring(data))
            return [error.message for error in known[version].error_log]

        return messages

    return judge


@pytest.mark.parametrize("version", FHIR_VERSIONS)
@pytest.mark.parametrize("options", OPTIONS, ids=["transaction", "collection", "everything"])
def test_official_schema_accepts_real_studies(
    smoke_studies: list[tuple[str, bytes]], xml_schemas: Any, version: FhirVersion, options: Options
) -> None:
    """Every real study as XML is valid by HL7's XML schema, and read back it is the JSON document."""
    judge, target = xml_schemas(version), fhir_in_xml(TARGETS[f"fhir-{version.lower()}"], version)
    for name, data in smoke_studies:
        made = transform(read_study(data, SourceInfo(name)), target, options)
        assert (made.findings, judge(made.data)) == ([], []), name
        assert read_fhir_xml(made.data, version) == with_canonical_narratives(made.document), name
        assert target.write(made.document) == made.data


def test_the_schema_judges(xml_schemas: Any) -> None:
    """The official schema refuses elements in another order: the order is not given by chance."""
    judge = xml_schemas("R4")
    good = write_fhir_xml({"resourceType": "Group", "type": "person", "actual": False}, "R4")
    assert judge(good) == []
    assert judge(
        good.replace(b'<type value="person"/>', b"").replace(b"</Group>", b'<type value="person"/></Group>')
    )


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_resources_of_all_kinds_are_read_back(version: FhirVersion) -> None:
    """Valid resources of many types, contained ones, parameters and extensions of primitives survive the way."""
    found = valid_resources(version)
    assert len(found) > 5
    for name, resource in found.items():
        for pretty in (False, True):
            data = write_fhir_xml(resource, version, pretty=pretty)
            assert read_fhir_xml(data, version) == with_canonical_narratives(resource), name


def test_each_kind_of_element() -> None:
    """Attributes, lists with gaps, what stands beside values, contained resources, numbers: as XML wants them."""
    patient: Tree = {
        "resourceType": "Patient",
        "name": [
            {
                "given": ["A", None, "B"],
                "_given": [None, {"extension": [{"url": "urn:x", "valueCode": "c"}]}, None],
            }
        ],
        "id": "p",
        "_birthDate": {"id": "b", "extension": [{"url": "urn:x", "valueDecimal": 1.50}]},
        "birthDate": "2000-01-02",
        "active": True,
        "_gender": {"extension": [{"url": "urn:x", "valueInteger": -3}]},
        "contained": [{"resourceType": "Organization", "id": "o", "name": 'A & "B" <C>\n\td'}],
    }
    assert write_fhir_xml(patient, "R4").decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Patient xmlns="http://hl7.org/fhir"><id value="p"/>'
        '<contained><Organization><id value="o"/><name value="A &amp; &quot;B&quot; &lt;C>&#10;&#9;d"/>'
        '</Organization></contained><active value="true"/>'
        '<name><given value="A"/><given><extension url="urn:x"><valueCode value="c"/></extension></given>'
        '<given value="B"/></name>'
        '<gender><extension url="urn:x"><valueInteger value="-3"/></extension></gender>'
        '<birthDate value="2000-01-02" id="b"><extension url="urn:x"><valueDecimal value="1.5"/></extension>'
        "</birthDate></Patient>\n"
    )
    assert read_fhir_xml(write_fhir_xml(patient, "R4"), "R4") == patient


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ({"resourceType": "Patient", "nmae": []}, "Patient has no element 'nmae'"),
        ({"resourceType": "Study"}, "'Study' is no type"),
        ({"name": "x"}, "no resourceType"),
        ({"resourceType": "Patient", "id": ["a", {}]}, "no primitive value"),
        ({"resourceType": "Patient", "id": "a\x01"}, "XML cannot hold"),
        ({"resourceType": "Patient", "id": "a\ufffe"}, "XML cannot hold"),
        ({"resourceType": "Patient", "id": "a\ud800"}, "surrogates"),
        (
            {"resourceType": "Patient", "text": {"status": "generated", "div": "<div>no namespace</div>"}},
            "no div element",
        ),
        ({"resourceType": "Patient", "text": {"status": "generated", "div": "<div><p></div>"}}, "no XHTML"),
        (
            {
                "resourceType": "Patient",
                "text": {
                    "status": "generated",
                    "div": '<!DOCTYPE div [<!ENTITY e "x">]><div xmlns="http://www.w3.org/1999/xhtml">&e;</div>',
                },
            },
            "no div element",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_fhir_is_refused(resource: Tree, told: str) -> None:
    """What FHIR or XML cannot hold is a ValueError that says what is wrong, never broken XML."""
    with pytest.raises(ValueError, match=told):
        write_fhir_xml(resource, "R4")


@settings(max_examples=150, deadline=None)
@given(title=st.text(min_size=1), summary=st.text(min_size=1), version=st.sampled_from(FHIR_VERSIONS))
def test_any_text_survives(title: str, summary: str, version: FhirVersion) -> None:
    """Whatever a record's texts hold, the XML is well formed and says what the document says."""
    tree = study(identificationModule={"briefTitle": title}, descriptionModule={"briefSummary": summary})
    target = fhir_in_xml(TARGETS[f"fhir-{version.lower()}"], version)
    made = transform(record(tree), target, Options(narrative=True), check=False)
    assert read_fhir_xml(made.data, version) == with_canonical_narratives(made.document)
    (held,) = (one["resource"].get("title") for one in made.document["entry"][:1])
    forbidden = {*map(chr, range(32)), "\ufffe", "\uffff"} - {"\t", "\n", "\r"}
    assert held == "".join("\ufffd" if one in forbidden else one for one in title)
    replaced = [found for found in made.issues if found.code == "character-replaced"]
    assert bool(replaced) == bool(forbidden & set(title + summary))


# the command


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a file with one study that has everything."""
    path = tmp_path / "one.json"
    path.write_bytes(encoded(full_study()))
    return path


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_command_writes_xml(one: Path, tmp_path: Path, version: FhirVersion) -> None:
    """--format xml gives the bundle that JSON gives, on standard output, in a file and in a folder."""
    plain = run("to-fhir", one, "--fhir-version", version).document
    ran = run("to-fhir", one, "--fhir-version", version, "--format", "xml")
    assert ran.code == 0
    assert read_fhir_xml(ran.out, version) == plain
    pretty = run("to-fhir", one, "--fhir-version", version, "--format", "xml", "--pretty")
    assert read_fhir_xml(pretty.out, version) == plain
    assert b'\n <type value="transaction"/>\n' in pretty.out
    for out in (tmp_path / "one.xml", tmp_path / "folder"):
        assert run("to-fhir", one, "--fhir-version", version, "--format", "xml", "--out", out).code == 0
    written = [tmp_path / "one.xml", tmp_path / "folder" / "NCT99999901.xml"]
    assert [path.read_bytes() for path in written] == [ran.out, ran.out]


def test_several_studies_as_xml_need_a_folder(tmp_path: Path) -> None:
    """XML documents do not go one after the other: exit code 2 without a folder."""
    path = tmp_path / "two.ndjson"
    path.write_bytes(encoded(study("NCT99999901")) + b"\n" + encoded(study("NCT99999902")))
    ran = run("to-fhir", path, "--format", "xml")
    assert (ran.code, ran.out) == (2, b"")
    assert "--out" in ran.err
    assert run("to-fhir", path, "--format", "xml", "--out", tmp_path / "out").code == 0


def test_invalid_bundle_is_not_written_as_xml(one: Path) -> None:
    """XML is validated like JSON: an invalid bundle is exit code 3 and no document."""
    ran = run("to-fhir", one, "--format", "xml", "--base", "http://a b")
    assert (ran.code, ran.out) == (3, b"")


# the tables


def test_generating_the_tables_again_changes_nothing() -> None:
    """The committed tables are what the generator makes of the official packages."""
    command = [sys.executable, str(SCRIPT), "--check"]
    if folder := os.environ.get("TRIALCONV_FHIR_PACKAGES"):
        command += ["--packages", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603
    if done.returncode == 2:
        pytest.skip(f"the FHIR packages are not at hand: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, "the generated files are up to date\n"), done.stderr


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_tables_and_schemas_have_the_same_elements(version: FhirVersion) -> None:
    """Every type of the validator's schemas is in the table, with the same elements."""
    folder = ROOT / "converter" / "trialconv"
    schema = json.loads((folder / f"validators/_generated/fhir-{version.lower()}.schema.json").read_text())
    lines = (folder / f"writers/_generated/fhir-{version.lower()}.elements.txt").read_text().splitlines()[1:]
    tables = {line.split()[0]: {one.partition(":")[0] for one in line.split()[1:]} for line in lines}
    compared = 0
    for name, definition in schema["$defs"].items():
        if name in tables:
            keys = {key for key in definition["properties"] if not key.startswith("_")}
            if "." not in name:
                keys -= {"resourceType"}
            assert keys == tables[name], name
            compared += 1
    assert compared > 500
