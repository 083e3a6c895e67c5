"""The simulator as a process of its own: how it says that it is ready, moves a shared clock, and looks in a browser."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

CLOCK_MS = 1_800_000_000_000


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its address, and the file that is its clock."""
    clock = tmp_path / "clock"
    clock.write_text(f"{CLOCK_MS:020d}")
    environ = {**os.environ, "ROOMSYNC_TEST_CLOCK": str(clock)}
    arguments = [sys.executable, "-m", "simulator.main", "--port", "0", "--seed", "7"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environ) as started:
        word, name, url, pid = started.stdout.readline().split()
        assert (word, name, int(pid)) == ("ready", "simulator", started.pid)
        yield url, clock
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=10) == 0


def an_office(url: str) -> None:
    def make(path: str, **body: object) -> dict[str, str]:
        answer = httpx.post(f"{url}/sim/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, str] = answer.json()
        return found

    tenant = make("tenants", provider="microsoft", name="C", domain="c.test")["id"]
    make("users", tenant=tenant, name="Ann", address="ann@c.test")
    make("rooms", tenant=tenant, name="Aare", address="aare@c.test", rules={"mode": "manual"})


def test_process_says_it_is_ready_and_writes_the_shared_clock_in_place(process: tuple[str, Path]) -> None:
    url, clock = process
    assert httpx.get(f"{url}/readyz").json() == {"status": "ready", "nowMs": CLOCK_MS}
    assert httpx.get(f"{url}/livez").status_code == 200
    assert httpx.post(f"{url}/sim/v1/clock", json={"advanceMs": 1500}).json() == {"nowMs": CLOCK_MS + 1500}
    assert clock.read_text() == f"{CLOCK_MS + 1500:020d}"
    refused = httpx.post(f"{url}/sim/v1/clock", json={})
    assert (refused.status_code, "advanceMs" in refused.json()["error"]) == (400, True)


def test_page_and_its_parts_carry_no_inline_script(process: tuple[str, Path]) -> None:
    page = httpx.get(f"{process[0]}/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.text.count("<script") == page.text.count('<script src="')
    for name in ("simulator.css", "simulator.js", "icon.svg"):
        assert httpx.get(f"{process[0]}/pages/{name}").status_code == 200
    assert httpx.get(f"{process[0]}/pages/index.py").status_code == 404


@pytest.mark.browser
def test_person_books_approves_moves_and_cancels_on_the_page_at_phone_width(process: tuple[str, Path]) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 (optional for the rest)

    url, _ = process
    an_office(url)
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(url)
        page.get_by_role("checkbox", name="Aare").check()
        page.get_by_label("Starts").fill("2027-01-20T10:00")
        page.get_by_role("button", name="Book", exact=True).click()
        expect(page.locator("#meetings")).to_contain_text("Aare: has not answered")
        page.get_by_role("button", name="Approve Aare").click()
        expect(page.locator("#meetings")).to_contain_text("Aare: accepted")
        page.get_by_role("button", name="1 h later").click()
        expect(page.locator("#history")).to_contain_text("meeting moved")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#no-meetings")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        browser.close()
    assert faults == []
