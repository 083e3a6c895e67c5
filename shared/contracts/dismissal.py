"""The fact that a person put a prompt away, for room_status: it closes the decline once everybody who was asked has done so."""

from __future__ import annotations

import msgspec

TYPE = "dismissal"


class PromptDismissal(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Stands on `dismissals` (open: pseudonyms alone) under the meeting's key, in the partition of its observations."""

    meeting: str
    decline: str
    """The id of the decline whose prompt was put away."""
    mailbox: str
    """Whose: the id of the person's mailbox."""
    at_ms: int
