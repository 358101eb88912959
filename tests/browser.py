"""A headless Chromium for tests: the machine's own, driven by Playwright, with no network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium_path() -> str:
    """Return where Chromium is. Skips the test when it is nowhere."""
    named = os.environ.get("TRIALCONV_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed: make browser, or name it in TRIALCONV_CHROMIUM")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser."""
    path = chromium_path()
    with sync_playwright() as playwright:
        # Chromium's sandbox cannot be had as root, which is what containers and CI machines run as.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


class Visit:
    """A page that is looked at: what it complains of, and what it asks for, is kept."""

    def __init__(self, page: Page, own: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self._own = own
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.route("**/*", self._fetch)

    def _fetch(self, route: Route) -> None:
        if route.request.url.startswith((self._own, "blob:", "data:")):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def check(self) -> None:
        """Check that the page had nothing to complain of and asked nobody else for anything."""
        assert self.complaints == []
        assert self.foreign == []

    def check_accessible(self) -> None:
        """Check the page as it stands with axe-core: contrast, names, roles, order (https://www.deque.com/axe/)."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
