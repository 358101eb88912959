"""The extensions: their table, the definitions made of it, and how documents use them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import official_packages
from accept import folders
from made_up import Tree, bundle, full_study
from trialconv.catalog import TARGETS
from trialconv.context import BASE as CONTEXT_BASE
from trialconv.context import Options
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.pipeline import read, transform, validate
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv.validators.extensions import check_extensions
from trialconv.validators.fhir import validate_fhir
from trialconv_mappings.extensions import (
    BASE,
    COLUMNS,
    Extension,
    extension_rows,
    extensions,
    long_url,
    package_folder,
    parse_extensions,
)
from trialconv_mappings.fhir import terms

ROOT = Path(__file__).resolve().parent.parent
HL7 = "http://hl7.org/fhir/StructureDefinition/"


def structures_for(version: FhirVersion) -> Any:
    """Return the generator of a version's definitions, which lies beside the package."""
    (core, *_), release = official_packages.files(version), official_packages.release(version)
    with official_packages.importable_scripts():
        from extension_structures import Structures
        from make_extensions import extension_base
    return Structures(extension_base(release, core.parent, fetch=False), release.full, "0")


def generated(version: FhirVersion) -> list[Tree]:
    """Return the definitions of a version."""
    return [
        json.loads(file.read_text(encoding="utf-8"))
        for file in package_folder(version).iterdir()
        if file.name.startswith("StructureDefinition-")
    ]


# the table


def test_every_extension_of_the_mapping_has_a_row() -> None:
    """The urls that the FHIR mapping names are in the table."""
    named = {value for name, value in vars(terms).items() if name.isupper() and isinstance(value, str)}
    known = {url for version in FHIR_VERSIONS for url in extensions(version)}
    own = {CONTEXT_BASE + value for value in named if value.startswith("/StructureDefinition/")}
    # The name of a type is a part of other extensions, and none by itself.
    official = {value for value in named if value.startswith(HL7)} - {terms.DATATYPE}
    assert own
    assert official
    assert own | official <= known


def test_bases_are_one() -> None:
    """The definitions are made for the base that documents have unless told otherwise."""
    assert BASE == CONTEXT_BASE


def test_rows_are_complete() -> None:
    """Each row has a title, a description and a source; each extension a place; each binding a known strength."""
    for row in extension_rows():
        assert row["title"], row
        assert row["description"].endswith("."), row
        assert row["source"], row
        assert bool(row["context"]) == (not row["part"]), row
        assert row["values"].split(" ")[0] in ("", "=", "required", "extensible", "preferred", "example"), row


def made_up_rows(*lines: str) -> list[dict[str, str]]:
    """Return rows of a table as the loader would."""
    return list(csv.DictReader([",".join(COLUMNS), *lines]))


RECURSIVE = made_up_rows(
    "own:made-up-tree,,R4 R4B R5,Group own:made-up-tree,0..*,,,Tree,A made-up tree.,,trialconv",
    "own:made-up-tree,label,R4 R4B R5,,1..1,string,,Label,A label.,,trialconv",
    "own:made-up-tree,leaf,R4 R4B R5,,0..*,,,Leaf,A leaf.,,trialconv",
    "own:made-up-tree,leaf/colour,R4 R4B R5,,1..1,CodeableConcept Coding,,Colour,A colour.,,trialconv",
    "own:made-up-tree,own:made-up-tree,R4 R4B R5,,0..*,,,Tree,A tree within.,,trialconv",
)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["own:a,,R9,Group,0..1,string,,T,D.,,t"], "versions"),
        (["own:a,,R4,Group,0..1,,,T,D.,,t"], "either a type or parts"),
        (["own:a,b,R4,,0..1,string,,T,D.,,t"], "without their extension"),
        (2 * ["own:a,,R4,Group,0..1,string,,T,D.,,t"], "stands twice"),
        (["own:a,,R4,Group,0..1,,,T,D.,,t", "own:a,own:a,R4,,0..1,,,T,D.,,t"], "may not stand there"),
    ],
)
def test_rows_without_sense_are_refused(lines: list[str], message: str) -> None:
    """An unknown version, nothing within, a part of nothing, two of one, a part out of place: all are errors."""
    with pytest.raises(ValueError, match=message):
        parse_extensions(made_up_rows(*lines), "R4")


