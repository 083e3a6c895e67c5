"""What the registry keeps of an organisation's chat channels."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ChatProduct(StrEnum):
    """Where a channel is."""

    SLACK = "slack"
    TEAMS = "teams"
    GOOGLE_CHAT = "google-chat"


class ChatChannel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One channel that is told of rooms that say no."""

    id: str
    """`c-` and random letters: under it, as under a mailbox's id, the notifier keeps what the channel was told."""
    product: ChatProduct
    name: str
    """As its administrator calls it."""
    sealed: bytes
    """The address that messages are posted to, under the tenant's consent key: whoever has it can post."""
    zone: str = ""
    """The IANA name of the zone in which hours are written; "": UTC, and the message says so."""
    reminders: bool = True
    """Whether it is told again a day and two hours before the meeting."""
    made_at_ms: int
    refused_at_ms: int = 0
    """When its address refused a message for good; 0: it takes what is sent. Nothing is sent until somebody tests it."""
    refusal: str = ""
    """The status: `404`."""


class ChatChannelsRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The chat channels of an organisation, oldest first. Table `chat-channels`, id the word `channels`."""

    channels: tuple[ChatChannel, ...]
