from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import from_rfc3339
from shared.domain.sighting import Availability, EventKind, OwnAddresses, SeenEvent, SeenRemoval, Window
from shared.errors import MalformedRecordError
from shared.providers.microsoft.parse import (
    latest,
    parse_availability,
    parse_busy_times,
    parse_item,
    parse_live,
    parse_own_addresses,
    parse_page,
)
from shared.providers.microsoft.subscriptions import is_ours, read_subscription
from shared.providers.microsoft.wire import GraphSubscription

Sample = Callable[[str], bytes]
TIMES = b'"start": {"dateTime": "2026-11-23T09:00:00"}, "end": {"dateTime": "2026-11-23T09:00:00"}'


def _seen(sample: bytes) -> dict[str, SeenEvent]:
    return {item.event_id: item for item in parse_page(sample).seen if isinstance(item, SeenEvent)}


def _changed(graph: Callable[[str], Any], **fields: object) -> SeenEvent:
    event = {**graph("delta_round")["value"][0], **fields}
    seen = parse_item(json.dumps(event).encode())
    assert isinstance(seen, SeenEvent)
    return seen


def test_the_organisers_copy_carries_every_answer_in_our_words(graph_bytes: Sample) -> None:
    event = _seen(graph_bytes("delta_round"))["AAkALgAAsingle1"]
    assert event.kind is EventKind.SINGLE
    assert event.uid == "040000008200E00074C5B7101A82E008single"
    assert (event.master_id, event.slot) == ("", "")
    assert (event.start_ms, event.end_ms) == (from_rfc3339("2026-11-23T09:00Z"), from_rfc3339("2026-11-23T10:00Z"))
    assert event.organizer == "ana.ruiz@contoso.example"
    assert event.is_organizer
    assert event.shows_guests
    assert event.attendees == (
        SeenAttendee("ana.ruiz@contoso.example", AttendeeKind.PERSON, Answer.NONE),
        _answered("bo.lind@contoso.example", AttendeeKind.PERSON, Answer.ACCEPTED, "2026-11-20T08:11:12.456Z"),
        _answered("cy.moe@contoso.example", AttendeeKind.PERSON, Answer.TENTATIVE, "2026-11-20T08:12:00Z"),
        SeenAttendee("di.ek@contoso.example", AttendeeKind.PERSON, Answer.NONE),
        _answered("aquarium@contoso.example", AttendeeKind.ROOM, Answer.DECLINED, "2026-11-20T08:10:02Z"),
    )


def _answered(address: str, kind: AttendeeKind, answer: Answer, at: str) -> SeenAttendee:
    return SeenAttendee(address, kind, answer, answered_at_ms=from_rfc3339(at))


@pytest.mark.proves("M2")
def test_no_title_body_or_place_comes_in(graph_bytes: Sample) -> None:
    assert "MARKER" in graph_bytes("delta_round").decode()
    assert "MARKER" not in repr(parse_page(graph_bytes("delta_round")).seen)
    assert "Aquarium" not in repr(parse_page(graph_bytes("delta_round")).seen)


def test_a_sparse_occurrence_waits_for_its_master(graph_bytes: Sample) -> None:
    event = _seen(graph_bytes("delta_round"))["AAkALgAAocc1"]
    assert event.kind is EventKind.OCCURRENCE
    assert event.attendees is None
    assert event.shows_guests
    assert event.uid == ""
    assert event.master_id == "AAkALgAAmaster"
    assert event.slot == "2026-11-24T13:00:00.000Z"


def test_an_exception_keeps_its_place_in_the_series_and_hides_its_own_uid(graph_bytes: Sample) -> None:
    event = _seen(graph_bytes("delta_round"))["AAkALgAAocc2"]
    assert event.kind is EventKind.EXCEPTION
    assert event.uid == ""
    assert event.slot == "2026-12-01T13:00:00.000Z"
    assert event.start_ms == from_rfc3339("2026-12-01T15:00Z")
    assert event.attendees is not None
    assert [attendee.answer for attendee in event.attendees] == [Answer.DECLINED]


