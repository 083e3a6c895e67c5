"""The day of a room and of a floor over the real pages: times and answers, never whose or what."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import RoomMemory
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.integration.services.portal.admin.rooms.test_rooms import ROOM, confirm
from tests.integration.services.portal.office import Browser, Office

ZONE = "zone=Asia/Tokyo"


def room_on(office: Office, builder: Browser, name: str, floor: str) -> str:
    sent = {**ROOM, "address": f"{name}@rooms.example", "name": name, "floor": floor}
    return confirm(office, builder.tenant, builder.post("/v1/admin/rooms", sent).json["id"])


def at(start_ms: int, room: RoomMemory) -> RoomMemory:
    return msgspec.structs.replace(room, start_ms=start_ms, end_ms=start_ms + HOUR_MS)


@pytest.mark.proves("P7")
def test_a_floor_shows_the_day_of_each_of_its_rooms_and_nobodys_meetings(office: Office, builder: Browser) -> None:
    aare, birs = room_on(office, builder, "aare", "4"), room_on(office, builder, "birs", "4")
    room_on(office, builder, "cher", "5")
    midnight = office.clock.now_ms() // DAY_MS * DAY_MS
    held = at(midnight + 9 * HOUR_MS, office.room(builder, aare, RoomState.ACCEPTED))
    refused = at(midnight + 11 * HOUR_MS, office.room(builder, birs, RoomState.DECLINED))
    office.show(office.meeting(builder, held), builder.tenant)
    office.show(office.meeting(builder, refused, meeting="m-2"), builder.tenant)
    page = builder.client.get("/admin/rooms/day?place=Riverside/4&zone=UTC").text

    assert "<h1>Riverside, floor 4</h1>" in page
    assert "cher" not in page
    assert f'href="/admin/rooms/{aare}"' in page
    assert 'aria-label="aare: 09:00 to 10:00, accepted"' in page
    assert 'aria-label="birs: 11:00 to 12:00, declined"' in page
    assert page.count('<rect class="accepted"') == page.count('<rect class="declined"') == 1
    day = datetime.fromtimestamp(midnight / 1000, UTC).date()  # which is over in Tokyo from 15:00 on
    in_tokyo = builder.client.get(f"/admin/rooms/day?{ZONE}&date={day}").text
    assert 'aria-label="aare: 18:00 to 19:00, accepted"' in in_tokyo
    later = builder.client.get("/admin/rooms/day?zone=UTC&date=2031-01-01").text
    assert 'aria-label="aare: not asked for"' in later

    one = builder.client.get(f"/admin/rooms/{aare}?zone=UTC").text
    assert 'aria-label="aare: 09:00 to 10:00, accepted"' in one
    assert "place=Riverside%2F4" in one
    assert builder.client.get("/admin/rooms/day?date=never").status_code == 422


@pytest.mark.proves("P7")
def test_a_room_that_is_not_confirmed_has_no_strip(office: Office, builder: Browser, ben: Browser) -> None:
    room = builder.post("/v1/admin/rooms", ROOM).json["id"]
    shown = office.room(builder, room, RoomState.ACCEPTED)
    office.show(office.meeting(builder, shown), builder.tenant)
    for page in (f"/admin/rooms/{room}", "/admin/rooms/day"):
        text = builder.client.get(page).text
        assert 'class="chart strip"' not in text
    assert "not confirmed" in builder.client.get("/admin/rooms/day").text
    assert ben.client.get("/admin/rooms/day").status_code == 403
