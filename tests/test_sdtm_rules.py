"""The checks of datasets: each rule lets a right dataset pass and finds what is planted against it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest

import trialconv
from sdtm_made_up import valid_ti, valid_ts
from trialconv.validators.sdtm_rules import NULL_FLAVORS, RULES, SIMPLIFIED_RULES
from trialconv.xport import encode_xport

Dataset = dict[str, Any]
Break = Callable[[Dataset], object]

#: The columns of the made-up TS and TI.
GRP, CODE, TERM, VALUE, MORE, FLAVOR, VALUE_CODE, REFERENCE, VERSION = range(3, 12)
SHORT, TEXT, CATEGORY = 2, 3, 4


def put(row: int, column: int, value: Any) -> Break:
    """Return a change of one cell."""
    return lambda dataset: dataset["rows"][row].__setitem__(column, value)


def without(variable: str) -> Break:
    """Return a change that takes a variable away."""

    def change(dataset: Dataset) -> None:
        names = [column["name"] for column in dataset["columns"]]
        position = names.index(variable)
        del dataset["columns"][position]
        for row in dataset["rows"]:
            del row[position]

    return change


def label(text: str) -> Break:
    """Return a change of the first label."""
    return lambda dataset: dataset["columns"][0].update(label=text)


TS_DEFECTS: list[tuple[str, str, Break]] = [
    ("CORE-000147", "error", put(0, CODE, "AGEMAXIMUM")),
    ("CORE-000148", "error", put(0, TERM, "Planned Maximum Age of Subjects in the Study")),
    ("CORE-000149", "error", put(3, FLAVOR, None)),
    ("CORE-000150", "error", put(0, FLAVOR, "PINF")),
    ("CORE-000582", "error", put(3, MORE, "more")),
    ("CORE-000153", "error", put(1, REFERENCE, None)),
    ("CORE-000294", "error", put(0, VALUE, "64 Years")),
    ("CORE-000505", "error", put(2, VALUE, "May 2024")),
    ("CORE-000505", "error", put(2, VALUE, "2024-13")),
    ("SDTMIG-7.4.2.1", "error", put(3, FLAVOR, "NONE")),
    ("SDTMIG-7.4.2", "error", put(0, 1, "TI")),
    ("CORE-000356", "error", put(0, 0, "")),
    ("CORE-000787", "warning", put(0, VALUE, "Unknown")),
    ("TRC1734", "warning", put(2, CODE, "DCUTDTC")),
    ("CORE-000867", "error", put(1, TERM, " Trial is Randomized")),
    ("CORE-000890", "error", put(0, GRP, ".")),
    ("SDTMIG-4.5.3", "error", put(0, GRP, "x" * 201)),
    ("SDTMIG-4.5.3", "error", put(0, GRP, "\u00e4" * 101)),
    ("CORE-000355", "error", without("TSPARM")),
    ("CORE-000334", "warning", without("TSVCDVER")),
    ("CORE-000594", "warning", label("study identifier")),
    ("SDTMIG-2.6", "error", label("The Identifier by Which Everybody Knows the Study")),
    ("CORE-000182", "error", lambda dataset: dataset["columns"][7].update(name="TSVALUE12")),
    (
        "CORE-000852",
        "warning",
        lambda dataset: dataset["columns"].reverse() or [r.reverse() for r in dataset["rows"]],
    ),
]
TS_MORE: list[tuple[str, list[Any]]] = [
    (
        "CORE-000152",
        [2, None, "RANDOM", "Trial is Randomized", "N", None, None, "C49488", "CDISC CT", "2026-03-27"],
    ),
    ("CORE-000154", [1, None, "TTYPE", "Trial Type", "SAFETY", None, None, None, None, None]),
    ("CORE-000179", [2, None, "TTYPE", "Type of Trial", "SAFETY", None, None, None, None, None]),
    ("SDTMIG-4.4.3", [1, None, "AGEMIN", "Planned Minimum Age of Subjects", "18", None, None, None, None, None]),
    ("SDTMIG-4.4.1", [1, None, "SENDTC", "Study End Date", "2024-1-1", None, None, None, None, None]),
]
TI_DEFECTS: list[tuple[str, str, Break]] = [
    ("CORE-000541", "error", put(0, SHORT, "EXCL00001")),
    ("CORE-000541", "error", put(0, SHORT, "1EXCL")),
    ("CORE-000146", "error", put(0, SHORT, "INCL001")),
    ("CORE-000743", "error", put(0, TEXT, "Made-up cough")),
    ("SDTMIG-7.4.1-IECAT", "error", put(0, CATEGORY, "Exclusion")),
    ("SDTMIG-7.4.1", "error", put(0, 1, "TS")),
    ("CORE-000356", "error", put(0, TEXT, None)),
    ("CORE-000579", "warning", lambda dataset: dataset.update(rows=[], records=0)),
]


def found(dataset: Dataset) -> set[tuple[str, str]]:
    """Return rule and severity of each finding."""
    return {(each.rule, each.severity) for each in trialconv.validate(dataset)}


@pytest.mark.parametrize("dataset", [valid_ts(), valid_ti()], ids=["TS", "TI"])
def test_right_datasets_pass(dataset: Dataset) -> None:
    """A dataset that keeps all rules has no finding, as a dict, as Dataset-JSON and as a transport file."""
    assert trialconv.validate(dataset) == []
    assert trialconv.validate(orjson.dumps(dataset)) == []
    assert trialconv.validate(encode_xport(dataset, "2026-01-02T03:04:05Z")) == []


@pytest.mark.parametrize(("rule", "severity", "change"), TS_DEFECTS, ids=[each[0] for each in TS_DEFECTS])
def test_broken_rule_of_ts_is_found(rule: str, severity: str, change: Break) -> None:
    """Each planted defect of TS is found under its rule."""
    dataset = valid_ts()
    change(dataset)
    assert (rule, severity) in found(dataset)


@pytest.mark.parametrize(("rule", "row"), TS_MORE, ids=[each[0] for each in TS_MORE])
def test_row_that_breaks_a_rule_of_ts_is_found(rule: str, row: list[Any]) -> None:
    """A row that does not go with the others, or has a wrong value, is found and named."""
    dataset = valid_ts(row)
    (finding,) = [each for each in trialconv.validate(dataset) if each.rule == rule]
    assert finding.target_path == f"TS row 5 ({row[2]}.{row[0]})"


@pytest.mark.parametrize(("rule", "severity", "change"), TI_DEFECTS, ids=[each[0] for each in TI_DEFECTS])
def test_broken_rule_of_ti_is_found(rule: str, severity: str, change: Break) -> None:
    """Each planted defect of TI is found under its rule."""
    dataset = valid_ti()
    change(dataset)
    assert (rule, severity) in found(dataset)


def test_every_rule_has_a_defect() -> None:
    """No rule is without a dataset that breaks it."""
    planted = {rule for rule, *_ in (*TS_DEFECTS, *TS_MORE, *TI_DEFECTS)}
    rules = {rule.id for rules in (*RULES.values(), SIMPLIFIED_RULES) for rule in rules}
    assert rules <= planted


@pytest.mark.parametrize("value", ["P18Y", "P6M", "P3W", "P28D", "PT18M", "PT36H", "P1Y6M"])
def test_durations_are_durations(value: str) -> None:
    """The forms of ISO 8601 durations pass."""
    dataset = valid_ts()
    dataset["rows"][0][VALUE] = value
    assert trialconv.validate(dataset) == []


@pytest.mark.parametrize("value", ["P", "PT", "18Y", "P18", "P1.5Y", "PT5D"])
def test_what_is_no_duration_is_found(value: str) -> None:
    """Texts that only look like durations do not pass."""
    dataset = valid_ts()
    dataset["rows"][0][VALUE] = value
    assert ("CORE-000294", "error") in found(dataset)


@pytest.mark.parametrize("flavor", sorted(NULL_FLAVORS))
def test_null_flavors_pass(flavor: str) -> None:
    """Each null flavor of ISO 21090 may stand where there is no value."""
    dataset = valid_ts()
    dataset["rows"][3][FLAVOR] = flavor
    assert trialconv.validate(dataset) == []


def simplified(*rows: list[Any]) -> Dataset:
    """Return the TS of a study without data."""
    dataset = valid_ts()
    for variable in ("DOMAIN", "TSSEQ", "TSGRPID", "TSPARM", "TSVAL1", "TSVALCD", "TSVCDREF", "TSVCDVER"):
        without(variable)(dataset)
    return {**dataset, "rows": list(rows), "records": len(rows)}


def test_simplified_ts_has_rules_of_its_own() -> None:
    """FDA's simplified TS needs four variables and the start date, and the date must be one."""
    assert found(simplified(["MADE-UP", "SSTDTC", "2024-05-06", None])) == set()
    assert found(simplified(["MADE-UP", "SSTDTC", None, "NA"])) == set()
    assert ("TRC1734", "error") in found(simplified(["MADE-UP", "TITLE", "Made up", None]))
    assert ("CORE-000505", "error") in found(simplified(["MADE-UP", "SSTDTC", "soon", None]))


