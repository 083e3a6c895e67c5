"""What a mailbox that leaves keeps: its own meetings that have a room, until they end, and never too many."""

from __future__ import annotations

import msgspec

from services.sync_worker.deciding.left_meetings import MOST_KEPT, forget_at_ms, meetings_to_keep
from services.sync_worker.deciding.references import observe
from shared.contracts.calendar_state import EventReference
from shared.domain.attendees import Answer, CopyRole
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import EventKind, Window
from tests.support.builders import KEYS, NOW_MS, START_MS


def a_reference(event_id: str = "e1", **changes: object) -> EventReference:
    """A single meeting with one room that the mailbox' person organises; keyword arguments replace fields."""
    plain = EventReference(
        event_id=event_id,
        uid=f"m-{event_id}",
        kind=EventKind.SINGLE,
        start_ms=START_MS,
        end_ms=START_MS + HOUR_MS,
        is_organizer=True,
        rooms={"aare": Answer.NONE},
    )
    return msgspec.structs.replace(plain, **changes)


def kept(
    *references: EventReference, earlier: dict[str, int] | None = None, owed: tuple[str, ...] = ()
) -> dict[str, int]:
    known = {each.event_id: each for each in references}
    return meetings_to_keep(known, earlier or {}, owed=owed, now_ms=NOW_MS)


def test_own_meeting_with_a_room_is_kept_until_its_end() -> None:
    assert kept(a_reference()) == {"m-e1": START_MS + HOUR_MS}


def test_guests_and_roomless_and_ended_meetings_are_not_kept() -> None:
    assert kept(a_reference(is_organizer=False)) == {}
    assert kept(a_reference(rooms={})) == {}
    assert kept(a_reference(end_ms=NOW_MS)) == {}
    assert kept(a_reference(uid="")) == {}


def test_meeting_whose_observation_was_lost_is_kept_without_a_room() -> None:
    assert kept(a_reference(rooms={}), owed=("m-e1",)) == {"m-e1": START_MS + HOUR_MS}


def test_series_is_one_meeting_until_its_last_date() -> None:
    master = a_reference("s", kind=EventKind.MASTER)
    first, last = (
        a_reference(
            f"s{day}", uid="", kind=EventKind.OCCURRENCE, master_id="s", rooms=None, end_ms=START_MS + day * DAY_MS
        )
        for day in (1, 7)
    )
    assert kept(master, first, last) == {"m-s": START_MS + 7 * DAY_MS}


def test_all_day_meeting_is_kept_until_its_day_ends_where_it_is_held() -> None:
    assert kept(a_reference(all_day=True, ends_ms=START_MS + 9 * HOUR_MS)) == {"m-e1": START_MS + 9 * HOUR_MS}


def test_what_was_kept_before_stays_until_its_end() -> None:
    assert kept(earlier={"m-old": NOW_MS, "m-new": NOW_MS + 1}) == {"m-new": NOW_MS + 1}


def test_those_that_end_first_are_kept_when_there_are_too_many() -> None:
    earlier = {f"m-{number}": NOW_MS + 1 + number for number in range(MOST_KEPT + 10)}
    assert kept(earlier=earlier) == dict(list(earlier.items())[:MOST_KEPT])


def test_ended_meetings_are_looked_through_a_day_after_the_first_end() -> None:
    assert forget_at_ms({"m-1": NOW_MS + 5, "m-2": NOW_MS + 9}) == NOW_MS + 5 + DAY_MS


def test_absent_meeting_is_observed_as_its_organisers_and_one_that_is_found_as_it_stands() -> None:
    found = a_reference(uid="m-here", is_organizer=False)
    absent, here = observe(
        {"e1": found}, {"m-here"}, left={"m-absent", "m-here"}, provider="google", mailbox="m-ada", keys=KEYS,
        now_ms=NOW_MS, baseline=True, window=Window(NOW_MS - DAY_MS, NOW_MS + 60 * DAY_MS),
    )  # fmt: skip
    assert (absent.meeting, absent.role, absent.dates) == ("m-absent", CopyRole.ORGANIZER, ())
    assert (here.meeting, here.role, len(here.dates)) == ("m-here", CopyRole.GUEST, 1)
