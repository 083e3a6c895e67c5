"""Debian's Chromium for the tests of pages, as a pytest plugin: one for the tests of a file; each opens contexts of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PATIENCE_MS = 60_000
"""How long a page may take to show what a test expects of it: on a busy machine, whichever tests run beside it."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running Chromium; the test is skipped, or failed in CI, where none is installed."""
    path = shutil.which("chromium")
    require("" if path else "chromium is missing: apt-get install -y chromium")
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415  # half a second, for these tests alone

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
