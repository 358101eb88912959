"""Write the generated parts of README.md and docs/*.md.

    python scripts/make_docs.py           write them
    python scripts/make_docs.py --check   change nothing; exit with 1 and name the pages that are out of date

A page is written by hand but for what stands between two marks:

    <!-- generated: NAME -->
    ...
    <!-- end of NAME -->

The text between them is made by the function for NAME in `doc_blocks.py`, from the code, the tables and the last
figures of the benchmarks.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import doc_blocks

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"(<!-- generated: ([a-z0-9-]+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
_MARK = re.compile(r"<!-- (?:generated: |end of )([a-z0-9-]+) -->")


def pages(root: Path) -> list[Path]:
    """Return the pages that may have generated parts."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def renewed(text: str, root: Path) -> str:
    """Return a page with its generated parts made anew.

    Raises ValueError for a mark without its partner and for a part that nothing makes.
    """
    whole = [match[2] for match in _BLOCK.finditer(text)]
    for name in _MARK.findall(text):
        if name not in whole:
            raise ValueError(f"the mark {name!r} has no partner")
        if name not in doc_blocks.BLOCKS:
            raise ValueError(f"no part is called {name!r}; there are {', '.join(doc_blocks.BLOCKS)}")
    return _BLOCK.sub(lambda match: f"{match[1]}{doc_blocks.BLOCKS[match[2]](root)}\n{match[3]}", text)


def main() -> int:
    """Write or check all pages. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated parts of README.md and docs/*.md.")
    parser.add_argument("--check", action="store_true", help="write nothing, name what is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds README.md and docs/")
    given = parser.parse_args()
    outdated = []
    for page in pages(given.root):
        text = page.read_text(encoding="utf-8")
        new = renewed(text, given.root)
        if new != text:
            outdated.append(page.relative_to(given.root).as_posix())
            if not given.check:
                page.write_text(new, encoding="utf-8", newline="\n")
    if not outdated:
        sys.stdout.write("all generated parts are up to date\n")
    elif given.check:
        sys.stdout.write(f"out of date: {', '.join(outdated)}; run `make docs`\n")
    else:
        sys.stdout.write(f"written: {', '.join(outdated)}\n")
    return 1 if outdated and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
