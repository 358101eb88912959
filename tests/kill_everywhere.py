"""Kills a bulk conversion at every step that it takes on the disk, resumes it, and compares what comes out.

    python tests/kill_everywhere.py INPUT FOLDER

A step is whatever gives a file its name, removes one, or makes a folder. For each step there is a process that
kills itself just before it, and one that resumes. Prints how many steps there were. Fails with the step after
which the output differs from that of a run that was not killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from bulk_made_up import tree_of
from trialconv.bulk.inputs import Inputs
from trialconv.bulk.job import Job
from trialconv.bulk.run import run
from trialconv.context import Options
from trialconv.parallel import Reading

_STEPS = ("replace", "unlink", "mkdir")


def convert(source: str, folder: Path, *, resume: bool) -> None:
    """Convert an input with duplicates and broken records to two targets, in this process."""
    job = Job(
        sources=(source,),
        folder=folder,
        layouts={"fhir-r4": "resources", "usdm-4.0": "folders"},
        options=Options(shared_organizations=True),
        reading=Reading(),
        size=4,
    )
    run(job, Inputs([source]), workers=0, resume=resume)


def kill_at(step: int) -> None:
    """Have this process kill itself before a step."""
    count = 0

    def counted(before: Any) -> Any:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return before(*arguments, **named)

        return wrapped

    for name in _STEPS:
        setattr(Path, name, counted(getattr(Path, name)))


def in_child(source: str, folder: Path, *, resume: bool, step: int = 0) -> bool:
    """Convert in a child process, which may kill itself; return whether it came to its end."""
    child = os.fork()
    if not child:
        kill_at(step)
        convert(source, folder, resume=resume)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status == 0


def main() -> int:
    """Kill at each step. Returns the exit code."""
    source, place = sys.argv[1], Path(sys.argv[2])
    os.fsync = lambda _: None  # what a killed process wrote is there; only a machine that fails loses it
    whole = place / "whole"
    convert(source, whole, resume=False)
    expected = tree_of(whole)
    if "fhir-r4/Organization.00002.ndjson" in expected:
        print("nothing was shared, so that nothing was taken out of a shard")  # noqa: T201
        return 1
    step = 1
    while True:
        folder = place / f"killed-{step}"
        if in_child(source, folder, resume=False, step=step):
            break
        # Killed once more while it resumes, and then left alone.
        in_child(source, folder, resume=True, step=step // 2 + 1)
        if not in_child(source, folder, resume=True) or tree_of(folder) != expected:
            print(f"killed before step {step}: the output in {folder} is another one")  # noqa: T201
            return 1
        shutil.rmtree(folder)
        step += 1
    print(step - 1)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
