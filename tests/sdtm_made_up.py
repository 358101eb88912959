"""Made-up studies as SDTM datasets, for the tests of the mapping, the rules and the files."""

from __future__ import annotations

from typing import Any

from made_up import Tree, record, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import Converted, transform

Record = dict[str, Any]


def converted(tree: Tree, **options: Any) -> Converted:
    """Return what becomes of a study."""
    return transform(record(tree), TARGETS["sdtm"], Options(**options))


def records(made: Converted, file: str) -> list[Record]:
    """Return the records of a dataset."""
    dataset = made.document[file]
    names = [column["name"] for column in dataset["columns"]]
    return [dict(zip(names, row, strict=True)) for row in dataset["rows"]]


def parameter(made: Converted, name: str, file: str = "ts.json") -> list[Record]:
    """Return the records of a trial summary parameter."""
    return [each for each in records(made, file) if each["TSPARMCD"] == name]


def values(made: Converted, name: str) -> list[tuple[Any, Any]]:
    """Return value and null flavor of each record of a parameter."""
    return [(each["TSVAL"], each["TSVALNF"]) for each in parameter(made, name)]


def criteria_study(*items: str, kind: str = "Inclusion") -> Tree:
    """Return a study with these criteria."""
    text = "".join(f"* {item}\n" for item in items)
    return study(eligibilityModule={"eligibilityCriteria": f"{kind} Criteria:\n\n{text}"})


def valid_ts(*more: list[Any]) -> dict[str, Any]:
    """Return a valid TS, with more rows (from TSSEQ on) if any."""
    rows: list[list[Any]] = [
        [1, None, "AGEMAX", "Planned Maximum Age of Subjects", "P64Y", None, None, None, "ISO 8601", None],
        [1, None, "RANDOM", "Trial is Randomized", "Y", None, None, "C49488", "CDISC CT", "2026-03-27"],
        [1, None, "SSTDTC", "Study Start Date", "2024-05", None, None, None, "ISO 8601", None],
        [1, None, "TTYPE", "Trial Type", None, None, "NI", None, None, None],
    ]
    names = {
        "STUDYID": "Study Identifier",
        "DOMAIN": "Domain Abbreviation",
        "TSSEQ": "Sequence Number",
        "TSGRPID": "Group ID",
        "TSPARMCD": "Trial Summary Parameter Short Name",
        "TSPARM": "Trial Summary Parameter",
        "TSVAL": "Parameter Value",
        "TSVAL1": "Parameter Value 1",
        "TSVALNF": "Parameter Value Null Flavor",
        "TSVALCD": "Parameter Value Code",
        "TSVCDREF": "Name of the Reference Terminology",
        "TSVCDVER": "Version of the Reference Terminology",
    }
    return _dataset("TS", "Trial Summary", names, [["MADE-UP", "TS", *row] for row in (*rows, *more)])


def valid_ti(*more: list[Any]) -> dict[str, Any]:
    """Return a valid TI, with more rows (from IETESTCD on) if any."""
    names = {
        "STUDYID": "Study Identifier",
        "DOMAIN": "Domain Abbreviation",
        "IETESTCD": "Incl/Excl Criterion Short Name",
        "IETEST": "Inclusion/Exclusion Criterion",
        "IECAT": "Inclusion/Exclusion Category",
    }
    rows = [["EXCL001", "Made-up fever", "EXCLUSION"], ["INCL001", "Made-up cough", "INCLUSION"]]
    rows_ = [["MADE-UP", "TI", *row] for row in (*rows, *more)]
    return _dataset("TI", "Trial Inclusion/Exclusion Criteria", names, rows_)


def _dataset(name: str, label: str, labels: dict[str, str], rows: list[list[Any]]) -> dict[str, Any]:
    return {
        "datasetJSONCreationDateTime": "2026-01-02T03:04:05Z",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{name}",
        "records": len(rows),
        "name": name,
        "label": label,
        "columns": [
            {
                "itemOID": f"IT.{name}.{variable}",
                "name": variable,
                "label": text,
                "dataType": "integer" if variable == "TSSEQ" else "string",
                "length": 200,
            }
            for variable, text in labels.items()
        ],
        "rows": rows,
    }
