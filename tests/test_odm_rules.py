"""The rules for ODM beyond its schemas: for each one, documents that keep it and documents that break it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree

from odm_made_up import context, full_study
from test_odm_validator import CONDITION2, CRITERION2, TEXT2, location, v1, v2
from trialconv.issues import CATALOGUE, Severity
from trialconv.odm_parsed import tree_of
from trialconv.odm_tree import SDM_NAMESPACE
from trialconv.validators.odm import rule_issues, validate_odm_xml
from trialconv.validators.odm_rules import RULES
from trialconv.validators.odm_terms import codelists, parameter_terms
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm

CDISC = 'System="https://www.cdisc.org/standards/terminology"'


class Case(NamedTuple):
    """A rule, a document that keeps it, one that breaks it, the path of the breach and its severity."""

    rule: str
    good: bytes
    bad: bytes
    path: str
    severity: Severity = "error"


def parameter(name: str, value: str, term: str = "", coding: str = "", own: str = "") -> str:
    """Return a parameter with its official term, or another one."""
    term = term or parameter_terms().get(name, ("", name))[1].replace("'", "&apos;")
    held = f'<ParameterValue Value="{value}">{coding}</ParameterValue>'
    return f'<StudyParameter OID="PAR.{name}" Term="{term}" ShortName="{name}">{held}{own}</StudyParameter>'


def coding(code: str, label: str = "", version: str = "2026-03-27") -> str:
    """Return a coding with a CDISC code."""
    shown = f' Label="{label}"' if label else ""
    stated = f' SystemVersion="{version}"' if version else ""
    return f'<Coding Code="{code}" {CDISC}{stated}{shown}/>'


def summary(*parameters: str, rest: str = "") -> bytes:
    """Return an ODM 2.0 document with these parameters."""
    return v2(f"<Protocol><StudySummary>{''.join(parameters)}</StudySummary>{rest}</Protocol>")


def sdm(content: str) -> bytes:
    """Return an ODM 1.3.2 document with elements of SDM-XML in its protocol."""
    return v1(f'<Protocol xmlns:sdm="{SDM_NAMESPACE}">{content}</Protocol>')


def criterion(code: str) -> bytes:
    """Return an ODM 2.0 document with one coded inclusion criterion."""
    held = f'<Criterion OID="CR" Name="N" ConditionOID="C">{coding(code)}</Criterion>'
    listed = (
        f"<InclusionExclusionCriteria><InclusionCriteria>{held}</InclusionCriteria></InclusionExclusionCriteria>"
    )
    return v2(f"<Protocol>{listed}</Protocol>{CONDITION2}")


def country(code: str) -> bytes:
    """Return an ODM 2.0 document with a place in a country."""
    place = location().replace("</Location>", f"<Address><Country>{code}</Country></Address></Location>")
    return v2("", f'<AdminData StudyOID="ST">{place}</AdminData>')


def two_texts(first: str, second: str) -> bytes:
    """Return an ODM 2.0 document with a text in two languages."""
    texts = "".join(
        f'<TranslatedText xml:lang="{each}" Type="text/plain">T</TranslatedText>' for each in (first, second)
    )
    return v2(f"<Protocol><Description>{texts}</Description></Protocol>")


def epochs(*numbers: int, sdm_order: bool = False) -> bytes:
    """Return a document with epochs: numbered sequences in ODM 2.0, or order numbers (0 for none) in SDM-XML."""
    if sdm_order:
        held = "".join(
            f'<sdm:Epoch OID="E{at}" Name="E"' + (f' OrderNumber="{each}"' if each else "") + "/>"
            for at, each in enumerate(numbers)
        )
        return sdm(f"<sdm:Structure>{held}</sdm:Structure>")
    held = "".join(f'<Epoch OID="E{at}" Name="E" SequenceNumber="{each}"/>' for at, each in enumerate(numbers))
    return v2(f"<Protocol><StudyStructure>{held}</StudyStructure></Protocol>")


def aliases(first: str, second: str) -> bytes:
    """Return an ODM 2.0 document with two aliases."""
    return v2(
        "<Protocol>" + "".join(f'<Alias Context="{each}" Name="N"/>' for each in (first, second)) + "</Protocol>"
    )


CELL = '<sdm:CellDef OID="C" Name="C" EpochOID="E"/>'
PHASE = '<TrialPhase Value="{}"/>'
ARM = '<StudyStructure><Arm OID="A" Name="A"/></StudyStructure>'
PARAMETER = "/StudySummary/StudyParameter"
VALUE = PARAMETER + "/ParameterValue"

CASES = [
    Case(
        "ODM-001",
        v2(CRITERION2.format("C") + CONDITION2),
        v2(CRITERION2.format("X") + CONDITION2),
        "/@ConditionOID",
    ),
    Case(
        "ODM-001",
        sdm(f'<sdm:Structure><sdm:Epoch OID="E" Name="E"/>{CELL}</sdm:Structure>'),
        sdm(f"<sdm:Structure>{CELL}</sdm:Structure>"),
        "Structure/CellDef/@EpochOID",
    ),
    Case(
        "ODM-002",
        summary(parameter("TITLE", "T"), parameter("SPREFID", "S")),
        summary(parameter("TITLE", "T"), parameter("TITLE", "U")),
        PARAMETER + "[2]",
    ),
    Case("ODM-003", aliases("a", "b"), aliases("a", "a"), "Protocol/Alias[2]"),
    Case("ODM-004", epochs(2, 1, sdm_order=True), epochs(1, 1, sdm_order=True), "Epoch[@OID='E1']"),
    Case("ODM-005", epochs(0, 0, sdm_order=True), epochs(0, 1, sdm_order=True), "Epoch[@OID='E0']"),
    Case("ODM-006", epochs(2, 1), epochs(1, 3), "Epoch[@OID='E1']"),
    Case("ODM-007", two_texts("en", "de"), two_texts("en", "en"), "Description/TranslatedText[2]"),
    Case(
        "ODM-008",
        summary(parameter("TITLE", "T")),
        summary(parameter("TITLE", "T", term="The title")),
        PARAMETER + "/@Term",
    ),
    Case(
        "ODM-009",
        summary(parameter("CTG.x", "T"), parameter("Mixed", "T")),
        summary(parameter("MADEUP", "T")),
        PARAMETER + "/@ShortName",
        "warning",
    ),
    Case(
        "ODM-010",
        summary(parameter("TITLE", "T", own=coding("C49802"))),
        summary(parameter("TITLE", "T", own=coding("C49693"))),
        PARAMETER + "/Coding/@Code",
    ),
    Case(
        "ODM-011",
        summary(parameter("SEXPOP", "F", coding=coding("C16576"))),
        summary(parameter("SEXPOP", "F", coding=coding("C20197"))),
        VALUE + "/Coding/@Code",
    ),
    Case(
        "ODM-011",
        summary(parameter("STYPE", "OBSERVATIONAL", coding=coding("C16084"))),
        summary(parameter("STYPE", "OBSERVATIONAL", coding=coding("C16576"))),
        VALUE + "/Coding/@Code",
    ),
    Case(
        "ODM-011",
        summary(parameter("CTG.x", "T", coding=coding("C16576", "F"))),
        summary(parameter("CTG.x", "T", coding=coding("C16576", "M"))),
        VALUE + "/Coding/@Label",
    ),
    Case("ODM-012", summary(parameter("SEXPOP", "BOTH")), summary(parameter("SEXPOP", "ALL")), VALUE),
    Case(
        "ODM-012", summary(parameter("TBLIND", "OPEN LABEL")), summary(parameter("TBLIND", "X")), VALUE, "warning"
    ),
    Case(
        "ODM-013",
        summary(parameter("TPHASE", "PHASE II TRIAL"), rest=PHASE.format("PHASE II TRIAL")),
        summary(parameter("TPHASE", "PHASE II TRIAL"), rest=PHASE.format("PHASE III TRIAL")),
        "Protocol/TrialPhase/@Value",
    ),
    Case(
        "ODM-013",
        v2(f"<Protocol>{PHASE.format('PHASE 0 TRIAL')}</Protocol>"),
        v2(f"<Protocol>{PHASE.format('PHASE 9')}</Protocol>"),
        "Protocol/TrialPhase/@Value",
        "warning",
    ),
    Case(
        "ODM-014",
        summary(parameter("CTG.x", "T", coding=coding("C16576"))),
        summary(parameter("CTG.x", "T", coding=coding("C16576", version="2026-02-30"))),
        VALUE + "/Coding/@SystemVersion",
    ),
    Case(
        "ODM-014",
        summary(parameter("CTG.x", "T", coding='<Coding Code="1" System="urn:made-up"/>')),
        summary(parameter("CTG.x", "T", coding=coding("C16576", version=""))),
        VALUE + "/Coding",
    ),
    Case("ODM-015", criterion("C25532"), criterion("C25370"), "InclusionCriteria/Criterion/Coding/@Code"),
    Case("ODM-016", country("NO"), country("NOR"), "Location/Address/Country"),
    *(
        Case("ODM-017", summary(parameter("SSTDTC", good)), summary(parameter("SSTDTC", bad)), VALUE)
        for good, bad in (
            ("2020", "20"),
            ("2020-02", "2020-13"),
            ("2020-02-29", "2021-02-29"),
            ("2020-02-29T10", "May"),
        )
    ),
    *(
        Case("ODM-018", summary(parameter("AGEMIN", good)), summary(parameter("AGEMIN", bad)), VALUE)
        for good, bad in (("P18Y", "18 Years"), ("PT5H", "P"), ("P2W", "P2W1D"), ("P1Y6M", "P1YT"))
    ),
    Case("ODM-019", summary(parameter("PLANSUB", "0")), summary(parameter("PLANSUB", "about 12")), VALUE),
    Case("ODM-020", summary(parameter("NARMS", "1"), rest=ARM), summary(parameter("NARMS", "2"), rest=ARM), VALUE),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{number}" for number, case in enumerate(CASES)])
def test_rule_passes_what_keeps_it_and_finds_what_breaks_it(case: Case) -> None:
    """A document that keeps the rule has no finding; one that breaks it has one, with its line and its place."""
    assert validate_odm_xml(case.good) == []
    # The schema of ODM 2.0 says some of it, too.
    (found,) = (each for each in validate_odm_xml(case.bad) if not each.rule.startswith("xsd:"))
    assert (found.rule, found.severity) == (case.rule, case.severity)
    assert found.target_path.startswith("ODM/Study/MetaDataVersion/") or found.target_path.startswith(
        "ODM/AdminData"
    )
    assert found.target_path.endswith(case.path)
    assert found.source_path == "line 1"


def test_every_rule_has_its_cases() -> None:
    """Every rule of the catalogue is tried out, with an id, a source and an Issue of its own."""
    assert {case.rule for case in CASES} == set(RULES)
    assert list(RULES) == [f"ODM-{number:03}" for number in range(1, len(RULES) + 1)]
    assert all(rule.demand.endswith(".") and rule.source and rule.code in CATALOGUE for rule in RULES.values())


@pytest.mark.parametrize("options", [{"odm_version": "2.0"}, {"odm_version": "1.3.2"}])
def test_tree_and_file_have_the_same_findings(options: dict[str, str]) -> None:
    """The rules find the same in a mapping's tree and in the tree of the file that was written of it."""
    root = build_odm(context(full_study(), **options))
    assert rule_issues(root) == []
    for node in root.find_all("ConditionDef"):
        node.attributes["OID"] = "XX"
    parsed = tree_of(etree.fromstring(write_odm_xml(root)))
    assert len(rule_issues(root)) == len(rule_issues(parsed)) == 3
    assert all(found.source_path for found in rule_issues(parsed))


