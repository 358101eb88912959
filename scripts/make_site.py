"""Build the site of the documentation.

    python scripts/make_site.py [--out FOLDER]

The pages of docs/ and those at the top of the project link to each other and to files as the repository has them.
For the site they are laid side by side in a temporary folder: a link to a page becomes a link to that page (with
its title, where the link's words are the name of the file), a file that a page links to comes along below
`files/`, and a link to a folder or to the README becomes the words of it. Zensical then makes HTML of them, and
any warning of its fails the build. In the end the one script that its search would fetch from elsewhere is put
beside the pages, so that the site needs nothing but itself.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: The pages of the site that stand at the top of the project. The README is the entrance of the repository.
TOP_PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")

#: What the site has beside its pages. The script lets the search run without a server; Zensical names the address
#: of a content delivery network for it.
_FILES = ROOT / "scripts" / "site_files"
_SHIM = _FILES / "iframe-worker.js"
_SHIM_ADDRESS = re.compile(r'src="https://[^"]*/iframe-worker/[^"]*"')

_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


def pages(root: Path) -> dict[Path, str]:
    """Return the pages of the site: the files, and their names in the site."""
    top = [root / name for name in TOP_PAGES]
    return {page: page.name for page in [*top, *sorted((root / "docs").glob("*.md"))]}


def gathered(root: Path, into: Path) -> None:
    """Write the pages of a project, and the files that they link to, side by side into a folder.

    Raises ValueError for a link that leads nowhere.
    """
    names = pages(root)
    for page, name in names.items():
        parts = _FENCE.split(page.read_text(encoding="utf-8"))
        # Every second part is a fenced block, in which nothing is a link.
        parts[::2] = [
            _LINK.sub(lambda link, page=page: _led(link, page, names, into), text) for text in parts[::2]
        ]
        (into / name).write_text("".join(parts), encoding="utf-8")


def _led(link: re.Match[str], page: Path, names: dict[Path, str], into: Path) -> str:
    words, path, anchor = link[1], link[2], link[3] or ""
    root = next(iter(names)).parent
    aim = (page.parent / path).resolve()
    if aim in names:
        return f"[{_title(aim) if words == path else words}]({names[aim]}{anchor})"
    if aim == root / "README.md" or aim.is_dir():
        return words
    if not aim.is_file() or not aim.is_relative_to(root):
        raise ValueError(f"{page.relative_to(root)}: {path} leads to no file of this project")
    copy = Path("files") / aim.relative_to(root)
    (into / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(aim, into / copy)
    return f"[{words}]({copy.as_posix()})"


def self_contained(site: Path) -> None:
    """Have the pages of a site take the search's script from the site."""
    folder = site / "assets" / "javascripts"
    shutil.copy(_SHIM, folder)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        # The page of errors may be shown for any address, so that its own links begin at the root.
        base = "/" if page.name == "404.html" else "../" * (len(page.relative_to(site).parts) - 1)
        page.write_text(_SHIM_ADDRESS.sub(f'src="{base}assets/javascripts/{_SHIM.name}"', text), encoding="utf-8")


def _title(page: Path) -> str:
    """Return the heading of a page. On the site it reads better than the name of a file."""
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def build(root: Path, out: Path) -> int:
    """Build the site of a project into a folder, which is made anew. Returns the exit code of the builder."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        (work / "docs").mkdir()
        gathered(root, work / "docs")
        shutil.copy(root / "mkdocs.yml", work)
        shutil.copy(_FILES / "site.css", work / "docs")
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(command, cwd=work, check=False)  # noqa: S603 (a command of this file)
        if done.returncode == 0:
            self_contained(work / "site")
            shutil.rmtree(out, ignore_errors=True)
            shutil.move(work / "site", out)
    return done.returncode


def main() -> int:
    """Build the site. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the site of the documentation.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project")
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder for the site; made anew")
    given = parser.parse_args()
    try:
        code = build(given.root.resolve(), given.out)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if code == 0:
        sys.stdout.write(f"open {given.out / 'index.html'}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
