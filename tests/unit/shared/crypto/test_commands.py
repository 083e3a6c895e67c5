"""The event that a command names: sealed for its take, and readable as version 0.1.0 wrote it."""

from __future__ import annotations

import msgspec
import pytest

from shared.contracts.command import TakeRoom
from shared.crypto.commands import event_of, sealed_event
from shared.domain.keys import TenantKeys
from shared.errors import MalformedRecordError
from tests.support.builders import KEYS

EVENT = "AAMkAG-event-of-ana"


def a_take(take_id: str, sealed: bytes) -> TakeRoom:
    return TakeRoom(at_ms=1, take_id=take_id, event_id="", declined_room_id="r-1", room_id="r-2", event_sealed=sealed)


def test_the_event_stands_in_no_record_and_is_read_by_whoever_has_the_data_key() -> None:
    take = a_take("k-1", sealed_event(KEYS, "k-1", EVENT))
    assert EVENT.encode() not in msgspec.json.encode(take)
    assert event_of(KEYS, take) == EVENT


def test_an_event_is_sealed_for_its_take_alone() -> None:
    with pytest.raises(MalformedRecordError):
        event_of(KEYS, a_take("k-2", sealed_event(KEYS, "k-1", EVENT)))


def test_once_the_key_is_another_nothing_is_read() -> None:
    others = TenantKeys(KEYS.tenant, b"x" * 32, b"y" * 32, None)
    with pytest.raises(MalformedRecordError):
        event_of(others, a_take("k-1", sealed_event(KEYS, "k-1", EVENT)))


def test_a_command_of_the_first_version_is_read_as_it_is() -> None:
    raw = b'{"wish":"take-room","atMs":1,"takeId":"k-1","eventId":"e-1","declinedRoomId":"r-1","roomId":"r-2"}'
    assert event_of(KEYS, msgspec.json.decode(raw, type=TakeRoom)) == "e-1"
