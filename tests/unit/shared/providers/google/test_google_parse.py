from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import from_rfc3339
from shared.domain.sighting import Availability, EventKind, SeenEvent, SeenRemoval, Window
from shared.errors import MalformedRecordError
from shared.providers.google.parse import (
    parse_availability,
    parse_busy_times,
    parse_channel,
    parse_item,
    parse_live,
    parse_page,
)

Read = Callable[[str], Any]
WINDOW = Window(from_rfc3339("2026-11-20T00:00Z"), from_rfc3339("2027-01-20T00:00Z"))


def _seen(google: Read) -> dict[str, SeenEvent | SeenRemoval]:
    return {item.event_id: item for item in parse_page(google("last_page"), WINDOW).seen}


def _event(item: object) -> SeenEvent:
    seen = parse_item(item)
    assert isinstance(seen, SeenEvent)
    return seen


def test_the_organisers_copy_carries_every_answer_in_our_words(google: Read) -> None:
    event = _seen(google)["organised1"]
    assert isinstance(event, SeenEvent)
    assert event.kind is EventKind.SINGLE
    assert event.uid == "organised1@google.com"
    assert event.start_ms == from_rfc3339("2026-11-23T09:00Z")
    assert event.organizer == "ana@initech.example"
    assert event.is_organizer
    assert event.shows_guests
    assert event.attendees == (
        SeenAttendee("ana@initech.example", AttendeeKind.PERSON, Answer.ACCEPTED, is_self=True),
        SeenAttendee("bo@initech.example", AttendeeKind.PERSON, Answer.TENTATIVE),
        SeenAttendee("c_1889@resource.calendar.google.com", AttendeeKind.ROOM, Answer.DECLINED),
    )


@pytest.mark.proves("M2")
def test_no_title_description_or_place_comes_in(google: Read) -> None:
    page = repr(parse_page(google("last_page"), WINDOW))
    assert "MARKER" not in page
    assert "Harbour" not in page


def test_a_guests_copy_shows_the_rooms_answer(google: Read) -> None:
    event = _seen(google)["invited1"]
    assert isinstance(event, SeenEvent)
    assert not event.is_organizer
    assert event.shows_guests
    assert event.attendees is not None
    assert event.attendees[1].answer is Answer.NONE


def test_an_instance_is_named_by_its_original_start(google: Read) -> None:
    plain, moved = _seen(google)["series1_20261125T090000Z"], _seen(google)["series1_20261202T090000Z"]
    assert isinstance(plain, SeenEvent)
    assert isinstance(moved, SeenEvent)
    assert (plain.kind, plain.slot) == (EventKind.OCCURRENCE, "2026-11-25T09:00:00.000Z")
    assert (moved.kind, moved.slot) == (EventKind.EXCEPTION, "2026-12-02T09:00:00.000Z")
    assert moved.start_ms == from_rfc3339("2026-12-02T14:00Z")
    assert plain.uid == moved.uid == "series1@google.com"
    assert plain.master_id == "series1"
    assert plain.attendees == ()


def test_thin_tombstones_and_what_lies_outside_the_window_are_removals(google: Read) -> None:
    seen = _seen(google)
    assert seen["series1_20261209T090000Z"] == SeenRemoval("series1_20261209T090000Z")
    assert seen["next-year"] == SeenRemoval("next-year")


def test_a_cancellation_told_in_full_is_a_cancelled_event(google: Read) -> None:
    event = _seen(google)["cancelled-in-full"]
    assert isinstance(event, SeenEvent)
    assert event.cancelled


def test_an_all_day_event_lasts_from_midnight_to_midnight(google: Read) -> None:
    event = _seen(google)["allday1"]
    assert isinstance(event, SeenEvent)
    assert (event.start_ms, event.end_ms) == (from_rfc3339("2026-11-26T00:00Z"), from_rfc3339("2026-11-27T00:00Z"))


