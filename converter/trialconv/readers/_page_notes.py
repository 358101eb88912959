"""What a page reader finds while it reads: values for the tree, Issues, and texts kept as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialconv.issues import Issue, issue
from trialconv.readers._page_layout import Line, text_of, with_text

_SHOWN = 60


class Notes:
    """The tree under construction, the Issues, and the texts that were not read, by section."""

    def __init__(self, record: str) -> None:
        self.record = record
        self.tree: dict[str, Any] = {}
        self.issues: list[Issue] = []
        self._unread: dict[str, list[str]] = {}

    @property
    def unread_texts(self) -> dict[str, str]:
        """The texts that were kept as they stand, by section."""
        return {section: "\n\n".join(texts) for section, texts in self._unread.items()}

    def put(self, path: str, value: Any) -> None:
        """Set the value at a path of the registry's keys, such as `designModule.studyType` with its section."""
        target = self.tree
        *steps, last = path.split(".")
        for step in steps:
            target = target.setdefault(step, {})
        target[last] = value

    def unread(self, section: str, lines: Sequence[Line], why: str = "not understood") -> None:
        """Keep lines that nothing was made of, with one Issue for all of them. Blank lines alone are nothing."""
        self._keep("unread-page-text", section, lines, why)

    def ambiguous(self, section: str, lines: Sequence[Line], why: str) -> None:
        """Keep lines that can be read in several ways, with one Issue."""
        self._keep("ambiguous-page", section, lines, why)

    def remark(self, code: str, lines: Sequence[Line], message: str) -> None:
        """Raise an Issue about lines that were read all the same."""
        self.issues.append(issue(code, message, record=self.record, source_path=_place(lines)))

    def _keep(self, code: str, section: str, lines: Sequence[Line], why: str) -> None:
        said = with_text(lines)
        if not said:
            return
        first = said[0].bare
        shown = first if len(first) <= _SHOWN else first[:_SHOWN] + "…"
        self.remark(code, said, f"{section}: {why}, beginning {shown!r}")
        self._unread.setdefault(section, []).append(text_of(lines))


def _place(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    first, last = lines[0].number, lines[-1].number
    return f"line {first}" if first == last else f"lines {first}-{last}"
