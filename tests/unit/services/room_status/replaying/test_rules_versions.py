"""A decline that earlier rules published is compared by the fields that it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from services.room_status.deciding.fold import RULES_VERSION
from services.room_status.replaying.replay import PublicEvent, compare, redo
from services.room_status.replaying.rules_versions import is_same_event, rules_version_of
from shared.contracts import observation
from shared.contracts.room_declined import RoomDeclinedData
from shared.crypto.records import sealed_envelope
from shared.errors import MalformedRecordError
from shared.ports.log import Record
from tests.support.builders import KEYS, an_observation

FACTS = (an_observation(baseline=True, a="none"), an_observation(a="declined"))


FIELDS = {
    2: {
        "tenantId", "meetingRef", "occurrenceRef", "roomId", "organizerId", "provider", "ask", "repeat", "observedAt", "href",
    },
    3: {
        "tenantId", "meetingRef", "occurrenceRef", "roomId", "organizerId", "provider", "ask", "repeat", "observedAt", "href",
    },
}  # fmt: skip
"""Rules version → what the event says under it. An older line stays when a newer one is added."""


def test_a_field_of_the_event_comes_with_a_version_of_the_rules() -> None:
    """Else a replay would call every older decline differing."""
    fields = {field.encode_name for field in msgspec.structs.fields(RoomDeclinedData)}
    assert FIELDS.get(RULES_VERSION) == fields, "raise RULES_VERSION and write its line here"


def replayed() -> PublicEvent:
    values = [
        sealed_envelope(KEYS, seen, key=b"t/m", type=observation.TYPE, id=f"o-{at}") for at, seen in enumerate(FACTS)
    ]
    records = [Record("observations", 0, at, b"t/m", value, (), 0) for at, value in enumerate(values)]
    [found] = redo([records], {}, partition=0, keys_of=lambda _: KEYS).declines
    return found


def published(version: int, value: bytes) -> PublicEvent:
    """The same decline as another version of the rules published it."""
    found = replayed()
    headers = [(name, text) for name, text in found.record.headers if name != "rules-version"]
    record = Record("room-rejections", 0, 7, b"t/m", value, (*headers, ("rules-version", str(version).encode())), 0)
    return replace(found, value=value, record=record)


def without_a_field() -> bytes:
    event = msgspec.json.decode(replayed().value)
    del event["data"]["href"]
    return msgspec.json.encode(event)


def with_another_room() -> bytes:
    event: dict[str, Any] = msgspec.json.decode(without_a_field())
    event["data"]["roomId"] = "r-other"
    return msgspec.json.encode(event)


@pytest.mark.proves("M1")
@pytest.mark.parametrize(
    ("version", "value", "same"),
    [
        (RULES_VERSION - 1, without_a_field(), True),
        (RULES_VERSION - 1, with_another_room(), False),
        (RULES_VERSION, without_a_field(), False),
        (RULES_VERSION, replayed().value, True),
        (RULES_VERSION + 1, without_a_field(), False),
    ],
)
def test_field_that_was_added_since_makes_no_earlier_decline_differ(version: int, value: bytes, same: bool) -> None:
    told = published(version, value)
    redone = redo([], {}, partition=0, keys_of=lambda _: KEYS)
    redone.declines.append(replayed())
    found = compare(redone, [told], begin=0, end=len(FACTS), reached=len(FACTS))
    assert (len(found.same), len(found.differing)) == ((1, 0) if same else (0, 1))


def test_field_that_only_the_published_event_has_is_a_difference() -> None:
    event = msgspec.json.decode(replayed().value) | {"extra": 1}
    assert not is_same_event(replayed().value, msgspec.json.encode(event), now=2, then=1)


def test_version_is_the_first_where_none_is_named_and_refused_where_it_is_no_number() -> None:
    assert rules_version_of(Record("room-rejections", 0, 7, b"", b"", (), 0)) == 1
    with pytest.raises(MalformedRecordError, match="no number"):
        rules_version_of(Record("room-rejections", 0, 7, b"", b"", (("rules-version", b"two"),), 0))