def test_only_the_last_page_has_the_cursor(google: Read) -> None:
    page = parse_page(google("last_page"), WINDOW)
    assert (page.next_page, page.sync_token) == ("", "CPDAlvWDx70CEPDAlvWDx70CGAU=")
    assert parse_page({"nextPageToken": "p2"}, WINDOW).next_page == "p2"


@pytest.mark.parametrize("name", ["cut-short", "no-list", "unknown-word"])
def test_a_list_that_is_missing_or_unreadable_is_unknown_and_not_empty(google: Read, name: str) -> None:
    event = _event(google("copies")[name])
    assert event.attendees is None
    assert not event.shows_guests


@pytest.mark.parametrize("name", ["hidden-guests", "private-copy"])
def test_a_copy_that_does_not_follow_the_others_is_not_believed(google: Read, name: str) -> None:
    event = _event(google("copies")[name])
    assert event.attendees is not None
    assert not event.shows_guests


@pytest.mark.parametrize(("guests", "believed"), [(200, True), (201, False)])
def test_above_two_hundred_guests_answers_do_not_reach_the_guests(google: Read, guests: int, believed: bool) -> None:
    copy = {**google("copies")["no-list"], "attendees": [{"email": f"g{n}@initech.example"} for n in range(guests)]}
    assert _event(copy).shows_guests is believed
    copy["organizer"] = {"email": "ana@initech.example", "self": True}
    assert _event(copy).shows_guests


@pytest.mark.parametrize(
    "item",
    [
        {},
        None,
        [],
        {"id": ""},
        {"id": "x", "status": "confirmed"},
        {"id": "x", "start": {"dateTime": "soon"}, "end": {"dateTime": "later"}},
        {"id": "x", "start": {}, "end": {}},
        {"id": 7, "status": "cancelled"},
        {
            "id": "x",
            "start": {"dateTime": "2026-11-23T10:00:00", "timeZone": "Nowhere/Land"},
            "end": {"date": "2026-11-24"},
        },
    ],
)
def test_what_cannot_be_read_is_malformed(item: object) -> None:
    with pytest.raises(MalformedRecordError):
        parse_item(item)


@pytest.mark.parametrize(
    ("name", "expires_at_ms"), [("as-string", 1795766400000), ("as-number", 1795766400000), ("without", 42)]
)
def test_a_channels_expiry_is_read_in_both_spellings(google: Read, name: str, expires_at_ms: int) -> None:
    made = parse_channel(google("channels")[name], 42)
    assert (made.id, made.resource_id, made.expires_at_ms) == ("01234567-89ab", "o3hgv1538sdjfh", expires_at_ms)


def test_a_calendar_we_may_not_see_is_unknown_and_not_free(google: Read) -> None:
    start_ms, end_ms = from_rfc3339("2026-11-23T10:00Z"), from_rfc3339("2026-11-23T11:00Z")
    assert parse_availability(google("free_busy"), start_ms, end_ms) == {
        "free@resource.calendar.google.com": Availability.FREE,
        "busy@resource.calendar.google.com": Availability.BUSY,
        "next@resource.calendar.google.com": Availability.FREE,
        "unseen@resource.calendar.google.com": Availability.UNKNOWN,
    }


def test_busy_times_of_a_calendar_we_may_not_see_are_not_known(google: Read) -> None:
    found = parse_busy_times(google("free_busy"))
    assert found["free@resource.calendar.google.com"] == ()
    assert found["unseen@resource.calendar.google.com"] is None
    [busy] = found["busy@resource.calendar.google.com"] or ()
    assert busy.start_ms < from_rfc3339("2026-11-23T11:00Z")
    assert busy.end_ms > from_rfc3339("2026-11-23T10:00Z")


def test_a_live_event_names_people_and_rooms(google: Read) -> None:
    meeting = parse_live(google("last_page")["items"][0])
    assert meeting.title == "MARKER-SUMMARY planning"
    assert meeting.is_organizer
    assert [(who.name, who.is_room, who.answer) for who in meeting.attendees][-1] == (
        "HQ-4-Harbour (8)",
        True,
        "declined",
    )
