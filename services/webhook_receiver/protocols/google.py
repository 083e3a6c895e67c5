"""
Google Calendar's push: everything is in the headers, the body is empty.

Source: https://developers.google.com/workspace/calendar/api/guides/push (read 2026-11-20)
"""

from __future__ import annotations

from collections.abc import Mapping

from services.webhook_receiver.protocols.push import Hint, Notifications, ReadPush, UnreadablePush
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.domain.identity import Provider
from shared.domain.proof import HookKeys, verify

_SYNC = "sync"
_MAX_ID_CHARS = 200
_CHANNEL = "x-goog-channel-id"
_STATE = "x-goog-resource-state"
_TOKEN = "x-goog-channel-token"  # noqa: S105  # the header's name
_DETAILS = {
    # Never X-Goog-Resource-URI: it holds the calendar's id, which is an address.
    "messageNumber": "x-goog-message-number",
    "resourceId": "x-goog-resource-id",
    "resourceState": _STATE,
}

_NOT_GOOGLE = UnreadablePush(
    400,
    "not-a-channel-message",
    "Send X-Goog-Channel-ID and X-Goog-Resource-State; if a proxy stands in between, let X-Goog-* headers pass.",
)


def read(_query: str, headers: Mapping[str, str], _body: bytes, keys: HookKeys, received_at_ms: int) -> ReadPush:
    """
    Read one request of a channel. Header names are matched whatever their case.

    Args:
        headers: As received; the guide itself writes both `-Id` and `-ID`.
        keys: The ring that made our channel tokens.
        received_at_ms: Epoch milliseconds.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    channel, state = fields.get(_CHANNEL, ""), fields.get(_STATE, "")
    if not channel or not state:
        return _NOT_GOOGLE
    if len(channel) > _MAX_ID_CHARS or not channel.isascii():
        return Notifications(malformed=1)
    origin = verify(keys, fields.get(_TOKEN, ""), Provider.GOOGLE, channel)
    if origin is None:
        return Notifications(forged=1)
    notification = ChangeNotification(
        provider=Provider.GOOGLE,
        # `exists` covers creation, change and deletion; any word but `sync` means that something changed.
        kind=HintKind.SYNC if state.lower() == _SYNC else HintKind.CHANGED,
        subscription_id=channel,
        key_id=origin.key_id,
        received_at_ms=received_at_ms,
        detail={ours: fields[theirs][:_MAX_ID_CHARS] for ours, theirs in _DETAILS.items() if fields.get(theirs)},
    )
    return Notifications((Hint(origin.mailbox, notification),))
