"""Both clients against the simulator: the same story, told in the port's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.attendees import Answer, AttendeeKind
from shared.domain.identity import Provider
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.domain.sighting import (
    Access,
    Availability,
    EventKind,
    KnownEvent,
    RoomContact,
    SeenEvent,
    SeenRemoval,
    Subscription,
    Window,
)
from shared.errors import (
    CursorExpiredError,
    EventGoneError,
    RetryableError,
    SubscriptionGoneError,
    TokenRefusedError,
)


def _answers(event: SeenEvent, room: str) -> Answer | None:
    return next((one.answer for one in event.attendees or () if one.address == room), None)


def _events(person: Any) -> list[SeenEvent]:
    look = person.calendar.look(person.access, "", person.window())
    return [item for item in look.seen if isinstance(item, SeenEvent)]


def _settled(person: Any, wait_for: Callable[..., Any], room: str, answer: Answer) -> SeenEvent:
    """Look until the room has answered so."""

    def probe() -> SeenEvent | None:
        return next((event for event in _events(person) if _answers(event, room) is answer), None)

    event: SeenEvent = wait_for(probe, f"{room} {answer}")
    return event


@pytest.mark.proves("D5", "D6")
def test_a_booking_is_seen_by_the_next_look_with_the_rooms_answer(person: Any, wait_for: Callable[..., Any]) -> None:
    room = person.room("Aquarium")
    person.simulator.ask("PUT", "faults", {"deltaReplayShare": 0})
    first = person.calendar.look(person.access, "", person.window())
    assert first.full
    made = person.meeting(room)
    event = _settled(person, wait_for, room, Answer.ACCEPTED)
    assert event.is_organizer
    assert event.shows_guests
    assert (event.start_ms, event.end_ms) == (made["startMs"], made["endMs"])
    assert event.uid
    assert event.organizer == person.access.address
    assert {one.kind for one in event.attendees or () if one.address == room} == {AttendeeKind.ROOM}
    later = person.calendar.look(person.access, first.cursor, person.window())
    assert not later.full
    assert event.event_id in {item.event_id for item in later.seen}
    assert person.calendar.look(person.access, later.cursor, person.window()).seen == ()


@pytest.mark.proves("D5")
def test_a_cancelled_meeting_leaves_the_window(person: Any, wait_for: Callable[..., Any]) -> None:
    room = person.room("Aquarium")
    made = person.meeting(room)
    event = _settled(person, wait_for, room, Answer.ACCEPTED)
    look = person.calendar.look(person.access, "", person.window())
    person.simulator.ask("DELETE", f"meetings/{made['id']}")
    seen = person.calendar.look(person.access, look.cursor, person.window()).seen
    gone = next(item for item in seen if item.event_id == event.event_id)
    assert isinstance(gone, SeenRemoval) or gone.cancelled


@pytest.mark.proves("D5", "B8")
def test_each_date_of_a_series_has_its_place_and_its_rooms(person: Any, wait_for: Callable[..., Any]) -> None:
    room = person.room("Aquarium")
    person.meeting(room, recurrence={"frequency": "daily", "interval": 1, "count": 3})

    def probe() -> list[SeenEvent] | None:
        events = _events(person)
        said = [event for event in events if event.kind is not EventKind.OCCURRENCE or event.attendees is not None]
        return events if said and all(_answers(event, room) is Answer.ACCEPTED for event in said) else None

    events: list[SeenEvent] = wait_for(probe, "the series is accepted")
    dates = [event for event in events if event.kind is not EventKind.MASTER]
    assert len({event.slot for event in dates}) == 3
    assert len({event.master_id for event in dates}) == 1
    if person.provider is Provider.MICROSOFT:
        master = next(event for event in events if event.kind is EventKind.MASTER)
        assert {event.master_id for event in dates} == {master.event_id}
        assert {event.uid for event in dates} == {""}
    else:
        assert len({event.uid for event in dates}) == 1


@pytest.mark.proves("D5")
def test_a_cancelled_date_of_a_series_is_gone_whatever_delta_repeats(person: Any, wait_for: Callable[..., Any]) -> None:
    person.simulator.ask("PUT", "faults", {"deltaReplayShare": 1})
    room = person.room("Aquarium")
    made = person.meeting(room, recurrence={"frequency": "weekly", "interval": 1, "count": 4})
    wait_for(lambda: len(_events(person)) >= 4, "the series is there")
    first = person.calendar.look(person.access, "", person.window())
    dates = {each.event_id: each for each in first.seen if isinstance(each, SeenEvent)}
    known = {
        name: KnownEvent(
            each.master_id, each.start_ms, each.end_ms, is_master=each.kind is EventKind.MASTER, confirm=True
        )
        for name, each in dates.items()
    }
    cancelled = sorted((each for each in dates.values() if each.slot), key=lambda each: each.start_ms)[1]
    person.simulator.ask("DELETE", f"meetings/{made['id']}?occurrence={cancelled.start_ms}")
    after = person.calendar.look(person.access, first.cursor, person.window(), known)
    (gone,) = [each for each in after.seen if each.event_id == cancelled.event_id]
    assert isinstance(gone, SeenRemoval) or gone.cancelled
    left = {each.event_id for each in after.seen if isinstance(each, SeenEvent) and each.slot and not each.cancelled}
    assert cancelled.event_id not in left


@pytest.mark.proves("D8", "E43")
def test_a_room_that_declined_is_swapped_in_the_persons_own_calendar(person: Any, wait_for: Callable[..., Any]) -> None:
    declining, free = person.room("Aquarium", mode="never"), person.room("Boiler")
    guest = person.simulator.ask(
        "POST", "users", {"tenant": person.tenant, "name": "Bo", "address": f"bo@{person.domain}"}
    )
    person.meeting(declining, attendees=[guest["address"]])
    event = next(event for event in _events(person) if _answers(event, declining) is not None)
    room = RoomContact(free, "Boiler")
    person.calendar.swap_room(person.access, event.event_id, declining, room)
    after = _settled(person, wait_for, free, Answer.ACCEPTED)
    assert after.event_id == event.event_id
    assert _answers(after, declining) is None
    assert _answers(after, guest["address"]) is not None
    before = len(_writes(person))
    person.calendar.swap_room(person.access, event.event_id, declining, room)
    assert len(_writes(person)) == before
    meeting = person.calendar.read(person.access, event.event_id)
    assert meeting.title == "MARKER"
    assert [one.address for one in meeting.attendees if one.is_room] == [free]


@pytest.mark.proves("D8")
def test_taking_a_room_leaves_another_rooms_decline_as_it_is(person: Any, wait_for: Callable[..., Any]) -> None:
    declining, other, free = (
        person.room("Aquarium", mode="forbid"),
        person.room("Cave", mode="forbid"),
        person.room("Boiler"),
    )
    person.meeting(declining, other)
    event = _settled(person, wait_for, other, Answer.DECLINED)
    person.calendar.swap_room(person.access, event.event_id, declining, RoomContact(free, "Boiler"))
    after = _settled(person, wait_for, free, Answer.ACCEPTED)
    assert _answers(after, other) is Answer.DECLINED


def _writes(person: Any) -> list[dict[str, Any]]:
    told = person.simulator.ask("GET", "requests")
    requests = told if isinstance(told, list) else next(value for value in told.values() if isinstance(value, list))
    return [one for one in requests if one["method"] == "PATCH" and one["user"] == person.user]


def test_availability_tells_free_busy_and_unseen_apart(person: Any, wait_for: Callable[..., Any]) -> None:
    taken, free = person.room("Aquarium"), person.room("Boiler")
    made = person.meeting(taken)
    _settled(person, wait_for, taken, Answer.ACCEPTED)
    asked = [taken, free, "nowhere@elsewhere.example"]
    assert dict(person.calendar.availability(person.access, asked, made["startMs"], made["endMs"])) == {
        taken: Availability.BUSY,
        free: Availability.FREE,
        "nowhere@elsewhere.example": Availability.UNKNOWN,
    }
    later = person.calendar.availability(person.access, [taken], made["endMs"], made["endMs"] + HOUR_MS)
    assert later == {taken: Availability.FREE}


def test_busy_times_say_when_a_room_is_taken_within_days_and_nothing_of_one_that_is_unseen(
    person: Any, wait_for: Callable[..., Any]
) -> None:
    taken, free = person.room("Aquarium"), person.room("Boiler")
    made = person.meeting(taken)
    _settled(person, wait_for, taken, Answer.ACCEPTED)
    window = Window(made["startMs"] - 24 * HOUR_MS, made["startMs"] + 24 * HOUR_MS)
    said = person.calendar.busy_times(person.access, [taken, free, "nowhere@elsewhere.example"], window)
    assert list(said[taken]) == [Window(made["startMs"], made["endMs"])]
    assert list(said[free]) == []
    assert said["nowhere@elsewhere.example"] is None


def test_more_rooms_than_one_call_takes_are_asked_in_several(person: Any) -> None:
    rooms = [f"room{n}@{person.domain}" for n in range(55)]
    said = person.calendar.availability(
        person.access, rooms, person.simulator.now_ms(), person.simulator.now_ms() + HOUR_MS
    )
    assert set(said) == set(rooms)


@pytest.mark.proves("D2", "D3")
def test_a_subscription_brings_pushes_until_it_is_ended(person: Any, wait_for: Callable[..., Any]) -> None:
    request = person.subscription_request()
    made = person.calendar.subscribe(person.access, request)
    assert abs(made.expires_at_ms - request.expires_at_ms) < MINUTE_MS
    path = "/hooks/graph" if person.provider is Provider.MICROSOFT else "/hooks/google"
    before = len(person.hooks.heard(path))
    person.meeting(person.room("Aquarium"))
    wait_for(lambda: len(person.hooks.heard(path)) > before + 1, "a push")
    person.calendar.unsubscribe(person.access, made)
    person.calendar.unsubscribe(person.access, made)
    assert _subscriptions(person) == []


def _subscriptions(person: Any) -> list[Any]:
    told = person.simulator.ask("GET", "subscriptions")
    every = told if isinstance(told, list) else next(value for value in told.values() if isinstance(value, list))
    return [one for one in every if person.user in str(one) or person.access.address in str(one)]


@pytest.mark.proves("B1", "B3")
def test_a_subscription_is_given_a_longer_life(person: Any) -> None:
    made = person.calendar.subscribe(person.access, person.subscription_request(hours=2))
    request = person.subscription_request(hours=48)
    longer = person.calendar.extend(person.access, made, request)
    assert abs(longer.expires_at_ms - request.expires_at_ms) < MINUTE_MS
    if person.provider is Provider.MICROSOFT:
        assert longer.id == made.id
    else:
        assert longer.id == request.channel_id != made.id
        person.calendar.unsubscribe(person.access, made)
    assert len(_subscriptions(person)) == 1
    person.calendar.unsubscribe(person.access, longer)


def test_the_longest_life_we_ask_for_is_granted(person: Any) -> None:
    request = person.subscription_request(hours=person.calendar.max_subscription_ms / HOUR_MS)
    made = person.calendar.subscribe(person.access, request)
    assert abs(made.expires_at_ms - request.expires_at_ms) < MINUTE_MS
    person.calendar.unsubscribe(person.access, made)


@pytest.mark.proves("B2")
@pytest.mark.parametrize("person", [Provider.MICROSOFT], indirect=True)
def test_at_microsoft_a_forgotten_subscription_is_replaced_and_a_lost_one_is_named(person: Any) -> None:
    first = person.calendar.subscribe(person.access, person.subscription_request())
    second = person.calendar.subscribe(person.access, person.subscription_request())
    assert second.id != first.id
    assert len(_subscriptions(person)) == 1
    with pytest.raises(SubscriptionGoneError):
        person.calendar.extend(person.access, first, person.subscription_request())
    person.calendar.unsubscribe(person.access, second)


@pytest.mark.proves("B6")
def test_an_expired_cursor_asks_for_a_full_look(person: Any) -> None:
    cursor = person.calendar.look(person.access, "", person.window()).cursor
    person.simulator.ask("PUT", "faults", {"cursorExpired": {"user": person.user}})
    with pytest.raises(CursorExpiredError):
        person.calendar.look(person.access, cursor, person.window())
    assert person.calendar.look(person.access, "", person.window()).full


@pytest.mark.proves("B6")
def test_a_cursor_that_is_not_one_asks_for_a_full_look(person: Any) -> None:
    with pytest.raises(CursorExpiredError):
        person.calendar.look(person.access, "https://elsewhere.example/v1.0/me?$deltatoken=x", person.window())


@pytest.mark.proves("B11")
@pytest.mark.parametrize(("status", "header", "seconds"), [(429, "2", 2.0), (503, "2.128", 2.128), (429, None, None)])
def test_throttling_is_told_and_not_waited_out(
    person: Any, status: int, header: str | None, seconds: float | None
) -> None:
    fault = {"count": 1, "status": status, "retryAfter": header, "user": person.user}
    person.simulator.ask("PUT", "faults", {"throttle": fault})
    with pytest.raises(RetryableError) as caught:
        person.calendar.look(person.access, "", person.window())
    assert caught.value.retry_after_s == seconds


def test_a_refused_token_is_a_consent_to_ask_about(person: Any) -> None:
    with pytest.raises(TokenRefusedError):
        person.calendar.look(Access("forged", person.user, person.access.address), "", person.window())


def test_an_event_that_is_not_there_is_gone(person: Any) -> None:
    with pytest.raises(EventGoneError):
        person.calendar.read(person.access, "AAMkADnowhere")
    with pytest.raises(EventGoneError):
        person.calendar.swap_room(person.access, "AAMkADnowhere", "a@x.example", RoomContact("b@x.example", "B"))


def test_ending_what_never_was_counts_as_done(person: Any) -> None:
    person.calendar.unsubscribe(person.access, Subscription("5b0c9a1e-7a6f-4f0d-9d2c-0d2f7a9e1c11", "r", 0))
