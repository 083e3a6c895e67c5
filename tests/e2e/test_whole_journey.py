"""The whole journey over the real pages in Chromium, on a clock that the test owns: on, connected, booked, off, on, off, gone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cli.demo.processes import RunningSystem, run_command, start_system
from tests.e2e.ticking import TickingClock
from tests.support.chromium import PATIENCE_MS
from tests.support.emptiness import found, in_files, in_redis, in_topics

pytestmark = pytest.mark.browser

DOMAIN = "journey.test"
TITLE = "Quaggasitzung XVIII"
NAMES = {"ada": "Adalgunde Nebelhorn", "ben": "Benedikt Zwetschge"}
WORDS = [TITLE, *NAMES.values(), f"ada@{DOMAIN}", f"ben@{DOMAIN}"]
PROVIDER_WORDS = {"microsoft": "Microsoft 365", "google": "Google Workspace"}
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@dataclass
class Journey:
    """One organisation on the running stage, and its people's browsers."""

    stage: RunningSystem
    clock: TickingClock
    provider: str
    chromium: Browser
    sim: httpx.Client
    people: dict[str, Page] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """At the provider."""

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.sim.post(path, json=body)
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def page(self, who: str) -> Page:
        if who not in self.people:
            context: BrowserContext = self.chromium.new_context(locale="en-GB", timezone_id="Europe/Zurich")
            context.set_default_timeout(PATIENCE_MS)
            self.people[who] = context.new_page()
        return self.people[who]

    def at(self, who: str, path: str) -> Page:
        page = self.page(who)
        page.goto(f"{self.stage.portal}{path}")
        return page

    def subscriptions(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.sim.get("subscriptions").json()["subscriptions"]
        return listed

    def signs_in(self, who: str) -> Page:
        """By clicks: the way in, the account, and whatever the provider asks."""
        page = self.at(who, "/auth/login")
        page.get_by_role("link", name=f"Sign in with {PROVIDER_WORDS[self.provider]}").click()
        self.allows(page, who)
        return page

    def allows(self, page: Page, who: str) -> None:
        """At the simulated provider's own pages, until the browser is back."""
        while not page.url.startswith(self.stage.portal):
            button = page.get_by_role("button", name=re.compile(f"^(Approve|{NAMES[who]})"))
            with page.expect_navigation():  # else a slow page would be asked twice, and its second answer refused
                button.first.click()

    def switches_on(self) -> None:
        """The administrator's three screens, with the real thing behind them."""
        page = self.at("ada", "/admin/integration")
        page.get_by_role("switch", name=PROVIDER_WORDS[self.provider]).click()
        page.get_by_role("link", name="Go on").click()
        page.get_by_role("button", name=re.compile("^Go to ")).click()
        page.wait_for_url(lambda url: not url.endswith("/test/depart"))
        self.allows(page, "ada")
        expect(page.get_by_role("heading", name="The test has passed")).to_be_visible()

    def switches_off(self, people: int) -> None:
        """With the real counts, and only after being asked again."""
        page = self.at("ada", "/admin/integration")
        page.get_by_role("switch", name=PROVIDER_WORDS[self.provider]).click()
        expect(page.get_by_text(re.compile(rf"{people} (person is|people are) disconnected"))).to_be_visible()
        page.get_by_role("button", name="Switch off").click()
        eventually(lambda: self.subscriptions() == [], "every subscription is ended at the provider")

    def state_words(self, who: str) -> list[str]:
        """What the integration's page says of its state; nothing where another page came, such as one that asks to come again."""
        return self.at(who, "/admin/integration").locator("#state .badge").all_inner_texts()

    def connection(self, who: str) -> str:
        """As the person's own API says."""
        answer = self.page(who).request.get(f"{self.stage.portal}/v1/me")
        return str(answer.json().get("connection", {}).get("state", "")) if answer.ok else f"{answer.status}"


@pytest.fixture(params=["microsoft", "google"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def journey(
    provider: str, engine: str, servers: Mapping[str, str], chromium: Browser, tmp_path: Path
) -> Iterator[Journey]:
    with TickingClock(tmp_path / "clock") as clock:
        overrides = {
            "ROOMSYNC_TEST_CLOCK": str(clock.path),
            "ROOMSYNC_ENROLMENT": "closed",
            "ROOMSYNC_PROMPT_GRACE_S": "0",
        }
        with (
            start_system(engine=engine, seed=7, servers=servers, overrides=overrides) as stage,
            httpx.Client(base_url=f"{stage.simulator}/sim/v1", timeout=10) as sim,
        ):
            yield _populated(Journey(stage, clock, provider, chromium, sim))
            for context in list(chromium.contexts):
                context.close()


def _populated(journey: Journey) -> Journey:
    tenant = journey.post("tenants", provider=journey.provider, name="Journey", domain=DOMAIN)["id"]
    if journey.provider == "microsoft":  # the policy there keeps people from consenting for themselves
        journey.post(f"tenants/{tenant}/consent", granted=True)
    for who, name in NAMES.items():
        journey.ids[who] = journey.post("users", tenant=tenant, name=name, address=f"{who}@{DOMAIN}")["id"]
    for name, mode in (("Aare", "forbid"), ("Birs", "auto")):
        room = {"name": name, "address": f"{name.lower()}@rooms.{DOMAIN}", "capacity": 6, "building": "N", "floor": "4"}
        journey.post("rooms", tenant=tenant, rules={"mode": mode, "delayMs": [100, 300]}, **room)
    wanted = ["--provider", journey.provider, "--directory", tenant, "--account", journey.ids["ada"]]
    run_command(["tenants", "admin", *wanted], journey.stage.environ)
    return journey


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_MS // 1000} s: {what}"
        time.sleep(0.2)


@pytest.mark.proves(
    "E1", "E3", "E9", "E12", "E14", "E15", "E16", "E18", "E19", "E20", "E25", "E26", "E28", "E30", "E33", "E43", "S1",
    "S3", "S4",
)  # fmt: skip
def test_on_connected_booked_rebooked_off_on_off_and_gone(journey: Journey, servers: Mapping[str, str]) -> None:
    _enabled_by_its_administrator(journey)
    _connected_by_their_own_choice(journey)
    _booked_declined_and_rebooked(journey)

    journey.switches_off(people=1)
    _hidden_from_people(journey)
    journey.clock.jump(120 * HOUR_MS - 2 * MINUTE_MS)
    journey.signs_in("ada")
    journey.switches_on()
    eventually(lambda: journey.connection("ben") in {"connected", "401"}, "Ben is connected again without acting")
    eventually(lambda: len(journey.subscriptions()) == 1, "Ben's calendar is watched again")
    journey.signs_in("ben")
    assert journey.connection("ben") == "connected"

    journey.switches_off(people=1)
    journey.clock.jump(120 * HOUR_MS + MINUTE_MS)
    journey.signs_in("ada")
    eventually(lambda: "Off" in journey.state_words("ada"), "the sleep is over")
    journey.switches_on()
    journey.signs_in("ben")
    assert journey.connection("ben") == "none"
    assert journey.subscriptions() == []
    kept = [*in_files(journey.stage.logs), *in_topics(journey.stage.environ)]
    for url in (servers.get("ROOMSYNC_VIEW_REDIS_URL"), servers.get("ROOMSYNC_REGISTRY_REDIS_URL")):
        kept += in_redis(url, servers["ROOMSYNC_TOPIC_PREFIX"]) if url else []
    assert found(kept, WORDS) == []


def _enabled_by_its_administrator(journey: Journey) -> None:
    page = journey.signs_in("ada")
    page.goto(f"{journey.stage.portal}/admin/rooms")
    page.get_by_role("button", name="Import rooms").click()
    page.wait_for_url(lambda url: not url.endswith("/rooms/import"))
    journey.allows(page, "ada")
    page.get_by_role("button", name="Import these rooms").click()
    expect(page.get_by_text("Not connected")).to_have_count(2)
    early = journey.signs_in("ben")
    early.goto(f"{journey.stage.portal}/profile")
    expect(early.get_by_role("switch")).to_have_count(0)  # no button, and why
    expect(early.get_by_text("not switched on")).to_be_visible()
    refused = journey.at("ben", "/admin/integration")
    expect(refused.get_by_role("heading", name="Ask your subscription administrator")).to_be_visible()
    journey.switches_on()
    assert journey.subscriptions() == []  # nobody is connected by it
    expect(journey.at("ada", "/admin/rooms").get_by_text("Not connected")).to_have_count(0)


def _connected_by_their_own_choice(journey: Journey) -> None:
    page = journey.signs_in("ben")
    page.get_by_role("button", name="Connect calendar").click()
    page.wait_for_url(lambda url: not url.endswith(("/welcome", "/profile/connect")))
    journey.allows(page, "ben")
    eventually(lambda: journey.connection("ben") == "connected", "Ben's calendar has been read")
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")  # and the page has followed by itself
    expect(page.locator(".badge").first).to_contain_text("Connected")
    assert [each["user"] for each in journey.subscriptions()] == [journey.ids["ben"]]
    assert journey.connection("ada") == "none"


def _booked_declined_and_rebooked(journey: Journey) -> None:
    page = journey.at("ben", "/book")
    day = datetime.fromtimestamp(journey.clock.now_ms() / 1000, tz=UTC).date() + timedelta(days=9)
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Room").select_option(label="Aare (seats 6)")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("It is pending until it answers")).to_be_visible()
    journey.at("ben", "/")
    expect(page.get_by_role("heading", name=f"{TITLE} lost its room")).to_be_visible()
    expect(page.locator(".said-no", has_text="Aare said no")).to_be_visible()
    page.get_by_role("button", name="Choose another room").click()
    page.get_by_role("button", name=re.compile("^Birs")).click()
    expect(page.locator("#meetings .badge.accepted")).to_be_visible()
    expect(page.locator(".said-no", has_text="Aare said no")).to_have_count(0)


def _hidden_from_people(journey: Journey) -> None:
    page = journey.at("ben", "/profile")
    expect(page.get_by_role("switch")).to_have_count(0)
    expect(journey.at("ben", "/").get_by_text("not switched on")).to_be_visible()
    rooms = journey.at("ada", "/admin/rooms")
    eventually(lambda: bool(rooms.reload()) and rooms.get_by_text("Not connected").count() == 2, "rooms are unpaired")
