"""How much of what is said of rooms that are needed soon was confirmed a moment ago."""

from __future__ import annotations

import pytest

from shared.contracts.meeting_state import DateRecord, MeetingRecord, RoomRecord, RoomState
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.meetings.confirmed_states import ConfirmedStates, count_confirmed
from tests.support.builders import NOW_MS

pytestmark = pytest.mark.proves("M5")
FRESH, STALE = NOW_MS - 14 * MINUTE_MS, NOW_MS - 15 * MINUTE_MS
CONNECTED = ("ada", "ben")


def date(*states: RoomState, hours: float = 5, speaker: str = "ada", in_sight: bool = True) -> DateRecord:
    start_ms = NOW_MS + int(hours * HOUR_MS)
    rooms = tuple(
        RoomRecord(
            room=f"r{number}",
            state=state,
            start_ms=start_ms,
            end_ms=start_ms + HOUR_MS,
            asked_at_ms=NOW_MS,
            since_ms=NOW_MS,
        )
        for number, state in enumerate(states)
    )
    return DateRecord(
        ref="o", start_ms=start_ms, end_ms=start_ms + HOUR_MS, speaker=speaker, in_sight=in_sight, rooms=rooms
    )


def counted(*dates: DateRecord, **checked_ms: int) -> ConfirmedStates:
    meeting = MeetingRecord(meeting="m", provider="google", dates=dates)
    return count_confirmed([meeting], checked_ms, CONNECTED, NOW_MS)


def test_states_count_by_the_last_look_of_whoever_speaks() -> None:
    dates = date(RoomState.ACCEPTED, RoomState.PENDING), date(RoomState.DECLINED, speaker="ben")
    assert counted(*dates, ada=FRESH, ben=STALE) == ConfirmedStates(upcoming=3, confirmed=2)


@pytest.mark.parametrize("hours", [0, -1, 24.01])
def test_only_what_begins_within_a_day_is_upcoming(hours: float) -> None:
    assert counted(date(RoomState.ACCEPTED, hours=hours), ada=FRESH) == ConfirmedStates()
    assert counted(date(RoomState.ACCEPTED, hours=DAY_MS / HOUR_MS), ada=FRESH) == ConfirmedStates(1, 1)


def test_a_room_that_is_not_asked_any_more_has_no_state_to_confirm() -> None:
    assert counted(date(RoomState.GONE, RoomState.RELEASED), ada=FRESH) == ConfirmedStates()


def test_a_calendar_that_cannot_be_read_for_a_quarter_of_an_hour_leaves_its_states_unconfirmed() -> None:
    assert counted(date(RoomState.UNKNOWN, in_sight=False), ada=STALE) == ConfirmedStates(upcoming=1)
    assert counted(date(RoomState.UNKNOWN, in_sight=False)) == ConfirmedStates(upcoming=1)


def test_what_nobody_can_be_believed_about_is_counted_apart() -> None:
    gone, hidden = date(RoomState.UNKNOWN, speaker="cyd"), date(RoomState.UNKNOWN, in_sight=False)
    assert counted(gone, hidden, date(RoomState.UNKNOWN, speaker=""), ada=FRESH) == ConfirmedStates(out_of_sight=3)


@pytest.mark.parametrize(
    ("upcoming", "confirmed", "percent"), [(0, 0, None), (2000, 1999, 99.95), (100_000, 99_999, 99.99)]
)
def test_the_share_is_never_rounded_up_and_there_is_none_of_nothing(
    upcoming: int, confirmed: int, percent: float | None
) -> None:
    assert ConfirmedStates(upcoming, confirmed).percent == percent


def test_organisations_add_up() -> None:
    assert ConfirmedStates(1, 1, 1) + ConfirmedStates(2, 1, 0) == ConfirmedStates(3, 2, 1)
