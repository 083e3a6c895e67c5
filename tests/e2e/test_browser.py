"""The pages in Debian's Chromium: a person signs in by clicking, is prompted, takes a room; no serious accessibility fault."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from cli.demo.organisations import REFUSING, Organisation, book_meeting, create_organisation, tomorrow_at
from cli.demo.processes import RunningSystem, start_system
from tests.support.chromium import PATIENCE_MS

SHOTS = os.environ.get("ROOMSYNC_SCREENSHOTS", "")
"""A directory to leave screenshots in; empty takes none."""
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage() -> Iterator[RunningSystem]:
    """The running system on the embedded engine."""
    with start_system(engine="embedded", seed=7, servers={}, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as running:
        yield running


@pytest.fixture(scope="module")
def organisations(stage: RunningSystem) -> Callable[[str], Organisation]:
    """The organisation at a provider, made when it is first asked for: an address signs in at one place only."""
    made: dict[str, Organisation] = {}

    def organisation(provider: str) -> Organisation:
        if provider not in made:
            made[provider] = create_organisation(stage, provider)
        return made[provider]

    return organisation


def shot(page: Page, name: str) -> None:
    """Leave a picture of the page at desktop and phone width, light and dark."""
    if not SHOTS:
        return
    for width, size in (("desktop", DESKTOP), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")


def faults(page: Page) -> list[str]:
    """Serious and critical findings of axe."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']}" for each in found if each["impact"] in {"serious", "critical"}]


def overflows(page: Page) -> bool:
    """Whether the page is wider than a phone."""
    page.set_viewport_size(PHONE)
    wider = bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
    page.set_viewport_size(DESKTOP)
    return wider


def is_ours(message: ConsoleMessage, stage: RunningSystem) -> bool:
    """Whether a console message is a fault of the portal's own pages."""
    return message.type == "error" and str(message.location.get("url", "")).startswith(stage.portal)


def _chosen_again(page: Page, stage: RunningSystem, address: str) -> None:
    """Wait until the browser is back from the provider, which may ask once more who it is."""
    page.wait_for_url(lambda url: not url.endswith(("/welcome", "/profile/connect")))
    page.wait_for_load_state()
    if not page.url.startswith(stage.portal):
        page.get_by_role("button", name=address).click()
        page.wait_for_url(f"{stage.portal}/**")


def _leave_to_a_person(stage: RunningSystem, who: Organisation, room: str) -> None:
    """Have the room answer when `_decline` says so and not after a time, however long the page takes to show it asked."""
    path = f"{stage.simulator}/sim/v1/rooms/{who.rooms[room]['id']}"
    httpx.patch(path, json={"rules": {"mode": "manual"}}).raise_for_status()


def _decline(stage: RunningSystem, who: Organisation, room: str, meeting: str) -> None:
    path = f"{stage.simulator}/sim/v1/rooms/{who.rooms[room]['id']}/answers"
    httpx.post(path, json={"meeting": meeting, "answer": "declined"}).raise_for_status()


@pytest.mark.proves("E42", "E43", "D8", "S5")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_person_signs_in_is_prompted_and_takes_another_room(
    stage: RunningSystem, chromium: Browser, organisations: Callable[[str], Organisation], provider: str
) -> None:
    who = organisations(provider)
    context = chromium.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if is_ours(message, stage) else None)

    page.goto(stage.portal)
    shot(page, f"{provider}-1-sign-in")
    assert faults(page) == []
    page.get_by_role("link", name="Microsoft 365" if provider == "microsoft" else "Google Workspace").click()
    page.get_by_role("button", name=who.host["address"]).click()
    page.get_by_role("heading", name="Welcome").wait_for()
    shot(page, f"{provider}-1-welcome")
    assert faults(page) == []
    page.get_by_role("button", name="Connect calendar").click()
    _chosen_again(page, stage, who.host["address"])
    page.goto(stage.portal)
    page.get_by_role("heading", name="My rooms").wait_for()
    page.locator("#connection.connected").wait_for()
    shot(page, f"{provider}-2-connected")

    _leave_to_a_person(stage, who, REFUSING)
    at = tomorrow_at(11)
    booked = book_meeting(stage, who, host="Ada", title="Design review", room=REFUSING, at=at, guests=["Cleo"])
    page.locator(".badge.pending").first.wait_for()
    assert "ooked" not in page.locator("#meetings").inner_text()
    shot(page, f"{provider}-3-pending")
    _decline(stage, who, REFUSING, booked["id"])
    prompt = page.locator("article.prompt").first
    prompt.wait_for()
    shot(page, f"{provider}-4-prompt")
    assert faults(page) == []
    prompt.get_by_role("button", name="Choose another room").click()
    choice = prompt.locator("button.choice").first
    choice.wait_for()
    shot(page, f"{provider}-5-choices")
    assert prompt.locator("button.choice").count() == 3
    assert "not confirmed" in prompt.inner_text().lower()
    assert not overflows(page)
    choice.click()
    page.locator(".badge.accepted").first.wait_for()
    prompt.wait_for(state="hidden")
    shot(page, f"{provider}-6-accepted")
    assert faults(page) == []
    assert errors == []
    context.close()


def test_simulators_page_shows_what_happens(stage: RunningSystem, chromium: Browser) -> None:
    page = chromium.new_page(viewport=DESKTOP)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(stage.simulator)
    page.wait_for_load_state("load")
    shot(page, "simulator")
    assert faults(page) == []
    assert not overflows(page)
    page.close()


@pytest.mark.proves("D8")
def test_page_works_without_script(
    stage: RunningSystem, chromium: Browser, organisations: Callable[[str], Organisation]
) -> None:
    who = organisations("microsoft").people["Cleo"]["address"]  # nobody else's journey connects her
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{stage.portal}/auth/login?provider=microsoft&login_hint={who}")
    page.get_by_role("heading", name="Welcome").wait_for()
    page.get_by_role("button", name="Connect calendar").click()
    _chosen_again(page, stage, who)
    page.get_by_role("heading", name="Profile").wait_for()
    page.goto(stage.portal)
    page.get_by_role("heading", name="My rooms").wait_for()
    context.close()
