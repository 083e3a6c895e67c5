"""A reminder in a person's own calendar, at both providers: private, free, made once, removed, and never taken for a meeting."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.sighting import NewReminder, SeenEvent, Window
from tests.integration.shared.providers.conftest import Person


def reminder(person: Person, name: str = "1") -> NewReminder:
    request_id = f"{name}-{person.tenant[:8].lower()}"
    start_ms = person.simulator.now_ms() // MINUTE_MS * MINUTE_MS + MINUTE_MS
    return NewReminder(request_id, "A room said no", "Aare\nhttps://rooms.test/p/x", start_ms, start_ms + 5 * MINUTE_MS)


def around(person: Person) -> Window:
    now_ms = person.simulator.now_ms()
    return Window(now_ms - DAY_MS, now_ms + DAY_MS)


def stands(person: Person) -> dict[str, Any]:
    """The person's events as the provider itself has them: id → the whole."""
    root = (
        "microsoft/graph/v1.0/me/events"
        if person.provider is Provider.MICROSOFT
        else "google/calendar/v3/calendars/primary/events"
    )
    answer = person.simulator.http.get(
        f"{person.simulator.url}/{root}", headers={"Authorization": f"Bearer {person.access.token}"}
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return {each["id"]: each for each in body.get("value", body.get("items"))}


@pytest.mark.proves("B30")
def test_reminder_is_private_free_and_without_guests_and_reminds_at_its_beginning(person: Person) -> None:
    wish = reminder(person)
    event_id = person.calendar.remind(person.access, wish)
    event = stands(person)[event_id]
    assert event.get("attendees", []) == []
    if person.provider is Provider.MICROSOFT:
        assert (event["showAs"], event["sensitivity"]) == ("free", "private")
        assert (event["isReminderOn"], event["reminderMinutesBeforeStart"]) == (True, 0)
        assert event["body"] == {"contentType": "text", "content": wish.text}
    else:
        assert (event["transparency"], event["visibility"]) == ("transparent", "private")
        assert event["reminders"] == {"useDefault": False, "overrides": [{"method": "popup", "minutes": 0}]}
        assert event["description"] == wish.text


@pytest.mark.proves("B30")
def test_the_same_reminder_again_makes_no_second_event_and_can_be_found_by_its_request(person: Person) -> None:
    wish, second = reminder(person), reminder(person, "2")
    first = person.calendar.remind(person.access, wish)
    assert person.calendar.remind(person.access, wish) == first
    other = person.calendar.remind(person.access, second)
    assert person.calendar.reminders(person.access, around(person)) == {
        wish.request_id: first,
        second.request_id: other,
    }
    person.calendar.cancel(person.access, first)
    assert person.calendar.reminders(person.access, around(person)) == {second.request_id: other}
    assert set(stands(person)) == {other}


@pytest.mark.proves("B30")
def test_looks_agenda_and_titles_leave_reminders_out_and_keep_meetings(person: Person) -> None:
    room = person.room("Aquarium")
    before = person.calendar.look(person.access, "", person.window())
    event_id = person.calendar.remind(person.access, reminder(person))
    person.meeting(room, days=0.5)
    increment = person.calendar.look(person.access, before.cursor, person.window())
    full = person.calendar.look(person.access, "", person.window())
    for look in (increment, full):
        assert [each.organizer for each in look.seen if isinstance(each, SeenEvent)] == [person.access.address]
        assert event_id not in {each.event_id for each in look.seen}
    assert [item.title for item in person.calendar.agenda(person.access, around(person))] == ["MARKER"]
    page = person.calendar.read_page(person.access, around(person))
    assert [meeting.title for meeting in page.meetings] == ["MARKER"]
    person.calendar.cancel(person.access, event_id)
    after = person.calendar.look(person.access, increment.cursor, person.window())
    assert event_id not in {each.event_id for each in after.seen if isinstance(each, SeenEvent)}
