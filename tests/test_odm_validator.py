"""The ODM validator: what it refuses, what the schemas and the rules find, and what they let pass."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from odm_made_up import context, full_study
from trialconv.formats import ODM_VERSIONS, OdmVersion
from trialconv.issues import Issue
from trialconv.odm_tree import NAMESPACES
from trialconv.validators.odm import validate_odm_xml
from trialconv.validators.odm_oids import PAIRED, PASSED_OVER, REFERENCES
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm

HEAD = (
    '<ODM xmlns="{namespace}" FileType="Snapshot" FileOID="F" ODMVersion="{version}"'
    ' CreationDateTime="2001-01-01T00:00:00Z">'
)


def v1(metadata: str = "", admin: str = "", *, rest: str = "") -> bytes:
    """Return a made-up ODM 1.3.2 document."""
    head = HEAD.format(namespace=NAMESPACES["1.3.2"], version="1.3.2")
    names = "<StudyName>S</StudyName><StudyDescription>D</StudyDescription><ProtocolName>P</ProtocolName>"
    study = (
        f'<Study OID="ST"><GlobalVariables>{names}</GlobalVariables>'
        f'<MetaDataVersion OID="MDV" Name="M">{metadata}</MetaDataVersion></Study>'
    )
    return f"{head}{study}{admin}{rest}</ODM>".encode()


def v2(metadata: str = "", admin: str = "", *, rest: str = "") -> bytes:
    """Return a made-up ODM 2.0 document."""
    head = HEAD.format(namespace=NAMESPACES["2.0"], version="2.0")
    study = (
        '<Study OID="ST" StudyName="S" ProtocolName="P">'
        f'<MetaDataVersion OID="MDV" Name="M">{metadata}</MetaDataVersion></Study>'
    )
    return f"{head}{study}{admin}{rest}</ODM>".encode()


TEXT2 = '<Description><TranslatedText Type="text/plain">T</TranslatedText></Description>'
CONDITION2 = f'<ConditionDef OID="C" Name="C">{TEXT2}<MethodSignature/></ConditionDef>'
CRITERION2 = (
    "<Protocol><InclusionExclusionCriteria><InclusionCriteria>"
    '<Criterion OID="CR" Name="N" ConditionOID="{}"/>'
    "</InclusionCriteria></InclusionExclusionCriteria></Protocol>"
)
PARAMETERS2 = (
    '<Protocol><StudySummary><StudyParameter OID="A" Term="T"><ParameterValue Value="1"/></StudyParameter>'
    '<StudyParameter OID="{}" Term="T"><ParameterValue Value="2"/></StudyParameter></StudySummary></Protocol>'
)
LOCATION = (
    '<Location OID="{oid}" Name="N"><MetaDataVersionRef StudyOID="{study}" MetaDataVersionOID="{version}"'
    ' EffectiveDate="2001-01-01"/></Location>'
)
EVENT2 = '<StudyEventDef OID="E" Name="E" Repeating="No" Type="Scheduled">{}</StudyEventDef>'
GROUP2 = '<ItemGroupDef OID="{oid}" Name="G" Repeating="No" Type="Form">{refs}</ItemGroupDef>'


def location(oid: str = "L", study: str = "ST", version: str = "MDV") -> str:
    """Return a location that refers to a metadata version."""
    return LOCATION.format(oid=oid, study=study, version=version)


def rules(issues: list[Issue]) -> set[str]:
    """Return the ids of the rules that found something beyond the schema."""
    return {found.rule for found in issues if found.rule.startswith("ODM-")}


def only(issues: list[Issue], rule: str) -> Issue:
    """Return the one issue of a rule."""
    (found,) = (each for each in issues if each.rule == rule)
    return found


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_full_made_up_study_is_valid(version: OdmVersion) -> None:
    """The document of a study with every field has no error of the schema or the rules."""
    data = write_odm_xml(build_odm(context(full_study(), odm_version=version)))
    assert validate_odm_xml(data) == []


@pytest.mark.parametrize("document", [v1(), v2(), v1(admin="<AdminData/>"), v2(admin="<AdminData/>")])
def test_smallest_documents_are_valid(document: bytes) -> None:
    """A document with nothing but what the schema demands is valid."""
    assert validate_odm_xml(document) == []


BOMB = (
    '<!DOCTYPE ODM [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "&a;" * 10}">' for n in range(12))
    + "]>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"no XML at all",
        b'{"resourceType": "Bundle"}',
        b"<ODM",
        b"<ODM/>",
        b"\xff\xfe\x00",
        b"<a><b></a></b>",
        b'<ODM xmlns="http://www.cdisc.org/ns/odm/v9.9"/>',
        b'<Study xmlns="http://www.cdisc.org/ns/odm/v2.0"/>',
        b"<!DOCTYPE ODM>" + v2(),
        b'<?xml version="1.0"?><!-- c --><!DOCTYPE ODM SYSTEM "http://example.org/odm.dtd">' + v2(),
        (BOMB + "<ODM>&a11;</ODM>").encode(),
        (BOMB + '<ODM a="&a11;"/>').encode(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + BOMB + '<ODM a="&a11;"/>').encode("utf-16"),
        b'<!DOCTYPE ODM [<!ENTITY x SYSTEM "file:///etc/hostname">]><ODM>&x;</ODM>',
        b"<?never closed" + b"<!-- " * 1000,
        b"<a>" * 100_000,
        b"<ODM>\x00</ODM>",
    ],
)
def test_hostile_or_foreign_input_is_one_issue(data: bytes) -> None:
    """Whatever is no ODM document gives one Issue that says so, and no exception."""
    issues = validate_odm_xml(data)
    assert [found.code for found in issues] == ["invalid-document"]


def test_document_type_in_utf_16_is_refused() -> None:
    """A document type declaration is refused in an encoding that does not write ASCII as ASCII, too."""
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE ODM [<!ENTITY x "y">]>' + v2().decode()
    (found,) = validate_odm_xml(text.encode("utf-16"))
    assert "document type" in found.message


def test_comment_that_mentions_a_document_type_is_allowed() -> None:
    """The words of a declaration inside a comment are no declaration."""
    assert validate_odm_xml(b"<!-- <!DOCTYPE x> -->" + v2()) == []


def test_schema_error_names_line_and_element() -> None:
    """An error of the schema has the line in the input and the path of the element."""
    data = v2("\n<Protocol>\n<TrialPhase/>\n</Protocol>")
    (found,) = validate_odm_xml(data)
    assert found.code == "schema"
    assert found.source_path == "line 3"
    assert found.target_path == "ODM/Study/MetaDataVersion/Protocol/TrialPhase"
    assert "Value" in found.message


@pytest.mark.parametrize("make", [v1, v2])
def test_unknown_element_is_a_schema_error(make: type) -> None:
    """An element that the version does not know is an error of its schema."""
    assert [found.code for found in validate_odm_xml(make("<MadeUp/>"))] == ["schema"]


def test_version_decides_the_schema() -> None:
    """What ODM 2.0 demands of a study is an error in ODM 1.3.2."""
    data = v2().replace(NAMESPACES["2.0"].encode(), NAMESPACES["1.3.2"].encode())
    assert {found.code for found in validate_odm_xml(data)} == {"schema"}


def test_resolved_reference_passes() -> None:
    """A criterion that refers to a condition of the same metadata version is fine."""
    assert validate_odm_xml(v2(CRITERION2.format("C") + CONDITION2)) == []


def test_dangling_reference_is_found() -> None:
    """A criterion that refers to no condition is found, with its attribute and line."""
    found = only(validate_odm_xml(v2("\n" + CRITERION2.format("X") + CONDITION2)), "ODM-001")
    assert found.code == "reference-unresolved"
    assert found.source_path == "line 2"
    assert found.target_path.endswith("InclusionCriteria/Criterion/@ConditionOID")


def test_reference_to_the_wrong_kind_is_found() -> None:
    """An OID of another kind of definition does not resolve a reference."""
    found = validate_odm_xml(v2(CRITERION2.format("CR") + CONDITION2))
    assert rules(found) == {"ODM-001"}


def test_reference_in_odm_1_3_2_is_checked() -> None:
    """The rule on references holds in ODM 1.3.2: a form that is not defined is found, a defined one passes."""
    event = (
        '<StudyEventDef OID="E" Name="E" Repeating="No" Type="Scheduled">'
        '<FormRef FormOID="F1" Mandatory="No"/></StudyEventDef>'
    )
    form = '<FormDef OID="F1" Name="F" Repeating="No"/>'
    assert validate_odm_xml(v1(event + form)) == []
    assert rules(validate_odm_xml(v1(event))) == {"ODM-001"}


def test_measurement_unit_of_the_study_resolves() -> None:
    """A measurement unit is defined for the whole study, and one that is not defined is found."""
    symbol = "<Symbol><TranslatedText>kg</TranslatedText></Symbol>"
    unit = f'<MeasurementUnit OID="MU" Name="kg">{symbol}</MeasurementUnit>'
    item = (
        '<ItemDef OID="I" Name="I" DataType="float" Length="3" SignificantDigits="1">'
        '<MeasurementUnitRef MeasurementUnitOID="{}"/></ItemDef>'
    )
    for oid, expected in (("MU", set()), ("XX", {"ODM-001"})):
        data = v1(item.format(oid)).replace(
            b"<MetaDataVersion", f"<BasicDefinitions>{unit}</BasicDefinitions><MetaDataVersion".encode()
        )
        assert rules(validate_odm_xml(data)) == expected


@pytest.mark.parametrize("make", [v1, v2])
def test_administrative_references_are_checked(make: type) -> None:
    """Locations refer to the study and its metadata version; both must be in the document."""
    good = make("", f'<AdminData StudyOID="ST">{location()}</AdminData>')
    assert validate_odm_xml(good) == []
    for broken in (location(study="XX"), location(version="XX")):
        issues = validate_odm_xml(make("", f'<AdminData StudyOID="ST">{broken}</AdminData>'))
        assert rules(issues) == {"ODM-001"}
        assert len(issues) == 1
    assert rules(validate_odm_xml(make("", '<AdminData StudyOID="XX"/>'))) == {"ODM-001"}


def test_organisations_and_places_are_checked() -> None:
    """Persons refer to organisations and places of the document's administrative data."""
    admin = (
        '<AdminData StudyOID="ST"><User OID="U" OrganizationOID="{}" LocationOID="{}"/>'
        f'<Organization OID="O" Name="N" Type="Other"/>{location()}</AdminData>'
    )
    assert validate_odm_xml(v2("", admin.format("O", "L"))) == []
    for pair in (("L", "L"), ("O", "O")):
        assert rules(validate_odm_xml(v2("", admin.format(*pair)))) == {"ODM-001"}