def test_base_of_own_urls_can_be_another() -> None:
    """The own urls follow the base; the others do not."""
    known = extensions("R4", "https://example.org/x")
    assert "https://example.org/x/StructureDefinition/exact-text" in known
    assert HL7 + "data-absent-reason" in known
    assert not any(url.startswith(BASE) for url in known)


# the definitions


def test_definitions_are_up_to_date() -> None:
    """The committed definitions are what `make extensions` makes."""
    script = ROOT / "scripts" / "make_extensions.py"
    command = [sys.executable, str(script), "--check", "--packages", str(official_packages.folder())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    if done.returncode == 2:
        pytest.skip(f"the FHIR packages are not at hand: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, "the definitions are up to date\n"), done.stderr


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_definitions_are_valid_and_complete(version: FhirVersion) -> None:
    """Each extension that no package defines has a valid definition; nothing else has one."""
    found = generated(version)
    for definition in found:
        assert validate_fhir(definition, version) == []
        assert {element["id"] for element in definition["differential"]["element"]} <= {
            element["id"] for element in definition["snapshot"]["element"]
        }
    assert {one["url"] for one in found} == {one.url for one in extensions(version).values() if not one.package}
    manifest = json.loads(package_folder(version).joinpath("package.json").read_text(encoding="utf-8"))
    assert [one["fhirVersion"] for one in found] == manifest["fhirVersions"] * len(found)


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_an_extension_that_holds_itself_refers_to_itself(version: FhirVersion) -> None:
    """Parts within parts are slices within slices; a part that is the extension again has its url as profile."""
    (tree,) = parse_extensions(RECURSIVE, version).values()
    definition = structures_for(version).definition(tree)
    assert validate_fhir(definition, version) == []
    elements = {element["id"]: element for element in definition["snapshot"]["element"]}
    assert elements["Extension.extension:made-up-tree"]["type"] == [{"code": "Extension", "profile": [tree.url]}]
    assert "Extension.extension:made-up-tree.url" not in elements
    colour = elements["Extension.extension:leaf.extension:colour.value[x]"]
    assert [one["code"] for one in colour["type"]] == ["CodeableConcept", "Coding"]
    assert colour["path"] == "Extension.extension.extension.value[x]"
    assert elements["Extension.extension:leaf.extension"]["min"] == 1
    assert elements["Extension.extension:leaf.value[x]"]["max"] == "0"
    assert elements["Extension.value[x]"]["max"] == "0"


def test_an_extension_within_itself_is_judged_on_each_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with an extension that stands in itself is found there."""
    (tree,) = parse_extensions(RECURSIVE, "R4").values()
    monkeypatch.setattr("trialconv.validators.extensions.extensions", lambda *_: {tree.url: tree})
    label = {"url": "label", "valueString": "a"}
    inner = {"url": tree.url, "extension": [label, {"url": "leaf", "extension": []}]}
    outer = {"url": tree.url, "extension": [label, inner, inner]}
    found = check_extensions({"resourceType": "Group", "extension": [outer]}, "R4")
    assert [(one.target_path, one.message) for one in found] == [
        (f"Group.extension[0].extension[{place}].extension[1].extension", "0 of colour; expected 1..1")
        for place in (1, 2)
    ]


# against the official definitions


@cache
def official(version: FhirVersion) -> dict[str, Tree]:
    """Return the definitions of extensions in the official packages of a version, by url."""
    pack = f"hl7.fhir.uv.extensions.{version.lower().removesuffix('b')}-*.tgz"
    found: dict[str, Tree] = {}
    names = [f"StructureDefinition-{url.rpartition('/')[2]}.json" for url in extensions(version)]
    for archive in (official_packages.files(version)[0], *sorted(official_packages.folder().glob(pack))):
        for content in official_packages.resources(archive, *names):
            found.setdefault(content["url"], content)
    return found


OFFICIAL = [
    pytest.param(version, one, id=f"{version}-{one.short_url}")
    for version in FHIR_VERSIONS
    for one in extensions(version).values()
    if one.package
]


def facts(element: Tree) -> dict[str, Any]:
    """Return what two definitions of an element must have in common."""
    kept = {key: element.get(key) for key in ("path", "min", "max", "fixedUri", "sliceName")}
    binding = element.get("binding")
    kept["binding"] = (binding["strength"], binding["valueSet"].partition("|")[0]) if binding else None
    if element["id"].endswith("value[x]") and element["max"] != "0":
        kept["type"] = [(one["code"], one.get("targetProfile")) for one in element["type"]]
    return kept


@pytest.mark.parametrize(("version", "extension"), OFFICIAL)
def test_rows_of_official_extensions_say_what_hl7_says(version: FhirVersion, extension: Extension) -> None:
    """What would be made of the row is, element by element, the snapshot that HL7 publishes."""
    if extension.url not in official(version):
        pytest.skip(f"the package with {extension.url} is not at {official_packages.folder()}")
    theirs = official(version)[extension.url]
    ours = structures_for(version).definition(extension)
    made = {element["id"]: facts(element) for element in ours["snapshot"]["element"]}
    published = {element["id"]: facts(element) for element in theirs["snapshot"]["element"]}
    assert made == published
    places = {one["expression"] for one in theirs["context"]}
    assert places & set(extension.elements)


# what documents do


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_cases_use_extensions_as_defined(version: FhirVersion) -> None:
    """No document of a case has an extension without a row, or uses one wrongly."""
    found: set[str] = set()
    for folder in folders():
        (source,) = folder.glob("input.*")
        (record,) = read(source)
        document = transform(record, TARGETS[f"fhir-{version.lower()}"], Options()).document
        found |= {one.message for one in check_extensions(document, version)}
    assert found == set()


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_real_and_full_studies_use_extensions_as_defined(
    version: FhirVersion, smoke_studies: list[tuple[str, bytes]]
) -> None:
    """No document of the small set of real studies, or of a full one, has an unknown or misused extension."""
    target = TARGETS[f"fhir-{version.lower()}"]
    found = {one.message for one in check_extensions(bundle(full_study(), target.name), version)}
    for name, data in smoke_studies:
        record = read_study(data, SourceInfo(name, reader="ctgov-json"))
        found |= {one.message for one in check_extensions(transform(record, target, Options()).document, version)}
    assert found == set()


def test_other_base_is_judged_by_its_own_urls() -> None:
    """With another base the own extensions are still known, by the urls of that base."""
    document = bundle(full_study(), "fhir-r5", base="https://example.org/x")
    assert check_extensions(document, "R5", "https://example.org/x") == []
    assert {one.code for one in check_extensions(document, "R5")} == {"extension-unknown"}


def study_with(*inner: Tree, **more: Any) -> Tree:
    """Return a made-up ResearchStudy with extensions."""
    return {"resourceType": "ResearchStudy", "status": "active", "extension": list(inner), **more}


def part(url: str, **value: Any) -> Tree:
    """Return an extension, its url shortened as in the table."""
    return {"url": long_url(url) if ":" in url else url, **value}


STATE = part("state", valueCodeableConcept={"text": "Recruiting"})
PROGRESS = part("r5:ResearchStudy.progressStatus", extension=[STATE])
TIME_FRAME = part("own:outcome-time-frame", valueString="one week")
NUMBER = part("hl7:contactpoint-extension", valueString="12")
EXACT = part("own:exact-text", valueString="a")
ROLE = part("role", valueCodeableConcept={"text": "Sponsor"})

RIGHT = {
    "parts": study_with(PROGRESS),
    "the same many times": study_with(PROGRESS, PROGRESS),
    "on a primitive": study_with(_title={"extension": [EXACT]}),
    "in an extension": study_with(part("r5:ResearchStudy.outcomeMeasure", extension=[TIME_FRAME])),
    "by a data type": study_with(contact=[{"telecom": [{"extension": [NUMBER]}]}]),
    "by an element of a data type": study_with(contact=[{"telecom": [{"_value": {"extension": [NUMBER]}}]}]),
    "in the value of an extension": study_with(
        part("own:last-known-status", valueCodeableConcept={"_text": {"extension": [EXACT]}})
    ),
    "repeated elements": {
        "resourceType": "PlanDefinition",
        "status": "active",
        "action": [{"action": [{"extension": [part("r5:PlanDefinition.action.linkId", valueString="a")]}]}],
    },
}

WRONG = {
    "another resource": (
        {"resourceType": "Group", "extension": [PROGRESS]},
        "does not belong here",
        "Group.extension[0]",
    ),
    "another element": (
        study_with(arm=[{"name": "a", "extension": [PROGRESS]}]),
        "does not belong here",
        "ResearchStudy.arm[0].extension[0]",
    ),
    "outside of its extension": (study_with(TIME_FRAME), "does not belong here", "ResearchStudy.extension[0]"),
    "another type": (
        study_with(part("own:last-known-status", valueString="a")),
        "has valueString; expected valueCodeableConcept",
        "ResearchStudy.extension[0]",
    ),
    "no value": (study_with(part("own:last-known-status")), "has no value", "ResearchStudy.extension[0]"),
    "a value instead of parts": (
        study_with({**PROGRESS, "valueString": "a"}),
        "has a value; expected parts",
        "ResearchStudy.extension[0]",
    ),
    "an unknown part": (
        study_with(part("r5:ResearchStudy.progressStatus", extension=[STATE, part("colour", valueString="a")])),
        "has no part colour; expected state, actual, period",
        "ResearchStudy.extension[0].extension[1]",
    ),
    "a missing part": (
        study_with(part("r5:ResearchStudy.progressStatus", extension=[part("actual", valueBoolean=True)])),
        "0 of state; expected 1..1",
        "ResearchStudy.extension[0].extension",
    ),
    "a part too many": (
        study_with(part("r5:ResearchStudy.progressStatus", extension=[STATE, STATE])),
        "2 of state; expected 1..1",
        "ResearchStudy.extension[0].extension",
    ),
    "an extension too many": (
        study_with(*2 * [part("r5:ResearchStudy.date", valueDateTime="2020")]),
        "stands 2 times; 1 allowed",
        "ResearchStudy.extension",
    ),
    "an extension too many in another": (
        study_with(part("r5:ResearchStudy.outcomeMeasure", extension=[TIME_FRAME, TIME_FRAME])),
        "stands 2 times; 1 allowed",
        "ResearchStudy.extension[0].extension",
    ),
    "a reference to another type": (
        study_with(
            part(
                "r5:ResearchStudy.associatedParty",
                extension=[ROLE, part("party", valueReference={"reference": "Location/a"})],
            )
        ),
        "Location/a is a reference to Location; expected Practitioner, PractitionerRole, Organization",
        "ResearchStudy.extension[0].extension[1].valueReference",
    ),
    "another than the only value": (
        {
            "resourceType": "Location",
            "extension": [part("r5:Location.contact", extension=[part("hl7:_datatype", valueString="Address")])],
        },
        "must be 'ExtendedContactDetail'",
        "Location.extension[0].extension[0]",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_use_is_no_finding(name: str) -> None:
    """Extensions at their places, with their values and parts, are not found fault with."""
    assert check_extensions(RIGHT[name], "R4") == []


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_found_with_its_place(name: str) -> None:
    """A wrong place, value, part, number or target is one finding, which says where and what was expected."""
    document, message, path = WRONG[name]
    (found,) = check_extensions(document, "R4")
    assert found.code == "extension-misused"
    assert message in found.message
    assert found.target_path == path


def test_unknown_extension_is_named_once() -> None:
    """An extension of others is an information, once for its url."""
    other = {"url": "https://example.org/other", "valueString": "a"}
    (found,) = check_extensions(study_with(other, other), "R4")
    assert (found.code, found.severity) == ("extension-unknown", "information")


@pytest.mark.parametrize(
    "document",
    [
        {"resourceType": "ResearchStudy", "extension": "none"},
        {"resourceType": "ResearchStudy", "extension": [None, 1, {"url": 2}, {}]},
        {"resourceType": 3, "extension": [PROGRESS]},
        study_with(part("r5:ResearchStudy.progressStatus", extension="none")),
        study_with(part("own:last-known-status", valueCodeableConcept=None)),
        {"resourceType": "Bundle", "entry": [{"resource": [1]}, 2]},
    ],
)
def test_garbage_does_no_harm(document: Tree) -> None:
    """Whatever stands where extensions are expected, the check ends."""
    assert isinstance(check_extensions(document, "R4"), list)


def test_validate_judges_extensions_when_asked(tmp_path: Path) -> None:
    """`trialconv validate --extensions` and `validate(extensions=True)` find what they else do not look for."""
    document = WRONG["another type"][0]
    assert validate(document, fhir_version="R4") == []
    assert [one.code for one in validate(document, fhir_version="R4", extensions=True)] == ["extension-misused"]
    file = tmp_path / "study.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "trialconv"), "validate", "--fhir-version", "R4", str(file)]
    codes = [
        subprocess.run([*command, *more], capture_output=True, timeout=60, check=False).returncode  # noqa: S603
        for more in ([], ["--extensions"])
    ]
    assert codes == [0, 3]
