"""The public records that a change of a meeting leads to, each with the headers that say what it follows from. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from services.room_status.deciding.announcement import outcome_event, room_status, status_key
from services.room_status.deciding.fold import RULES_VERSION, Change
from services.room_status.deciding.outcomes import Ending
from services.room_status.deciding.sealing import RecordTooLargeError
from shared.contracts.bounds import MAX_FOLLOWING_RECORDS
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import ROOM_OUTCOMES, ROOM_REJECTIONS, ROOM_STATUS
from shared.domain import trace
from shared.domain.keys import TenantKeys
from shared.ports.log import Headers, NewRecord, Record

CORRELATION_HEADER = "correlation-id"
CLOUD_EVENT = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""How CloudEvents' binding for Kafka tells readers that the whole event stands in the value."""
SOURCE_HEADER = "source-position"
"""The input record that a decision was made upon: `topic/partition/offset`. Within a partition of decisions it only grows."""
RULES_HEADER = "rules-version"


def source_of(record: Record) -> str:
    """Name the input record that something follows from: `topic/partition/offset`."""
    return f"{record.topic}/{record.partition}/{record.offset}"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Makes the public records of one meeting."""

    partition: int
    key: bytes
    """Of the meeting."""
    keys: TenantKeys
    correlation: str
    published: frozenset[str]
    """Ids of events that stand on their topics already."""

    def observed(self, change: Change, record: Record, observed_at_ms: int) -> Publications:
        """
        Make the records of what an observation has led to.

        Args:
            change: What is different.
            record: The observation, as it was read.
            observed_at_ms: When its look began.
        """
        source = source_of(record)
        headers = self._followed(record, source)
        why = ((SOURCE_HEADER, source.encode()), (RULES_HEADER, str(RULES_VERSION).encode()))
        return Publications(
            [self._decline(each, (*headers, *why)) for each in change.declines if each.id not in self.published],
            self._outcomes(change.outcomes, (*headers, *why)),
            [*self._statuses(change, headers, observed_at_ms), *self.forgotten(change)],
        )

    def ended(self, endings: Iterable[Ending], meeting: str) -> list[NewRecord]:
        """Make the events of ends that no observation led to: such a record names none as its source."""
        named = ((CORRELATION_HEADER, self.correlation.encode()),) if self.correlation else ()
        events = (outcome_event(ending, meeting, self.keys) for ending in endings)
        return self._outcomes(events, (*named, (RULES_HEADER, str(RULES_VERSION).encode())))

    def forgotten(self, change: Change) -> list[NewRecord]:
        """Make the deletions of the states of rooms whose date is over."""
        kept = {date.ref for date in change.record.dates}
        return [
            NewRecord(ROOM_STATUS.name, self.partition, status_key(self.keys.tenant, date.ref, room.room), None)
            for date in change.forgotten
            if date.ref not in kept
            for room in date.rooms
        ]

    def _decline(self, decline: RoomDeclined, headers: Headers) -> NewRecord:
        value = msgspec.json.encode(decline)
        return NewRecord(ROOM_REJECTIONS.name, self.partition, self.key, value, (*CLOUD_EVENT, *headers))

    def _outcomes(self, events: Iterable[RoomOutcome], headers: Headers) -> list[NewRecord]:
        return [
            NewRecord(
                ROOM_OUTCOMES.name, self.partition, self.key, msgspec.json.encode(event), (*CLOUD_EVENT, *headers)
            )
            for event in events
            if event.id not in self.published
        ]

    def _statuses(self, change: Change, headers: Headers, observed_at_ms: int) -> list[NewRecord]:
        return [
            NewRecord(
                ROOM_STATUS.name,
                self.partition,
                status_key(self.keys.tenant, date.ref, room.room),
                msgspec.json.encode(
                    room_status(room, date, change.record, keys=self.keys, observed_at_ms=observed_at_ms)
                ),
                headers,
            )
            for date, room in change.rooms
        ]

    def _followed(self, record: Record, source: str) -> Headers:
        """What ties a decision to its journey. The same again, when the decision is made anew."""
        step = trace.from_headers(record.headers)
        named = ((CORRELATION_HEADER, self.correlation.encode()),) if self.correlation else ()
        return (*named, *(trace.headers(step.child(source)) if step else ()))


@dataclass(frozen=True, slots=True)
class Publications:
    """Records of the three public topics."""

    declines: list[NewRecord]
    outcomes: list[NewRecord]
    statuses: list[NewRecord]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.declines) + len(self.outcomes) + len(self.statuses)

    @property
    def bytes(self) -> int:
        """What their values take."""
        return sum(len(each.value or b"") for each in [*self.declines, *self.outcomes, *self.statuses])


def require_one_commit(publications: Publications) -> None:
    """Raise RecordTooLargeError where one observation leads to more records than a commit may have."""
    if publications.count > MAX_FOLLOWING_RECORDS:
        message = f"an observation leads to {publications.count} records, and {MAX_FOLLOWING_RECORDS} are the bound"
        raise RecordTooLargeError(message)
