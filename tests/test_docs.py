"""The documentation: its commands run, its generated parts are up to date, what it names is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import trialconv
from page_blocks import as_pattern, blocks, commands
from registry_server import StandIn

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MAKE_DOCS = ROOT / "scripts" / "make_docs.py"

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.*-]*|\.ci/run|[\w-]+\.(?:py|md|toml))`")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder as a user would, with both of its outputs in one text."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("SOURCE_DATE_EPOCH", "MAKEFLAGS")
    }
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    return subprocess.run(  # noqa: S603 - commands of our own pages
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Return a folder that holds the examples, and what stands for the registry's bulk download."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    with zipfile.ZipFile(tmp_path / "ctg-studies.json.zip", "w") as download:
        for path in sorted((ROOT / "examples" / "studies").iterdir()):
            download.write(path, path.name)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def registry() -> Iterator[None]:
    """Serve the examples as the registry would, for the commands that ask it."""
    with StandIn() as stand_in, pytest.MonkeyPatch.context() as patch:
        stand_in.put(*(record.to_json() for record in trialconv.read(ROOT / "examples")))
        patch.setenv("TRIALCONV_REGISTRY_URL", stand_in.url)
        yield


def needs(program: str) -> None:
    """Skip the test where a program is missing."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed, and this test runs it")


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_run_as_shown(page: Path, workplace: Path) -> None:
    """Every command of a page succeeds, in the page's order, and says what the page shows."""
    needs("bash")
    for command, shown in commands(page):
        if command.split()[0] == "make":
            continue
        done = run(["bash", "-c", f"set -o pipefail; {command}"], workplace)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        if shown:
            assert as_pattern(shown).fullmatch(done.stdout), f"{command}\n{done.stdout}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_blocks_run(page: Path, workplace: Path) -> None:
    """Every Python block of a page runs without an error or a warning."""
    for block in blocks(page, "python"):
        done = run([sys.executable, "-W", "error", "-c", block], workplace)
        assert done.returncode == 0, f"{block}\n{done.stdout}"


@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=lambda script: script.name)
def test_example_scripts_run(script: Path, workplace: Path) -> None:
    """Every example script runs on the example records, without warnings, and prints something."""
    done = run([sys.executable, "-W", "error", f"examples/{script.name}"], workplace)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip()


