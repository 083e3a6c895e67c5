"""A window that reaches further: what comes into sight is told once, what was told is not told again, and nothing is lost."""

from __future__ import annotations

import pytest

from shared.domain.instants import DAY_MS
from tests.support.office import AARE, START_MS, Office

pytestmark = pytest.mark.proves("B13")
FAR_MS = START_MS + 100 * DAY_MS


def count_declines(office: Office) -> int:
    """Where the topic of declines ends: it grows with each that is told, and retention does not move it."""
    return office.engine.log.span("room-rejections", 0).end


def one_day(office: Office) -> None:
    """A day and an hour: the mailbox is looked at in full once, at its own time of the day."""
    for _ in range(25):
        office.after(3600)


def test_longer_window_tells_what_it_brings_into_sight_once_and_nothing_else_again(office: Office) -> None:
    one_day(office)
    told = count_declines(office)
    assert len(office.declines()) == 1
    office.calendar.book("far", start_ms=FAR_MS, **{AARE: "declined"})
    one_day(office)
    assert count_declines(office) == told, "it is out of sight"
    reach(office, 180)
    assert len(office.declines()) <= 2
    told_of_both = count_declines(office)
    assert told_of_both > told
    reach(office, 60)
    reach(office, 180)
    assert count_declines(office) == told_of_both, "shorter and longer again: nothing is told twice"
    office.calendar.book("far", start_ms=FAR_MS, **{AARE: "accepted"})
    office.hint()
    office.after(5)
    assert office.states().count("accepted") == 1, "its reference is there"


def reach(office: Office, days: int) -> None:
    """Another setting, the process restarted with it, and a day."""
    office.ahead_ms = days * DAY_MS
    office.restart()
    one_day(office)
