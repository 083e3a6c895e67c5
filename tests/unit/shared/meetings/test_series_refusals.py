"""When one change of a series may take another room on all its dates, and which dates are changed beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import LiveAttendee, LiveMeeting, LiveSeries
from shared.meetings.series_refusals import SeriesObjection, dates_apart, find_objection, room_of

NOW_MS = 1_800_000_000_000
AARE = "aare@rooms.test"


def meeting(event_id: str, start_ms: int, answer: str = "declined", room: str = AARE) -> LiveMeeting:
    invited = (LiveAttendee("Aare", room, True, answer),)
    return LiveMeeting(event_id, "Planning", start_ms, start_ms + HOUR_MS, "1", False, True, invited)


def series(*answers: str, first_ms: int = NOW_MS + DAY_MS) -> LiveSeries:
    dates = tuple(meeting(f"e{number}", first_ms + number * DAY_MS, answer) for number, answer in enumerate(answers))
    return LiveSeries(meeting("master", first_ms), dates, frozenset())


def is_aare(address: str) -> bool:
    return address == AARE


REFUSED = series("declined", "declined", "declined")


@pytest.mark.proves("B8")
@pytest.mark.parametrize(
    ("found", "objection"),
    [
        (REFUSED, None),
        (series("declined", "accepted"), SeriesObjection.REFUSED_IN_PART),
        (series("declined", "none"), SeriesObjection.REFUSED_IN_PART),
        (replace(REFUSED, master=meeting("master", NOW_MS + DAY_MS, "accepted")), SeriesObjection.NOT_REFUSED),
        (replace(REFUSED, master=meeting("master", NOW_MS + DAY_MS, room="other@x.test")), SeriesObjection.NOT_REFUSED),
        (series("declined", "declined", first_ms=NOW_MS - HOUR_MS), SeriesObjection.BEGUN),
        (series("declined", "declined", first_ms=NOW_MS - HOUR_MS + 1), None),
        (replace(REFUSED, master=replace(REFUSED.master, is_organizer=False)), SeriesObjection.NOT_YOURS),
    ],
)
def test_series_is_changed_as_a_whole_only_while_its_room_refuses_all_of_it_and_no_date_is_over(
    found: LiveSeries, objection: SeriesObjection | None
) -> None:
    assert find_objection(found, is_aare, NOW_MS) is objection


@pytest.mark.proves("B8")
def test_date_whose_room_is_another_does_not_stand_in_the_way() -> None:
    elsewhere = meeting("e9", NOW_MS + 9 * DAY_MS, "accepted", room="other@x.test")
    found = replace(REFUSED, dates=(*REFUSED.dates, elsewhere), apart=frozenset({"e9"}))
    assert find_objection(found, is_aare, NOW_MS) is None
    assert dates_apart(found, is_aare, NOW_MS) == ()


@pytest.mark.proves("B8")
@pytest.mark.parametrize(("days", "objection"), [(179, SeriesObjection.REFUSED_IN_PART), (181, None)])
def test_room_need_not_have_answered_for_a_date_that_is_too_far_ahead_to_book(
    days: int, objection: SeriesObjection | None
) -> None:
    far = meeting("e9", NOW_MS + days * DAY_MS, "none")
    found = replace(REFUSED, dates=(*REFUSED.dates, far), apart=frozenset({"e9"}))
    assert find_objection(found, is_aare, NOW_MS) is objection


def test_dates_that_stand_apart_are_those_to_come_whose_room_declined() -> None:
    over = meeting("e7", NOW_MS - 2 * HOUR_MS)
    accepted = meeting("e8", NOW_MS + DAY_MS, "accepted")
    cancelled = replace(meeting("e9", NOW_MS + DAY_MS), cancelled=True)
    names = frozenset({"e1", "e7", "e8", "e9"})
    found = replace(REFUSED, dates=(*REFUSED.dates, over, accepted, cancelled), apart=names)
    assert [date.event_id for date in dates_apart(found, is_aare, NOW_MS)] == ["e1"]


@pytest.mark.parametrize("answers", [("none", "declined"), ("declined", "none"), ("declined", "unknown")])
def test_room_that_is_invited_under_two_of_its_addresses_is_swapped_where_it_refused(answers: tuple[str, str]) -> None:
    invited = tuple(LiveAttendee("Aare", f"{answer}@rooms.test", True, answer) for answer in answers)
    found = room_of(replace(meeting("e", NOW_MS), attendees=invited), lambda address: address.endswith("@rooms.test"))
    assert found
    assert found.address == "declined@rooms.test"
