"""`python docs/picture.py`: takes docs/prompt.png, the picture of a prompt in README.md, of the demo's running pages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from cli.demo.organisations import (
    REFUSING,
    Organisation,
    book_meeting,
    create_organisation,
    ensure_decline,
    tomorrow_at,
)
from cli.demo.person import PortalSession
from cli.demo.processes import RunningSystem, start_system

PICTURE = Path(__file__).parent / "prompt.png"
PHONE: ViewportSize = {"width": 390, "height": 844}
PROVIDER = "microsoft"
TITLE = "Design review"
GRACE = {"ROOMSYNC_PROMPT_GRACE_S": "0"}


def main() -> int:
    """Start the demo's services, have a room decline, and take the picture. Needs Chromium: `apt-get install -y chromium`."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is missing: apt-get install -y chromium", file=sys.stderr)
        return 3
    with (
        start_system(engine="embedded", seed=7, servers={}, overrides=GRACE) as system,
        sync_playwright() as playwright,
    ):
        who = create_organisation(system, PROVIDER)
        _connect(system, who)
        ensure_decline(system, who, tomorrow_at(14))
        book_meeting(system, who, host="Ada", title=TITLE, room=REFUSING, at=tomorrow_at(14), guests=["Cleo"])
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport=PHONE, color_scheme="light", locale="en-GB", timezone_id="Europe/Zurich")
        _photograph(context.new_page(), system, who)
        browser.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")
    return 0


def _connect(system: RunningSystem, who: Organisation) -> None:
    for person in who.people.values():
        session = PortalSession(system.portal)
        session.sign_in(PROVIDER, person["address"])
        session.connect()
        session.close()


def _photograph(page: Page, system: RunningSystem, who: Organisation) -> None:
    page.goto(f"{system.portal}/auth/login?provider={PROVIDER}")
    page.get_by_role("button", name=who.host["address"]).click()
    page.goto(system.portal)
    prompt = page.locator("article.prompt").first
    prompt.get_by_role("button", name="Choose another room").click()
    prompt.locator("button.choice").first.wait_for()
    page.mouse.move(0, 0)
    prompt.screenshot(path=PICTURE, animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
