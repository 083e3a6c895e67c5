"""
What became of an organisation's rooms on one day, as counts: nobody's calendar can be read out of them.

On `meeting-state`, `tenant/~2026-12-01.3` holds the DayTally of partition 3 of the meetings, sealed as every record there. It is
written in the commit of what it counts, so that nothing is counted twice or left out. Days are those of UTC.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from shared.domain.instants import DAY_MS, to_rfc3339

TYPE = "day-tally"
KEEP_MS = 62 * DAY_MS
"""How long a day's counts are kept: two months, longer than a pilot."""
_MARK = "~"


class DayTally(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Counts of one day. Each date of a series is a request of its own."""

    asked: int = 0
    """Requests of a room for a time that were first seen on that day, those included that stood when somebody connected."""
    accepted: int = 0
    """Answers of that day."""
    declined: int = 0
    """Declines of that day that were told."""
    quiet: int = 0
    """Rooms found declined that were not told of: they had declined before anybody looked."""
    noticed: int = 0
    """Told declines after which the meeting changed on that day: the room was let go, another time or another room was asked."""
    noticed_after_ms: int = 0
    """The time from each of those declines to the change, summed, in milliseconds."""
    meetings: int = 0
    """Dates that began on that day and had asked for a room by then. They are counted a day after their end."""
    roomless: int = 0
    """Those of them for which no room had accepted when they began."""
    unanswered: int = 0
    """Rooms of those dates that never answered."""


def add_tallies(tallies: Iterable[DayTally]) -> DayTally:
    """Sum counts field by field."""
    found = list(tallies)
    return DayTally(**{name: sum(getattr(each, name) for each in found) for name in DayTally.__struct_fields__})


def day_of(at_ms: int) -> str:
    """The day of an instant, `YYYY-MM-DD`, in UTC."""
    return to_rfc3339(at_ms)[:10]


def tally_key(tenant: str, day: str, partition: int) -> bytes:
    """The key of a DayTally on `meeting-state`, and of its row in the view, where keys of all partitions meet."""
    return f"{tenant}/{_MARK}{day}.{partition}".encode()


def is_tally(key: bytes) -> bool:
    """Whether a key of `meeting-state` is that of a DayTally."""
    return key.partition(b"/")[2].startswith(_MARK.encode())


def read_day(key: bytes) -> str:
    """The day in a key for which `is_tally` holds."""
    return key.decode().partition("/")[2].removeprefix(_MARK).partition(".")[0]


def tally_owner(tenant: str) -> str:
    """Under which owner the view keeps an organisation's tallies."""
    return f"{tenant}/{_MARK}tallies"