def test_parsed_tree_is_the_tree_that_was_written() -> None:
    """A parsed document has the elements, attributes and texts of the tree that it was written of."""

    def plain(node: object) -> object:
        if isinstance(node, str):
            return node
        return node.name, dict(node.attributes), [plain(child) for child in node.children]  # type: ignore[attr-defined]

    for options in ({"odm_version": "2.0"}, {"odm_version": "1.3.2"}):
        root = build_odm(context(full_study(), **options))
        parsed = tree_of(etree.fromstring(write_odm_xml(root)))
        root.attributes = {key: value for key, value in root.attributes.items() if not key.startswith("xmlns")}
        assert plain(parsed) == plain(root)


def test_codelists_are_those_published(shared: Path) -> None:
    """The shipped codelists have every term that is published, with its code, and whether they may be extended."""
    path = shared / "terminology" / "registry_codelists.tsv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["codelist"] in codelists()]
    published = {(row["codelist"], row["term"]): row for row in rows}
    shipped = [
        (codelist, code, value) for codelist in codelists().values() for code, value in codelist.values.items()
    ]
    assert len(shipped) == len(published) > 300
    for codelist, code, value in shipped:
        row = published[codelist.code, code]
        assert value == row["submission_value"]
        assert (codelist.extensible, codelist.effective) == (row["extensible"] == "true", row["effective_date"])


def test_description_in_one_language_is_fine() -> None:
    """A text without a language, and one with, are two translations."""
    assert validate_odm_xml(v2(f"<Protocol>{TEXT2}</Protocol>")) == []