def test_administrative_data_alone_are_not_judged_by_missing_studies() -> None:
    """A file without a study may refer to a study of another file."""
    data = v2("", f'<AdminData StudyOID="XX">{location(study="XX")}</AdminData>')
    start, end = data.index(b"<Study "), data.index(b"</Study>") + len(b"</Study>")
    assert validate_odm_xml(data[:start] + data[end:]) == []


def test_clinical_data_of_the_study_are_checked() -> None:
    """Data refer to definitions of the metadata version they name; data of another file's study are let pass."""
    data = (
        '<ClinicalData StudyOID="{study}" MetaDataVersionOID="{version}"><SubjectData SubjectKey="1">'
        '<StudyEventData StudyEventOID="{event}"/></SubjectData></ClinicalData>'
    )
    cases = (
        ("ST", "MDV", "E", set()),
        ("ST", "MDV", "X", {"ODM-001"}),
        ("ST", "X", "E", {"ODM-001"}),
        ("X", "X", "X", set()),
    )
    for study, version, event, expected in cases:
        rest = data.format(study=study, version=version, event=event)
        assert rules(validate_odm_xml(v2(EVENT2.format(""), rest=rest))) == expected


def test_metadata_with_an_include_are_open() -> None:
    """What a metadata version takes over from another file may hold the definition that is missing here."""
    include = '<Include StudyOID="OTHER" MetaDataVersionOID="OTHER"/>'
    assert rules(validate_odm_xml(v2(include + CRITERION2.format("X")))) == set()


