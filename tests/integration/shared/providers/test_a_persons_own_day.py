"""Both clients against the simulator: agenda, booking and the directory of rooms, told in the port's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.domain.room_texts import MAX_DESCRIPTION_CHARS
from shared.domain.sighting import Access, AgendaItem, NewMeeting, RoomContact, Window
from shared.errors import EventGoneError, RefusedError, RetryableError
from tests.integration.shared.providers.conftest import sign_in


def agenda(person: Any, days: float = 14) -> list[AgendaItem]:
    now_ms = person.simulator.now_ms()
    return list(person.calendar.agenda(person.access, Window(now_ms, now_ms + int(days * DAY_MS))))


def a_meeting(person: Any, room: str, request_id: str = "wish-1", **more: Any) -> NewMeeting:
    start_ms = (person.simulator.now_ms() // HOUR_MS + 30) * HOUR_MS
    return NewMeeting(
        request_id=f"{request_id}-{person.domain.split('.')[0]}",
        title="Planning",
        start_ms=start_ms,
        end_ms=start_ms + HOUR_MS,
        rooms=(RoomContact(room, "Aquarium"),),
        **more,
    )


@pytest.mark.proves("E2")
def test_the_agenda_is_what_the_person_has_planned_in_order(person: Any) -> None:
    person.meeting(days=3, title="Later")
    person.meeting(days=1, title="Sooner")
    person.meeting(days=20, title="Beyond the window")
    made = agenda(person)
    assert [item.title for item in made] == ["Sooner", "Later"]
    assert all(item.is_organizer and not item.all_day and not item.private and not item.declined for item in made)


@pytest.mark.proves("E6")
def test_a_series_is_shown_date_by_date_under_the_uid_and_slots_that_looks_see(person: Any) -> None:
    made = person.meeting(person.room("Aquarium"), recurrence={"frequency": "daily", "count": 4})
    items = agenda(person)
    assert [item.start_ms for item in items] == [made["startMs"] + n * DAY_MS for n in range(4)]
    assert len({item.uid for item in items}) == 1
    assert len({item.slot for item in items}) == 4
    seen = person.calendar.look(person.access, "", person.window()).seen
    assert {item.uid for item in items} == {one.uid for one in seen if getattr(one, "uid", "")}
    assert {item.event_id for item in items} <= {one.event_id for one in seen}
    slots = {one.event_id: one.slot for one in seen}
    assert all(item.slot == slots[item.event_id] for item in items)


def test_more_dates_than_one_page_holds_are_all_there(person: Any) -> None:
    person.meeting(recurrence={"frequency": "daily", "count": 300})
    assert len(agenda(person, days=290)) >= 280


@pytest.mark.proves("E3")
def test_a_booking_stands_once_in_the_persons_own_calendar_with_the_room_invited(
    person: Any, wait_for: Callable[..., Any]
) -> None:
    room = person.room("Aquarium")
    wanted = a_meeting(person, room, attendees=(f"bo@{person.domain}",))
    first = person.calendar.book(person.access, wanted)
    assert person.calendar.book(person.access, wanted) == first
    [item] = agenda(person)
    assert (item.event_id, item.title, item.start_ms) == (first, "Planning", wanted.start_ms)
    assert {one.address for one in item.attendees if one.is_room} == {room}
    assert f"bo@{person.domain}" in {one.address for one in item.attendees}

    def accepted() -> bool:
        live = person.calendar.read(person.access, first)
        return any(one.address == room and one.answer == "accepted" for one in live.attendees)

    wait_for(accepted, "the room accepts")


def test_a_cancelled_booking_is_gone_and_cancelling_again_is_done(person: Any) -> None:
    event_id = person.calendar.book(person.access, a_meeting(person, person.room("Aquarium")))
    person.calendar.cancel(person.access, event_id)
    person.calendar.cancel(person.access, event_id)
    assert agenda(person) == []
    assert gone(person, event_id)


def gone(person: Any, event_id: str) -> bool:
    """Graph says so with a 404; Google goes on showing the event, as cancelled."""
    try:
        return bool(person.calendar.read(person.access, event_id).cancelled)
    except EventGoneError:
        return True


@pytest.mark.parametrize("person", [Provider.GOOGLE], indirect=True)  # which alone keeps ids for ever
def test_google_does_not_bring_back_what_was_cancelled(person: Any) -> None:
    wanted = a_meeting(person, person.room("Aquarium"))
    person.calendar.cancel(person.access, person.calendar.book(person.access, wanted))
    with pytest.raises(RefusedError, match="make a new one"):
        person.calendar.book(person.access, wanted)


def test_private_and_declined_items_say_so(person: Any) -> None:
    start_ms = person.simulator.now_ms() + DAY_MS
    bo = person.simulator.ask(
        "POST", "users", {"tenant": person.tenant, "name": "Bo", "address": f"bo@{person.domain}"}
    )
    made = person.meeting(days=2, title="Bo asks", organizer=bo["id"], attendees=[person.access.address])
    _own_private(person, start_ms)
    [private, invited] = agenda(person)
    assert (private.private, private.declined) == (True, False)
    assert (invited.title, invited.is_organizer, invited.declined) == ("Bo asks", False, False)
    assert made["id"]


def _own_private(person: Any, start_ms: int) -> None:
    bearer = {"Authorization": f"Bearer {person.access.token}"}
    if person.provider is Provider.MICROSOFT:
        times = {
            "start": {"dateTime": to_rfc3339(start_ms).removesuffix("Z"), "timeZone": "UTC"},
            "end": {"dateTime": to_rfc3339(start_ms + HOUR_MS).removesuffix("Z"), "timeZone": "UTC"},
        }
        body = {"subject": "Mine", "sensitivity": "private", **times}
        url = f"{person.simulator.url}/microsoft/graph/v1.0/me/events"
    else:
        times = {"start": {"dateTime": to_rfc3339(start_ms)}, "end": {"dateTime": to_rfc3339(start_ms + HOUR_MS)}}
        body = {"summary": "Mine", "visibility": "private", **times}
        url = f"{person.simulator.url}/google/calendar/v3/calendars/primary/events"
    httpx.post(url, json=body, headers=bearer).raise_for_status()


def test_an_administrator_lists_the_rooms_of_the_directory(person: Any, settings: Any) -> None:
    address = person.room("Aquarium")
    person.room("Balcony")
    answer = sign_in(settings, person.provider, person.access.address, room_import=True)
    admin = Access(json.loads(answer)["access_token"], person.user, person.access.address)
    rooms = {room.address: room for room in person.calendar.directory_rooms(admin)}
    assert len(rooms) == 2
    found = rooms[address]
    assert (found.name, found.capacity, found.building, found.floor) == ("Aquarium", 6, "HQ", "1")


@pytest.mark.proves("P7")
def test_the_directory_says_what_is_in_a_room_and_whether_a_wheelchair_gets_in(person: Any, settings: Any) -> None:
    def make(name: str, **more: object) -> str:
        address = f"{name}@{person.domain}"
        person.simulator.ask("POST", "rooms", {"tenant": person.tenant, "name": name, "address": address, **more})
        return address

    full = make("full", equipment=["Screen", "Whiteboard", "Video, large"], accessible=True)
    closed, silent = make("closed", accessible=False), make("silent")
    answer = sign_in(settings, person.provider, person.access.address, room_import=True)
    admin = Access(json.loads(answer)["access_token"], person.user, person.access.address)
    rooms = {room.address: room for room in person.calendar.directory_rooms(admin)}

    assert [rooms[each].equipment for each in (full, silent)] == [("Screen", "Whiteboard", "Video large"), ()]
    said = (True, False, None) if person.provider is Provider.MICROSOFT else (None, None, None)
    assert tuple(rooms[each].accessible for each in (full, closed, silent)) == said, "Google has no field for it"


@pytest.mark.proves("P7")
def test_googles_directory_says_in_which_part_of_a_floor_a_room_is_and_what_everybody_may_read_of_it(
    person: Any, settings: Any
) -> None:
    def make(name: str, **more: object) -> str:
        address = f"{name}@{person.domain}"
        person.simulator.ask("POST", "rooms", {"tenant": person.tenant, "name": name, "address": address, **more})
        return address

    full = make("full", floor="4", section="East\n wing", description="Knock.\n\nThen wait. " + "x" * 300)
    silent = make("silent")
    answer = sign_in(settings, person.provider, person.access.address, room_import=True)
    admin = Access(json.loads(answer)["access_token"], person.user, person.access.address)
    rooms = {room.address: room for room in person.calendar.directory_rooms(admin)}

    said = [(rooms[each].section, rooms[each].description) for each in (full, silent)]
    if person.provider is Provider.MICROSOFT:
        assert said == [(None, None)] * 2, "Microsoft has no field for either"
    else:
        cut = ("Knock. Then wait. " + "x" * 300)[: MAX_DESCRIPTION_CHARS - 1] + "…"
        assert said == [("East wing", cut), ("", "")]


def test_without_the_right_the_directory_is_refused_in_words(person: Any) -> None:
    with pytest.raises(RefusedError, match="right"):
        person.calendar.directory_rooms(person.access)


def test_a_busy_provider_is_an_appointment(person: Any) -> None:
    person.simulator.ask("PUT", "faults", {"throttle": {"status": 503, "retryAfterS": 2, "share": 1.0}})
    with pytest.raises(RetryableError):
        agenda(person)


@pytest.mark.proves("E2")
def test_fifty_titles_come_with_one_request(person: Any) -> None:
    made = person.meeting(recurrence={"frequency": "daily", "count": 50}, title="Standup")
    window = Window(made["startMs"], made["startMs"] + 50 * DAY_MS)
    seen = {one.event_id for one in person.calendar.look(person.access, "", person.window()).seen}
    before = max(each["seq"] for each in person.simulator.ask("GET", "requests")["requests"])

    page = person.calendar.read_page(person.access, window)

    assert [meeting.start_ms for meeting in page.meetings] == [made["startMs"] + n * DAY_MS for n in range(50)]
    assert {(meeting.title, meeting.is_organizer) for meeting in page.meetings} == {("Standup", True)}
    assert {meeting.event_id for meeting in page.meetings} <= seen
    assert all(meeting.link.startswith("https://") for meeting in page.meetings)
    assert page.next_page == ""
    assert len(person.simulator.ask("GET", f"requests?after={before}")["requests"]) == 1
    [first] = [each for each in page.meetings if each.start_ms == made["startMs"]]
    assert first == person.calendar.read(person.access, first.event_id)


def test_pages_of_titles_lead_from_one_to_the_next(person: Any) -> None:
    made = person.meeting(recurrence={"frequency": "daily", "count": 300})
    window, token, starts = Window(made["startMs"], made["startMs"] + 300 * DAY_MS), "", []
    while True:
        page = person.calendar.read_page(person.access, window, token)
        starts += [meeting.start_ms for meeting in page.meetings]
        token = page.next_page
        if not token:
            break
    assert starts == [made["startMs"] + n * DAY_MS for n in range(300)]
