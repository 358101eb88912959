"""Several runs on one output folder: one at a time, shares side by side, and no lock that outlives its process."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk_made_up import number, small, tree_of, zipped
from command_runner import run
from trialconv.bulk.locking import FolderLock, is_lock, overlap
from trialconv.issues import OutputError
from trialconv.sinks.locks import FileLock

FHIR = ["-t", "fhir-r4"]
HERE = ["--workers", "0"]
PARTS = st.integers(1, 24).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))


@contextmanager
def at_work(folder: Path, part: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a run of another process at work in a folder, waiting for its standard input; end it at the end.

    Standard input cannot be shared, so that a share reads a pipe with a name.
    """
    pipe = log.with_name(f"pipe-{part.replace('/', '-')}")
    os.mkfifo(pipe)
    program = [str(Path(sys.executable).with_name("trialconv")), "bulk", str(pipe), "--out", str(folder), *FHIR]
    options = ["--workers", "0", "--shard-size", "2", *(["--shard", part] if part != "1/1" else [])]
    with log.open("wb") as said, subprocess.Popen([*program, *options], stderr=said) as process:  # noqa: S603
        try:
            # Opening waits for the reader, which has the lock by then.
            with pipe.open("wb") as feed:
                feed.write(small(1) + b"\n")
                feed.flush()
                wait_for(lambda: any(map(is_lock, folder.iterdir())))
                yield process
        finally:
            process.kill()


