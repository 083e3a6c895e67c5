"""How hints and gaps stand on their topics: key, partition, envelope, trace. Pure."""

from __future__ import annotations

import msgspec

from services.webhook_receiver.protocols.push import Hint
from shared.contracts import change_notification, command, envelope
from shared.contracts.command import Gap
from shared.contracts.topics import COMMANDS
from shared.domain.identity import Mailbox, partition_of
from shared.ports.log import Headers, NewRecord


def hint_record(hint: Hint, topic: str, partitions: int, *, id: str, headers: Headers) -> NewRecord:
    """The record of one hint, keyed by mailbox. It begins a journey: its id is the correlation id."""
    return NewRecord(
        topic=topic,
        partition=partition_of(hint.mailbox.key, partitions),
        key=hint.mailbox.key,
        value=_enveloped(hint.mailbox, change_notification.TYPE, hint.notification, id),
        headers=headers,
    )


def gap_record(mailbox: Mailbox, partitions: int, *, id: str, at_ms: int, headers: Headers) -> NewRecord:
    """
    "Hints of this partition may have been lost": every mailbox of it becomes due.

    Args:
        mailbox: Any mailbox of that partition; here the one whose hint could not be taken.
        partitions: How many every topic has.
        id: Unique for the record.
        at_ms: When it was noticed, epoch milliseconds.
        headers: Trace context.
    """
    return NewRecord(
        topic=COMMANDS.name,
        partition=partition_of(mailbox.key, partitions),
        key=mailbox.key,
        value=_enveloped(mailbox, command.TYPE, Gap(at_ms=at_ms), id),
        headers=headers,
    )


def _enveloped(mailbox: Mailbox, kind: str, payload: msgspec.Struct, record_id: str) -> bytes:
    return envelope.encode(
        envelope.Envelope(
            id=record_id,
            type=kind,
            tenant=mailbox.tenant,
            correlation=record_id,
            payload=msgspec.Raw(msgspec.json.encode(payload)),
        )
    )
