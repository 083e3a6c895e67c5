"""What the registry keeps of the browsers in which a person asked for notices."""

from __future__ import annotations

import msgspec


class PushTarget(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where one browser is reached, as its `PushSubscription` says: sealed at rest, since whoever has it can try to send there."""

    endpoint: str
    """The address at the browser's push service (RFC 8030)."""
    p256dh: str
    """The browser's public key, which messages are encrypted for (RFC 8291): base64url."""
    auth: str
    """The secret that it shares with us: base64url."""


class NoticeBrowser(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One browser."""

    id: str
    """Follows from the endpoint (`shared.organisations.notice_browsers.browser_id`), so that a page finds its own browser."""
    sealed: bytes = b""
    """A `PushTarget` under the tenant's consent key; b"" once its push service has forgotten it."""
    key: str
    """Our public key that it was told to take messages of: with another one it takes none."""
    name: str = ""
    """What kind of browser it is: a word of ours."""
    system: str = ""
    """What it runs on: a word of ours."""
    made_at_ms: int
    ended_at_ms: int = 0
    """When its push service said that it is gone; 0: it was not."""
    refused_at_ms: int = 0
    """When the push service refused a message for good, not the browser; 0: it did not."""
    refusal: str = ""
    """The status: `410`."""


class NoticeBrowsersRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The browsers of one person, oldest first. Table `notice-browsers`, id = user id."""

    browsers: tuple[NoticeBrowser, ...]