def test_a_master_carries_the_uid_and_attendees_of_its_series(graph_bytes: Sample) -> None:
    event = _seen(graph_bytes("delta_round"))["AAkALgAAmaster"]
    assert event.kind is EventKind.MASTER
    assert event.uid.endswith("series")
    assert event.slot == ""
    assert event.attendees is not None


def test_removed_is_a_removal_whatever_else_it_says(graph_bytes: Sample) -> None:
    page = parse_page(graph_bytes("delta_round"))
    assert page.seen[-1] == SeenRemoval("AAkALgAAgone")
    assert page.delta_link.endswith("R0usmcFuQtZdtpk4")
    assert page.next_link == ""


def test_an_empty_page_still_has_a_next_one(graph_bytes: Sample) -> None:
    page = parse_page(graph_bytes("empty_page"))
    assert page.seen == ()
    assert page.next_link


def test_odd_values_are_read_for_what_they_are(graph_bytes: Sample) -> None:
    event = parse_item(graph_bytes("single_odd"))
    assert isinstance(event, SeenEvent)
    assert event.start_ms == from_rfc3339("2026-11-23T09:00:00.123Z")
    assert event.end_ms == from_rfc3339("4501-01-01T00:00Z")
    assert event.organizer == ""
    assert event.attendees == (
        SeenAttendee("", AttendeeKind.PERSON, Answer.NONE),
        _answered("room.as.person@contoso.example", AttendeeKind.PERSON, Answer.DECLINED, "2026-11-20T08:10:02Z"),
        SeenAttendee("", AttendeeKind.PERSON, Answer.NONE),
        SeenAttendee("bo@contoso.example", AttendeeKind.PERSON, Answer.NONE),
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_a_guests_copy_says_truly_who_is_invited(graph: Callable[[str], Any], sparse: bool) -> None:
    event = _changed(graph, isOrganizer=False, **({"attendees": None} if sparse else {}))
    assert not event.is_organizer
    assert event.shows_guests, "what they answered, its profile says that it does not follow"
    assert (event.attendees is None) is sparse


@pytest.mark.parametrize(
    "fields",
    [
        {"isDraft": True},
        {
            "attendees": [
                {"type": "resource", "status": {"response": "waitlisted"}, "emailAddress": {"address": "r@x.example"}}
            ]
        },
    ],
    ids=["unsent changes", "a word we do not know"],
)
def test_answers_that_may_be_wrong_are_not_used(graph: Callable[[str], Any], fields: dict[str, object]) -> None:
    event = _changed(graph, **fields)
    assert event.attendees is None
    assert not event.shows_guests


def test_a_date_without_its_series_is_a_meeting_of_its_own(graph: Callable[[str], Any]) -> None:
    event = _changed(graph, type="exception", seriesMasterId=None)
    assert event.kind is EventKind.SINGLE
    assert event.uid


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Europe/Berlin", "2026-11-23T08:00Z"), ("UTC", "2026-11-23T09:00Z"), (None, "2026-11-23T09:00Z")],
)
def test_a_zone_that_was_not_asked_for_is_understood(
    graph: Callable[[str], Any], zone: str | None, expected: str
) -> None:
    event = _changed(graph, start={"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": zone})
    assert event.start_ms == from_rfc3339(expected)


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"id": ""}',
        b'{"id": "x"}',
        b"[]",
        b"\xff",
        b'{"id": "x", "type": "unknownFutureValue", ' + TIMES + b"}",
        b'{"id": "x", "start": {"dateTime": "soon"}, "end": {"dateTime": "later"}}',
        b'{"id": "x", '
        + TIMES
        + b', "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "Nowhere Standard Time"}}',
        b'{"id": "x", ' + TIMES + b', "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "../../etc/passwd"}}',
        b'{"id": "x", "type": "exception", "seriesMasterId": "m", "originalStart": "once", ' + TIMES + b"}",
    ],
)
def test_what_cannot_be_read_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedRecordError):
        parse_item(raw)


