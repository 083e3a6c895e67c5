"""Commands as they stand on their topic: in the mailbox's own partition, where its owner executes them."""

from __future__ import annotations

import secrets

import msgspec

from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.command import Command
from shared.contracts.envelope import Envelope
from shared.contracts.topics import COMMANDS
from shared.domain import trace
from shared.domain.identity import Mailbox, partition_of
from shared.domain.trace import Trace
from shared.ports.log import NewRecord


def command_record(
    mailbox: Mailbox, wish: Command, partitions: int, *, id: str = "", cause: str = "", step: Trace | None = None
) -> NewRecord:
    """
    A command for `mailbox`.

    Args:
        partitions: How many every topic has.
        id: Unique; by default a fresh one.
        cause: What made somebody send it: the correlation id of everything that follows. By default the wish begins it.
        step: Where it stands in a journey; by default at the beginning of a new one.
    """
    wish_id = id or f"c-{secrets.token_hex(13)}"
    value = envelopes.encode(
        Envelope(
            id=wish_id,
            type=command.TYPE,
            tenant=mailbox.tenant,
            correlation=cause or wish_id,
            payload=msgspec.Raw(msgspec.json.encode(wish)),
        )
    )
    headers = trace.headers(step or trace.make())
    return NewRecord(COMMANDS.name, partition_of(mailbox.key, partitions), mailbox.key, value, headers)
