"""The simulator as a process of its own: how it says that it is ready, moves a shared clock, and looks in a browser."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.processes import start_simulator

CLOCK_MS = 1_800_000_000_000


@contextmanager
def started(clock: Path, seed: int) -> Iterator[str]:
    """A simulator process on a clock file; gives its address."""
    clock.write_text(f"{CLOCK_MS:020d}")
    environ = {**os.environ, "ROOMSYNC_TEST_CLOCK": str(clock)}
    with start_simulator(environ, seed=seed) as running:
        yield running.url
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=10) == 0


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its address, and the file that is its clock."""
    with started(tmp_path / "clock", 7) as url:
        yield url, tmp_path / "clock"


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


def a_week_at_both_providers(url: str) -> list[dict[str, Any]]:
    """Rivals for rooms of every kind of rule, a series, a person's decision, time in steps; the history of it all."""
    with httpx.Client(base_url=f"{url}/sim/v1", timeout=10) as sim:

        def post(path: str, **body: Any) -> dict[str, Any]:
            answer = sim.post(path, json=body)
            assert answer.is_success, answer.text
            found: dict[str, Any] = answer.json()
            return found

        kinds: dict[str, dict[str, Any]] = {
            "free": {}, "manual": {"mode": "manual"}, "never": {"mode": "never"}, "forbid": {"mode": "forbid"},
            "group": {"mode": "group", "group": ["ann@microsoft.test", "ann@google.test"]},
            "short": {"maxDurationMinutes": 30}, "soon": {"maxLeadDays": 0}, "spare": {},
        }  # fmt: skip
        sim.put("faults", json={"autoReplace": True, "autoReplaceDelayMs": [500, 4000]})
        for provider in ("microsoft", "google"):
            tenant = post("tenants", provider=provider, name=provider, domain=f"{provider}.test")["id"]
            people = [
                post("users", tenant=tenant, name=one, address=f"{one}@{provider}.test") for one in ("ann", "ben")
            ]
            rooms = {
                kind: post("rooms", tenant=tenant, name=kind, address=f"{kind}@{provider}.rooms.test", rules=rules)
                for kind, rules in kinds.items()
            }
            for who in people:
                for start, more in (
                    ("2027-01-18T10:00:00Z", {"end": "2027-01-18T11:00:00Z"}),
                    (
                        "2027-01-18T10:30:00Z",
                        {"end": "2027-01-18T11:00:00Z", "recurrence": {"frequency": "daily", "count": 5}},
                    ),
                ):
                    for room in (one for kind, one in rooms.items() if kind != "spare"):
                        made = post(
                            "meetings", organizer=who["id"], title="T", start=start, rooms=[room["address"]], **more
                        )
                        if room["name"] == "manual":
                            post(f"rooms/{room['id']}/answers", meeting=made["id"], answer="accepted")
                        post("clock", advanceMs=50)
        for _ in range(100):
            post("clock", advanceMs=100)
        history: list[dict[str, Any]] = sim.get("history").json()["history"]
        return history


def test_failing_seed_fails_again_in_another_process_to_the_millisecond(tmp_path: Path) -> None:
    histories = []
    for nth, seed in enumerate((7, 7, 8)):
        with started(tmp_path / f"clock{nth}", seed) as url:
            histories.append(a_week_at_both_providers(url))
    first, second, other = histories
    assert first == second
    assert first != other
    assert {fact["reason"] for fact in first} >= {
        "free", "conflict", "forbidden", "not-in-group", "too-long", "too-early", "a-person-decided", "replacement",
    }  # fmt: skip


def test_page_and_its_parts_carry_no_inline_script(process: tuple[str, Path]) -> None:
    page = httpx.get(f"{process[0]}/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.text.count("<script") == page.text.count('<script src="')
    for name in ("simulator.css", "simulator.js", "icon.svg"):
        assert httpx.get(f"{process[0]}/pages/{name}").status_code == 200
    assert httpx.get(f"{process[0]}/pages/index.py").status_code == 404


@pytest.mark.browser
def test_person_books_approves_moves_and_cancels_on_the_page_at_phone_width(
    process: tuple[str, Path], chromium: Browser
) -> None:
    url, _ = process
    an_office(url)
    faults: list[str] = []
    page = chromium.new_page(viewport={"width": 390, "height": 800})
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
    page.close()
    assert faults == []
