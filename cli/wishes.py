"""Commands as an operator sends them: to the mailbox's own partition, where its owner executes them."""

from __future__ import annotations

import uuid

import msgspec

from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.command import Command
from shared.contracts.envelope import Envelope
from shared.contracts.topics import COMMANDS
from shared.domain.identity import Mailbox, partition_of
from shared.ports.log import NewRecord


def wish_record(mailbox: Mailbox, wish: Command, partitions: int, *, cause: str) -> NewRecord:
    """
    A command for `mailbox`.

    Args:
        partitions: How many every topic has.
        cause: What made an operator send it: becomes the correlation id of everything that follows.
    """
    value = envelopes.encode(
        Envelope(
            id=f"cli-{uuid.uuid4().hex}",
            type=command.TYPE,
            tenant=mailbox.tenant,
            correlation=cause,
            payload=msgspec.Raw(msgspec.json.encode(wish)),
        )
    )
    return NewRecord(COMMANDS.name, partition_of(mailbox.key, partitions), mailbox.key, value)
