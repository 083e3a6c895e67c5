"""What the public event says of a decline, and where each word of it comes from."""

from __future__ import annotations

import msgspec
import pytest

from services.room_status.deciding.fold import fold
from shared.contracts.meeting_state import MeetingRecord
from shared.contracts.room_declined import RoomDeclined
from shared.crypto.meetings import StoredMeeting
from shared.domain.instants import HOUR_MS, to_rfc3339
from tests.support.builders import KEYS, NOW_MS, START_MS
from tests.support.copy_builders import a_date, a_look
from tests.support.meetings import after


def declined(*looks: dict[str, str]) -> list[RoomDeclined]:
    """The events that a mailbox's looks lead to, each a room's answers."""
    meeting, told = StoredMeeting(MeetingRecord(provider="google", meeting="m-planning")), list[RoomDeclined]()
    for number, answers in enumerate(looks):
        seen = a_look(a_date(**answers), at_ms=NOW_MS + number, provider="google")
        change = fold(meeting, seen, keys=KEYS)
        assert change is not None
        meeting, told = after(meeting, seen.mailbox, change), [*told, *change.declines]
    return told


@pytest.mark.proves("D7")
def test_event_says_which_room_declined_which_ask_and_where_to_resolve_it() -> None:
    (event,) = declined({"a": "none"}, {"a": "declined"})
    assert msgspec.to_builtins(event) == {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/tenants/{KEYS.tenant}",
        "type": "roomsync.room.declined.v1",
        "subject": "rooms/a",
        "time": to_rfc3339(NOW_MS + 1),
        "partitionkey": "m-planning",
        "datacontenttype": "application/json",
        "dataschema": "urn:roomsync:schema:RoomDeclined:1#/$defs/RoomDeclinedData",
        "data": {
            "tenantId": KEYS.tenant,
            "meetingRef": "m-planning",
            "occurrenceRef": "o-single",
            "roomId": "a",
            "organizerId": event.data.organizer_id,
            "provider": "google",
            "ask": KEYS.ask(START_MS, START_MS + HOUR_MS),
            "repeat": 0,
            "observedAt": to_rfc3339(NOW_MS + 1),
            "href": f"/v1/room-rejections/{event.id}",
        },
    }


def test_second_decline_of_one_ask_is_another_event_and_says_how_many_came_before() -> None:
    first, second = declined({"a": "none"}, {"a": "declined"}, {"a": "accepted"}, {"a": "declined"})
    assert [first.data.repeat, second.data.repeat] == [0, 1]
    assert first.id != second.id
    assert first.data.ask == second.data.ask
