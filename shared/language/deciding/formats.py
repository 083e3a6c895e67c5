"""Writes dates, times of day and numbers as somebody reads them: as `Intl` in their browser does for the same locale. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import DateTimePattern, format_date, format_time, get_day_names
from babel.numbers import format_decimal

from shared.language.deciding.negotiation import Manner

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS_OF_WEEK = 7
_NARROW = "\u202f"
"""The narrow no-break space, which CLDR has before `AM`."""

_MINUTES_KEPT = 8 * 24 * 60
"""Every minute of a day in eight manners of writing it."""
_PATTERNS_KEPT = 500


def write_clock(moment: datetime | time, manner: Manner) -> str:
    """`09:05`, or `9:05 am` where hours are counted to twelve; on the wall clock that `moment` itself is on."""
    return _write_minute(moment.hour, moment.minute, manner.locale, twelve_hours=manner.twelve_hours)


def write_short_day(day: date, manner: Manner) -> str:
    """`Mon 5 Jan`."""
    return _write_date(day, _pattern(manner.locale, "MMMEd"), manner)


def write_short_day_with_year(day: date, manner: Manner) -> str:
    """`Mon 5 Jan 2026`, with a comma only where `write_short_day` has one as well."""
    short, dated = _pattern(manner.locale, "MMMEd"), _pattern(manner.locale, "yMMMEd")
    return _write_date(day, dated if "," in short else dated.replace(",", ""), manner)


def write_day_and_month(day: date, manner: Manner) -> str:
    """`5 Jan`."""
    return _write_date(day, _pattern(manner.locale, "MMMd"), manner)


def write_long_day(day: date, manner: Manner) -> str:
    """`Monday 5 January`."""
    return _write_date(day, _long(_pattern(manner.locale, "MMMMEEEEd", "MMMMEd", "MMMEd")), manner)


def write_month(day: date, manner: Manner) -> str:
    """`January 2026`."""
    return _write_date(day, _pattern(manner.locale, "yMMMM"), manner)


def write_number(number: float, manner: Manner) -> str:
    """`1,234`."""
    return format_decimal(number, locale=manner.locale)


def name_weekdays(manner: Manner) -> Sequence[tuple[str, str]]:
    """The days of the week from its first one on, each in full and as short as it can be told from the others."""
    full = get_day_names("wide", "stand-alone", manner.locale)
    short = get_day_names("short", "stand-alone", manner.locale)
    days = [(manner.first_day + n) % DAYS_OF_WEEK for n in range(DAYS_OF_WEEK)]
    return [(_marked(full[day], manner), _marked(short[day], manner)) for day in days]


@lru_cache(_MINUTES_KEPT)
def _write_minute(hour: int, minute: int, locale: str, *, twelve_hours: bool) -> str:
    """Written once for all pages: a day with thirty meetings names some hundreds."""
    pattern = _pattern(locale, "hm" if twelve_hours else "Hm")
    return format_time(time(hour, minute), pattern, locale=locale).replace(_NARROW, " ")  # as browsers do


def _write_date(day: date, pattern: str, manner: Manner) -> str:
    return _marked(format_date(day, pattern, locale=manner.locale), manner)


def _marked(text: str, manner: Manner) -> str:
    return f"⟦{text}⟧" if manner.pseudo else text


@lru_cache(_PATTERNS_KEPT)
def _pattern(locale: str, *skeletons: str) -> str:
    """The locale's own pattern for the first of these skeletons that it has."""
    known = Locale.parse(locale).datetime_skeletons
    found = next(known[each] for each in skeletons if each in known)
    return found.pattern if isinstance(found, DateTimePattern) else str(found)


def _long(pattern: str) -> str:
    """A pattern with the names of days and months in full, as `Intl` makes it of one with short ones."""
    return re.sub(r"M{3,4}|L{3,4}", lambda found: found[0][0] * 4, re.sub(r"E{1,4}|c{3,4}", "EEEE", pattern))
