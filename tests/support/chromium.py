"""Debian's Chromium for the tests of pages, as a pytest plugin: one for the tests of a file; each opens contexts of its own."""

from __future__ import annotations

import faulthandler
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.servers import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAM = Path(__file__).with_name("plain_chromium.sh")
PATIENCE_MS = 1_000 * PATIENCE_S
"""How long a page may take to show what a test expects of it: on a busy machine, whichever tests run beside it."""


LOOK_MS = 5_000
"""How long a page of a test that failed may take to say what it shows."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running Chromium; the test is skipped, or failed in CI, where none is installed."""
    require("" if shutil.which("chromium") else "chromium is missing: apt-get install -y chromium")
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415  # half a second, for these tests alone

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test that failed, report what its pages showed and where the threads of this process, which may serve them, stood."""
    report = yield
    browser: Browser | None = getattr(item, "funcargs", {}).get("chromium")
    if browser is not None and report.when == "call" and report.failed:
        report.sections += [("pages", _describe_pages(browser)), ("threads", _describe_threads())]
    return report


def _describe_pages(browser: Browser) -> str:
    from playwright.sync_api import Error  # noqa: PLC0415  # as above

    said = []
    for page in (page for context in browser.contexts for page in context.pages):
        try:
            words = page.locator("body").inner_text(timeout=LOOK_MS)
        except Error as error:
            words = f"(not to be read: {error.message})"
        said.append(f"{page.url}\n{words}")
    return "\n\n".join(said)


def _describe_threads() -> str:
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        return file.read()
