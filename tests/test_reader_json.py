"""The JSON reader: every shape in which the registry gives studies, cut right and refused clearly."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_up import encoded, study
from trialconv import read
from trialconv.issues import Issue, SourceError
from trialconv.readers.ctgov_json import read_ctgov_json
from trialconv.readers.detect import detect
from trialconv.readers.json_list import list_elements
from trialconv.readers.sources import Document
from trialconv.record import Record, SourceInfo

ONE, TWO, THREE = (encoded(study(f"NCT9999990{number}")) for number in (1, 2, 3))
LIMIT = 1_000_000


def document(data: bytes, stream: BinaryIO | None = None) -> Document:
    """Return bytes as the document of an input that is called studies."""
    return Document(SourceInfo("studies"), stream or io.BytesIO(data), data[:65536])


def outcomes(data: bytes, limit: int = LIMIT) -> list[Record | SourceError]:
    """Return what the reader makes of some bytes."""
    found = document(data)
    assert detect(found) == "ctgov-json"
    return list(read_ctgov_json(found, limit))


def short(data: bytes, limit: int = LIMIT) -> list[str]:
    """Return the outcomes in short: the last digit of a record's number, or the code and place of a refusal."""
    return [
        f"{each.issue.code} at {each.issue.source_path}" if isinstance(each, SourceError) else each.nct_id[-1]
        for each in outcomes(data, limit)
    ]


def refusal(data: bytes, limit: int = LIMIT) -> Issue:
    """Return the only refusal, of an input that has no record."""
    (found,) = outcomes(data, limit)
    assert isinstance(found, SourceError)
    return found.issue


@pytest.mark.parametrize("indent", [None, 0, 1, 2, "\t"], ids=repr)
@pytest.mark.parametrize("ends", [b"", b"\n", b"\r\n", b"\n\n \n"], ids=repr)
def test_single_study(indent: int | str | None, ends: bytes) -> None:
    """One study is read, minified or pretty, with and without a last line end, and has no place."""
    text = json.dumps(study(), indent=indent).encode() + ends
    (found,) = outcomes(text)
    assert isinstance(found, Record)
    assert found.source == SourceInfo("studies", "", "ctgov-json")
    assert json.loads(found.to_json()) == study()


@pytest.mark.parametrize(
    "data",
    [
        b'{"studies":[%s,%s]}',
        b'{"studies": [\n%s,\n%s\n], "nextPageToken": "abc"}',
        b'{"totalCount": 2, "studies": [%s,%s], "nextPageToken": "abc"}',
        b'{"nextPageToken":"a [ \\" ] b","totalCount":2,"studies":[%s,%s]}',
        b'{ "totalCount" : 2 , "studies" : [ %s , %s ] }\n',
        b'\xef\xbb\xbf{"studies":[%s,%s],"totalCount":2}',
        b"[%s,%s]",
        b"\xef\xbb\xbf[\r\n%s\r\n,%s]\r\n",
        b"%s\n%s",
        b"%s\r\n%s\r\n",
        b"\xef\xbb\xbf%s\n\n  \n%s\n\n",
        b"\n\n%s\n%s",
    ],
)
def test_several_studies(data: bytes) -> None:
    """Pages with their keys in any order, lists and NDJSON are read, with any white space and a BOM."""
    assert short(data % (ONE, TWO)) == ["1", "2"]


