"""An organisation's chat channels: added, found, removed, refused and taken up again. Their addresses stand sealed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from shared.contracts.chat_rows import ChatChannel, ChatChannelsRow, ChatProduct
from shared.crypto.sealing import seal, unseal
from shared.errors import RefusedError
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables
from shared.registry.listed_items import change_item

MOST_CHANNELS = 10
PREFIX = "c-"
"""How ids begin: a mailbox's never does."""
_ROW = "channels"
_ID_BYTES = 10


def list_channels(registry: Registry, tenant: str) -> tuple[ChatChannel, ...]:
    """The organisation's channels, oldest first. Raises StoreUnavailableError, RowRefusedError."""
    row = tables.chat_channels(registry).get(tenant, _ROW)
    return row.channels if row else ()


def find_channel(registry: Registry, tenant: str, channel: str) -> ChatChannel | None:
    """One of them; None when there is none of that id. Raises StoreUnavailableError, RowRefusedError."""
    return next((each for each in list_channels(registry, tenant) if each.id == channel), None)


def open_address(keyring: Keyring, tenant: str, channel: ChatChannel) -> str:
    """
    Where messages are posted to.

    Raises:
        KeyDestroyedError: the organisation was switched off for good.
        MalformedRecordError: it was sealed for another channel, or is damaged.
    """
    return unseal(keyring.consent_key(tenant), channel.sealed, purpose=_purpose(tenant, channel.id)).decode()


@dataclass(frozen=True, slots=True)
class NewChatChannel:
    """A channel as an administrator enters it."""

    product: ChatProduct
    name: str
    address: str
    """What is posted to, which nobody is shown again."""
    zone: str = ""
    reminders: bool = True


def add_channel(registry: Registry, keyring: Keyring, tenant: str, new: NewChatChannel, now_ms: int) -> ChatChannel:
    """
    Add a channel, its address sealed.

    Raises:
        RefusedError: there are ten already.
    """
    channel = f"{PREFIX}{secrets.token_hex(_ID_BYTES)}"
    added = ChatChannel(
        id=channel,
        product=new.product,
        name=new.name,
        sealed=seal(keyring.consent_key(tenant), new.address.encode(), purpose=_purpose(tenant, channel)),
        zone=new.zone,
        reminders=new.reminders,
        made_at_ms=now_ms,
    )

    def with_it(row: ChatChannelsRow | None) -> ChatChannelsRow:
        channels = row.channels if row else ()
        if len(channels) >= MOST_CHANNELS:
            message = f"{tenant} has {MOST_CHANNELS} chat channels: remove one that is no longer used"
            raise RefusedError(message)
        return ChatChannelsRow(channels=(*channels, added))

    tables.chat_channels(registry).change(tenant, _ROW, with_it)
    return added


def remove_channel(registry: Registry, tenant: str, channel: str) -> bool:
    """Remove a channel: nothing more is posted to it. Returns whether there was one."""
    return _change(registry, tenant, channel, lambda _: None)


def note_refusal(registry: Registry, tenant: str, channel: str, now_ms: int, refusal: str) -> bool:
    """
    The channel's address refuses messages for good: nothing is posted to it until somebody tests it.

    Returns:
        Whether there is such a channel.
    """

    def refused(known: ChatChannel) -> ChatChannel:
        return msgspec.structs.replace(known, refused_at_ms=known.refused_at_ms or now_ms, refusal=refusal)

    return _change(registry, tenant, channel, refused)


def note_taken(registry: Registry, tenant: str, channel: str) -> bool:
    """The channel has taken a test: it is posted to again. Returns whether there is such a channel."""
    return _change(registry, tenant, channel, lambda known: msgspec.structs.replace(known, refused_at_ms=0, refusal=""))


def _change(registry: Registry, tenant: str, channel: str, decide: Callable[[ChatChannel], ChatChannel | None]) -> bool:
    """Whether there is such a channel."""
    known = False

    def changed(row: ChatChannelsRow | None) -> ChatChannelsRow | None:
        nonlocal known
        channels = change_item(row.channels if row else (), channel, decide)
        known = channels is not None
        return None if channels is None else ChatChannelsRow(channels=channels)

    tables.chat_channels(registry).change(tenant, _ROW, changed)
    return known


def _purpose(tenant: str, channel: str) -> str:
    return f"chat/{tenant}/{channel}"