def test_other_datasets_have_no_rules() -> None:
    """The structure of any dataset is checked, the contents of TS and TI only."""
    dataset = {**valid_ts(), "name": "DM", "label": "Demographics"}
    dataset["rows"][0][FLAVOR] = "NONE"
    assert trialconv.validate(dataset) == []


# the structure of Dataset-JSON

STRUCTURE: list[tuple[str, Break]] = [
    ("required", lambda d: d.pop("label")),
    ("required", lambda d: d["columns"][1].pop("name")),
    ("unknown", lambda d: d.update(owner="Made up")),
    ("unknown", lambda d: d["columns"][0].update(format="8.")),
    ("type", lambda d: d.update(records="4")),
    ("type", lambda d: d.update(columns={})),
    ("type", lambda d: d["columns"].__setitem__(0, "STUDYID")),
    ("type", lambda d: d.update(sourceSystem="Made up")),
    ("version", lambda d: d.update(datasetJSONVersion="1.0")),
    ("instant", lambda d: d.update(datasetJSONCreationDateTime="2026-01-02")),
    ("enumeration", lambda d: d["columns"][0].update(dataType="text")),
    ("enumeration", lambda d: d["columns"][0].update(targetDataType="date")),
    ("minimum", lambda d: d["columns"][0].update(length=0)),
]
BEYOND_THE_SCHEMA: list[tuple[str, Break]] = [
    ("count", lambda d: d.update(records=7)),
    ("row-length", lambda d: d["rows"][0].pop()),
    ("type", put(0, 2, "1")),
    ("type", put(0, 2, True)),
    ("type", put(0, VALUE, 64)),
    ("unique", lambda d: d["columns"][1].update(name="STUDYID")),
    ("row-length", lambda d: d["rows"].__setitem__(0, "MADE-UP")),
]


