"""The files of trial design datasets: against the official schemas, and read by other people's programs."""

from __future__ import annotations

import json
import struct
import warnings
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import trialconv
from made_up import NCT, full_study, study
from sdtm_made_up import converted, criteria_study, records, valid_ts
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv.xport import decode_xport, encode_xport

CREATED = "2025-01-21T04:05:06Z"
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
DEF = "{http://www.cdisc.org/ns/def/v2.1}"


def table(columns: dict[str, int], rows: list[list[Any]]) -> dict[str, Any]:
    """Return a small dataset of text columns with these widths; a width of 0 makes a number."""
    made = [
        {
            "name": name,
            "label": f"Label of {name}",
            "dataType": "string" if size else "integer",
            "length": size or 8,
        }
        for name, size in columns.items()
    ]
    return {"name": "TS", "label": "Made up", "columns": made, "rows": rows, "records": len(rows)}


def test_both_formats_have_the_same_columns_and_rows() -> None:
    """The two formats of a dataset differ in the spelling of texts and in nothing else."""
    made = converted(full_study(), sdtm_format="both")
    for name in ("ts", "ti"):
        if f"{name}.json" not in made.document:
            continue
        exact, spelled = made.document[f"{name}.json"], made.document[f"{name}.xpt"]
        assert exact["columns"] == spelled["columns"]
        assert [len(row) for row in exact["rows"]] == [len(row) for row in spelled["rows"]]
        assert decode_xport(made.files[f"{name}.xpt"])["rows"] == spelled["rows"]


def test_pandas_and_pyreadstat_read_the_transport_file(tmp_path: Path) -> None:
    """Two other readers find the same names, labels, widths and values, and the instant that was asked for."""
    import pandas as pd
    import pyreadstat

    made = converted(full_study(), sdtm_format="xport", created=CREATED)
    path = tmp_path / "ts.xpt"
    path.write_bytes(made.files["ts.xpt"])
    expected = made.document["ts.xpt"]
    rows = [["" if cell is None else cell for cell in row] for row in expected["rows"]]
    frame, meta = pyreadstat.read_xport(str(path))
    assert frame.values.tolist() == rows
    assert meta.column_labels == [column["label"] for column in expected["columns"]]
    assert (meta.table_name, meta.file_label) == ("TS", "Trial Summary")
    assert meta.creation_time.isoformat() == CREATED.removesuffix("Z")
    widths = {column["name"]: column.get("length", 8) for column in expected["columns"]}
    assert meta.variable_storage_width == widths
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pd.read_sas(path, format="xport", encoding="ascii")
    assert other.fillna("").values.tolist() == rows


def test_transport_file_consists_of_records() -> None:
    """Each part begins on a new record of 80 bytes, and the dates are those of the clock, not of the day."""
    data = encode_xport(table({"A": 3, "N": 0}, [["x", 1]]), CREATED)
    assert len(data) % 80 == 0
    assert data[:48] == b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
    assert data.count(b"21JAN25:04:05:06") == 4
    assert data == encode_xport(table({"A": 3, "N": 0}, [["x", 1]]), "2025-01-21T05:05:06+01:00")