def test_readme_shows_what_the_makefile_has() -> None:
    """Every `make` command that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for words in re.findall(r"(?:^\$ |`)make((?: [\w=.-]+)*)", text, re.MULTILINE):
            named |= {word for word in words.split() if "=" not in word}
    assert {"demo", "test", "docs", "accept"} <= named
    assert named <= targets


def test_generated_parts_are_up_to_date() -> None:
    """The generated parts of the pages are what the code and the tables say; `make docs` renews them."""
    done = run([sys.executable, str(MAKE_DOCS), "--check"], ROOT)
    assert done.returncode == 0, done.stdout


def test_an_outdated_page_is_named_and_renewed(tmp_path: Path) -> None:
    """A changed line in a generated part is found by --check, which changes nothing, and undone without it."""
    shutil.copy(ROOT / "README.md", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    page = tmp_path / "docs" / "issues.md"
    make_docs = [sys.executable, str(MAKE_DOCS), "--root", str(tmp_path)]
    assert run(make_docs, tmp_path).returncode == 0
    right = page.read_text(encoding="utf-8")
    wrong = right.replace("`no-code`", "`some-code`")
    page.write_text(wrong, encoding="utf-8")

    checked = run([*make_docs, "--check"], tmp_path)
    assert (checked.returncode, "docs/issues.md" in checked.stdout) == (1, True)
    assert page.read_text(encoding="utf-8") == wrong

    assert run(make_docs, tmp_path).returncode == 0
    assert page.read_text(encoding="utf-8") == right


def test_every_field_has_a_row_in_every_table() -> None:
    """The page of fields lists no field that a table of fields lacks."""
    assert "*missing from the table of fields*" not in (ROOT / "docs" / "fields.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file of the project."""
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if ":" not in link]
    missing = [link for link in links if not (page.parent / link.partition("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_named_files_are_there(name: str) -> None:
    """Every file and folder that a page names is there, below the project or one of its two packages."""
    roots = (ROOT, ROOT / "converter" / "trialconv", ROOT / "mappings" / "trialconv_mappings")
    text = (ROOT / name).read_text(encoding="utf-8")
    named = {path for path in _NAMED_PATH.findall(text) if not path.startswith("..")}
    assert named
    missing = sorted(path for path in named if not any(next(root.glob(path), None) for root in roots))
    assert missing == []


def _packages(wanted: list[str]) -> set[str]:
    return {re.split(r"[><=~!]", each)[0] for each in wanted}


def test_every_dependency_is_argued_for() -> None:
    """The page of dependencies has a paragraph for each package that is needed and names each tool."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = _packages(project["dependencies"])
    needed, _, rest = text.partition("## Extras")
    optional, _, _ = rest.partition("## For development only")
    assert names == set(re.findall(r"^\*\*([\w.-]+)\*\*", needed, re.MULTILINE))
    extras = {name: _packages(wanted) for name, wanted in project["optional-dependencies"].items()}
    tools = extras.pop("dev")
    assert set(extras) == set(re.findall(r"^\*\*([\w.-]+)\*\*", optional, re.MULTILINE))
    assert [name for wanted in extras.values() for name in wanted if name.partition("[")[0] not in optional] == []
    assert {name for name in tools if name.startswith("trialconv[")} == {
        f"trialconv[{name}]" for name in extras if name != "spark"
    }, "the tests need every extra that is no stage of its own"
    tools = {name for name in tools if not name.startswith("trialconv[")}
    _, _, table = text.partition("| package | what for |\n|---|---|\n")
    listed = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()]
    assert tools == {name.strip() for names in listed for name in names.split(",")}


def test_changelog_knows_the_version() -> None:
    """The changelog has a section for the present version and one for mapping changes."""
    from trialconv import __version__

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in text
    assert "### Mapping changes" in text


@pytest.fixture
def checkout(workplace: Path) -> Path:
    """Return a folder with what `make demo` needs, and this virtual environment as its own."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, workplace)
    (workplace / ".venv").mkdir()
    (workplace / ".venv" / "bin").symlink_to(BIN)
    (workplace / ".venv" / ".stamp").touch()
    return workplace


def test_make_demo_converts_and_validates_twice(checkout: Path) -> None:
    """`make demo` writes both documents, says where they are and that they are valid, and can be repeated."""
    needs("make")
    for _ in range(2):
        done = run(["make", "demo"], checkout)
        assert done.returncode == 0, done.stdout
        for name in ("out/NCT06108596.json", "out/NCT06108596.xml"):
            assert f"{name}: no errors" in done.stdout
            assert (checkout / name).stat().st_size > 10_000


def test_make_refuses_an_old_python(checkout: Path) -> None:
    """With an interpreter before 3.11 make says which version is needed and how to name another one."""
    needs("make")
    shutil.rmtree(checkout / ".venv")
    old = checkout / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n', encoding="utf-8")
    old.chmod(0o755)
    done = run(["make", "demo", "PYTHON=./old-python"], checkout)
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; ./old-python is Python 3.9.2" in done.stdout
    assert "make PYTHON=python3.12 demo" in done.stdout
    assert not (checkout / "out").exists()


def test_benchmarks_without_records_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without real records the benchmark measures nothing, says which folder it looked for, and fails."""
    monkeypatch.setenv("TRIALCONV_SHARED", str(tmp_path / "nowhere"))
    before = (ROOT / "docs" / "performance.json").read_bytes()
    done = run([sys.executable, str(ROOT / "benchmarks" / "bench_core.py")], tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / "nowhere") in done.stdout
    assert (ROOT / "docs" / "performance.json").read_bytes() == before


def test_ci_runs_the_checks_and_the_tests() -> None:
    """.ci/run can be executed and makes check and test."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    made = re.findall(r"^make (\w+)$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"check", "test"} <= set(made)
