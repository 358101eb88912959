"""What the stages of a conversion cost in one process: beside the floor, and beside the models of fhir.resources.

The floor is what parsing a study's JSON and writing it again costs with orjson. All of it takes turns on some
studies at a time, so that a busy machine is as busy for one as for the other; ratios are of the same round.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, Final

import orjson
from bench_core import SOURCE, say
from bulk_peer import TARGET, mapped, model

from trialconv.catalog import TARGETS, Target, fhir_in_lines
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study

STAGES: Final = ("read", "map", "validate", "write")
_TURN: Final = 100
_CLOCK: Final = time.process_time


class _Clocked:
    """A target of which writing and judging are timed; what is left of a conversion is mapping."""

    def __init__(self, target: Target) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        write_files = target.write_files
        self.target = target._replace(
            write=self._timed("write", target.write),
            check=self._timed("validate", target.check),
            write_files=write_files and self._timed("write", write_files),
        )

    def _timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any) -> Any:
            before = _CLOCK()
            made = work(*given)
            self.seconds[stage] += _CLOCK() - before
            return made

        return timed

    def convert(self, study: bytes) -> None:
        """Convert a study as `trialconv bulk` does."""
        before = _CLOCK()
        record = read_study(study, SOURCE)
        middle = _CLOCK()
        inside = self.seconds["write"] + self.seconds["validate"]
        transform(record, self.target, Options())
        inside = self.seconds["write"] + self.seconds["validate"] - inside
        self.seconds["read"] += middle - before
        self.seconds["map"] += _CLOCK() - middle - inside


def stages(studies: list[bytes], rounds: int) -> dict[str, Any]:
    """Return the milliseconds of CPU per study of each stage, for each target, and the floor."""
    targets = {name: as_in_bulk(name) for name in TARGETS}
    for target in targets.values():  # tables are loaded and schemas compiled once in a process
        _Clocked(target).convert(studies[0])
    made = [_stage_round(studies, targets, number, rounds) for number in range(1, rounds + 1)]
    floors = [floor for floor, _ in made]
    found = []
    for name in TARGETS:
        times = [clocked[name].seconds for _, clocked in made]
        ratios = [sum(one.values()) / floor for one, floor in zip(times, floors, strict=True)]
        found.append(
            {
                "target": name,
                **{stage: _ms(median(one[stage] for one in times), studies) for stage in STAGES},
                "sum": _ms(median(sum(one.values()) for one in times), studies),
                "floors": round(median(ratios), 2),
            }
        )
        say(f"  {found[-1]}")
    return {
        "studies": len(studies),
        "bytes": sum(map(len, studies)),
        "rounds": rounds,
        "floor": _ms(median(floors), studies),
        "targets": found,
    }


def as_in_bulk(name: str) -> Target:
    """Return a target as `trialconv bulk` writes it by default: FHIR without the Bundle around the resources."""
    target = TARGETS[name]
    return fhir_in_lines(target) if name.startswith("fhir-") else target


def _stage_round(
    studies: list[bytes], targets: dict[str, Target], number: int, rounds: int
) -> tuple[float, dict[str, _Clocked]]:
    """Return the seconds of the floor and those of the stages of each target, over all studies."""
    floor = 0.0
    clocked = {name: _Clocked(target) for name, target in targets.items()}
    gc.collect()
    for part in _turns(studies):
        before = _CLOCK()
        for study in part:
            orjson.dumps(orjson.loads(study))
        floor += _CLOCK() - before
        for one in clocked.values():
            for study in part:
                one.convert(study)
    say(f"  round {number} of {rounds}: {floor:.2f} s for the floor")
    return floor, clocked


def _turns(studies: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(studies), _TURN):
        yield studies[start : start + _TURN]


def _ms(seconds: float, studies: list[bytes]) -> float:
    return round(seconds / len(studies) * 1e3, 3)


def beside_models(studies: list[bytes], rounds: int) -> dict[str, Any]:
    """Return the milliseconds of CPU per study to FHIR R4B, one process against one process.

    trialconv begins with the registry's JSON: it reads, maps, validates and writes. The models begin with the
    finished content: they are built and validated of dicts, and written. Bundles that they refuse are counted, and
    left out on both sides.
    """
    bundle = model()
    taken = [study for study in studies if _takes(bundle, study)]
    ours, theirs = [], []
    for number in range(1, rounds + 1):
        clocked = _Clocked(as_in_bulk(TARGET))
        models = {"build_ms": 0.0, "write_ms": 0.0}
        gc.collect()
        for part in _turns(taken):
            for study in part:
                clocked.convert(study)
            contents = [mapped(study) for study in part]
            for content in contents:
                before = _CLOCK()
                made = bundle.model_validate(content)
                middle = _CLOCK()
                made.model_dump_json()
                models["build_ms"] += middle - before
                models["write_ms"] += _CLOCK() - middle
        ours.append(sum(clocked.seconds.values()))
        theirs.append(models)
        say(f"  round {number} of {rounds}: {ours[-1]:.2f} s, fhir.resources {sum(models.values()):.2f} s")
    sums = [sum(models.values()) for models in theirs]
    return {
        "target": TARGET,
        "studies": len(taken),
        "refused": len(studies) - len(taken),
        "rounds": rounds,
        "ms": _ms(median(ours), taken),
        **{key: _ms(median(one[key] for one in theirs), taken) for key in theirs[0]},
        "models_ms": _ms(median(sums), taken),
        "ratio": round(median(b / a for a, b in zip(ours, sums, strict=True)), 1),
    }


def _takes(bundle: Any, study: bytes) -> bool:
    try:
        bundle.model_validate(mapped(study))
    except ValueError:
        return False
    return True
