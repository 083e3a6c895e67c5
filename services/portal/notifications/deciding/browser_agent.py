"""What kind of browser asks, and what it runs on, by its `User-Agent`: so that people tell their browsers apart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_CHARS = 1_000
_NAMES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: nearly every browser says Safari, and whatever is built on Chrome says Chrome as well."""
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
"""In this order: Android says Linux as well."""


@dataclass(frozen=True, slots=True)
class BrowserAgent:
    """Words of ours alone: nothing of what was sent is kept."""

    name: str
    """"" for one that is not known."""
    system: str
    """"" for one that is not known."""


def read_agent(header: str) -> BrowserAgent:
    """Recognise the browser by the header that it sends; whatever it says, no more than one of our words comes out."""
    text = header[:MAX_CHARS]
    return BrowserAgent(_find_word(text, _NAMES), _find_word(text, _SYSTEMS))


def _find_word(text: str, words: Sequence[tuple[str, str]]) -> str:
    return next((word for sign, word in words if sign in text), "")
