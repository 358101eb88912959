"""Inputs that cannot be read: one clear message each, no traceback, no half file, and the others go on."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from command_runner import run
from made_up import encoded, study

GOOD = encoded(study("NCT99999902"))
TEXT = encoded(study("NCT99999901", descriptionModule={"briefSummary": "Café à Montréal"}))
XML = b"<clinical_study><id_info><nct_id>NCT99999901</nct_id></id_info>%s</clinical_study>"
LAUGHS = b"<!DOCTYPE lolz [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (number, b"&a%d;" % (number - 1) * 10 if number > 1 else b"&a;" * 10)
    for number in range(1, 12)
)


def zipped(**entries: bytes) -> bytes:
    """Return a ZIP of one entry per name."""
    return zipped_as(*entries.items())


def zipped_as(*entries: tuple[str, bytes]) -> bytes:
    """Return a ZIP of entries with names that are no identifiers."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return made.getvalue()


def nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    """Return a value inside many brackets."""
    return opening * depth + b"1" + closing * depth


#: What is wrong: the bytes, the code of the message, and words that it has to have.
BAD = {
    "truncated JSON": (TEXT[:-20], "malformed-source", ["line 1, column", "ends too early"]),
    "truncated pretty JSON": (
        json.dumps(study(), indent=1).encode()[:-30],
        "malformed-source",
        ["ends too early"],
    ),
    "UTF-16": (TEXT.decode().encode("utf-16"), "unrecognised-format", ["UTF-16", "expected"]),
    "Latin-1": (TEXT.decode().encode("latin-1"), "malformed-source", ["line 1, column", "UTF-8"]),
    "HTML error page": (b"<!doctype html>\n<html><body>502</body></html>", "unrecognised-format", ["HTML page"]),
    "empty file": (b"", "unrecognised-format", ["empty", "expected"]),
    "another JSON object": (b'{"name": "package", "version": "1.0"}', "not-a-study", ["protocolSection", "name"]),
    "list of numbers": (b"[1, 2, 3]", "not-a-study", ["expected an object", "1, 2, 3"]),
    "JSON string": (b'"a text"', "unrecognised-format", ["expected"]),
    "JSON number": (b"12", "unrecognised-format", ["expected"]),
    "deep lists": (nested(100_000, b"[", b"]"), "malformed-source", ["nested too deeply"]),
    "deep objects": (nested(100_000, b'{"a":', b"}"), "malformed-source", ["nested too deeply"]),
    "deep unknown field": (
        b'{"protocolSection": {"novel": %s}}' % nested(100_000, b'[{"a":', b"}]"),
        "malformed-source",
        ["nested too deeply"],
    ),
    "no NCT number": (b'{"protocolSection": {"statusModule": {}}}', "not-a-study", ["no NCT number", "nctId"]),
    "no module": (b'{"protocolSection": {}}', "not-a-study", ["no NCT number", "nctId"]),
    "API v1 JSON": (b'{"FullStudy": {"Study": {}}}', "unsupported-format", ["not supported yet", "API v2"]),
    "CSV": (b"NCT Number,Study Title\nNCT99999901,A\n", "unsupported-format", ["not supported yet", "JSON"]),
    "other XML": (b"<?xml version='1.0'?><feed/>", "unrecognised-format", ["<feed>", "expected"]),
    "truncated XML": (XML[:60], "malformed-source", []),
    "XML with DOCTYPE": (b"<!DOCTYPE clinical_study>" + XML % b"", "malformed-source", ["DOCTYPE"]),
    "external entity": (
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + XML % b"<brief_title>&e;</brief_title>",
        "malformed-source",
        ["DOCTYPE"],
    ),
    "billion laughs": (
        LAUGHS + b"]>" + XML % b"<brief_title>&a11;</brief_title>",
        "malformed-source",
        ["DOCTYPE"],
    ),
    "path out of the archive": (
        zipped_as(("../../NCT99999901.json", TEXT)),
        "unsafe-archive-entry",
        ["!../../NCT"],
    ),
    "absolute path in an archive": (
        zipped_as(("/etc/NCT99999901.json", TEXT)),
        "unsafe-archive-entry",
        ["!/etc/"],
    ),
    "backslashes in an archive": (
        zipped_as(("..\\..\\NCT99999901.json", TEXT)),
        "unsafe-archive-entry",
        ["outside the archive"],
    ),
    "drive in an archive": (zipped_as(("C:\\NCT99999901.json", TEXT)), "unsafe-archive-entry", ["outside"]),
    "ZIP without records": (zipped_as(("readme.md", b"x")), "empty-source", ["no record among its 1 entries"]),
    "empty ZIP": (zipped(), "empty-source", ["no record among its 0 entries"]),
    "ZIP without its end": (zipped_as(("a.json", TEXT))[:-40], "unreadable-source", ["cannot be read"]),
    "ZIP with a broken directory": (
        zipped_as(("a.json", TEXT)).replace(b"PK\x01\x02", b"PK\x01\x03"),
        "unreadable-source",
        ["cannot be read"],
    ),
    "truncated gzip": (gzip.compress(TEXT)[:-12], "unreadable-source", ["cannot be read"]),
    "damaged gzip": (gzip.compress(TEXT * 9)[:40] + b"\x00" * 60, "unreadable-source", ["cannot be read"]),
    "gzip of nothing": (gzip.compress(b""), "unrecognised-format", ["empty"]),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "unrecognised-format", ["binary"]),
}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Return a file with a study that can be converted."""
    path = tmp_path / "good.json"
    path.write_bytes(GOOD)
    return path


@pytest.mark.parametrize(("data", "code", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_message(tmp_path: Path, good: Path, data: bytes, code: str, words: list[str]) -> None:
    """A bad input gives one message that names it, exit code 4 and no file; the good one is converted."""
    bad = tmp_path / "bad.input"
    bad.write_bytes(data)
    out = tmp_path / "out"
    ran = run("to-fhir", bad, good, "--out", out)
    assert ran.code == 4
    (line,) = [line for line in ran.err.splitlines() if str(bad) in line]
    assert line.startswith(("error: ", "warning: "))
    assert line.endswith(f"({code})")
    assert [word for word in words if word not in line] == []
    assert len(line) < 600
    assert "1 failed, 1 converted" in ran.err
    assert [path.name for path in out.iterdir()] == ["NCT99999902.json"]


@pytest.mark.parametrize(("data", "code", "words"), BAD.values(), ids=BAD)
def test_bad_input_from_standard_input(data: bytes, code: str, words: list[str]) -> None:
    """The same on standard input, which the message calls by that name; nothing goes to standard output."""
    ran = run("to-odm", "-", stdin=data)
    assert (ran.code, ran.out) == (4, b"")
    (line,) = [line for line in ran.err.splitlines() if "<stdin>" in line]
    assert line.endswith(f"({code})")


@pytest.mark.parametrize(("data", "code", "words"), BAD.values(), ids=BAD)
def test_bad_input_in_an_archive(tmp_path: Path, data: bytes, code: str, words: list[str]) -> None:
    """A bad file in an archive is named with the archive, and the other files of the archive are converted."""
    path = tmp_path / "all.zip"
    path.write_bytes(zipped_as(("bad.json", data), ("good.json", GOOD)))
    ran = run("to-fhir", path)
    assert ran.code == 4
    assert ran.document["entry"][0]["resource"]["id"] == "NCT99999902"
    (line,) = [line for line in ran.err.splitlines() if f"{path}!bad.json" in line]
    assert line.endswith(f"({code})")


def missing(folder: Path) -> Path:
    """Return the path of a file that is not there."""
    return folder / "no-such-file.json"


def empty_folder(folder: Path) -> Path:
    """Return a folder without anything that looks like a record."""
    made = folder / "nothing"
    made.mkdir()
    (made / "README.md").write_text("nothing here")
    return made


def below_a_file(folder: Path) -> Path:
    """Return a path that goes through a file as if it were a folder."""
    (folder / "file").write_text("x")
    return folder / "file" / "a.json"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (missing, "unreadable-source"),
        (empty_folder, "empty-source"),
        (below_a_file, "unreadable-source"),
    ],
)
def test_input_that_cannot_be_opened(tmp_path: Path, good: Path, make: Callable[[Path], Path], code: str) -> None:
    """An input that is not there, not readable or without records is one message; the good one is converted."""
    bad = make(tmp_path)
    ran = run("to-fhir", bad, good)
    assert ran.code == 4
    assert ran.document["entry"][0]["resource"]["id"] == "NCT99999902"
    (line,) = [line for line in ran.err.splitlines() if str(bad) in line]
    assert line.endswith(f"({code})")


class Failing(io.BytesIO):
    """A stream that ends with an error of the system."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raise where there are none."""
        data = super().read(size)
        if not data:
            raise OSError(5, "Input/output error")
        return data


