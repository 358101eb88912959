"""Records in worker processes: the same records in the same order, whatever the input and whoever dies."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from made_up import encoded, study
from parallel_work import (
    counting,
    dying,
    dying_always,
    dying_once,
    failing,
    outcome,
    outcome_of_record,
    refusing,
)
from trialconv import parallel
from trialconv.issues import SourceError, issue
from trialconv.parallel import Reading, map_records, map_units
from trialconv.pipeline import parse, read_outcomes
from trialconv.readers.sources import MAX_RECORD_SIZE
from trialconv.readers.units import Unit
from trialconv.readers.zip_parts import open_part, zip_parts
from trialconv.record import Record

COUNT = 700


def one(number: int) -> bytes:
    """Return a study of some kilobytes, which cannot be packed into much less."""
    text = random.Random(number).randbytes(1700).hex()  # noqa: S311 - no secret
    return encoded(study(f"NCT99{number:06}", descriptionModule={"briefSummary": text}))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return files and folders with the same studies, some of them broken, in every shape that is cut."""
    folder = tmp_path_factory.mktemp("inputs")
    studies = [b'{"oops": 1}' if number % 300 == 7 else one(number) for number in range(COUNT)]
    lines = b"\n".join([*studies[:5], b"", *studies[5:]])
    page = b'{"studies": [' + b",".join(studies) + b"]}"
    names = {"lines": lines, "lines.gz": gzip.compress(lines), "page": page, "page.gz": gzip.compress(page)}
    for name, data in names.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(folder / "archive", "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(studies):
            archive.writestr(f"{number:05}.json", data)
        archive.writestr("more.json.gz", gzip.compress(one(9001)))
        archive.writestr("README", "no record")
    (folder / "files" / "later").mkdir(parents=True)
    for number, data in enumerate(studies):
        (folder / "files" / ("later" if number > 400 else ".") / f"{number:05}.json").write_bytes(data)
    (folder / "files" / "b.zip").write_bytes((folder / "archive").read_bytes())
    (folder / "files" / "cut.gz").write_bytes(gzip.compress(lines)[:-4000])
    return {path.name: path for path in sorted(folder.iterdir())}


SHAPES = ["archive", "files", "lines", "lines.gz", "page", "page.gz"]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("size", [1000, 64, 7])
def test_units_hold_what_the_input_holds(inputs: dict[str, Path], name: str, size: int, tmp_path: Path) -> None:
    """Cut into units of any size an input gives the same records, refusals and places, in the same order."""
    whole = [outcome(found) for found in read_outcomes(str(inputs[name]), None, MAX_RECORD_SIZE)]
    reading = Reading()
    units = list(reading.units([str(inputs[name])], size, tmp_path))
    assert len(units) >= COUNT // size
    counts = [sum(1 for _ in reading.raw_records(unit)) for unit in units]
    assert max(counts) <= size or name == "files"
    assert all(unit.bytes > 0 and str(inputs[name]) in unit.name for unit in units)
    assert [outcome(found) for found in cut_records(reading, units)] == whole


def cut_records(reading: Reading, units: list[Unit]) -> Iterator[Record | SourceError]:
    """Yield the records of some units."""
    for unit in units:
        for raw in reading.raw_records(unit):
            yield raw if isinstance(raw, SourceError) else parse(raw)


def test_units_are_the_same_every_time(inputs: dict[str, Path], tmp_path: Path) -> None:
    """The same inputs are cut in the same way."""
    sources = [str(inputs[name]) for name in SHAPES]
    first, second = (list(Reading().units(sources, 100, tmp_path)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_records_come_in_order(inputs: dict[str, Path], workers: int) -> None:
    """Any number of workers gives the results, and the refusals, in the order of the input."""
    whole = [outcome(found) for found in read_outcomes(str(inputs["archive"]), None, MAX_RECORD_SIZE)]
    made = map_records(outcome_of_record, [str(inputs["archive"])], workers=workers)
    assert [str(found) for found in made] == whole


def test_a_failing_function_harms_one_record(inputs: dict[str, Path]) -> None:
    """What the function raises on a record is an Issue of that record."""
    made = list(map_records(failing, [str(inputs["lines"])], workers=2))
    (refused,) = [found for found in made if isinstance(found, SourceError) and "of all" in str(found)]
    assert (refused.issue.code, refused.issue.record) == ("internal-error", "NCT99000300")
    assert len(made) == COUNT


@pytest.mark.parametrize("shape", ["archive", "lines", "page.gz"])
def test_a_dying_worker_harms_one_record(inputs: dict[str, Path], shape: str) -> None:
    """A record on which workers die is left out with an Issue; all others are there, in order."""
    fatal = ("NCT99000300", "NCT99000301", "NCT99000650")
    made = list(map_records(partial(dying, fatal), [str(inputs[shape])], workers=2))
    lost = [found.issue for found in made if isinstance(found, SourceError) and found.issue.code == "worker-died"]
    assert len(lost) == len(fatal)
    assert all(str(inputs[shape]) in found.record for found in lost)
    good = [found for found in made if isinstance(found, str)]
    whole = list(read_outcomes(str(inputs[shape]), None, MAX_RECORD_SIZE))
    assert good == [found.nct_id for found in whole if isinstance(found, Record) and found.nct_id not in fatal]


def test_a_worker_that_is_killed_once_harms_nothing(inputs: dict[str, Path], tmp_path: Path) -> None:
    """Where the second try succeeds, every record is there."""
    made = list(map_records(partial(dying_once, tmp_path / "mark"), [str(inputs["lines"])], workers=2))
    assert (tmp_path / "mark").exists()
    expected = [outcome(found) for found in read_outcomes(str(inputs["lines"]), None, MAX_RECORD_SIZE)]
    assert [str(found) for found in made] == [
        text.partition(" ")[0] if text[:3] == "NCT" else text for text in expected
    ]


def test_a_unit_on_which_workers_always_die(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit that no worker gets through is given up after some tries, and the others are done."""
    monkeypatch.setattr(parallel, "_TRIES", 2)
    units = enumerate(Reading().units([str(inputs["archive"])], 300, tmp_path))
    done = {one.key: one.result for one in map_units(dying_always, units, workers=2)}
    lost = done.pop(1)
    assert isinstance(lost, SourceError)
    assert (lost.issue.code, str(inputs["archive"]) in lost.issue.record) == ("worker-died", True)
    assert done == {0: 0, 2: 2}


def test_what_the_work_raises_ends_it(inputs: dict[str, Path], tmp_path: Path) -> None:
    """An exception of the work itself is no matter of a record: it is raised, and the workers end."""
    units = enumerate(Reading().units([str(inputs["archive"])], 10, tmp_path))
    with pytest.raises(OSError, match="No space left"):
        list(map_units(refusing, units, workers=2))


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("workers", [0, 2])
def test_progress_counts_records(inputs: dict[str, Path], tmp_path: Path, workers: int, ordered: bool) -> None:
    """The progress never goes down and never beyond the number of records."""
    seen: list[int] = []
    units = enumerate(Reading().units([str(inputs["archive"])], 50, tmp_path))
    done = list(map_units(counting, units, workers=workers, ordered=ordered, progress=seen.append))
    assert sum(one.result for one in done if isinstance(one.result, int)) == COUNT + 1
    assert seen == sorted(seen)
    assert seen[-1] <= COUNT + 1


def test_a_spool_does_not_stay(inputs: dict[str, Path], tmp_path: Path) -> None:
    """What only one process can read is written to a file for another, and removed; not many are there at once."""
    spool = tmp_path / "spool"
    most = 0
    units = enumerate(Reading().units([str(inputs["page.gz"])], 20, spool))
    for _ in map_units(counting, units, workers=1):
        most = max(most, len(list(spool.iterdir())))
    assert 0 < most <= 3
    assert list(spool.iterdir()) == []


def test_inputs_that_are_not_there(tmp_path: Path) -> None:
    """Inputs that cannot be read give a refusal each, and the others are read."""
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "nothing.zip", "w"):
        pass
    (tmp_path / "good.json").write_bytes(one(1))
    names = ["missing.json", "broken.zip", "empty", "nothing.zip", "good.json"]
    made = list(map_records(outcome_of_record, [str(tmp_path / name) for name in names], workers=0))
    codes = [found.issue.code if isinstance(found, SourceError) else "fine" for found in made]
    assert codes == ["unreadable-source", "unreadable-source", "empty-source", "empty-source", "fine"]


def test_an_issue_comes_out_of_a_worker_as_it_is() -> None:
    """A SourceError that was pickled still holds its Issue."""
    error = SourceError(issue("no-code", "made up", record="NCT99999901"))
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (back.issue, str(back)) == (error.issue, str(error))


# parts of a ZIP


def archives() -> dict[str, bytes]:
    """Return archives as various programs write them."""
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"a/NCT99{number:06}.json", one(number))
        archive.comment = b"made up, with PK in the comment"
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w", zipfile.ZIP_STORED) as archive:
        for number in range(20):
            with archive.open(f"{number}.json", "w", force_zip64=True) as entry:
                entry.write(one(number))
    return {
        "deflated, with a comment": plain.getvalue(),
        "stored, with 64 bit sizes": large.getvalue(),
        "behind another file": b"#!/bin/sh\nexit\n" + plain.getvalue(),
    }


@pytest.mark.parametrize("data", archives().values(), ids=archives())
@pytest.mark.parametrize("most", [1, 7, 100])
def test_parts_of_an_archive(tmp_path: Path, data: bytes, most: int) -> None:
    """The parts of an archive hold its entries, in its order, with the bytes that they have in the whole."""
    path = tmp_path / "some.zip"
    path.write_bytes(data)
    found = []
    with path.open("rb") as stream:
        parts = list(zip_parts(stream, most, 1 << 40))
    for part in parts:
        with closing(open_part(str(path), part)) as opened, zipfile.ZipFile(opened) as archive:
            assert len(archive.infolist()) == part.entries <= most
            found += [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path) as archive:
        assert found == [(name, archive.read(name)) for name in archive.namelist()]


def many_entries(tmp_path: Path, count: int) -> Path:
    """Return an archive with more entries than the old format can count."""
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.json", b"{}")
    return path


def test_more_entries_than_the_old_format_can_count(tmp_path: Path) -> None:
    """An archive with 70,000 entries is cut by the numbers of its 64 bit end."""
    path = many_entries(tmp_path, 70_000)
    with path.open("rb") as stream:
        parts = list(zip_parts(stream, 30_000, 1 << 40))
    assert [part.entries for part in parts] == [30_000, 30_000, 10_000]
    with closing(open_part(str(path), parts[2])) as opened, zipfile.ZipFile(opened) as archive:
        assert archive.namelist()[-1] == "69999.json"


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-60], lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x03", 9)]
)
def test_a_broken_directory(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """An archive whose list of entries is broken is refused as such."""
    path = tmp_path / "some.zip"
    path.write_bytes(spoil(archives()["behind another file"]))
    with path.open("rb") as stream, pytest.raises(zipfile.BadZipFile):
        list(zip_parts(stream, 3, 1 << 40))