def test_places_of_several_studies() -> None:
    """A record of a list knows its number, one of NDJSON its line, blank lines counted."""
    assert [str(each.source) for each in outcomes(b"[%s,%s]" % (ONE, TWO)) if isinstance(each, Record)] == [
        "studies (study 1)",
        "studies (study 2)",
    ]
    assert [str(each.source) for each in outcomes(b"%s\n\n%s" % (ONE, TWO)) if isinstance(each, Record)] == [
        "studies (line 1)",
        "studies (line 3)",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%s\n{bad}\n%s" % (ONE, THREE), ["1", "malformed-source at line 2, column 2", "3"]),
        (ONE[:50] + b"\n" + TWO + b"\n" + THREE, ["malformed-source at line 1, column 51", "2", "3"]),
        (
            b"%s\n%s\n%s" % (ONE, TWO, THREE[:-9]),
            ["1", "2", f"malformed-source at line 3, column {len(THREE) - 8}"],
        ),
        (b"%s\n[1]\n%s" % (ONE, THREE), ["1", "not-a-study at line 2", "3"]),
        (b'%s\n{"a":1}\n%s' % (ONE, THREE), ["1", "not-a-study at line 2", "3"]),
        (b"[%s,{},%s]" % (ONE, THREE), ["1", "not-a-study at study 2", "3"]),
        (b"[%s,{bad},%s]" % (ONE, THREE), ["1", "malformed-source at study 2, column 2", "3"]),
    ],
)
def test_one_bad_study_among_good(data: bytes, expected: list[str]) -> None:
    """A study that cannot be read is refused with its place, and those around it are read."""
    assert short(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[%s,%s" % (ONE, TWO), ["1", "2", "malformed-source at after study 2"]),
        (b"[%s,%s" % (ONE, TWO[:-5]), ["1", "malformed-source at after study 1"]),
        (b'{"studies":[%s], "nextPag' % ONE, ["1", "malformed-source at after study 1"]),
        (b'{"studies":[%s' % ONE[:-20], ["malformed-source at "]),
        (b'{"studies":[', ["malformed-source at "]),
        (b'{"totalCount": 3', ["not-a-study at "]),
        (b"[%s] %s" % (ONE, TWO), ["1", "malformed-source at after study 1"]),
        (b'{"studies":[%s]}{"studies":[%s]}' % (ONE, TWO), ["1", "malformed-source at after study 1"]),
        (b"[%s}" % ONE, ["1", "malformed-source at after study 1"]),
        (b"[%s, 5, %s]" % (ONE, TWO), ["1", "not-a-study at after study 1"]),
        (b'[%s, "x", %s]' % (ONE, TWO), ["1", "not-a-study at after study 1"]),
    ],
)
def test_broken_list(data: bytes, expected: list[str]) -> None:
    """A list that breaks off, or has something else in or behind it, is told behind the studies read so far."""
    assert short(data) == expected


@pytest.mark.parametrize(
    ("data", "code", "place", "words"),
    [
        (b"{}", "not-a-study", "", "no NCT number at protocolSection.identificationModule.nctId"),
        (b'{"protocolSection":{}}', "not-a-study", "", "no NCT number"),
        (encoded(study("NCT123")), "not-a-study", "", "'NCT123' instead of an NCT number"),
        (encoded(study("ISRCTN12345678")), "not-a-study", "", "instead of an NCT number"),
        (b'{"error": "not found", "code": 404}', "not-a-study", "", "found only error, code"),
        (b'{"title": "Bundle"}', "not-a-study", "", "expected a protocolSection"),
        (b"[]", "not-a-study", "", "empty"),
        (b'{"studies": []}', "not-a-study", "", "empty"),
        (b"[1, 2, 3]", "not-a-study", "", "expected an object for each study"),
        (b'["a"]', "not-a-study", "", "expected an object for each study"),
        (b"[[]]", "not-a-study", "study 1", "expected a JSON object"),
        (b'{"studies": 3}', "not-a-study", "", "expected a list of studies"),
        (ONE + b"x", "malformed-source", "line 1, column ", "trailing"),
        (ONE[:-1], "malformed-source", f"line 1, column {len(ONE)}", "ends too early"),
        (b'{\n "protocolSection": {\n  "a" 1', "malformed-source", "line 3, column 7", "expected ':'"),
        (b'{"protocolSection": {"a": "caf\xe9"}}', "malformed-source", "line 1, column 31", "not UTF-8"),
        (b'{\n"resultsSection":\n{"a": "caf\xe9"}}', "malformed-source", "line 3, column 11", "not UTF-8"),
        (b'{"a": NaN}', "malformed-source", "line 1, column 7", "invalid character"),
        (b'{"a": "b\nc"}', "malformed-source", "line 1, column 9", "invalid character"),
        (b'{"a": "\\ud800 alone"}', "malformed-source", "line 1, column ", "surrogate"),
    ],
)
def test_refusal_names_the_place_and_what_was_expected(data: bytes, code: str, place: str, words: str) -> None:
    """What holds no study gives one refusal, with the place to the column and what was found or expected."""
    found = refusal(data)
    assert (found.code, found.record) == (code, "studies")
    assert found.source_path.startswith(place)
    assert words in found.message


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'], ids=repr)
@pytest.mark.parametrize(
    "around",
    [
        b"%s",
        b'{"novelSection": %s}',
        b'{"resultsSection": %s}',
        b'{"protocolSection": {"statusModule": {"novel": %s}}}',
        b'{"protocolSection": {"conditionsModule": {"conditions": %s}}}',
        b'{"studies": [%s]}',
        b"[%s]",
        b'{"studies": [], "x": %s}',
    ],
)
def test_deep_nesting_is_refused(opening: bytes, around: bytes) -> None:
    """A hundred thousand brackets in one another, wherever they stand, are refused like anything malformed."""
    closing = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]"}[opening]
    deep = opening * 100_000 + b"1" + closing * 100_000
    assert refusal(around % deep, 5_000_000).code in ("malformed-source", "not-a-study")


