"""What cannot be handled is kept, with its bytes and where it came from; if even that fails, the caller stops."""

from __future__ import annotations

import hashlib

import msgspec

from shared.contracts import dead_letter
from shared.contracts import envelope as envelopes
from shared.contracts.dead_letter import DeadLetter, DeadLetterHandled, LetterAction
from shared.contracts.envelope import Envelope
from shared.contracts.topics import DEAD_LETTERS
from shared.ports.log import Log, NewRecord, Record
from shared.runtime import metrics

MAX_KEPT_BYTES = 256 * 1024
"""A larger record is kept by its hash and position: a letter must fit where the record itself did not."""


def bury(log: Log, record: Record, *, reason: str, service: str, now_ms: int) -> None:
    """
    Append `record` to `dead-letters`, under its own key and partition.

    Raises:
        LogUnavailableError: nothing was kept: do not move on.
    """
    value = record.value or b""
    kept = len(value) <= MAX_KEPT_BYTES
    letter = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value if kept else None,
        reason=reason if kept else f"{reason} ({len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()})",
        service=service,
        failed_at_ms=now_ms,
    )
    log.append([_enveloped(letter, f"dead/{letter.id}", dead_letter.TYPE, record.key, record.partition)])
    metrics.DEAD_LETTERS.labels(service).inc()


def close_letter(log: Log, letter: DeadLetter, act: LetterAction, *, partition: int, now_ms: int) -> None:
    """
    Record durably that `letter` was dealt with. It outlives the letter: it is younger, and kept as long.

    Args:
        partition: Of `dead-letters`, where the letter stands.

    Raises:
        LogUnavailableError: it may be listed again.
    """
    handled = DeadLetterHandled(letter=letter.id, act=act, at_ms=now_ms)
    log.append([_enveloped(handled, f"{act}/{letter.id}", dead_letter.HANDLED_TYPE, letter.key, partition)])


def _enveloped(payload: msgspec.Struct, name: str, kind: str, key: bytes, partition: int) -> NewRecord:
    value = envelopes.encode(
        Envelope(
            id=name,
            type=kind,
            tenant=key.decode(errors="replace").partition("/")[0],
            payload=msgspec.Raw(msgspec.json.encode(payload)),
        )
    )
    return NewRecord(DEAD_LETTERS.name, partition, key, value)
