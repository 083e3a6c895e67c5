"""Reads events of one organisation from the public topics: which there are, and what each says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.room_declined import TYPE, RoomDeclined
from shared.contracts.webhook_records import EventPlace
from shared.contracts.webhook_rows import Webhook
from shared.decoders import json_decoder
from shared.domain.identity import tenant_of_key
from shared.domain.instants import from_rfc3339, to_rfc3339
from shared.errors import MalformedRecordError
from shared.ports.log import Log, Record

PAGE_RECORDS = 500


class EventHead(msgspec.Struct, frozen=True):
    """What is read of a CloudEvent to send it on: the rest is sent as it stands."""

    id: str
    type: str


@dataclass(frozen=True, slots=True)
class DeliverablePage:
    """Some of an endpoint's events."""

    places: list[EventPlace]
    read_to: int
    """The offset after the last record that was looked at."""


def place_of(record: Record) -> EventPlace:
    """Which event a record is. Raises MalformedRecordError: none."""
    head = read_json(record.value or b"", EventHead)
    return EventPlace(event=head.id, type=head.type, topic=record.topic, offset=record.offset)


def seen_at_ms(record: Record) -> int:
    """When the room's answer was seen at the provider of which a decline tells; 0 of every other event."""
    try:
        event = json_decoder(RoomDeclined).decode(record.value or b"")
        return from_rfc3339(event.data.observed_at) if event.type == TYPE else 0
    except (msgspec.DecodeError, ValueError):
        return 0


def is_wanted(webhook: Webhook, place: EventPlace) -> bool:
    """Whether the endpoint is to get events of that type."""
    return not webhook.types or place.type in webhook.types


class EventReader:
    """Of one partition. Every method raises LogUnavailableError."""

    def __init__(self, log: Log, partition: int) -> None:
        self._log = log
        self._partition = partition

    def page(
        self, tenant: str, topic: str, first: int, end: int, wanted: Callable[[Record, EventPlace], bool]
    ) -> DeliverablePage:
        """The tenant's events among the next few hundred records from `first` on, before `end`."""
        found = self._log.read(topic, self._partition, first, limit=PAGE_RECORDS)
        records = [each for each in found if each.offset < end]
        places = [place for record in records for place in self._place(tenant, record) if wanted(record, place)]
        return DeliverablePage(places, found[-1].offset + 1 if found else end)

    def first_since(self, topic: str, since_ms: int) -> int:
        """Where the events of that instant begin."""
        return self._log.at_time(topic, self._partition, since_ms)

    def body(self, tenant: str, place: EventPlace) -> bytes | None:
        """The event as it is sent; None when retention has taken it."""
        if not place.topic:
            return _test_event(tenant, place)
        for record in self._log.read(place.topic, self._partition, place.offset, limit=1):
            if record.offset == place.offset and tenant_of_key(record.key) == tenant:
                return record.value
        return None

    def _place(self, tenant: str, record: Record) -> Sequence[EventPlace]:
        if tenant_of_key(record.key) != tenant or record.value is None:
            return ()
        try:
            return (place_of(record),)
        except MalformedRecordError:
            return ()  # it was put aside when it was first read


def _test_event(tenant: str, place: EventPlace) -> bytes:
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": place.event,
            "source": f"/tenants/{tenant}",
            "type": place.type,
            "time": to_rfc3339(place.at_ms),
            "datacontenttype": "application/json",
            "data": {},
        }
    )
