"""Build the wheel and the sdist, install each alone in an empty environment, and use what was installed.

    python scripts/check_wheel.py [PYTHON ...]

PYTHON is an interpreter; by default python3.11, python3.12 and python3.13 are taken, those that are there. Exits
with 1 when something fails, or when no interpreter is there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_INTERPRETERS = ("python3.11", "python3.12", "python3.13")
_STUDY = ROOT / "examples" / "NCT06108596.txt"


def main(given: Sequence[str]) -> int:
    """Build, install and use. Returns the exit code."""
    interpreters = [found for found in map(_working, given or _INTERPRETERS) if found]
    if not interpreters:
        sys.stderr.write("no interpreter is there to try the wheel with\n")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = _built(folder)
        for interpreter in interpreters:
            # The sdist is the wheel once more; one interpreter tells whether everything is in it.
            for package in packages if interpreter == interpreters[0] else packages[:1]:
                _use(interpreter, package, folder / f"{Path(interpreter).name}-{package.suffix[1:]}")
                sys.stdout.write(f"{package.name} works on {_call([interpreter, '--version'])}")
        _install_as_shown(packages[0], interpreters[0], folder / "as-shown")
    return 0


def _working(interpreter: str) -> str | None:
    """Return the path of an interpreter, or None when it is not there (a name may stand for nothing)."""
    path = shutil.which(interpreter)
    if path is None or subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode:  # noqa: S603
        return None
    return path


def _built(folder: Path) -> list[Path]:
    """Return the wheel and the sdist of this project, built in environments of their own."""
    builder = folder / "builder"
    venv.create(builder, with_pip=True)
    _call([builder / "bin" / "python", "-m", "pip", "install", "--quiet", "build"])
    _call([builder / "bin" / "python", "-m", "build", "--outdir", folder / "dist", ROOT])
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    return [wheel, sdist]


def _use(interpreter: str, package: Path, folder: Path) -> None:
    """Install a package in an empty environment, and convert and validate with it, away from this project."""
    _call([interpreter, "-m", "venv", folder])
    bin_ = folder / "bin"
    _call([bin_ / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
    work = folder / "work"
    work.mkdir()
    shutil.copy(_STUDY, work)
    _call([bin_ / "trialconv", "doctor"], work)
    for command in ("to-fhir", "to-odm", "to-usdm", "to-sdtm"):
        _call([bin_ / "trialconv", command, _STUDY.name, "--out", command], work)
    made = sorted(path for path in work.rglob("*.[jx]*") if path.is_file())
    _call([bin_ / "trialconv", "validate", *made], work)
    if len(made) < 6:
        raise SystemExit(f"only {len(made)} documents were made: {made}")


def _install_as_shown(wheel: Path, interpreter: str, folder: Path) -> None:
    """Run the commands with which docs/start.md installs trialconv, where nothing but the wheel is."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python3").symlink_to(interpreter)
    shutil.copy(wheel, folder)
    page = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    for commands in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        _call(["sh", "-euc", f'PATH="$PWD/bin:$PATH"\n{commands}'], folder)
        sys.stdout.write(f"what docs/start.md shows works:\n{commands}")


def _call(command: Sequence[str | Path], folder: Path | None = None) -> str:
    """Return what a command prints. Ends this program when the command fails."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(  # noqa: S603 (commands of this file)
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
