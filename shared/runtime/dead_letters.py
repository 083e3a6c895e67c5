"""What cannot be handled is kept, with its bytes and where it came from; if even that fails, the caller stops."""

from __future__ import annotations

import msgspec

from shared.contracts import dead_letter
from shared.contracts import envelope as envelopes
from shared.contracts.dead_letter import DeadLetter
from shared.contracts.envelope import Envelope
from shared.contracts.topics import DEAD_LETTERS
from shared.ports.log import Log, NewRecord, Record
from shared.runtime import metrics


def bury(log: Log, record: Record, *, reason: str, service: str, now_ms: int) -> None:
    """
    Append `record` to `dead-letters`, under its own key and partition.

    Raises:
        LogUnavailableError: nothing was kept: do not move on.
    """
    letter = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        reason=reason,
        service=service,
        failed_at_ms=now_ms,
    )
    value = envelopes.encode(
        Envelope(
            id=f"dead/{record.topic}/{record.partition}/{record.offset}",
            type=dead_letter.TYPE,
            tenant=record.key.decode(errors="replace").partition("/")[0],
            payload=msgspec.Raw(msgspec.json.encode(letter)),
        )
    )
    log.append([NewRecord(DEAD_LETTERS.name, record.partition, record.key, value)])
    metrics.DEAD_LETTERS.labels(service).inc()