def test_reading_that_fails_in_the_middle(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An input that breaks off with an error of the system is one message; what came before it is converted."""
    real = Path.open
    stream = Failing(b"[" + b",".join([TEXT] * 3000))

    def opened(path: Path, mode: str = "r") -> object:
        return stream if path.name == "failing.json" else real(path, mode)

    monkeypatch.setattr(Path, "open", opened)
    ran = run("to-fhir", tmp_path / "failing.json", good)
    assert ran.code == 4
    assert len(ran.documents) > 1000
    assert ran.documents[-1]["entry"][0]["resource"]["id"] == "NCT99999902"
    assert len(ran.errors) == 1
    assert "Input/output error" in ran.errors[0]


def test_file_that_may_not_be_read(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the permission to read it is one message; the good one is converted."""
    real = Path.open

    def opened(path: Path, mode: str = "r") -> object:
        if path.name == "secret.json":
            raise PermissionError(13, "Permission denied")
        return real(path, mode)

    monkeypatch.setattr(Path, "open", opened)
    ran = run("to-fhir", tmp_path / "secret.json", good)
    assert (ran.code, len(ran.documents)) == (4, 1)
    assert ran.errors == [f"error: {tmp_path / 'secret.json'}: Permission denied (unreadable-source)"]


@pytest.mark.parametrize(
    "data",
    [
        encoded(study("NCT99999901", descriptionModule={"briefSummary": "x" * 5000})),
        XML % (b"<brief_title>%s</brief_title>" % (b"x" * 5000)),
        b"A Made-up Study\n\nNCT ID: NCT99999901\n" + b"x" * 5000,
        gzip.compress(encoded(study("NCT99999901", descriptionModule={"briefSummary": "x" * 5000}))),
    ],
    ids=["json", "xml", "page", "gzip"],
)
def test_record_beyond_the_limit(tmp_path: Path, good: Path, data: bytes) -> None:
    """A single record beyond --max-record-size is refused in every format; the good one is converted."""
    bad = tmp_path / "large"
    bad.write_bytes(data)
    ran = run("to-fhir", bad, good, "--max-record-size", "2K")
    assert ran.code == 4
    (line,) = ran.errors
    assert str(bad) in line
    assert "larger than the limit of 2048 bytes" in line
    assert ran.document["entry"][0]["resource"]["id"] == "NCT99999902"


def test_entry_with_a_wrong_checksum(tmp_path: Path) -> None:
    """A damaged entry of an archive is refused with its name, and the other entries are converted."""
    data = bytearray(zipped_as(("a.json", b"[" + TEXT + b"]"), ("b.json", GOOD)))
    data[60] ^= 0xFF
    path = tmp_path / "damaged.zip"
    path.write_bytes(data)
    ran = run("to-fhir", path)
    assert ran.code == 4
    (line,) = ran.errors
    assert f"{path}!a.json" in line
    assert ran.document["entry"][0]["resource"]["id"] == "NCT99999902"


def test_bad_study_in_the_middle_of_a_list(tmp_path: Path) -> None:
    """One bad study among good ones is one message with its place, and the good ones are converted."""
    path = tmp_path / "list.json"
    path.write_bytes(b"[%s,{},%s]" % (TEXT, GOOD))
    ran = run("to-fhir", path)
    assert (ran.code, len(ran.documents)) == (4, 2)
    (line,) = ran.errors
    assert "study 2" in line
