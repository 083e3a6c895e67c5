"""The hint as it stands on `notifications.*`: enough to say "look at this mailbox again", and nothing of what changed."""

from __future__ import annotations

from enum import StrEnum

import msgspec

TYPE = "change-notification"


class HintKind(StrEnum):
    """Why the provider spoke. Everything but CHANGED is news of the subscription itself."""

    CHANGED = "changed"
    MISSED = "missed"
    SUBSCRIPTION_REMOVED = "subscription-removed"
    REAUTHORIZATION_REQUIRED = "reauthorization-required"
    SYNC = "sync"
    """Google's opening message: proof that the channel is alive, not a change."""


class ChangeNotification(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One item of a Graph batch, or one Google message. Never the client state: that is a secret."""

    provider: str
    kind: HintKind
    subscription_id: str
    """Graph's subscription id, or the channel id."""
    key_id: str
    """Under which key the proof was made: tells when a retired key may go."""
    received_at_ms: int
    detail: dict[str, str] = {}
    """Provider fields worth keeping for a person who debugs (change type, message number). Identifiers only."""
