"""Both clients where the deployment only observes: permissions to read are enough for them, and nothing that writes leaves."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import Access, NewMeeting, NewReminder, RoomContact, Window
from shared.errors import RefusedError, WritesOffError
from shared.ports.calendar import CalendarProvider
from shared.providers.catalogue import calendar_providers
from shared.runtime.settings import Settings
from tests.integration.shared.providers.conftest import sign_in

NO_CALL = {"close"}
WRITING: dict[str, Callable[[Any, str, str], Any]] = {
    "swap_room": lambda who, event_id, room: who.calendar.swap_room(
        who.access, event_id, room, RoomContact(f"birs@{who.domain}", "Birs")
    ),
    "book": lambda who, _, room: who.calendar.book(who.access, _a_meeting(who, room)),
    "cancel": lambda who, event_id, _: who.calendar.cancel(who.access, event_id),
    "remind": lambda who, *_: who.calendar.remind(who.access, _a_reminder(who)),
}
"""The port's methods that change a calendar: person, id of an event of theirs, the address of its room."""
READING: dict[str, Callable[[Any, str, str], Any]] = {
    "look": lambda who, *_: who.calendar.look(who.access, "", who.window()),
    "subscribe": lambda who, *_: who.calendar.subscribe(who.access, who.subscription_request()),
    "extend": lambda who, *_: _extended(who),
    "unsubscribe": lambda who, *_: who.calendar.unsubscribe(who.access, _subscribed(who)),
    "read": lambda who, event_id, _: who.calendar.read(who.access, event_id),
    "read_page": lambda who, *_: who.calendar.read_page(
        who.access, Window(who.simulator.now_ms(), who.window().end_ms)
    ),
    "read_series": lambda who, event_id, _: who.calendar.read_series(
        who.access, event_id, Window(who.simulator.now_ms(), who.window().end_ms)
    ),
    "availability": lambda who, _, room: who.calendar.availability(
        who.access, [room], who.simulator.now_ms() + HOUR_MS, who.simulator.now_ms() + 2 * HOUR_MS
    ),
    "busy_times": lambda who, _, room: who.calendar.busy_times(
        who.access, [room], Window(who.simulator.now_ms(), who.simulator.now_ms() + 24 * HOUR_MS)
    ),
    "agenda": lambda who, *_: who.calendar.agenda(who.access, Window(who.simulator.now_ms(), who.window().end_ms)),
    "reminders": lambda who, *_: who.calendar.reminders(
        who.access, Window(who.simulator.now_ms(), who.window().end_ms)
    ),
    "directory_rooms": lambda who, *_: _tolerated(lambda: who.calendar.directory_rooms(who.access)),
    "verified_domains": lambda who, *_: _tolerated(lambda: who.calendar.verified_domains(who.access)),
    "own_addresses": lambda who, *_: who.calendar.own_addresses(who.access),
    "administers_directory": lambda who, *_: _tolerated(lambda: who.calendar.administers_directory(who.access)),
}
"""Those that do not."""
METHODS = {name for name, found in vars(CalendarProvider).items() if callable(found) and not name.startswith("_")}
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
SUBSCRIPTIONS = ("/subscriptions", "/events/watch", "/channels/stop")
ASKING = ("/getSchedule", "/freeBusy", "/token")


def _a_meeting(who: Any, room: str) -> NewMeeting:
    start_ms = who.simulator.now_ms() + DAY_MS
    return NewMeeting(
        request_id="wish-1",
        title="Planning",
        start_ms=start_ms,
        end_ms=start_ms + HOUR_MS,
        rooms=(RoomContact(room, "A"),),
    )


def _a_reminder(who: Any) -> NewReminder:
    now_ms = who.simulator.now_ms()
    return NewReminder("message-1", "A room said no", "Aare", now_ms, now_ms + HOUR_MS)


def _subscribed(who: Any) -> Any:
    return who.calendar.subscribe(who.access, who.subscription_request(hours=2))


def _extended(who: Any) -> Any:
    return who.calendar.extend(who.access, _subscribed(who), who.subscription_request(hours=3))


def _tolerated(call: Callable[[], Any]) -> None:
    """A grant to read one's own calendar shows no directory: the provider may say so, our own client may not."""
    try:
        call()
    except RefusedError as error:
        if not error.provider_status:
            raise


@pytest.fixture
def observer(person: Any, settings: Settings) -> Iterator[Any]:
    """The person with permissions to read alone, and a client that may not write."""
    found = dataclasses.replace(settings, writes="off")
    answer = sign_in(settings, person.provider, person.access.address, writes=False)
    access = Access(json.loads(answer)["access_token"], person.user, person.access.address)
    calendar = calendar_providers(found)[person.provider]
    yield dataclasses.replace(person, calendar=calendar, access=access)
    calendar.close()


@pytest.fixture
def event(observer: Any) -> tuple[str, str]:
    """A meeting of the person's own with a room, made in the calendar itself: its id there, and the room's address."""
    room = observer.room("Aquarium")
    observer.meeting(room)
    found = observer.calendar.look(observer.access, "", observer.window()).seen
    return next(each.event_id for each in found if getattr(each, "is_organizer", False)), room


def _written(who: Any, after: int) -> list[str]:
    """Requests since `after` that change more than subscriptions."""
    listed = who.simulator.ask("GET", f"requests?after={after}")["requests"]
    return [
        f"{each['method']} {each['path']}"
        for each in listed
        if each["method"] in CHANGES and not any(word in each["path"] for word in (*SUBSCRIPTIONS, *ASKING))
    ]


def _latest(who: Any) -> int:
    return max((each["seq"] for each in who.simulator.ask("GET", "requests")["requests"]), default=0)


@pytest.mark.proves("B19")
def test_every_method_of_the_port_is_known_to_write_or_not_to() -> None:
    assert READING.keys() | WRITING.keys() | NO_CALL == METHODS
    assert not READING.keys() & WRITING.keys()


@pytest.mark.proves("B19")
@pytest.mark.parametrize("name", sorted(WRITING))
def test_what_would_write_is_refused_and_never_sent(observer: Any, event: tuple[str, str], name: str) -> None:
    before = _latest(observer)
    with pytest.raises(WritesOffError, match="ROOMSYNC_WRITES=off"):
        WRITING[name](observer, *event)
    assert _written(observer, before) == []


@pytest.mark.proves("B19")
@pytest.mark.parametrize("name", sorted(READING))
def test_what_reads_or_subscribes_needs_no_permission_to_write(
    observer: Any, event: tuple[str, str], name: str
) -> None:
    before = _latest(observer)
    READING[name](observer, *event)
    assert _written(observer, before) == []
