"""The site of the documentation: each page is in it once, it builds without a warning, it needs nothing else."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import make_site
import pytest

from page_blocks import all_blocks

ROOT = Path(__file__).resolve().parent.parent
_COMMAND = re.compile(r"^(?:\$ |[\d*]+ .*)?\b(trialconv|pip|podman|docker|curl)\b", re.MULTILINE)
_FENCE = re.compile(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: ([a-z0-9-]+) -->.*?<!-- end of \1 -->", re.DOTALL)

#: The pages whose shell sessions ask a server, and what starts one and runs them as they are written.
_SESSIONS = {
    "README.md": "tests/test_push_docs.py",
    "fhir-servers.md": "tests/test_push_docs.py",
    "http-api.md": "tests/test_web_docs.py",
}
#: The pages with commands that no test runs as they are written: why, and what tries them.
_TRIED_ELSEWHERE = {
    "cluster.md": ("they need a cluster, or a batch system", "tests/test_bulk_spark.py"),
    "container.md": (
        "they need podman; make container runs them as they are written",
        "scripts/check_container.py",
    ),
    "deep-validation.md": ("they need Java and HL7's validator", "scripts/validate_deep.py"),
    "fetch-and-sync.md": ("it is a line for cron", "tests/test_sync.py"),
    "start.md": ("they install; make wheel runs them as they are written", "scripts/check_wheel.py"),
}


def listed() -> list[str]:
    """Return the pages of the navigation, in its order."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = text.partition("\nnav:\n")[2].partition("\n\n")[0]
    return re.findall(r"([\w-]+\.md)$", nav, re.MULTILINE)


def test_every_page_is_in_the_navigation_once() -> None:
    """A page of docs/ that nobody put into the navigation of mkdocs.yml, or put there twice, is found."""
    there = sorted(make_site.pages(ROOT).values())
    assert len(there) > 20
    assert sorted(listed()) == there, "mkdocs.yml: each page of docs/ needs one line in nav"


def test_pages_begin_with_a_heading() -> None:
    """Every page begins with the one heading that is its title in the navigation."""
    for page in make_site.pages(ROOT):
        text = _FENCE.sub("", page.read_text(encoding="utf-8"))
        assert text.startswith("# "), page.name
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1, page.name


def test_commands_are_run_by_something() -> None:
    """A command that a page shows is run by a test, or the page is among those whose commands cannot be."""
    sessions, others = set(), set()
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for language, block in all_blocks(_GENERATED.sub("", page.read_text(encoding="utf-8"))):
            if language == "shell-session":
                sessions.add(page.name)
            elif language != "console" and _COMMAND.search(block):
                others.add(page.name)
    assert sessions == _SESSIONS.keys(), "a server has to be started for them; else it is a console block"
    assert others == _TRIED_ELSEWHERE.keys(), "put its commands into a console block"
    for tried in (*_SESSIONS.values(), *(by for _, by in _TRIED_ELSEWHERE.values())):
        assert (ROOT / tried).exists()