@pytest.mark.parametrize(("rule", "change"), STRUCTURE + BEYOND_THE_SCHEMA)
def test_broken_structure_is_found(rule: str, change: Break) -> None:
    """Each planted defect of the structure is found under its rule, at its place."""
    dataset = valid_ts()
    change(dataset)
    findings = trialconv.validate(dataset)
    assert f"dataset-json:{rule}" in {each.rule for each in findings}
    assert all(each.target_path for each in findings)


def test_many_errors_are_counted() -> None:
    """Of many errors the first are listed and the others counted."""
    dataset = valid_ts()
    dataset["rows"] = [[1] for _ in range(500)]
    dataset["records"] = 500
    findings = trialconv.validate(dataset)
    assert len(findings) == 101
    assert "400 more" in findings[-1].message


def test_structure_agrees_with_the_official_schema(shared: Path) -> None:
    """What our check finds the official schema finds, but for what a schema cannot say."""
    path = shared / "schemas" / "dataset-json-1.1-official" / "dataset.schema.json"
    official = jsonschema_rs.validator_for(orjson.loads(path.read_bytes()))
    assert official.is_valid(valid_ts())
    for rule, change in STRUCTURE:
        dataset = copy.deepcopy(valid_ts())
        change(dataset)
        assert not official.is_valid(dataset), rule
