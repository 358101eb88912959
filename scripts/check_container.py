"""Build the container image and use it, as docs/container.md says: not as root, on a read-only file system.

    python scripts/check_container.py [--base IMAGE] [--run-option OPTION ...] [--build-option OPTION ...]

Runs every `sh` block of that page, then looks into the image. Without `--base` the base of the Containerfile is
taken, or, where it cannot be pulled, one that mmdebstrap makes of Debian's packages (this takes root). Options are
for workplaces where podman itself has not all rights, such as `--run-option=--ulimit=nofile=1024:1024`.

Exits with 1 when something fails. Where podman or a base is missing, it says so and exits with 0.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_LOCAL_BASE: Final = "localhost/trialconv-base"
_SUITE: Final = "trixie"
#: The number of the image's user.
_USER: Final = 65532
#: The container that the page leaves running for a while.
_PAGE: Final = "trialconv-page"
_SEALED: Final = ("--rm", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--network=none")
_STUDY: Final = "examples/studies/NCT99999901.json"

#: Tries to write everywhere that a program could; prints who it is, and what it could write to.
_PROBE: Final = """
import json, os, sys
places = ["/", "/tmp", "/data", "/opt/trialconv", "/opt/trialconv/bin", sys.prefix, os.path.dirname(os.__file__)]
written = []
for place in places:
    try:
        open(os.path.join(place, "probe"), "w").close()
        written.append(place)
    except OSError:
        pass
(capabilities,) = [int(line.split()[1], 16) for line in open("/proc/self/status") if line.startswith("CapEff")]
print(json.dumps({"user": os.getuid(), "group": os.getgid(), "capabilities": capabilities, "written": written}))
"""

#: Sends standard input to the server of the same container, once that answers, and prints what comes back.
_CLIENT: Final = """
import sys, time, urllib.error, urllib.request
address = "http://localhost:8000"
for _ in range(60):
    try:
        urllib.request.urlopen(address + "/healthz")
        break
    except urllib.error.URLError:
        time.sleep(1)
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(address + "/convert/fhir-r4", sys.stdin.buffer.read(), headers)
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""


