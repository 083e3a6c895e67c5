"""A record that could not be handled: its bytes, where it came from and why; and what a person did about it in the end."""

from __future__ import annotations

from enum import StrEnum

import msgspec

TYPE = "dead-letter"
HANDLED_TYPE = "dead-letter-handled"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """As it stands on `dead-letters`, under the source record's key."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    reason: str
    service: str
    attempts: int = 1
    failed_at_ms: int

    @property
    def id(self) -> str:
        """Names the source record, so that a letter written twice (its service died in between) is one."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class LetterAction(StrEnum):
    """What was done about a dead letter."""

    REDRIVEN = "redriven"
    """Its mailboxes were asked to look again."""
    DROPPED = "dropped"


class DeadLetterHandled(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Closes every letter of this id that stands before it in the same partition of `dead-letters`."""

    letter: str
    """`DeadLetter.id`."""
    act: LetterAction
    at_ms: int