@given(st.lists(st.tuples(st.integers(-(2**53), 2**53) | st.none(), st.text("abc ", max_size=9)), max_size=9))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_again(rows: list[tuple[int | None, str]]) -> None:
    """Numbers and texts come back as they were, but for blanks at the end."""
    given_rows = [["x", number, text] for number, text in rows]
    data = encode_xport(table({"KEY": 1, "NUMBER": 0, "TEXT": 9}, given_rows), CREATED)
    assert decode_xport(data)["rows"] == [["x", number, text.rstrip() or None] for number, text in rows]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (table({"A": 3}, [["four"]]), "more than 3 bytes"),
        (table({"A": 3}, [["\u00e4"]]), "not ASCII"),
        (table({"A": 201}, []), "at most 200"),
        (table({"TOOLONGNAME": 3}, []), "more than 8 bytes"),
        (table({"N": 0}, [[2**60]]), "more digits"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(dataset: dict[str, Any], message: str) -> None:
    """Nothing is cut off silently: the writer refuses what does not fit."""
    with pytest.raises(ValueError, match=message):
        encode_xport(dataset, CREATED)


def broken_files() -> list[bytes]:
    """Return transport files that are not whole, or are none."""
    data = encode_xport(valid_ts(), CREATED)
    wrong_kind = bytearray(data)
    struct.pack_into(">h", wrong_kind, 8 * 80, 7)
    return [
        data[:80],
        data[:79],
        data[: 5 * 80],
        data[: 8 * 80],
        data[: 10 * 80],
        data.replace(b"NAMESTR ", b"NAMESTR8"),
        bytes(wrong_kind),
        b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!" + b" " * 32,
    ]


@pytest.mark.parametrize("data", broken_files(), ids=range(8))
def test_broken_transport_files_are_named(data: bytes) -> None:
    """A file that is no transport file, or only the beginning of one, is refused with a reason."""
    (found,) = trialconv.validate(data)
    assert found.code == "invalid-document"


def test_bytes_beyond_ascii_are_found() -> None:
    """A transport file with another character set is valid for a reader and breaks the rule."""
    data = encode_xport(valid_ts(), CREATED).replace(b"Trial Type", b"Tri\xe4l Type")
    assert {found.rule for found in trialconv.validate(data)} == {"XPORT"}


def test_dataset_json_is_valid_by_the_official_schema(
    shared: Path, smoke_studies: list[tuple[str, bytes]]
) -> None:
    """The official schema accepts TS and TI of every real study of the small set."""
    path = shared / "schemas" / "dataset-json-1.1-official" / "dataset.schema.json"
    official = jsonschema_rs.validator_for(orjson.loads(path.read_bytes()))
    seen = 0
    for name, data in smoke_studies:
        made = transform(read_study(data, SourceInfo(name)), TARGETS["sdtm"], Options())
        for file, content in made.files.items():
            if file.endswith(".json"):
                official.validate(orjson.loads(content))
                seen += 1
    assert seen > len(smoke_studies)


def test_real_studies_give_the_same_bytes_in_both_formats(smoke_studies: list[tuple[str, bytes]]) -> None:
    """Every file of a real study is valid, and the same on a second run."""
    for name, data in smoke_studies:
        options = Options(sdtm_format="both")
        first, second = (transform(read_study(data, SourceInfo(name)), TARGETS["sdtm"], options) for _ in range(2))
        assert first.files == second.files, name
        assert [found for found in first.findings if found.severity == "error"] == [], name
        for file, content in first.files.items():
            assert trialconv.validate(content) == [], (name, file)


# Define-XML


def define(made: Any) -> etree._Element:
    """Return the Define-XML of a conversion."""
    return etree.fromstring(made.files["define.xml"])


def test_define_xml_describes_every_column() -> None:
    """Variables, order, keys, labels and lengths of the Define-XML are those of the datasets."""
    made = converted(criteria_study("Made-up cough " * 30))
    root = define(made)
    items = {item.get("OID"): item for item in root.iter(ODM + "ItemDef")}
    for file in ("ts.json", "ti.json"):
        dataset = made.document[file]
        (group,) = (each for each in root.iter(ODM + "ItemGroupDef") if each.get("Name") == dataset["name"])
        refs = group.findall(ODM + "ItemRef")
        assert [ref.get("ItemOID") for ref in refs] == [column["itemOID"] for column in dataset["columns"]]
        assert group.get("OID") == dataset["itemGroupOID"]
        for number, (ref, column) in enumerate(zip(refs, dataset["columns"], strict=True), 1):
            item = items[column["itemOID"]]
            assert (ref.get("OrderNumber"), ref.get("KeySequence")) == (
                str(number),
                str(column["keySequence"]) if "keySequence" in column else None,
            )
            assert item.get("Name") == column["name"]
            assert item.findtext(f"{ODM}Description/{ODM}TranslatedText") == column["label"]
            assert item.get("Length") == str(column.get("length", 8))
        (leaf,) = group.findall(DEF + "leaf")
        assert leaf.get("{http://www.w3.org/1999/xlink}href") == file
        assert leaf.get("ID") == group.get(DEF + "ArchiveLocationID")


def test_define_xml_has_the_codelists_with_their_versions() -> None:
    """A coded parameter has a codelist with its terms, codes and the version of the terminology."""
    tree = study(designModule={"phases": ["PHASE2"], "studyType": "INTERVENTIONAL"})
    root = define(converted(tree))
    (phases,) = (each for each in root.iter(ODM + "CodeList") if each.get("OID") == "CL.TSVAL.TPHASE")
    (term,) = phases.findall(ODM + "EnumeratedItem")
    codes = [alias.get("Name") for alias in phases.iter(ODM + "Alias")]
    assert (term.get("CodedValue"), codes) == ("PHASE II TRIAL", ["C15601", "C66737"])
    standards = {each.get("OID"): each.get("Version") for each in root.iter(DEF + "Standard")}
    assert standards[phases.get(DEF + "StandardOID")] == "2026-03-27"
    (parameters,) = (each for each in root.iter(ODM + "CodeList") if each.get("OID") == "CL.TSPARMCD")
    assert standards[parameters.get(DEF + "StandardOID")] == "2025-03-28"
    decodes = {each.get("CodedValue"): each.findtext(".//" + ODM + "TranslatedText") for each in parameters}
    assert decodes["TPHASE"] == "Trial Phase Classification"


def test_define_xml_names_the_transport_files_where_they_are_written() -> None:
    """With transport files the Define-XML leads to them."""
    hrefs = "{http://www.w3.org/1999/xlink}href"
    for kind, file in (("dataset-json", "ts.json"), ("xport", "ts.xpt"), ("both", "ts.xpt")):
        made = converted(study(), sdtm_format=kind)
        assert [leaf.get(hrefs) for leaf in define(made).iter(DEF + "leaf")] == [file]
        assert file in made.files


def test_define_xml_says_where_values_come_from() -> None:
    """What the record says is of the record; codes and terms are assigned; numbers are derived by a method."""
    tree = criteria_study("Made-up cough")
    tree["protocolSection"]["eligibilityModule"] |= {"sex": "ALL", "minimumAge": "18 Years"}
    root = define(converted(tree))
    origins = {item.get("Name"): item.find(DEF + "Origin") for item in root.iter(ODM + "ItemDef")}
    kinds = {name: origin.get("Type") for name, origin in origins.items() if origin is not None}
    assert (kinds["TSVAL"], kinds["IETEST"], kinds["TSVALCD"], kinds["TSSEQ"]) == (
        "Predecessor",
        "Predecessor",
        "Assigned",
        "Derived",
    )
    assert (kinds["SEXPOP"], kinds["AGEMIN"]) == ("Assigned", "Predecessor")
    assert NCT in "".join(origins["TSVAL"].itertext())


def test_names_of_codelists_are_unique() -> None:
    """Two parameters with terms of one codelist have a codelist each, under a name of its own."""
    root = define(converted(full_study()))
    names = [each.get("Name") for each in root.iter(ODM + "CodeList")]
    assert len(names) == len(set(names))
    assert sum(name.startswith("No Yes Response") for name in names) > 1


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'ItemOID="IT.TS.TSPARM"', b'ItemOID="IT.TS.NOTHING"', "define-oid-ref"),
        (b'CodeListOID="CL.TSPARM"', b'CodeListOID="CL.NOTHING"', "define-oid-ref"),
        (b'MethodOID="MT.TSSEQ"', b'MethodOID="MT.NOTHING"', "define-oid-ref"),
        (b'def:ItemOID="IT.TS.TSPARMCD"', b'def:ItemOID="IT.NOTHING"', "define-oid-ref"),
        (b'CodeList OID="CL.TSPARM"', b'CodeList OID="CL.TSPARMCD"', "define-oid-unique"),
        (b' def:Context="Other"', b"", "xsd:"),
        (b'Type="Assigned"', b'Type="Guessed"', "xsd:"),
        (b'def:ArchiveLocationID="LF.TS"', b'Unknown="x"', "xsd:"),
    ],
)
def test_broken_define_xml_is_found(old: bytes, new: bytes, rule: str) -> None:
    """A dangling reference, an OID that stands twice and a breach of the schema are each found."""
    tree = study(designModule={"phases": ["PHASE2"], "studyType": "INTERVENTIONAL"})
    data = converted(tree).files["define.xml"]
    assert trialconv.validate(data) == []
    assert old in data
    findings = trialconv.validate(data.replace(old, new))
    assert any(found.rule.startswith(rule) for found in findings), findings


