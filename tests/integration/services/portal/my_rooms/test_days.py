"""A day is a day where the meeting is held, also when rooms are looked for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from shared.contracts.meeting_state import COPY_TYPE, MEETING_TYPE, VERSION, RoomState
from shared.contracts.meeting_state_version_1 import from_version_1
from shared.crypto.records import sealed_envelope
from shared.domain.instants import HOUR_MS, to_rfc3339
from shared.domain.sighting import Availability
from shared.ports.view import Row
from tests.integration.services.portal.office import Browser, Office


def test_rooms_for_a_day_are_asked_for_where_the_meeting_is_held(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day in San Francisco begins eight hours after the one in UTC by which it is named."""
    one, *_ = office.enter_rooms(ada.tenant, "one", "two")
    record, copies = from_version_1(office.meeting(ada, office.room(ada, one, RoomState.DECLINED)))
    [date] = record.dates
    begins_ms, ends_ms = date.start_ms + 8 * HOUR_MS, date.end_ms + 8 * HOUR_MS
    record = msgspec.structs.replace(
        record, dates=(msgspec.structs.replace(date, begins_ms=begins_ms, ends_ms=ends_ms),)
    )
    key, owner, keys = f"{ada.tenant}/{record.meeting}", f"{ada.tenant}/{ada.mailbox}", office.keys(ada.tenant)
    office.apply(
        *(
            Row(name, (owner,), sealed_envelope(keys, each, key=name.encode(), type=kind, id="test", version=VERSION))
            for name, each, kind in (
                (key, record, MEETING_TYPE),
                (f"{key}/{ada.mailbox}", copies[ada.mailbox], COPY_TYPE),
            )
        )
    )
    asked: list[tuple[int, int]] = []

    def availability(_access: object, rooms: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Availability]:
        asked.append((start_ms, end_ms))
        return dict.fromkeys(rooms, Availability.FREE)

    monkeypatch.setattr(office.calendar, "availability", availability)
    [prompt] = ada.client.get("/v1/me/prompts").json["prompts"]
    [line] = ada.client.get("/v1/me/rooms").json["rooms"]
    for shown in (prompt, line):
        assert (shown["start"], shown["end"]) == (to_rfc3339(begins_ms), to_rfc3339(ends_ms))
    assert ada.client.get(f"/v1/me/prompts/{prompt['id']}/choices").json["choices"]
    assert asked == [(begins_ms, ends_ms)]
