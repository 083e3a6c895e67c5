"""How rooms answer is counted once an answer, by what they were asked and how long it took."""

from __future__ import annotations

import msgspec
import pytest

from services.room_status.deciding.room_counting import count_answers
from shared.contracts.meeting_state import DateRecord, MeetingRecord, RoomRecord, RoomState
from shared.contracts.room_tally import RoomTally, add_room_tallies, is_room_tally, read_room, room_tally_key
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.support.builders import NOW_MS

START_MS = NOW_MS + 10 * DAY_MS


def a_meeting(
    state: RoomState, *, answered_at_ms: int = 0, quiet: bool = False, start_ms: int = START_MS
) -> MeetingRecord:
    room = RoomRecord(
        room="r-1", state=state, answer=state, start_ms=start_ms, end_ms=start_ms + HOUR_MS, asked_at_ms=NOW_MS,
        answered_at_ms=answered_at_ms, since_ms=NOW_MS, quiet=quiet,
    )  # fmt: skip
    date = DateRecord(ref="o-1", start_ms=start_ms, end_ms=start_ms + HOUR_MS, rooms=(room,))
    return MeetingRecord(provider="microsoft", meeting="m-1", dates=(date,))


PENDING = a_meeting(RoomState.PENDING)


@pytest.mark.proves("M4", "M6")
@pytest.mark.parametrize("state", [RoomState.ACCEPTED, RoomState.DECLINED])
def test_an_answer_counts_once_with_its_conditions_and_its_wait(state: RoomState) -> None:
    after = a_meeting(state, answered_at_ms=NOW_MS + 4_000)
    counts = count_answers(PENDING, after)
    assert {(name, of): much for (_, _, name, of), much in counts.items() if name != "waits"} == dict.fromkeys(
        [(state.value, of) for of in ("", "duration-1", "lead-2", f"hour-{hour()}", f"day-{day()}", "single")], 1
    )
    assert {of: much for (_, _, name, of), much in counts.items() if name == "waits"} == {"5": 1}
    assert count_answers(after, after) == {}


def hour() -> int:
    return START_MS // HOUR_MS % 24 // 3


def day() -> int:
    return (START_MS // DAY_MS + 3) % 7


def test_refusals_of_before_anybody_looked_do_not_count_and_known_answers_have_no_wait() -> None:
    nothing = MeetingRecord(provider="microsoft", meeting="m-1")
    assert count_answers(nothing, a_meeting(RoomState.DECLINED, answered_at_ms=NOW_MS, quiet=True)) == {}
    found = count_answers(nothing, a_meeting(RoomState.ACCEPTED, answered_at_ms=NOW_MS))
    assert {name for _, _, name, _ in found} == {"accepted"}


def test_dates_of_a_series_and_another_time_count_as_requests_of_their_own() -> None:
    other = msgspec.structs.replace(PENDING.dates[0], ref="o-2")
    series = msgspec.structs.replace(
        PENDING, dates=(*a_meeting(RoomState.ACCEPTED, answered_at_ms=NOW_MS).dates, other)
    )
    assert any(of == "series" for _, _, _, of in count_answers(PENDING, series))
    accepted = a_meeting(RoomState.ACCEPTED, answered_at_ms=NOW_MS + 1)
    moved = a_meeting(RoomState.ACCEPTED, answered_at_ms=NOW_MS + 2, start_ms=START_MS + DAY_MS)
    assert sum(much for (_, _, _, of), much in count_answers(accepted, moved).items() if of == "") == 1


def test_counts_of_a_month_have_a_key_of_their_own() -> None:
    key = room_tally_key("t-1", "2026-12-01", 3, "r-1")
    assert (is_room_tally(key), read_room(key)) == (True, "r-1")
    assert not is_room_tally(b"t-1/~2026-12-01.3")
    one, two = RoomTally(waits={"5": 1}), RoomTally(waits={"5": 2, "10": 1}, accepted={"": 1})
    assert add_room_tallies((one, two)) == RoomTally(waits={"5": 3, "10": 1}, accepted={"": 1})