def main() -> int:
    """Build and try. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the container image and use it.")
    parser.add_argument("--base", help="the base image; default: that of the Containerfile, or one made here")
    parser.add_argument("--run-option", action="append", default=[], help="one more option of `podman run`")
    parser.add_argument("--build-option", action="append", default=[], help="one more option of `podman build`")
    parser.add_argument("--global-option", action="append", default=[], help="one more option of podman itself")
    given = parser.parse_args()
    podman = shutil.which("podman")
    if podman is None:
        sys.stdout.write("skipped: podman is not installed, so that no image was built or run\n")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = given.base or _base([podman, *given.global_option], folder)
        if base is None:
            sys.stdout.write("skipped: no base image can be pulled, nor be made without root and mmdebstrap\n")
            return 0
        build = [f"--build-arg=BASE={base}", *given.build_option]
        path = _shim(folder, [podman, *given.global_option], build, given.run_option)
        try:
            _blocks(folder, path)
            _look(folder, path)
            _serve(folder, path)
        except subprocess.CalledProcessError as error:
            said = b"".join((error.stdout or b"", error.stderr or b"")).decode(errors="replace")
            sys.stderr.write(f"failed with {error.returncode}: {error.cmd}\n{said}\n")
            return 1
        finally:
            _call(["podman", "rm", "--force", "--ignore", _PAGE], folder, path)
    sys.stdout.write(f"the image of {base} works, sealed and not as root\n")
    return 0


def _base(podman: list[str], folder: Path) -> str | None:
    """Return the base of the Containerfile if it can be had, else the name of one made of Debian's packages."""
    found = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit("the Containerfile names no base")
    if subprocess.run([*podman, "pull", "--quiet", found[1]], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return found[1]
    if subprocess.run([*podman, "image", "exists", _LOCAL_BASE], check=False).returncode == 0:  # noqa: S603
        return _LOCAL_BASE
    debstrap = shutil.which("mmdebstrap")
    if debstrap is None or os.geteuid() != 0:
        return None
    sys.stdout.write(f"{found[1]} cannot be pulled; making a base of Debian's packages ({_SUITE}) ...\n")
    tree = folder / "base.tar"
    packages = "--include=python3,python3-venv,ca-certificates"
    made = subprocess.run(  # noqa: S603
        [debstrap, "--variant=essential", packages, _SUITE, str(tree)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        sys.stderr.write(made.stderr)
        return None
    subprocess.run([*podman, "import", "--quiet", str(tree), _LOCAL_BASE], check=True)  # noqa: S603
    tree.unlink()
    return _LOCAL_BASE


def _shim(folder: Path, podman: list[str], build: list[str], run: list[str]) -> str:
    """Write a `podman` that adds options to `build` and `run`, and return the PATH on which it comes first."""
    place = folder / "bin"
    place.mkdir()
    shim = place / "podman"
    text = "\n".join(
        (
            "#!/bin/sh",
            'command=$1; shift; case "$command" in',
            f'build) exec {shlex.join([*podman, "build", *build])} "$@";;',
            f'run) exec {shlex.join([*podman, "run", *run])} "$@";;',
            f'*) exec {shlex.join(podman)} "$command" "$@";;',
            "esac\n",
        )
    )
    shim.write_text(text, encoding="utf-8")
    shim.chmod(0o755)
    return f"{place}{os.pathsep}{os.environ['PATH']}"


def _blocks(folder: Path, path: str) -> None:
    """Run the `sh` blocks of the page, in a copy of what they name."""
    for name in ("Containerfile", ".containerignore", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("converter", "mappings", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "out").mkdir()
    page = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        sys.stdout.write(block)
        sys.stdout.flush()
        _call(["sh", "-euc", block], folder, path)
    odm = [each.name for each in (folder / "out" / "odm").iterdir()]
    _expect("files of the mounted folder", len(odm), len(list((ROOT / "examples" / "studies").iterdir())))


def _look(folder: Path, path: str) -> None:
    """Compare what the sealed image makes with what is made here, and try to break out of the seal."""
    sealed = ["podman", "run", *_SEALED, "--interactive"]
    here = str(Path(sys.executable).with_name("trialconv"))
    record = (ROOT / _STUDY).read_bytes()
    for command in ("to-fhir", "to-odm", "to-usdm"):
        made = _call([*sealed, "trialconv", command, "-"], folder, path, record)
        _expect(
            f"what {command} makes is what it makes here",
            made == _call([here, command, "-"], folder, path, record),
            True,
        )
    probe = _call([*sealed, "--entrypoint=python3", "trialconv", "-c", _PROBE], folder, path)
    wanted = {"user": _USER, "group": _USER, "capabilities": 0, "written": []}
    _expect("user, group, capabilities and what can be written to", json.loads(probe), wanted)
    inspected = _call(
        ["podman", "image", "inspect", "--format={{.User}} {{.Config.Entrypoint}}", "trialconv"], folder, path
    )
    _expect("user and entry point of the image", inspected.decode().strip(), f"{_USER}:{_USER} [trialconv]")
    wrong = subprocess.run(  # noqa: S603
        [*sealed, "trialconv", "to-fhir", "nowhere.json"],
        env={**os.environ, "PATH": path}, capture_output=True, check=False,
    )  # fmt: skip
    _expect("exit code for a file that is not there", wrong.returncode, 4)
    if os.geteuid() == 0:
        own = folder / "own"
        own.mkdir()
        os.chown(own, _USER, _USER)
        mounted = [f"--volume={folder}/examples:/data/in:ro", f"--volume={own}:/data/out:rw"]
        _call(
            [*sealed, *mounted, "trialconv", "to-fhir", f"in/studies/{Path(_STUDY).name}", "--out", "out/x.json"],
            folder,
            path,
        )
        _expect("owner of a document in the user's folder", (own / "x.json").stat().st_uid, _USER)


def _serve(folder: Path, path: str) -> None:
    """Have the sealed server convert a record, and compare the answer with what the command makes here."""
    _call(["podman", "run", *_SEALED, "--detach", f"--name={_PAGE}", "trialconv", "serve"], folder, path)
    record = (ROOT / _STUDY).read_bytes()
    made = _call(["podman", "exec", "--interactive", _PAGE, "python3", "-c", _CLIENT], folder, path, record)
    here = _call([str(Path(sys.executable).with_name("trialconv")), "to-fhir", "-"], folder, path, record)
    _expect("what the server makes is what the command makes", json.loads(made) == json.loads(here), True)
    _call(["podman", "rm", "--force", "--time=5", _PAGE], folder, path)


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found!r} and not {wanted!r}")
    sys.stdout.write(f"ok: {what}\n")


def _call(command: list[str], folder: Path, path: str, given: bytes = b"") -> bytes:
    """Return what a command prints. Raises CalledProcessError when it fails."""
    program = shutil.which(command[0], path=path) or command[0]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(  # noqa: S603
        [program, *command[1:]],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        timeout=900,
        check=True,
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
