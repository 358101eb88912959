"""The generated FHIR schemas: as the generator makes them, complete, and right about primitive values."""

from __future__ import annotations

import calendar
import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_defects import DEFECTS
from fhir_valid import valid_resources
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.validators.schema import STUDY_TYPES, check_schema, definitions

ROOT = Path(__file__).resolve().parent.parent
GENERATED = files("trialconv.validators").joinpath("_generated")


def text_of(version: FhirVersion) -> str:
    """Return the schema file of a version."""
    return GENERATED.joinpath(f"fhir-{version.lower()}.schema.json").read_text(encoding="utf-8")


@cache
def whole_schema(version: FhirVersion) -> jsonschema_rs.Validator:
    """Return the whole schema of a version, compiled as it stands in the file."""
    return jsonschema_rs.Draft202012Validator(json.loads(text_of(version)))


@cache
def validator_of(name: str, version: FhirVersion = "R5") -> jsonschema_rs.Validator:
    """Return a validator of one definition."""
    schema = {"$ref": f"#/$defs/{name}", "$defs": definitions(version).reachable([name])}
    return jsonschema_rs.Draft202012Validator(schema)


# the generator


def test_generating_again_changes_nothing() -> None:
    """The committed schemas are what the generator makes of the official packages."""
    command = [sys.executable, str(ROOT / "scripts" / "generate_fhir_schemas.py"), "--check"]
    if folder := os.environ.get("TRIALCONV_FHIR_PACKAGES"):
        command += ["--packages", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)  # noqa: S603
    if done.returncode == 2:
        pytest.skip(f"the FHIR packages are not at hand: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, "the generated files are up to date\n"), done.stderr


def test_a_missing_package_is_told(tmp_path: Path) -> None:
    """Without the packages in the folder it is given the generator fails, and fetches nothing."""
    command = [sys.executable, str(ROOT / "scripts" / "generate_fhir_schemas.py"), "--packages", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 2
    assert f"hl7.fhir.r4.core.tgz is not in {tmp_path}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_packages_are_named() -> None:
    """packages.json names the packages of each version, with their hashes."""
    named = json.loads(GENERATED.joinpath("packages.json").read_text(encoding="utf-8"))
    assert [(one["release"], one["fhirVersion"]) for one in named] == [
        ("R4", "4.0.1"),
        ("R4B", "4.3.0"),
        ("R5", "5.0.0"),
    ]
    for one in named:
        assert one["packages"][0]["version"] == one["fhirVersion"]
        assert all(re.fullmatch("[0-9a-f]{64}", package["sha256"]) for package in one["packages"])


def test_few_required_value_sets_are_left_out() -> None:
    """Only value sets whose codes are not HL7's to give are checked by the form of a code alone."""
    named = json.loads(GENERATED.joinpath("packages.json").read_text(encoding="utf-8"))
    left_out = {url.rstrip("/").rpartition("/")[2] for one in named for url in one["requiredBindingsNotExpanded"]}
    assert left_out == {
        "LL2938-0",
        "LL379-9",
        "all-languages",
        "color-codes",
        "country",
        "currencies",
        "mimetypes",
        "timezones",
        "ucum-units",
    }


def test_groups_of_codes_are_no_codes() -> None:
    """The item type "question" stands for several others and is none itself."""
    for version in FHIR_VERSIONS:
        codes = set(definitions(version)["code(item-type)"]["enum"])
        assert codes > {"display", "group", "string"}
        assert "question" not in codes


# the files


@pytest.mark.parametrize(("version", "types"), [("R4", 146), ("R4B", 141), ("R5", 158)])
def test_all_resource_types_are_there(version: FhirVersion, types: int) -> None:
    """As many types as the version has concrete resources, those of a study among them."""
    assert len(definitions(version).resource_types) == types
    assert definitions(version).resource_types > STUDY_TYPES


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_each_definition_has_its_line(version: FhirVersion) -> None:
    """The definitions stand one on a line, sorted, with sorted keys, so that a difference can be read."""
    lines = text_of(version).partition('"$defs":{\n')[2].partition("\n}\n}")[0].split("\n")
    found = [json.loads("{" + line.rstrip(",") + "}") for line in lines]
    names = [name for one in found for name in one]
    assert len(names) == len(lines) > 1000
    assert names == sorted(names)
    assert all(
        json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == "{" + line.rstrip(",") + "}"
        for one, line in zip(found, lines, strict=True)
    )


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_every_reference_of_a_schema_resolves(version: FhirVersion) -> None:
    """No `$ref` points to a definition that is not there, and none is there for nothing."""
    text = text_of(version)
    names = set(json.loads(text)["$defs"])
    used = set(re.findall(r'"\$ref":"#/\$defs/([^"]+)"', text))
    assert used <= names
    unused = names - used - definitions(version).resource_types
    assert all(name[0].isupper() and "(" not in name for name in unused), unused


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_a_schema_stands_on_its_own(version: FhirVersion) -> None:
    """The file as a whole, compiled by the default engine, judges as the parts of it do."""
    for document in valid_resources(version).values():
        assert whole_schema(version).is_valid(document)
    for defect in DEFECTS:
        if version in defect.versions:
            document = defect.document(version)
            assert whole_schema(version).is_valid(document) is (check_schema(document, version) == []), defect.name


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_patterns_are_those_of_linear_engines(version: FhirVersion) -> None:
    """No pattern looks around or back, so that no text can make one slow."""
    for pattern in set(re.findall(r'"pattern":("(?:[^"\\]|\\.)*")', text_of(version))):
        assert not re.search(r"\(\?[=!<]|\\[1-9]", json.loads(pattern))


# primitive values

GOOD_AND_BAD = [
    ("boolean", [True, False], [1, "true", None]),
    ("integer", [0, -(2**31), 2**31 - 1], [2**31, -(2**31) - 1, 1.5, "1", True]),
    ("positiveInt", [1, 2**31 - 1], [0, -1, 2**31]),
    ("unsignedInt", [0, 2**31 - 1], [-1, 2**31]),
    (
        "integer64",
        ["0", "-1", "+7", str(2**63 - 1), str(-(2**63))],
        [str(2**63), str(-(2**63) - 1), "01", "-", "", 1],
    ),
    ("decimal", [0, 1.5, -3, 1e10], ["1", None, True]),
    ("string", ["a", " ", "\ta\r\n", "\u00a0", "\U0001f9ea"], ["", "\u0000", "a\u001f", 1]),
    ("code", ["a", "a b", "\u00a0"], ["", " a", "a ", "a  b", "a\tb"]),
    ("id", ["a", "A-1.b", "a" * 64], ["", "a" * 65, "a_b", "a b", "ä"]),
    ("uri", ["urn:x", "a", "http://example.org/ä"], ["", "a b", "a\n"]),
    ("canonical", ["http://example.org/a|1", "#a"], ["http://example.org/a|", "a b", ""]),
    ("oid", ["urn:oid:1.2.3", "urn:oid:2.0"], ["urn:oid:3.1", "1.2.3", "urn:oid:1.02"]),
    ("uuid", ["urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301"], ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]),
    ("date", ["2023", "2023-12", "2024-02-29", "0001"], ["0000", "2023-13", "2023-2", "20230101", "2023-01-01Z"]),
    (
        "dateTime",
        ["2023", "2023-01-01", "2023-01-01T00:00:00Z", "2023-12-31T23:59:60.123-14:00"],
        ["2023-01T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:00:00", "2023-01-01 00:00:00Z"],
    ),
    ("instant", ["2023-01-01T00:00:00Z"], ["2023-01-01", "2023-02-29T00:00:00Z", "2023-01-01T00:00Z"]),
    ("time", ["00:00:00", "23:59:60.5"], ["24:00:00", "12:00", "12:00:00Z"]),
    ("base64Binary", ["YQ==", "YWI=", "YWJj\nYWJj"], ["YQ=", "Y", "Y!==", ""]),
]


@pytest.mark.parametrize(("name", "good", "bad"), GOOD_AND_BAD)
def test_primitive_values(name: str, good: list[Any], bad: list[Any]) -> None:
    """Each primitive type takes its values and refuses others."""
    assert [value for value in good if not validator_of(name).is_valid(value)] == []
    assert [value for value in bad if validator_of(name).is_valid(value)] == []


@settings(max_examples=300, deadline=None)
@given(year=st.integers(1, 9999), month=st.integers(1, 12), day=st.integers(1, 31))
def test_dates_are_those_of_the_calendar(year: int, month: int, day: int) -> None:
    """A day is a date if, and only if, its month has it in that year."""
    exists = day <= calendar.monthrange(year, month)[1]
    text = f"{year:04}-{month:02}-{day:02}"
    assert validator_of("date").is_valid(text) is exists
    assert validator_of("dateTime").is_valid(text) is exists
    assert validator_of("instant").is_valid(f"{text}T12:00:00Z") is exists


@settings(max_examples=200, deadline=None)
@given(number=st.integers(-(2**66), 2**66) | st.integers(2**63 - 50, 2**63 + 50) | st.integers(-99, 99))
def test_integer64_has_64_bits(number: int) -> None:
    """The pattern knows the bounds of a 64-bit integer."""
    assert validator_of("integer64").is_valid(str(number)) is (-(2**63) <= number < 2**63)