def test_record_beyond_the_limit() -> None:
    """A study larger than the limit is refused with its place, alone, in a list, and on any line of NDJSON."""
    large = encoded(study("NCT99999902", descriptionModule={"briefSummary": "x" * 2000}))
    pretty = json.dumps(msgspec.json.decode(large), indent=1).encode()
    assert short(large, 1000) == ["record-too-large at "]
    assert short(pretty, 1000) == ["record-too-large at "]
    assert short(b"[%s,%s,%s]" % (ONE, large, THREE), 1000) == ["1", "record-too-large at study 2", "3"]
    assert short(b"%s\n%s\n%s" % (ONE, large, THREE), 1000) == ["1", "record-too-large at line 2", "3"]
    assert short(b"%s\n%s\n%s" % (large, ONE, THREE), 1000) == ["record-too-large at line 1", "1", "3"]
    assert short(b"%s\n%s" % (ONE, large), 1000) == ["1", "record-too-large at line 2"]
    assert short(large, len(large)) == ["2"]
    assert short(large, len(large) - 1) == ["record-too-large at "]


def test_element_beyond_the_limit_and_the_window() -> None:
    """A study of a list that is far larger than the limit is not even held; the rest of the list is given up."""
    endless = b'[%s,{"a":"%s' % (ONE, b"x" * 3_000_000)
    assert short(endless, 1000) == ["1", "record-too-large at after study 1"]


# What is no API v2 JSON

V1 = b'{"FullStudiesResponse":{"APIVrs":"1.01.05","FullStudies":[{"Rank":1,"Study":{"ProtocolSection":{}}}]}}'
CSV = b"NCT Number,Study Title,Study URL\nNCT99999901,Made up,https://example.org\n"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (V1, "unsupported-format", "API v1 JSON is not supported yet; expected API v2 JSON"),
        (
            b'{"FullStudy":{"Study":{"ProtocolSection":{}}}}',
            "unsupported-format",
            "API v1 JSON is not supported yet",
        ),
        (b'{"StudyFieldsResponse": {}}', "unsupported-format", "API v1 JSON is not supported yet"),
        (CSV, "unsupported-format", "CSV download is not supported yet"),
        (b'\xef\xbb\xbf"NCT Number","Title"\n', "unsupported-format", "CSV download is not supported yet"),
        (b"NCT Number\tTitle\n", "unsupported-format", "CSV download is not supported yet"),
        (b"", "unrecognised-format", "the input is empty"),
        (b" \n\t\n", "unrecognised-format", "the input is empty"),
        (b"\xef\xbb\xbf", "unrecognised-format", "the input is empty"),
        (ONE.decode().encode("utf-16"), "unrecognised-format", "UTF-16"),
        (ONE.decode().encode("utf-16-be"), "unrecognised-format", "UTF-16"),
        (ONE.decode().encode("utf-16-le"), "unrecognised-format", "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "unrecognised-format", "binary"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "unrecognised-format", "HTML page"),
        (b"\n<HTML lang='en'>", "unrecognised-format", "HTML page"),
        (b"<?xml version='1.0'?><Define/>", "unrecognised-format", "XML with the root <Define>"),
        (b"<?xml version='1.0'?>", "unrecognised-format", "no root element"),
        (b'"a string"', "unrecognised-format", "no known registry document"),
        (b"42", "unrecognised-format", "no known registry document"),
        (b"Dear all, please find attached ...", "unrecognised-format", "no known registry document"),
    ],
)
def test_other_documents_are_told_for_what_they_are(data: bytes, code: str, words: str) -> None:
    """What no reader takes is refused with what it is and what was expected instead."""
    with pytest.raises(SourceError) as refused:
        detect(document(data))
    assert refused.value.issue.code == code
    assert words in refused.value.issue.message
    assert "expected" in refused.value.issue.message


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (ONE, "ctgov-json"),
        (b"\xef\xbb\xbf \n[", "ctgov-json"),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<clinical_study rank='1'>", "ctgov-xml"),
        (b"<clinical_study>", "ctgov-xml"),
        (b"A Made-up Study\n\nNCT ID: NCT99999901\n", "ctgov-page"),
    ],
)
def test_reader_by_content(data: bytes, name: str) -> None:
    """The first bytes tell which reader a document needs."""
    assert detect(document(data)) == name