def test_leaves_are_referred_to_by_id() -> None:
    """A document reference names a leaf by its ID."""
    leaf = '<Leaf ID="LF" xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="a.pdf"><Title>A</Title></Leaf>'
    reference = '<SupplementalDoc><DocumentRef LeafID="{}"/></SupplementalDoc>'
    assert validate_odm_xml(v2(reference.format("LF") + leaf)) == []
    assert "ODM-001" in rules(validate_odm_xml(v2(reference.format("XX") + leaf)))


def test_equal_oids_are_found() -> None:
    """Two parameters with one OID are found, which the schema lets pass; with two OIDs they are fine."""
    assert validate_odm_xml(v2(PARAMETERS2.format("B"))) == []
    found = only(validate_odm_xml(v2(PARAMETERS2.format("A"))), "ODM-002")
    assert found.code == "duplicate-id"
    assert found.target_path.endswith("StudySummary/StudyParameter[2]")


def test_equal_oids_of_organisations_are_found() -> None:
    """Two organisations with one OID are found, which the schema lets pass."""
    organization = '<Organization OID="O" Name="N" Type="Other"/>'
    assert rules(validate_odm_xml(v2("", f"<AdminData>{organization * 2}</AdminData>"))) == {"ODM-002"}


def test_equal_oids_in_different_scopes_pass() -> None:
    """Two metadata versions may define the same OID."""
    second = f'<MetaDataVersion OID="MDV2" Name="M">{CONDITION2}</MetaDataVersion></Study>'.encode()
    assert validate_odm_xml(v2(CONDITION2).replace(b"</Study>", second)) == []