def test_one_unreadable_item_spoils_its_page(graph: Callable[[str], Any]) -> None:
    page = graph("delta_round")
    page["value"][0]["start"] = None
    with pytest.raises(MalformedRecordError, match="AAkALgAAsingle1"):
        _ = parse_page(json.dumps(page).encode()).seen


def test_the_last_word_on_an_id_holds() -> None:
    assert latest([SeenRemoval("a"), SeenRemoval("b"), SeenRemoval("a")]) == (SeenRemoval("a"), SeenRemoval("b"))


def test_a_live_event_names_people_and_rooms(graph: Callable[[str], Any]) -> None:
    meeting = parse_live(json.dumps(graph("delta_round")["value"][0]).encode())
    assert meeting.title == "MARKER-SUBJECT budget talk"
    assert [(who.name, who.is_room, who.answer) for who in meeting.attendees][-1] == ("Aquarium", True, "declined")
    assert meeting.attendees[0].address == "ana.ruiz@contoso.example"


def test_free_busy_is_free_only_where_every_digit_says_so(graph_bytes: Sample) -> None:
    assert parse_availability(graph_bytes("schedules")) == {
        "free@contoso.example": Availability.FREE,
        "busy@contoso.example": Availability.BUSY,
        "tentative@contoso.example": Availability.BUSY,
        "elsewhere@contoso.example": Availability.BUSY,
        "hidden@contoso.example": Availability.UNKNOWN,
        "silent@contoso.example": Availability.UNKNOWN,
    }


def test_busy_times_are_the_runs_of_digits_other_than_nought(graph: Callable[[str], Any]) -> None:
    schedules = {
        "value": [
            {"scheduleId": "One@contoso.example", "availabilityView": "0022100004"},
            {"scheduleId": "free@contoso.example", "availabilityView": "0000"},
            {"scheduleId": "silent@contoso.example", "availabilityView": ""},
            {
                "scheduleId": "hidden@contoso.example",
                "availabilityView": "00",
                "error": graph("schedules")["value"][4]["error"],
            },
        ]
    }
    minute = 60_000
    assert parse_busy_times(json.dumps(schedules).encode(), Window(minute, 100 * minute), 15 * minute) == {
        "one@contoso.example": (Window(31 * minute, 76 * minute), Window(136 * minute, 151 * minute)),
        "free@contoso.example": (),
        "silent@contoso.example": None,
        "hidden@contoso.example": None,
    }


def test_the_confirmed_expiry_counts(graph_bytes: Sample) -> None:
    made = read_subscription(graph_bytes("subscription"))
    assert made.id == "5b0c9a1e-7a6f-4f0d-9d2c-0d2f7a9e1c11"
    assert made.expires_at_ms == from_rfc3339("2026-11-27T08:15:00.123Z")


@pytest.mark.parametrize(
    ("resource", "ours"),
    [
        ("/me/events", True),
        ("me/events", True),
        ("Users/1F7C/Events", True),
        ("users('1f7c')/events", True),
        ("users/other/events", False),
        ("me/messages", False),
        (None, False),
    ],
)
def test_only_a_subscription_on_this_persons_events_is_ours(resource: str | None, ours: bool) -> None:
    listed = GraphSubscription(id="s", expiration_date_time="2026-11-27T08:15:00Z", resource=resource)
    assert is_ours(listed, "1f7c") is ours


def test_a_windows_zone_is_understood() -> None:
    raw = (
        b'{"id": "x", '
        + TIMES
        + b', "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "W. Europe Standard Time"}}'
    )
    seen = parse_item(raw)
    assert isinstance(seen, SeenEvent)
    assert seen.start_ms == from_rfc3339("2026-11-23T08:00Z")


def _all_day(name: str, **fields: object) -> dict[str, Any]:
    times = {"start": {"dateTime": "2026-12-01T00:00:00"}, "end": {"dateTime": "2026-12-02T00:00:00"}}
    zone = {"originalStartTimeZone": "Pacific Standard Time"}
    return {"id": name, "type": "singleInstance", "isAllDay": True, **times, **zone, **fields}


def _round(*events: dict[str, Any]) -> dict[str, SeenEvent]:
    return _seen(json.dumps({"value": list(events)}).encode())