def test_odmlib_reads_the_define_xml(tmp_path: Path) -> None:
    """odmlib, an independent reader, loads the Define-XML and finds the variables of both datasets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from odmlib import define_loader, loader
    made = converted(criteria_study("Made-up cough"))
    path = tmp_path / "define.xml"
    path.write_bytes(made.files["define.xml"])
    reader = loader.ODMLoader(define_loader.XMLDefineLoader(model_package="define_2_1"))
    reader.open_odm_document(str(path))
    version = reader.MetaDataVersion()
    names = {group.Name: [ref.ItemOID for ref in group.ItemRef] for group in version.ItemGroupDef}
    assert names == {
        made.document[file]["name"]: [column["itemOID"] for column in made.document[file]["columns"]]
        for file in ("ts.json", "ti.json")
    }


def test_convert_gives_the_files_by_name() -> None:
    """From Python a study is a dict of files, each as bytes."""
    (record,) = [read_study(json.dumps(study()).encode(), SourceInfo("made up"))]
    files = trialconv.convert(record, "sdtm", Options(sdtm_format="both"))
    assert list(files) == ["ts.json", "ts.xpt", "define.xml"]
    assert trialconv.validate(files) == []
    files["ts.json"] = files["ts.json"].replace(b'"NI"', b'"XX"', 1)
    (found,) = trialconv.validate(files)
    assert found.target_path.startswith("ts.json: TS row ")
    assert records(converted(study()), "ts.json")
