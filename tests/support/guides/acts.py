"""The acts of numbered lists: sentences, each with what is done in the browser, a console, a calendar or a terminal."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.support.guides.consoles import Consoles
from tests.support.guides.failure import fail
from tests.support.guides.guide import Act
from tests.support.guides.terminal import Terminal

CLICK_MS = 20_000
SEE_S = 40.0
RELOAD_MS = 1_500
ONCE = "/auth/callback"
"""A page that says why somebody was refused: it does not change, and is not there a second time."""
_AGREE = {"Accept": "Approve", "Allow": "Approve"}
"""A button of the provider's own page → of the simulator's."""


class Acts:
    """Everybody's browsers, and whatever else an act is done in."""

    def __init__(self, browser: Browser, simulator: str, terminal: Terminal, consoles: Consoles) -> None:
        self._browser, self._simulator, self._terminal, self._consoles = browser, simulator, terminal, consoles
        self._contexts: dict[str, BrowserContext] = {}
        self._page: Page | None = None
        self._forms: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"Open \*\*(http\S+)\*\* as \*\*(\S+@\S+)\*\*\.", self._open_as),
            (r"Open \*\*(http\S+)\*\*\.", self._open),
            (r"Choose \*\*(\S+@\S+)\*\*\.", self._choose),
            (r"At (?:Microsoft|Google), press \*\*(Accept|Allow)\*\*\.", self._agree),
            (r"Press \*\*(.+?)\*\*\.", self._press),
            (r"Go to \*\*(.+?)\*\*\.", self._go_to),
            (r"Unfold \*\*(.+?)\*\*\.", self._unfold),
            (r"Switch (?:on|off) \*\*(.+?)\*\*\.", self._switch),
            (r"In the second terminal, press \*\*Ctrl-C\*\*\.", terminal.interrupt),
            (r"As \*\*(\S+@\S+)\*\*, book \*\*(.+?)\*\* for tomorrow in (?:Outlook|Google Calendar)\.", self._book),
        )
        self._console = re.compile(
            r"In the Google (?:Cloud|Admin) console, open \*\*(.+?)\*\*, press \*\*(.+?)\*\*, and enter:"
        )

    def do(self, act: Act) -> None:
        """Do what an item of a list says. Raises WalkError."""
        if found := self._console.match(act.text):
            self._consoles.fill_in(found[1], found[2], act.fields)
            return
        for form, do in self._forms:
            if found := re.match(form, act.text):
                try:
                    do(*found.groups())
                except Error as error:
                    fail(f"{act.text}: {str(error).splitlines()[0]}", self.text())
                return
        fail(f"nobody knows how to do this: {act.text}")

    def see(self, text: str) -> None:
        """Wait until the page shows a text, also by loading it again. Raises WalkError."""
        deadline = datetime.now(UTC) + timedelta(seconds=SEE_S)
        page = self._current()
        while True:
            try:
                expect(page.locator("body")).to_contain_text(text, timeout=RELOAD_MS, use_inner_text=True)
            except AssertionError:
                if datetime.now(UTC) > deadline or ONCE in page.url:
                    fail(f"“{text}” is not to be seen", self.text())
                with contextlib.suppress(Error):  # it was on its way to another page by itself
                    page.reload()
            else:
                return

    def text(self) -> str:
        """What stands on the page, with its address."""
        page = self._current()
        try:
            return f"{page.url}\n{page.locator('body').inner_text()}"
        except Error as error:
            return f"{page.url}\n{error}"

    def close(self) -> None:
        """Close everybody's browsers."""
        for context in self._contexts.values():
            context.close()

    def _current(self) -> Page:
        if self._page is None:
            fail("no page is open")
        return self._page

    def _open_as(self, address: str, who: str) -> None:
        if who not in self._contexts:
            self._contexts[who] = self._browser.new_context()
            self._contexts[who].set_default_timeout(CLICK_MS)
        pages = self._contexts[who].pages
        self._page = pages[0] if pages else self._contexts[who].new_page()
        self._page.goto(address)

    def _open(self, address: str) -> None:
        self._current().goto(address)

    def _choose(self, who: str) -> None:
        self._leave(lambda page: page.get_by_role("button", name=who).click())

    def _agree(self, button: str) -> None:
        self._leave(lambda page: page.get_by_role("button", name=_AGREE[button], exact=True).click())

    def _press(self, name: str) -> None:
        self._leave(
            lambda page: (
                page.get_by_role("button", name=name, exact=True)
                .or_(page.get_by_role("link", name=name, exact=True))
                .first.click()
            )
        )

    def _go_to(self, name: str) -> None:
        self._leave(lambda page: page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click())

    def _unfold(self, name: str) -> None:
        self._current().locator("summary", has_text=name).click()

    def _switch(self, name: str) -> None:
        self._leave(lambda page: page.get_by_role("switch", name=name).click())

    def _leave(self, click: Callable[[Page], None]) -> None:
        page = self._current()
        click(page)
        page.wait_for_load_state()

    def _book(self, who: str, room: str) -> None:
        start = (datetime.now(UTC) + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
        rooms = httpx.get(f"{self._simulator}/sim/v1/rooms").json()["rooms"]
        sent = {
            "organizer": who,
            "title": "Quaggasitzung",
            "start": start.isoformat(),
            "end": (start + timedelta(hours=1)).isoformat(),
            "rooms": [next(each["address"] for each in rooms if each["name"] == room)],
        }
        httpx.post(f"{self._simulator}/sim/v1/meetings", json=sent).raise_for_status()
