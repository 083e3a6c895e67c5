"""
Microsoft Graph's push: the validation handshake, batches of change notifications, lifecycle notifications.

Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks (read 2026-11-20)
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from services.webhook_receiver.protocols.push import Handshake, Hint, Notifications, ReadPush, UnreadablePush
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.decoders import json_decoder
from shared.domain.identity import Provider
from shared.domain.proof import HookKeys, verify

MAX_ITEMS = 5_000  # Graph names no limit; a body of 1 MiB holds about 2,400 real items
MAX_TOKEN_CHARS = 2_048
_MAX_ID_CHARS = 200
_MAX_QUERY_FIELDS = 20
_VALIDATION = "validationToken"

_BAD_REQUEST = 400
_TOO_LARGE = 413

_LIFECYCLE = {
    "missed": HintKind.MISSED,
    "subscriptionremoved": HintKind.SUBSCRIPTION_REMOVED,
    "reauthorizationrequired": HintKind.REAUTHORIZATION_REQUIRED,
}

_NOT_A_BATCH = UnreadablePush(
    _BAD_REQUEST, "not-a-batch", "Send a changeNotificationCollection: a JSON object whose `value` is a list."
)
_TOO_MANY = UnreadablePush(_TOO_LARGE, "too-many-items", f"Send at most {MAX_ITEMS} items a request.")
_BAD_TOKEN = UnreadablePush(
    _BAD_REQUEST, "bad-validation-token", "Send one validation token as Graph makes it: a line of text, no markup."
)
_BAD_QUERY = UnreadablePush(_BAD_REQUEST, "bad-query", "Send a form-encoded query of a few fields.")


class _Collection(msgspec.Struct):
    value: list[msgspec.Raw]


class _Item(msgspec.Struct, rename="camel"):
    """What we read of a changeNotification. `changeType` excludes `lifecycleEvent`; both may be missing."""

    subscription_id: str
    client_state: str | None = None
    change_type: str | None = None
    lifecycle_event: str | None = None


_collection = json_decoder(_Collection)
_item = json_decoder(_Item)


def read(query: str, _headers: Mapping[str, str], body: bytes, keys: HookKeys, received_at_ms: int) -> ReadPush:
    """
    Read one request to either Graph path: one rule serves both, since both carry handshakes and may carry any item.

    Args:
        query: The raw query string.
        body: At most as long as the server lets in.
        keys: The ring that made our client states.
        received_at_ms: Epoch milliseconds.
    """
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:
        return _BAD_QUERY
    tokens = [value for name, value in fields if name == _VALIDATION]
    if tokens:
        return _handshake(tokens)
    try:
        items = _collection.decode(body).value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NOT_A_BATCH
    if len(items) > MAX_ITEMS:
        return _TOO_MANY
    return _batch(items, keys, received_at_ms)


def _handshake(tokens: list[str]) -> Handshake | UnreadablePush:
    # Anybody can call with a crafted token; real ones are one line of text without markup, so refusing the rest changes
    # no real answer. Two tokens are refused because a proxy that looks at one may pass on the other.
    token = tokens[0]
    if len(tokens) > 1 or not 0 < len(token) <= MAX_TOKEN_CHARS or not token.isprintable() or set(token) & set("<>"):
        return _BAD_TOKEN
    return Handshake(token)


def _batch(items: list[msgspec.Raw], keys: HookKeys, received_at_ms: int) -> Notifications:
    hints: list[Hint] = []
    forged = malformed = 0
    for raw in items:
        item = _readable(raw)
        if item is None:
            malformed += 1
            continue
        origin = verify(keys, item.client_state or "", Provider.MICROSOFT)
        if origin is None:
            forged += 1
            continue
        hints.append(Hint(origin.mailbox, _notification(item, origin.key_id, received_at_ms)))
    return Notifications(tuple(hints), forged, malformed)


def _readable(raw: msgspec.Raw) -> _Item | None:
    try:
        item = _item.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return item if 0 < len(item.subscription_id) <= _MAX_ID_CHARS else None


def _notification(item: _Item, key_id: str, received_at_ms: int) -> ChangeNotification:
    words = {"changeType": item.change_type, "lifecycleEvent": item.lifecycle_event}
    return ChangeNotification(
        provider=Provider.MICROSOFT,
        # A lifecycle event of a kind not known yet, like a change of a kind not known yet, means: look.
        kind=_LIFECYCLE.get((item.lifecycle_event or "").lower(), HintKind.CHANGED),
        subscription_id=item.subscription_id,
        key_id=key_id,
        received_at_ms=received_at_ms,
        detail={name: word[:_MAX_ID_CHARS] for name, word in words.items() if word},
    )
