"""Reads the dead letters that are open: neither redriven nor dropped."""

from __future__ import annotations

from dataclasses import dataclass

from cli.common.records import read_all
from shared.contracts import dead_letter
from shared.contracts import envelope as envelopes
from shared.contracts.dead_letter import DeadLetter, DeadLetterHandled
from shared.contracts.topics import DEAD_LETTERS
from shared.errors import MalformedRecordError
from shared.ports.log import Log, Record


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """One record that was put aside, however often, and is neither redriven nor dropped."""

    letter: DeadLetter
    partition: int
    """Where it stands on `dead-letters`."""
    times: int
    """How often it was put aside: more than once when its service died in between."""

    @property
    def id(self) -> str:
        """What commands take: `TOPIC/PARTITION/OFFSET` of the record that could not be handled."""
        return self.letter.id


def find_open_letters(log: Log) -> dict[str, OpenLetter]:
    """Return letter id → letter, oldest first. Raises LogUnavailableError."""
    found: dict[str, OpenLetter] = {}
    for partition in range(log.partitions):
        for record in read_all(log, DEAD_LETTERS.name, partition):
            _take(record, found)
    return dict(sorted(found.items(), key=lambda each: each[1].letter.failed_at_ms))


def _take(record: Record, found: dict[str, OpenLetter]) -> None:
    read = _read(record)
    if isinstance(read, DeadLetterHandled):
        found.pop(read.letter, None)
        return
    earlier = found.get(read.id)
    found[read.id] = OpenLetter(read, record.partition, earlier.times + 1 if earlier else read.attempts)


def _read(record: Record) -> DeadLetter | DeadLetterHandled:
    """Decode a record. One that is no dead letter is listed as one itself: nothing on this topic goes unseen."""
    try:
        envelope = envelopes.decode(record.value or b"")
        if envelope.type == dead_letter.HANDLED_TYPE:
            return envelopes.payload_of(envelope, DeadLetterHandled)
        return envelopes.payload_of(envelope, DeadLetter)
    except MalformedRecordError as error:
        return DeadLetter(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            value=record.value,
            reason=f"this is no letter itself: {error}",
            service="",
            failed_at_ms=record.appended_at_ms,
        )
