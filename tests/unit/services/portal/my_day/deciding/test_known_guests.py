"""Whom the booking form proposes as guests."""

from __future__ import annotations

import pytest

from services.portal.my_day.deciding.known_guests import MOST_GUESTS, list_guests
from shared.domain.sighting import AgendaItem, LiveAttendee


def item(*addresses: str, room: str = "aare@rooms.test") -> AgendaItem:
    people = [LiveAttendee(each, each, is_room=False, answer="none") for each in addresses]
    return AgendaItem(
        event_id="e", uid="u", slot="", title="", start_ms=0, end_ms=1, all_day=False, private=False, declined=False,
        is_organizer=True, attendees=(*people, LiveAttendee("Aare", room, is_room=True, answer="none")),
    )  # fmt: skip


@pytest.mark.proves("E3")
def test_people_who_are_met_most_often_are_proposed_first_and_rooms_never() -> None:
    items = [item("ben@x.test", "Cleo@x.test"), item("cleo@x.test", "dora@x.test"), item("no address")]
    assert list_guests(items) == ("cleo@x.test", "ben@x.test", "dora@x.test")
    assert len(list_guests(item(f"p{number}@x.test") for number in range(MOST_GUESTS + 1))) == MOST_GUESTS
