"""What is counted of a meeting as it goes on: each thing once, by the record before and after."""

from __future__ import annotations

from collections import Counter

import pytest

from services.room_status.deciding.counting import count_change
from services.room_status.deciding.expiry import forget_past
from services.room_status.deciding.fold import fold
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.meeting_state import MeetingRecord
from shared.crypto.meetings import StoredMeeting
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.builders import KEYS, NOW_MS, START_MS
from tests.support.copy_builders import a_date, a_look
from tests.support.meetings import after

OVER_MS = START_MS + 3 * DAY_MS
SERIES = "o-2026", "o-2027"


def counted(*looks: CopyObservation, over_ms: int = 0) -> dict[str, int]:
    """Fold the looks, a minute apart, then let the dates be over; what is counted on all days together."""
    meeting, found = StoredMeeting(MeetingRecord(provider="google", meeting="m-planning")), Counter[str]()
    for seen in looks:
        change = fold(meeting, seen, keys=KEYS)
        if change is not None:
            found += _by_name(count_change(meeting.record, change.record, seen.observed_at_ms))
            meeting = after(meeting, seen.mailbox, change)
    if over_ms:
        record, _ = forget_past(meeting.record, over_ms, KEYS)
        found += _by_name(count_change(meeting.record, record, over_ms))
    return dict(found)


def _by_name(counts: Counter[tuple[str, str]]) -> Counter[str]:
    found = Counter[str]()
    for (_, name), much in counts.items():
        found[name] += much
    return found


def look(minute: int, **rooms: str) -> CopyObservation:
    return a_look(a_date(**rooms), at_ms=NOW_MS + minute * MINUTE_MS)


def moved(minute: int, hours: int, **rooms: str) -> CopyObservation:
    return a_look(a_date(start_ms=START_MS + hours * HOUR_MS, **rooms), at_ms=NOW_MS + minute * MINUTE_MS)


NOTICED = {"asked": 1, "declined": 1, "noticed": 1, "noticed_after_ms": 5 * MINUTE_MS}


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param(
            [look(0, a="none"), look(1, a="accepted"), look(2, a="accepted")], {"asked": 1, "accepted": 1}, id="yes"
        ),
        pytest.param(
            [look(0, a="none"), look(1, a="declined"), look(2, a="declined")], {"asked": 1, "declined": 1}, id="no"
        ),
        pytest.param([look(0, a="declined")], {"asked": 1, "declined": 1}, id="no, at first sight"),
        pytest.param(
            [a_look(a_date(a="declined"), baseline=True), look(1, a="declined")],
            {"asked": 1, "quiet": 1},
            id="no, long ago",
        ),
        pytest.param([look(0, a="none"), look(1, a="declined"), look(6)], NOTICED, id="let go"),
        pytest.param(
            [look(0, a="none"), look(1, a="declined"), look(6, b="none")], {**NOTICED, "asked": 2}, id="replaced"
        ),
        pytest.param(
            [look(0, a="none"), look(1, a="declined"), look(6, a="declined", b="none"), look(9, b="accepted")],
            {**NOTICED, "asked": 2, "accepted": 1},
            id="another asked beside it, and the first let go later: once",
        ),
        pytest.param(
            [look(0, a="none"), look(1, a="declined"), moved(6, 3, a="none")], {**NOTICED, "asked": 2}, id="moved"
        ),
        pytest.param([look(0, a="none"), look(1)], {"asked": 1}, id="let go before it answered"),
        pytest.param(
            [look(0, a="none"), look(1, a="accepted"), look(2, a="declined"), look(3, a="accepted")],
            {"asked": 1, "accepted": 2, "declined": 1},
            id="no and yes again",
        ),
    ],
)
def test_what_happens_is_counted_once(looks: list[CopyObservation], expected: dict[str, int]) -> None:
    assert counted(*looks) == expected


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([look(0, a="accepted")], {"meetings": 1}, id="has its room"),
        pytest.param([look(0, a="declined")], {"meetings": 1, "roomless": 1}, id="declined"),
        pytest.param([look(0, a="none")], {"meetings": 1, "roomless": 1, "unanswered": 1}, id="never answered"),
        pytest.param([look(0, a="declined", b="accepted")], {"meetings": 1}, id="one of two"),
        pytest.param([look(0, a="accepted"), look(1)], {"meetings": 1, "roomless": 1}, id="released before"),
        pytest.param([look(0, a="accepted"), look(24 * 60 + 1)], {"meetings": 1}, id="released while it was going on"),
        pytest.param(
            [look(0, a="none"), look(24 * 60 + 1, a="accepted")], {"meetings": 1, "roomless": 1}, id="too late"
        ),
        pytest.param([look(0, a="declined"), look(1)], {}, id="let go: it may have been cancelled"),
        pytest.param([look(24 * 60 + 1, a="declined")], {}, id="first seen after it began"),
    ],
)
def test_a_meeting_is_counted_when_it_is_over_by_what_it_had_when_it_began(
    looks: list[CopyObservation], expected: dict[str, int]
) -> None:
    found = counted(*looks, over_ms=OVER_MS)
    assert {name: found[name] for name in found if name in {"meetings", "roomless", "unanswered"}} == expected


def test_dates_that_are_not_over_are_not_counted_as_meetings() -> None:
    assert counted(look(0, a="declined"), over_ms=START_MS + 2 * HOUR_MS) == {"asked": 1, "declined": 1}


def test_a_date_that_is_forgotten_before_it_is_over_is_no_meeting_that_took_place() -> None:
    change = fold(StoredMeeting(MeetingRecord(provider="google", meeting="m")), look(0, a="declined"), keys=KEYS)
    assert change is not None
    nothing = MeetingRecord(provider="google", meeting="m")
    assert count_change(change.record, nothing, START_MS + 2 * HOUR_MS) == {}
    assert count_change(change.record, nothing, OVER_MS)


def test_each_date_of_a_series_counts() -> None:
    dates = [a_date(slot, start_ms=START_MS + n * DAY_MS, a="declined") for n, slot in enumerate(SERIES)]
    assert counted(a_look(*dates), over_ms=OVER_MS + DAY_MS) == {
        "asked": 2,
        "declined": 2,
        "meetings": 2,
        "roomless": 2,
    }
