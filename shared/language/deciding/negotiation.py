"""Which language somebody reads, and how their clock and week look: from their choice, else from their browser. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

LANGUAGES = ("en", "de", "fr", "nl")
"""Those that there are words for."""
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "nl": "Nederlands"}
"""Each in itself: whoever looks for theirs may read no other."""
PSEUDO = "en-XA"
"""Every sentence marked, for tests: chosen by its name in `Accept-Language` alone."""
MAX_ACCEPT_CHARS = 200
_HOME = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "nl": "nl_NL"}
"""How times are written where a browser names a language and no country."""
_WRITTEN = {"en": ("en_GB", "en_US")}
"""Of a language whose countries' ways Babel and browsers do not agree on: the ones they agree on, the first for all others."""
_LEFT = "left-to-right"


class ClockChoice(StrEnum):
    """Whether hours are counted to twelve or to twenty-four."""

    AUTOMATIC = ""
    TWELVE = "12"
    TWENTY_FOUR = "24"


class WeekChoice(StrEnum):
    """On which day weeks begin."""

    AUTOMATIC = ""
    MONDAY = "monday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


FIRST_DAYS = {WeekChoice.MONDAY: 0, WeekChoice.SATURDAY: 5, WeekChoice.SUNDAY: 6}
"""As `Manner.first_day` has them."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody is written to."""

    language: str
    """One of `LANGUAGES`."""
    locale: str
    """As Babel names it, with the country: `de_CH`."""
    twelve_hours: bool
    first_day: int
    """Of the week: 0 for Monday, 6 for Sunday."""
    pseudo: bool = False
    """Whether every sentence is marked instead of translated."""

    @property
    def tag(self) -> str:
        """The locale as browsers name it: `de-CH`."""
        return self.locale.replace("_", "-")

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return "ltr" if Locale.parse(self.locale).character_order == _LEFT else "rtl"


def choose_manner(accept: str, language: str = "", clock: str = "", week: str = "") -> Manner:
    """
    Find out how somebody is written to.

    Args:
        accept: What their browser sent as `Accept-Language`; "" for nothing.
        language: Their own choice, one of `LANGUAGES`; "" leaves it to the browser.
        clock: A word of `ClockChoice`.
        week: A word of `WeekChoice`.
    """
    tags = accepted_tags(accept)
    locale = _locale_for(language, tags) if language in LANGUAGES else _first_locale(tags)
    known = _known(locale)
    written = _WRITTEN.get(known.language, (locale,))
    twelve = _counts_to_twelve(locale) if clock not in {"12", "24"} else clock == ClockChoice.TWELVE
    chosen = FIRST_DAYS.get(WeekChoice(week)) if week in set(WeekChoice) else None
    first_day = known.first_week_day if chosen is None else chosen
    shown = locale if locale in written else written[0]
    return Manner(known.language, shown, twelve, first_day, pseudo=not language and tags[:1] == (PSEUDO,))


PLAIN = Manner("en", "en_GB", twelve_hours=False, first_day=0)
"""English, for where nothing is known of who reads."""


def accepted_tags(accept: str) -> tuple[str, ...]:
    """The languages that a browser names, the dearest first; those that it refuses are left out."""
    found = parse_accept_header(accept[:MAX_ACCEPT_CHARS], LanguageAccept)
    return tuple(str(tag) for tag, quality in found if quality > 0)


def _first_locale(tags: tuple[str, ...]) -> str:
    for tag in tags:
        language = tag.partition("-")[0].lower()
        if language in LANGUAGES:
            return _with_country(language, tag)
    return _HOME["en"]


def _locale_for(language: str, tags: tuple[str, ...]) -> str:
    """A chosen language, with the country of the browser's where it names that language."""
    named = next((tag for tag in tags if tag.partition("-")[0].lower() == language), language)
    return _with_country(language, named)


def _with_country(language: str, tag: str) -> str:
    country = tag.rpartition("-")[2].upper() if "-" in tag else ""
    try:
        return str(Locale(language, country)) if country else _HOME[language]
    except (UnknownLocaleError, ValueError):
        return _HOME[language]


@lru_cache(maxsize=256)
def _known(locale: str) -> Locale:
    return Locale.parse(locale)


def _counts_to_twelve(locale: str) -> bool:
    return "a" in _known(locale).time_formats["short"].pattern