@pytest.mark.parametrize("make", [v1, v2])
def test_equal_alias_contexts_are_found(make: type) -> None:
    """Two aliases of one element with one context are found; different contexts are fine."""
    alias = '<Alias Context="{}" Name="N"/>'
    good = make(f"<Protocol>{alias.format('a')}{alias.format('b')}</Protocol>")
    assert validate_odm_xml(good) == []
    bad = make(f"<Protocol>{alias.format('a')}{alias.format('a')}</Protocol>")
    assert rules(validate_odm_xml(bad)) == {"ODM-003"}


def test_same_alias_context_of_two_elements_passes() -> None:
    """Aliases of different elements may have the same context."""
    alias = '<Alias Context="a" Name="N"/>'
    event = EVENT2.format(alias)
    assert validate_odm_xml(v2(f"<Protocol>{alias}</Protocol>{event}")) == []


def test_equal_order_numbers_are_found() -> None:
    """Two references of one element with one order number are found; different numbers are fine."""
    reference = '<ItemGroupRef ItemGroupOID="{}" OrderNumber="{}" Mandatory="No"/>'
    item = '<ItemDef OID="I" Name="I" DataType="text"/>'
    groups = "".join(
        GROUP2.format(oid=oid, refs='<ItemRef ItemOID="I" Mandatory="No" OrderNumber="1"/>') for oid in "GH"
    )
    for number, expected in ((2, set()), (1, {"ODM-004"})):
        event = EVENT2.format(reference.format("G", 1) + reference.format("H", number))
        assert rules(validate_odm_xml(v2(event + groups + item))) == expected


def test_sequence_numbers_run_from_one() -> None:
    """Epochs with one sequence number, or with a gap, are found, which the schema lets pass."""
    epoch = '<Epoch OID="E{}" Name="E" SequenceNumber="{}"/>'
    for number, expected in ((2, set()), (1, {"ODM-004", "ODM-006"}), (3, {"ODM-006"})):
        epochs = epoch.format(1, 1) + epoch.format(2, number)
        data = v2(f"<Protocol><StudyStructure>{epochs}</StudyStructure></Protocol>")
        assert rules(validate_odm_xml(data)) == expected


def test_many_errors_are_counted() -> None:
    """Of very many errors the first 100 of the schema and of the rules are listed, and the others counted."""
    organization = '<Organization OID="O" Name="N" Type="MadeUp"/>'
    issues = validate_odm_xml(v2("", f"<AdminData>{organization * 2_000}</AdminData>"))
    assert len(issues) == 202
    assert [found.message for found in issues if "not listed" in found.message] == [
        "1900 more errors of the schema are not listed.",
        "1899 more breaches of the rules are not listed.",
    ]


def schema_files() -> list[Path]:
    """Return the files of the official schemas that define ODM elements."""
    spec = find_spec("odmlib")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0], "schemas", "odm")
    return [
        path
        for version in ODM_VERSIONS
        for path in (folder / version).glob("ODM*.xsd")
        if "xhtml" not in path.name
    ]


def test_every_reference_attribute_of_the_schemas_is_known() -> None:
    """The rules know every attribute that the schemas type as a reference, but for the file before this one."""
    names = set()
    for path in schema_files():
        for attribute in etree.parse(path).iter("{http://www.w3.org/2001/XMLSchema}attribute"):
            if attribute.get("type") in ("oidref", "xs:IDREF"):
                names.add(str(attribute.get("name")))
    # OID is a reference in the key sets of ODM 1.3.2's foundation only by the name of its type.
    assert names - {"PriorFileOID", "OID"} <= set(REFERENCES) | set(PAIRED)


def test_elements_that_are_passed_over_have_no_identity_and_no_reference() -> None:
    """The rules on references pass over no element with an OID, an ID, a reference or an order."""
    seen = set()
    for path in schema_files():
        text = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        groups = re.findall(
            r'<xs:attributeGroup name="(\w+?)AttributeDefinition">(.*?)</xs:attributeGroup>', text, re.DOTALL
        )
        for name, body in groups:
            if re.search(r'name="(?:OrderNumber|SequenceNumber)"|type="(?:oid|oidref|xs:IDREF)"', body):
                seen.add(name)
    assert len(seen) > 60
    assert seen & PASSED_OVER == set()


def test_validator_loads_no_classes_of_odmlib() -> None:
    """Validating imports none of odmlib, whose classes take longer to load than many documents to validate."""
    code = (
        "import sys; from trialconv.validators.odm import validate_odm_xml;"
        f"assert validate_odm_xml({v2()!r}) == []; sys.exit('odmlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
