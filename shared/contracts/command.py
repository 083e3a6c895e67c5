"""Wishes of people and SREs, keyed by mailbox, executed by the mailbox's owner."""

from __future__ import annotations

import msgspec

TYPE = "command"


class _Command(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="wish"):
    at_ms: int
    """When it was wished, epoch milliseconds."""


class Connect(_Command, frozen=True, tag="connect"):
    """A consent was given: subscribe, and take a baseline look."""


class Disconnect(_Command, frozen=True, tag="disconnect"):
    """A consent was taken back here: end the subscription, drop the references, then forget the grant."""


class Sleep(_Command, frozen=True, tag="sleep"):
    """The integration is switched off: end the subscription and drop the references, but keep the sealed grant asleep."""


class Reconcile(_Command, frozen=True, tag="reconcile"):
    """Look again. `full` throws the cursor away first."""

    full: bool = False
    prolong: bool = False
    """Prolong the subscription too: news of it may have been lost, and prolonging finds out whether it lives."""
    meetings: tuple[str, ...] = ()
    """Meetings of which an observation was lost: they are observed anew, whatever the look shows of them."""
    quiet: bool = False
    """The lost observations were a baseline's: what stands in for them announces nothing either."""


class Gap(_Command, frozen=True, tag="gap"):
    """Hints of this partition may have been lost while the log was away: every mailbox of it becomes due."""


class TakeRoom(_Command, frozen=True, tag="take-room"):
    """Swap the room that declined for another, in the user's own calendar."""

    take_id: str
    """The registry row that carries the outcome back to the page."""
    event_id: str
    """In clear, as version 0.1.0 wrote it; "" where it is sealed."""
    declined_room_id: str
    room_id: str
    event_sealed: bytes = b""
    """The event, under the tenant's data key: see `shared.crypto.commands`."""
    start_ms: int = 0
    """When the date was to begin as the person saw it, of an all-day one midnight UTC; 0: not said (0.1.0)."""
    end_ms: int = 0
    series: tuple[str, ...] | None = None
    """The room is taken on the whole series with one change; these are the takes of its other dates. None: on this date."""


Command = Connect | Disconnect | Sleep | Reconcile | Gap | TakeRoom