def test_forced_reader(tmp_path: Path) -> None:
    """A reader that is asked for by name is used whatever the content looks like, and refuses what it is not."""
    path = tmp_path / "study"
    path.write_bytes(ONE)
    assert [found.nct_id for found in read(path, reader="ctgov-json")] == ["NCT99999901"]
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="the input is empty"):
        list(read(path, reader="ctgov-json"))
    path.write_bytes(b"A Made-up Study\n\nNCT ID: NCT99999901\n")
    with pytest.raises(SourceError, match="not well-formed JSON"):
        list(read(path, reader="ctgov-json"))


# Cutting lists

ANY_TEXT = st.text(st.sampled_from('ab[]{}",:\\\n\u00e9\u2028\U0001f600 '), max_size=12)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(ANY_TEXT, below, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3), max_size=5)


class Dripping(io.BytesIO):
    """A stream that gives no more than a few bytes at a time, as a slow pipe does."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        super().__init__(data)
        self._sizes = sizes

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next few bytes, or all when all are asked for."""
        if size is None or size < 0 or size >= LIMIT:
            return super().read(size)
        self._sizes.append(self._sizes.pop(0))
        return super().read(self._sizes[0])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    objects=OBJECTS,
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
)
def test_lists_are_cut_at_any_split(
    objects: list[Any], sizes: list[int], ascii_only: bool, indent: int | None
) -> None:
    """A list is cut into its objects wherever the chunks of the stream end, in strings and escapes too."""
    data = json.dumps(objects, ensure_ascii=ascii_only, indent=indent).encode()
    assert [json.loads(each) for each in cut(data, sizes, rb"\[")] == objects


@settings(max_examples=100, deadline=None, derandomize=True)
@given(objects=OBJECTS, token=ANY_TEXT, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_pages_are_cut_at_any_split(objects: list[Any], token: str, sizes: list[int]) -> None:
    """A page is cut into its studies with other keys before and behind them."""
    data = json.dumps({"nextPageToken": token, "studies": objects, "totalCount": 3}).encode()
    if json.dumps(token).count('\\"studies\\"') == 0:
        assert [json.loads(each) for each in cut(data, sizes, rb'"studies"\s*:\s*\[')] == objects


def test_every_single_split() -> None:
    """One list with everything that can mislead is cut right at each of its bytes."""
    objects = [{'a"b': '\\"[{'}, {}, {"\\": ["]", {"}": "\\\\"}]}, {"\u00e9": "\U0001f600 \\u005d"}]
    data = json.dumps(objects, ensure_ascii=False).encode()
    for at in range(1, len(data)):
        assert [json.loads(each) for each in cut(data, [len(data) - at, at], rb"\[")] == objects


def cut(data: bytes, sizes: list[int], opening: bytes) -> Iterator[bytes]:
    """Return the elements of a list that comes in pieces of the sizes."""
    stream = cast("BinaryIO", Dripping(data, [*sizes]))
    return list_elements(document(data, stream), LIMIT, re.compile(opening))
