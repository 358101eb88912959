"""The shape of the project: sizes, docstrings, directions of imports, and what must not stand in its files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from trialconv.cli.main import COMMANDS, LazyGroup, cli

ROOT = Path(__file__).resolve().parent.parent
CODE = ("converter", "mappings", "scripts", "benchmarks", "examples")
_MOST_LINES = 600
_LONGEST_FUNCTION = 60

#: Registries of packages, as host and domain, so that this file does not name them itself.
_REGISTRIES = (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("debian", "org"))
_MACHINE_PATH = re.compile(r"(?<![\w./*])/(?:work|farm|root|home|Users|tmp/bash)/|[A-Z]:\\Users")
_ABOUT_THE_MAKING = re.compile(r"(?:issue|ticket) #\d+|\bsub-?agents?\b|\blanguage model\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)*\.[a-z]{2,})\b")
_STUDY = re.compile(r"NCT\d{8}")
#: Studies that may be named: the example, the one that help texts name as a file, and made-up ones.
_NAMED_STUDIES = re.compile(r"NCT06108596|NCT01234567|NCT9\d{7}|NCT0{6,}\d*")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    """Return the Python files of some folders, without generated ones."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if "_generated" not in path.parts]


def tree(path: Path) -> ast.Module:
    """Return a Python file as a syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Return where something stands, for a message."""
    line = f":{node.lineno}" if node is not None and hasattr(node, "lineno") else ""
    return path.relative_to(ROOT).as_posix() + line


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Yield the text files that git has or would take, with their names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8").stdout  # noqa: S603 - git
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so that nothing tells the project's files from others")
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".gz", ".zip"):
            yield name, path.read_text(encoding="utf-8")


def test_no_file_is_too_long() -> None:
    """No Python file has more than 600 lines."""
    files = sources(*CODE, "tests")
    assert len(files) > 50
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > _MOST_LINES} == {}


def test_no_function_is_too_long() -> None:
    """No function has more than 60 lines."""
    long = [
        f"{place(path, node)} {node.name}"
        for path in sources(*CODE)
        for node in ast.walk(tree(path))
        if isinstance(node, Function) and (node.end_lineno or 0) - node.lineno >= _LONGEST_FUNCTION
    ]
    assert long == []


def undocumented(path: Path) -> Iterator[str]:
    """Yield the places of a file's public parts without a docstring, and of the file itself."""
    module = tree(path)
    if ast.get_docstring(module) is None:
        yield place(path)
    waiting: list[ast.stmt] = list(module.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield f"{place(path, node)} {node.name}"
        if isinstance(node, ast.ClassDef):
            waiting += node.body


def test_everything_public_has_a_docstring() -> None:
    """Every module, and every public class, function and method, says what it is."""
    assert [found for path in sources(*CODE) for found in undocumented(path)] == []


def test_every_test_states_a_fact_in_one_line() -> None:
    """Every test is a plain function with a docstring of one line."""
    wrong = [
        f"{place(path, node)} {node.name}"
        for path in sources("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, Function) and node.name.startswith("test_") and path.name.startswith("test_")
        if len((ast.get_docstring(node) or "").splitlines()) != 1 or node.col_offset
    ]
    assert wrong == []


def broad_handlers(path: Path) -> Iterator[str]:
    """Yield the places where a file catches every exception."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {kind.id if isinstance(kind, ast.Name) else None if kind else "all" for kind in kinds}
            if names & {"Exception", "BaseException", "all"}:
                yield place(path, node)


def test_only_two_places_catch_everything() -> None:
    """Only the isolation of records and the last resort of the command catch every exception."""
    found = [where.partition(":")[0] for path in sources(*CODE) for where in broad_handlers(path)]
    assert found == ["converter/trialconv/cli/main.py", "converter/trialconv/pipeline.py"]


def test_imports_go_one_way() -> None:
    """The contracts about the direction of imports hold."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, encoding="utf-8")  # noqa: S603 - our tool
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


def test_help_lists_exactly_the_commands() -> None:
    """The help lists the commands without importing them, and each is what it is listed as."""
    assert isinstance(cli, LazyGroup)
    context = cli.make_context("trialconv", [], resilient_parsing=True)
    listed = re.findall(r"^  ([a-z-]+)  ", cli.get_help(context).partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS) == cli.list_commands(context)
    for name in listed:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert cli.get_command(context, "to-nowhere") is None


def test_every_command_module_is_listed() -> None:
    """No module of the command line holds a command that the help does not list."""
    with_command = {
        f"trialconv.cli.{path.stem}"
        for path in sources("converter/trialconv/cli")
        if any(isinstance(node, Function) and node.name == "command" for node in tree(path).body)
    }
    assert with_command == {module for module, _ in COMMANDS.values()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["to-fhir", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help and version import no parser, no validator and no model classes."""
    script = (
        "import sys\n"
        "from trialconv.cli.main import main\n"
        f"sys.argv = ['trialconv', *{arguments!r}]\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")  # noqa: S603 - the script above
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "trialconv" in loaded
    assert loaded & {"fhir", "jsonschema_rs", "lxml", "odmlib", "pydantic"} == set()


def test_files_name_no_machine_and_no_package_registry() -> None:
    """No file names a path of somebody's machine or the host of a package registry."""
    hosts = re.compile("|".join(rf"\b{host}\.{domain}\b" for host, domain in _REGISTRIES))
    found = [
        f"{name}: {match[0]}"
        for name, text in tracked_texts()
        for pattern in (_MACHINE_PATH, hosts)
        for match in pattern.finditer(text)
        if name != "tests/test_structure.py"
    ]
    assert found == []


def test_files_speak_of_the_project_only() -> None:
    """No file speaks of how it was made."""
    found = [
        f"{name}: {match[0]}"
        for name, text in tracked_texts()
        for match in _ABOUT_THE_MAKING.finditer(text)
        if not name.endswith(".txt")
    ]
    assert found == []


def test_addresses_are_made_up() -> None:
    """Every e-mail address in a file is one at example.org."""
    found = [
        f"{name}: {match[0]}"
        for name, text in tracked_texts()
        for match in _ADDRESS.finditer(text)
        if match[1] != "example.org"
    ]
    assert found == []


def test_studies_are_made_up() -> None:
    """The example page is the only real study that any file names."""
    found = {
        f"{name}: {match[0]}"
        for name, text in tracked_texts()
        for match in _STUDY.finditer(text)
        if not _NAMED_STUDIES.fullmatch(match[0]) and name != "examples/NCT06108596.txt"
    }
    assert found == set()
