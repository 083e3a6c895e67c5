"""
Shows each state of a page in several looks, checks it in each, and takes its picture where pictures are asked for.

A look is a language, a width and a scheme of colours. `make pictures` asks for all of them and writes the pictures; the tests
that always run look at one, the narrowest, in the language with the longest words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from axe_playwright_python.sync_playwright import Axe

from tests.support.walk.keyboard import find_keyboard_faults

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page

NARROW, WIDE, HEIGHT = 360, 1280, 900
FOLDER = os.environ.get("ROOMSYNC_PICTURES", "")
"""Where pictures are written; empty: none are taken, and one look is enough."""
WANTED = os.environ.get("ROOMSYNC_LOOKS", "").split()
"""The names of the looks to take pictures of; none: all of them."""


@dataclass(frozen=True)
class Look:
    """One way in which people see a page."""

    locale: str
    width: int
    scheme: Literal["light", "dark"]

    @property
    def name(self) -> str:
        return f"{self.locale[:2]}-{'narrow' if self.width == NARROW else 'wide'}-{self.scheme}"


ONE = (Look("de-DE", NARROW, "light"),)
LOOKS = (
    *ONE,
    Look("de-DE", NARROW, "dark"),
    Look("de-DE", WIDE, "light"),
    Look("de-DE", WIDE, "dark"),
    Look("fr-FR", WIDE, "dark"),
    Look("nl-NL", NARROW, "light"),
    Look("en-US", WIDE, "light"),
)
"""Four looks in one language, and four languages: the others in the looks in which they differ most."""
KEYED = (LOOKS[0], LOOKS[4])
"""The looks that are walked by keyboard: one of each width."""
ZONES = {"en-US": "America/New_York"}
NIGHT = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""What Axe looks for by night: it differs from day in colours alone."""
ENGLISH = re.compile(r"\b(the|and|your|you|this|with|from|been|are|which|nobody|until|there|what|who)\b", re.IGNORECASE)
"""Words that every English sentence here has one of, and that no sentence in German, French or Dutch has."""
QUOTED = re.compile(r"„[^“]*“|«[^»]*»|“[^”]*”")
"""What is called so elsewhere, such as a button of a provider's page."""
WORDS = """() => {
  const found = [];
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const parent = nodes.currentNode.parentElement;
    const foreign = parent.closest("[lang]") !== document.documentElement;
    if (foreign || parent.closest("code, script, style, template, noscript, bdi, [data-title], .told, .address")) continue;
    if (parent.checkVisibility()) found.push(nodes.currentNode.textContent.trim());
  }
  return found.filter(Boolean);
}"""
BROKEN = """() => {
  const found = new Set();
  for (const place of document.querySelectorAll("h1, .badge, .room-name, button, nav a, label, th")) {
    if (!place.checkVisibility() || getComputedStyle(place).hyphens === "auto") continue;
    const nodes = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      if (nodes.currentNode.parentElement.closest(".address, .kept, code")) continue;
      for (const word of nodes.currentNode.textContent.matchAll(/[^\\s\\u00ad\\u200b\\/-]+/g)) {
        const range = document.createRange();
        range.setStart(nodes.currentNode, word.index);
        range.setEnd(nodes.currentNode, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((each) => Math.round(each.top))).size > 1) found.add(word[0]);
      }
    }
  }
  return [...found];
}"""
"""Words of headings, labels and buttons that a line breaks in two; addresses and identifiers may be."""
SIDEWAYS = """() => [...document.querySelectorAll("main *")]
  .filter((place) => /auto|scroll/.test(getComputedStyle(place).overflowX) && place.checkVisibility())
  .filter((place) => !place.matches("pre, textarea") && place.scrollWidth > place.clientWidth + 1)
  .map((place) => `${place.getAttribute("aria-label") ?? place.className}, ${place.scrollWidth} pixels`)"""
"""What has to be pushed aside to be read; code may be."""
Act = Callable[["Page"], object]


def stay(page: Page) -> None:
    """Leave the page as it came."""
    del page


def looks_wanted() -> list[Look]:
    """Those that this run looks at."""
    return [look for look in (LOOKS if FOLDER else ONE) if not WANTED or look.name in WANTED]


@dataclass
class Visits:
    """One person's visits to the portal at `address`."""

    chromium: Chromium
    address: str
    cookie: str
    """The session; empty: nobody is signed in."""
    area: str
    """The folder of the pictures."""
    before: Callable[[], object] = lambda: None
    """Done before each visit."""
    faults: list[str] = field(default_factory=list)

    def see(self, name: str, path: str, act: Act = stay, *, keyboard: bool = True) -> None:
        """
        Look at the state of a page that `act` leads to from `path`, and note what is wrong with it in `faults`.

        `name` is what its pictures are called.
        """
        for locale, looks in groupby(looks_wanted(), key=lambda look: look.locale):
            self.before()
            with self._page(locale) as page:
                page.set_viewport_size({"width": WIDE, "height": HEIGHT})
                page.goto(f"{self.address}{path}")
                act(page)
                for look in looks:
                    self._show(page, name, look)
                    if keyboard and look in KEYED:
                        self._note(name, look, find_keyboard_faults(page))

    def end(self) -> None:
        """Fail if anything was wrong with a page that was seen."""
        assert not self.faults, "\n".join(dict.fromkeys(self.faults))

    def _show(self, page: Page, name: str, look: Look) -> None:
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        page.emulate_media(color_scheme=look.scheme)
        if look.locale == "fr-FR":
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        if FOLDER:
            folder = Path(FOLDER) / look.name
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{self.area}-{name}.png", full_page=True, animations="disabled")
        width = page.evaluate("document.documentElement.scrollWidth")
        found = [] if width <= look.width else [f"is {width} pixels wide"]
        found += [f"{each['id']}: {each['help']}" for each in self._barriers(page, look)]
        found += [f"breaks in two: {word}" for word in page.evaluate(BROKEN)]
        found += [f"scrolls sideways: {place}" for place in page.evaluate(SIDEWAYS)]
        said = page.evaluate(WORDS)
        if not look.locale.startswith("en"):
            found += [f"in English: {words}" for words in said if ENGLISH.search(QUOTED.sub("", words))]
        self._note(name, look, found)

    def _barriers(self, page: Page, look: Look) -> list[dict[str, str]]:
        found: list[dict[str, str]] = (
            Axe().run(page, options=NIGHT if look.scheme == "dark" else {}).response["violations"]
        )
        return found

    def _note(self, name: str, look: Look, found: list[str]) -> None:
        self.faults += [f"{self.area}-{name}, {look.name}: {each}" for each in found]

    @contextmanager
    def _page(self, locale: str) -> Iterator[Page]:
        zone = ZONES.get(locale, "Europe/Zurich")
        context = self.chromium.new_context(locale=locale, timezone_id=zone)
        cookies = {"roomsync_zone": zone, **({"roomsync_session": self.cookie} if self.cookie else {})}
        context.add_cookies([{"name": name, "value": value, "url": self.address} for name, value in cookies.items()])
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{self.area}, {page.url}: {error}"))
        yield page
        context.close()
