"""Inputs: files, folders, ZIP, gzip and standard input give their documents, in flat memory."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from made_up import encoded, study
from trialconv import read
from trialconv.issues import SourceError
from trialconv.pipeline import read_outcomes
from trialconv.readers.sources import MAX_RECORD_SIZE, documents

ONE, TWO, THREE = (encoded(study(f"NCT9999990{number}")) for number in (1, 2, 3))


def ids(source: Path | str) -> list[str]:
    """Return the NCT numbers of the records of an input that is read without a refusal."""
    return [found.nct_id for found in read(source)]


def zipped(entries: dict[str, bytes]) -> bytes:
    """Return a ZIP of named entries."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


def written(folder: Path, name: str, data: bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


SHAPES = {
    "one study": (ONE, 1),
    "a page": (b'{"studies":[' + ONE + b"," + TWO + b'],"nextPageToken":"x"}', 2),
    "a list": (b"[" + ONE + b"," + TWO + b"," + THREE + b"]", 3),
    "NDJSON": (ONE + b"\n" + TWO + b"\n" + THREE + b"\n", 3),
    "a ZIP": (zipped({"a/NCT99999901.json": ONE, "b/NCT99999902.json": TWO}), 2),
}


@pytest.mark.parametrize(("data", "count"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", ["studies", "studies.bin", "studies.json"])
def test_content_decides_and_not_the_name(tmp_path: Path, name: str, data: bytes, count: int) -> None:
    """A file is read by what it holds, whatever it is called."""
    assert ids(written(tmp_path, name, data)) == ["NCT99999901", "NCT99999902", "NCT99999903"][:count]


@pytest.mark.parametrize(("data", "count"), SHAPES.values(), ids=SHAPES)
def test_gzip_of_anything(tmp_path: Path, data: bytes, count: int) -> None:
    """The gzip of every input that can be read can be read, and so can the gzip of that."""
    expected = ["NCT99999901", "NCT99999902", "NCT99999903"][:count]
    assert ids(written(tmp_path, "once.gz", gzip.compress(data))) == expected
    assert ids(written(tmp_path, "twice.gz", gzip.compress(gzip.compress(data)))) == expected


@pytest.mark.parametrize(("data", "count"), SHAPES.values(), ids=SHAPES)
def test_standard_input(data: bytes, count: int) -> None:
    """Every input can be piped in, packed or not; only a ZIP inside gzip needs a file."""
    program = "import trialconv; print(*(r.nct_id for r in trialconv.read('-')), sep='\\n')"
    for piped in (data, gzip.compress(data)):
        if piped.startswith(b"\x1f\x8b") and data.startswith(b"PK"):
            continue
        ran = subprocess.run([sys.executable, "-c", program], input=piped, capture_output=True, check=True)  # noqa: S603
        assert ran.stdout.decode().split() == ["NCT99999901", "NCT99999902", "NCT99999903"][:count]
        assert ran.stderr == b""


def test_zip_in_gzip_from_a_pipe_is_refused_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ZIP inside gzip on a pipe would have to be held as a whole: the refusal says to unpack it."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    class Stdin:
        buffer = Pipe(gzip.compress(SHAPES["a ZIP"][0]))

    monkeypatch.setattr(sys, "stdin", Stdin)
    (refused,) = documents("-")
    assert isinstance(refused, SourceError)
    assert refused.issue.code == "unreadable-source"
    assert "unpack it first" in refused.issue.message


def test_directory_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    """A folder gives the records of its files and those of its folders, by name; other files are passed over."""
    written(tmp_path, "b.json", TWO)
    written(tmp_path, "a/later.json.gz", gzip.compress(ONE))
    written(tmp_path, "c/more.zip", zipped({"x.json": THREE}))
    written(tmp_path, "README.md", b"not a record")
    written(tmp_path, ".hidden.json", b"not a record")
    assert ids(tmp_path) == ["NCT99999901", "NCT99999902", "NCT99999903"]


def test_archive_entries_that_are_no_records_are_passed_over(tmp_path: Path) -> None:
    """In an archive only files that look like records are read, packed ones included."""
    data = zipped({"README.md": b"x", "__MACOSX/._a.json": b"x", "a.json": ONE, "b.json.gz": gzip.compress(TWO)})
    assert ids(written(tmp_path, "mixed.zip", data)) == ["NCT99999901", "NCT99999902"]


def test_record_names_its_place(tmp_path: Path) -> None:
    """A record knows the file, the archive entry and the place in it that it came from."""
    data = zipped({"pages/one.json": b"[" + ONE + b"," + TWO + b"]"})
    path = written(tmp_path, "all.zip", data)
    assert [str(found.source) for found in read(path)] == [
        f"{path}!pages/one.json (study 1)",
        f"{path}!pages/one.json (study 2)",
    ]
    assert {found.source.reader for found in read(path)} == {"ctgov-json"}


def test_archives_in_archives_end_somewhere(tmp_path: Path) -> None:
    """What is packed again and again is refused at some depth, with the way out."""
    data = ONE
    for _ in range(5):
        data = gzip.compress(data)
    (refused,) = documents(str(written(tmp_path, "deep.gz", data)))
    assert isinstance(refused, SourceError)
    assert "unpack it first" in refused.issue.message


def test_reading_goes_on_behind_a_refusal(tmp_path: Path) -> None:
    """An input that is refused is handed to on_error; without it the refusal is raised."""
    written(tmp_path, "a.json", b"{broken")
    written(tmp_path, "b.json", TWO)
    refused: list[SourceError] = []
    assert [found.nct_id for found in read(tmp_path, on_error=refused.append)] == ["NCT99999902"]
    assert [each.issue.record for each in refused] == [str(tmp_path / "a.json")]
    with pytest.raises(SourceError, match=r"a\.json"):
        list(read(tmp_path))


def test_files_are_closed(tmp_path: Path) -> None:
    """No file stays open, neither after reading nor when the reading is given up in the middle."""
    path = written(tmp_path, "all.zip", zipped({"a.json": ONE, "b.json": TWO}))
    before = open_files()
    for _ in range(3):
        assert ids(path)
        half = read(path)
        next(half)
        half.close()  # type: ignore[attr-defined]
    assert open_files() == before


def open_files() -> int:
    """Return how many files this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


# Long inputs

COUNT = 6000
FILLER = "A made-up sentence. " * 500


def parts(opening: bytes, between: bytes, closing: bytes) -> Iterator[bytes]:
    """Yield some sixty megabytes of studies."""
    tree = study(descriptionModule={"detailedDescription": FILLER})
    yield opening
    for number in range(COUNT):
        tree["protocolSection"]["identificationModule"]["nctId"] = f"NCT{90000000 + number}"
        yield (between if number else b"") + encoded(tree)
    yield closing


@pytest.mark.parametrize(
    ("opening", "between", "closing"),
    [(b"[", b",\n", b"]"), (b'{"totalCount":6000,"studies":[', b",", b"]}"), (b"", b"\n", b"\n")],
    ids=["list", "page", "NDJSON"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_long_input_takes_little_memory(
    tmp_path: Path, opening: bytes, between: bytes, closing: bytes, packed: bool
) -> None:
    """Sixty megabytes of studies are read with less than twenty megabytes at a time."""
    path = tmp_path / "long"
    with gzip.open(path, "wb", 1) if packed else path.open("wb") as file:
        for part in parts(opening, between, closing):
            file.write(part)
    assert packed or path.stat().st_size > 60_000_000
    tracemalloc.start()
    try:
        count = sum(not isinstance(found, SourceError) for found in read_outcomes(str(path), None, 1_000_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == COUNT
    assert peak < 20_000_000


def test_zip_bomb_takes_little_memory(tmp_path: Path) -> None:
    """An entry of a few kilobytes that unpacks to much more than a record is refused before it is unpacked."""
    bomb = b'{"protocolSection": {"x": "' + b"a" * 200_000_000 + b'"}}'
    path = written(tmp_path, "bomb.zip", zipped({"a.json": bomb, "b.json": TWO}))
    del bomb
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    try:
        found = list(read_outcomes(str(path), None, 1_000_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
    refused, good = found
    assert isinstance(refused, SourceError)
    assert refused.issue.code == "record-too-large"
    assert str(refused.issue.record).endswith("bomb.zip!a.json")
    assert not isinstance(good, SourceError)
    assert MAX_RECORD_SIZE == 50 * 1024 * 1024