@pytest.mark.proves("D5")
def test_a_day_is_a_day_where_the_meeting_is_held() -> None:
    event = _round(_all_day("x"))["x"]
    assert (event.start_ms, event.end_ms) == (from_rfc3339("2026-12-01"), from_rfc3339("2026-12-02"))
    assert (event.begins_ms, event.ends_ms) == (from_rfc3339("2026-12-01T08:00Z"), from_rfc3339("2026-12-02T08:00Z"))


@pytest.mark.proves("D5")
@pytest.mark.parametrize(
    ("zone", "original"),
    [
        ("Pacific Standard Time", "2026-12-01T08:00:00Z"),
        ("New Zealand Standard Time", "2026-11-30T11:00:00Z"),
        ("tzone://Microsoft/Custom", "2026-12-01T08:00:00Z"),
    ],
)
@pytest.mark.parametrize("changed", [{}, {"isAllDay": False}])
def test_a_date_of_an_all_day_series_has_one_name(zone: str, original: str, changed: dict[str, object]) -> None:
    of_series = {"seriesMasterId": "m", "originalStartTimeZone": zone}
    bare = {**_all_day("d"), **of_series, "type": "occurrence", "isAllDay": None, "originalStartTimeZone": None}
    full = {**_all_day("f"), **of_series, "type": "occurrence", "originalStart": original}
    exception = {**_all_day("e"), **of_series, "type": "exception", "originalStart": original, **changed}
    master = _all_day("m", type="seriesMaster", originalStartTimeZone=zone)
    dates = _round(master, bare, full, exception)
    assert {dates[name].slot for name in "dfe"} == {"2026-12-01T00:00:00.000Z"}


def test_an_all_day_date_of_a_timed_series_keeps_the_name_of_its_time() -> None:
    exception = _all_day("e", type="exception", seriesMasterId="m", originalStart="2026-12-01T09:30:00Z")
    master = _all_day("m", type="seriesMaster", isAllDay=False)
    assert _round(master, exception)["e"].slot == "2026-12-01T09:30:00.000Z"


@pytest.mark.proves("B26")
def test_own_addresses_are_those_that_reach_a_mailbox() -> None:
    body = {
        "mail": "Ada.Lovelace@contoso.example",
        "userPrincipalName": "al042@contoso.example",
        "proxyAddresses": ["SMTP:ada.lovelace@contoso.example", "smtp:ADA@old.example", "SIP:x@y", "X500:/o=ex", "odd"],
    }
    found = parse_own_addresses(json.dumps(body).encode())
    assert found.mail == "ada.lovelace@contoso.example"
    assert found.known == ("ada.lovelace@contoso.example", "al042@contoso.example", "ada@old.example")


@pytest.mark.parametrize("body", [{}, {"mail": None, "proxyAddresses": []}, {"mail": "", "userPrincipalName": "none"}])
def test_directory_that_names_no_address_says_nothing(body: dict[str, Any]) -> None:
    assert parse_own_addresses(json.dumps(body).encode()) == OwnAddresses()


@pytest.mark.proves("D7")
@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"response": "accepted", "time": "2026-11-20T09:10:02+01:00"}, "2026-11-20T08:10:02Z"),
        ({"response": "accepted", "time": "0001-01-01T00:00:00Z"}, ""),
        ({"response": "accepted", "time": "4501-01-01T00:00:00Z"}, ""),
        ({"response": "accepted", "time": "yesterday"}, ""),
        ({"response": "accepted"}, ""),
        ({"response": "none", "time": "2026-11-20T08:10:02Z"}, ""),
    ],
)
def test_the_moment_of_an_answer_is_read_where_it_is_said(
    said: dict[str, str], at: str, graph: Callable[[str], Any]
) -> None:
    room = {"type": "resource", "status": said, "emailAddress": {"address": "aquarium@contoso.example"}}
    event = _changed(graph, attendees=[room])
    assert event.attendees is not None
    assert event.attendees[0].answered_at_ms == (from_rfc3339(at) if at else 0)