def wait_for(condition: Any) -> None:
    """Wait until something is so; fail when it does not become so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def locks_in(folder: Path) -> list[str]:
    """Return the locks that are in a folder."""
    return sorted(path.name for path in folder.iterdir() if is_lock(path))


@pytest.mark.parametrize("options", [[], ["--resume"], ["--shard", "1/2"], ["--shard", "2/2"]])
def test_a_second_run_is_refused(tmp_path: Path, options: list[str]) -> None:
    """While a run is at work no other one begins in its folder: exit code 5, one message, nothing touched."""
    source = zipped(tmp_path / "some.zip", map(small, range(1, 4)))
    out = tmp_path / "out"
    with at_work(out, "1/1", tmp_path / "log"):
        before = tree_of(out)
        ran = run("bulk", source, "--out", out, *FHIR, *HERE, *options)
        assert (ran.code, len(ran.errors)) == (5, 1), ran.err
        assert "another run is at work in" in ran.err
        assert tree_of(out) == before


def test_a_share_is_made_once(tmp_path: Path) -> None:
    """Shares without a common shard go side by side; the same, one that overlaps, and the whole are refused."""
    source = zipped(tmp_path / "some.zip", map(small, range(1, 8)))
    out = tmp_path / "out"
    with at_work(out, "1/2", tmp_path / "log"):
        options = ["bulk", source, "--out", out, *FHIR, *HERE, "--shard-size", "2"]
        for part in (["--shard", "1/2"], ["--shard", "3/4"], ["--shard", "1/3"], ["--resume"], []):
            ran = run(*options, *part)
            assert (ran.code, "a run with --shard 1/2 is at work in" in ran.err) == (5, True), (part, ran.err)
        # The input of the one at work is another, which only who may begin is told.
        for part in ("2/2", "4/4"):
            ran = run(*options, "--shard", part)
            assert (ran.code, "inputs" in ran.err) == (2, True), ran.err
    assert locks_in(out) == [".lock-1-of-2"]


def test_shares_side_by_side(tmp_path: Path) -> None:
    """Shares that begin at the same moment make the whole together, and the last call finds no lock."""
    source = zipped(tmp_path / "some.zip", map(small, range(1, 60)))
    program = [str(Path(sys.executable).with_name("trialconv")), "bulk", str(source), *FHIR, "--shard-size", "6"]
    out = ["--out", str(tmp_path / "parts"), "--workers", "0"]
    shares = [
        subprocess.Popen([*program, *out, "--shard", f"{part}/3"], stderr=subprocess.PIPE)  # noqa: S603
        for part in (1, 2, 3)
    ]
    assert [share.communicate()[1] and share.returncode for share in shares] == [0, 0, 0]
    assert locks_in(tmp_path / "parts") == []
    options = ["bulk", source, *FHIR, *HERE, "--shard-size", "6"]
    assert run(*options, "--out", tmp_path / "parts", "--resume").code == 0
    assert run(*options, "--out", tmp_path / "whole").code == 0
    assert tree_of(tmp_path / "parts") == tree_of(tmp_path / "whole")


def test_a_killed_run_has_no_lock(tmp_path: Path) -> None:
    """What SIGKILL ends leaves a file and no lock: the next run goes on at once, and takes the file away."""
    out = tmp_path / "out"
    with at_work(out, "1/1", tmp_path / "log") as process:
        assert run("bulk", tmp_path / "pipe-1-1", "--out", out, *FHIR, *HERE, "--resume").code == 5
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert locks_in(out) == [".lock-1-of-1"]
    (tmp_path / "pipe-1-1").unlink()
    (tmp_path / "pipe-1-1").write_bytes(small(1))
    # Another kind of input, so that it is refused for that and not for the lock.
    assert "inputs" in run("bulk", tmp_path / "pipe-1-1", "--out", out, *FHIR, *HERE, "--resume").err
    assert locks_in(out) == []


def test_killed_shares_do_not_block_the_whole(tmp_path: Path) -> None:
    """The locks of shares that were killed are no locks, and are removed by the run over the whole."""
    source = zipped(tmp_path / "some.zip", map(small, range(1, 8)))
    out = tmp_path / "out"
    options = ["bulk", source, "--out", out, *FHIR, *HERE, "--shard-size", "2"]
    assert run(*options, "--shard", "1/3").code == 0
    for part in ("2-of-3", "1-of-7"):
        (out / f".lock-{part}").touch()
    assert run(*options, "--resume").code == 0
    assert locks_in(out) == []
    assert json.loads((out / "report.json").read_bytes())["locked"] is True


def test_a_folder_with_nothing_but_a_dead_lock(tmp_path: Path) -> None:
    """A run that was killed before it wrote anything leaves an empty folder to the next one."""
    source = zipped(tmp_path / "some.zip", [small(1)])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock-1-of-1").touch()
    assert run("bulk", source, "--out", tmp_path / "out", *FHIR, *HERE).code == 0
    assert locks_in(tmp_path / "out") == []


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Where the file system has no locks the run goes on, and says that nothing protects it."""
    source = zipped(tmp_path / "some.zip", [small(1)])

    def refused(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("trialconv.sinks.locks._lock", refused)
    ran = run("bulk", source, "--out", tmp_path / "out", *FHIR, *HERE)
    assert (ran.code, "has no locks" in ran.err) == (0, True)
    assert json.loads((tmp_path / "out" / "report.json").read_bytes())["locked"] is False
    assert number(1) in (tmp_path / "out" / "fhir-r4" / "ResearchStudy.00001.ndjson").read_text()


def test_a_lock_on_a_removed_file_is_none(tmp_path: Path) -> None:
    """Who opened the file before its owner removed it does not take that for a lock, but makes one of its own."""
    first, second, third = (FileLock(tmp_path / "lock") for _ in range(3))
    assert first.take()
    assert not second.take()
    (tmp_path / "lock").unlink()
    assert second.take()
    # The first one's file is another; it leaves the second one's alone.
    first.release()
    assert not third.take()
    second.release()
    assert third.take()
    third.release()
    assert list(tmp_path.iterdir()) == []


@given(PARTS, PARTS)
def test_overlap_is_having_a_shard_in_common(one: tuple[int, int], other: tuple[int, int]) -> None:
    """Two shares overlap just when there is a shard that both make."""

    def has(part: tuple[int, int], shard: int) -> bool:
        return shard % part[1] == part[0] % part[1]

    common = any(has(one, shard) and has(other, shard) for shard in range(1, one[1] * other[1] + 1))
    assert overlap(one, other) == overlap(other, one) == common


def test_only_one_of_two_that_overlap(tmp_path: Path) -> None:
    """The right to a share keeps out all that have a shard in common with it, and nobody else."""
    with FolderLock(tmp_path, (1, 2)), FolderLock(tmp_path, (2, 2)):
        for part in ((1, 1), (1, 2), (3, 4), (2, 3)):
            with pytest.raises(OutputError, match="is at work"), FolderLock(tmp_path, part):
                pass
        with pytest.raises(OutputError, match="--shard 1/2"), FolderLock(tmp_path, (1, 1)):
            pass
    assert list(tmp_path.iterdir()) == []