def test_links_are_those_of_the_site(tmp_path: Path) -> None:
    """Links to pages, files, folders and the README become what they can be in the site; code is left alone."""
    project, site = tmp_path / "project", tmp_path / "site"
    (project / "docs").mkdir(parents=True)
    (project / "examples").mkdir()
    site.mkdir()
    (project / "examples" / "study.txt").write_text("a study", encoding="utf-8")
    for name in (*make_site.TOP_PAGES, "README.md", "docs/other.md"):
        (project / name).write_text(f"# {name}\n\nSee [docs](docs/page.md).\n" if "/" not in name else "# Other\n")
    page = (
        "# Page\n\n[a](other.md#part) [other.md](other.md) [b](../CONTRIBUTING.md)\n"
        "[c](../examples/study.txt) [d](../examples) [e](../README.md) [f](https://example.org/x.md) [g](#here)\n"
        "\n```text\n[h](../nowhere.md)\n```\n"
    )
    (project / "docs" / "page.md").write_text(page, encoding="utf-8")
    make_site.gathered(project, site)
    assert (site / "page.md").read_text(encoding="utf-8") == (
        "# Page\n\n[a](other.md#part) [Other](other.md) [b](CONTRIBUTING.md)\n"
        "[c](files/examples/study.txt) d e [f](https://example.org/x.md) [g](#here)\n"
        "\n```text\n[h](../nowhere.md)\n```\n"
    )
    assert "See [docs](page.md)." in (site / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert (site / "files" / "examples" / "study.txt").read_text(encoding="utf-8") == "a study"

    (project / "docs" / "page.md").write_text("# Page\n\n[a](nowhere.md)\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"docs/page\.md: nowhere\.md leads to no file"):
        make_site.gathered(project, site)


def build(root: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a project, or skip the test where the builder is missing."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("zensical is not installed, and it builds the site: pip install -e '.[dev]'")
    command = [sys.executable, str(ROOT / "scripts" / "make_site.py"), "--root", str(root), "--out", str(out)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site."""
    out = tmp_path_factory.mktemp("site") / "built"
    done = build(ROOT, out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


class _Fetched(HTMLParser):
    """Collects what a browser fetches for a page, and what it shows as paragraphs."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.texts: list[str] = []
        self._in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_code += tag in ("code", "pre", "script", "style")
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.fetched.append(given.get("href") or "")
        elif tag not in ("a", "link"):
            self.fetched += [
                value for name, value in attrs if name in ("src", "srcset", "data", "poster") and value
            ]

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag in ("code", "pre", "script", "style")

    def handle_data(self, data: str) -> None:
        if not self._in_code:
            self.texts.append(data)


def parsed(page: Path) -> _Fetched:
    """Return what is fetched for a page of the site, and its text."""
    found = _Fetched()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def test_the_site_has_every_page(site: Path) -> None:
    """Each page of the navigation is a page of the site with that page's heading."""
    for name in listed():
        assert "<h1" in (site / name).with_suffix(".html").read_text(encoding="utf-8"), name


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """Scripts, styles, fonts and images of every page, and of every style sheet, are files of the site."""
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        fetched = [one.partition("?")[0] for one in parsed(page).fetched if not one.startswith("data:")]
        assert any(one.endswith(".css") for one in fetched), page.name
        for one in fetched:
            base = site if one.startswith("/") else page.parent
            assert (base / one.lstrip("/")).is_file(), f"{page.name} fetches {one}"
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//""", text), sheet.name


def test_the_search_needs_no_server(site: Path) -> None:
    """The index of the search is there as a script, which a browser reads from a disk, too."""
    assert (site / "search.js").read_text(encoding="utf-8").count("status") > 10
    page = (site / "index.html").read_text(encoding="utf-8")
    assert 'src="assets/javascripts/iframe-worker.js"' in page


def test_markdown_is_read_as_meant(site: Path) -> None:
    """No table, list or fence of a page is left standing as the text that it is written in."""
    for page in sorted(site.glob("*.html")):
        text = "".join(parsed(page).texts)
        left = re.findall(r"^\s*(?:\|[ :-]*-{3}.*|```.*|[-*] \S.*)$", text, re.MULTILINE)
        assert left == [], f"{page.name}: {left[:3]}"


def test_a_broken_link_fails_the_build(site: Path, tmp_path: Path) -> None:
    """A link to a heading that is not there ends the build with an error, and leaves the old site as it is."""
    project, out = tmp_path / "project", tmp_path / "out"
    shutil.copytree(ROOT / "docs", project / "docs")
    for name in (*make_site.TOP_PAGES, "README.md", "mkdocs.yml"):
        shutil.copy(ROOT / name, project)
    # Of what the pages link to beside each other, the site takes copies; here empty files will do.
    for text in (page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")):
        for path in re.findall(r"\]\(\.\./([\w./-]+/[\w./-]+)\)", text):
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).touch()
    (project / "examples").mkdir(exist_ok=True)
    shutil.copytree(site, out)
    page = project / "docs" / "start.md"
    page.write_text(
        page.read_text(encoding="utf-8") + "\nSee [it](issues.md#no-such-heading).\n", encoding="utf-8"
    )
    done = build(project, out)
    assert (done.returncode, "start.md" in done.stdout + done.stderr) == (1, True), done.stdout + done.stderr
    assert (out / "index.html").exists()
