"""
What some observations lead to, to be written in one commit. Pure.

What follows from one observation is never divided: its declines, states and records go into one batch with the position behind
it. A batch ends when it is large enough for one commit; the caller commits it and goes on behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services.room_status.deciding.counting import Counts
from services.room_status.deciding.publications import Publications
from services.room_status.deciding.room_counting import RoomCounts
from shared.contracts.bounds import PIECE_BYTES, PIECE_RECORDS
from shared.domain.identity import Mailbox
from shared.ports.log import NewRecord, Record, StateChange
from shared.ports.view import Row


@dataclass(frozen=True, slots=True)
class PendingLook:
    """A mailbox that has to be looked at again: its word could not be ordered against others', or waits to be repeated."""

    mailbox: Mailbox
    meeting: str


@dataclass(slots=True)
class Batch:
    """What some observations lead to, to be committed together."""

    decisions: list[NewRecord] = field(default_factory=list)
    """Declines."""
    outcomes: list[NewRecord] = field(default_factory=list)
    """How declines ended."""
    statuses: list[NewRecord] = field(default_factory=list)
    states: dict[bytes, bytes | None] = field(default_factory=dict)
    changes: list[StateChange] = field(default_factory=list)
    """For the state topic: every change, not only the last of a key, so that the past can be had at any observation."""
    rows: dict[str, Row] = field(default_factory=dict)
    malformed: list[tuple[Record, str]] = field(default_factory=list)
    parked: list[tuple[Record, str]] = field(default_factory=list)
    """Observations of which nothing was applied, because a record would have exceeded its bound."""
    forgotten: list[Record] = field(default_factory=list)
    """Sealed by a key that was destroyed on purpose."""
    owed: list[PendingLook] = field(default_factory=list)
    due: dict[bytes, int] = field(default_factory=dict)
    """Meeting key → when something of it is to be forgotten, or a look at it asked for, epoch milliseconds."""
    counts: dict[str, Counts] = field(default_factory=dict)
    """Organisation → what is counted of it: see `DayTally`."""
    room_counts: dict[str, RoomCounts] = field(default_factory=dict)
    """Organisation → what is counted of its rooms: see `RoomTally`."""
    untold: int = 0
    """Dates that began without a room and untold, as these observations show."""
    handled: int = 0
    """How many of the records or meetings given were decided: the piece ends behind them."""
    bytes: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.states or self.decisions or self.outcomes)

    @property
    def full(self) -> bool:
        """Whether it is large enough for one commit."""
        records = len(self.decisions) + len(self.outcomes) + len(self.statuses) + len(self.changes)
        return records >= PIECE_RECORDS or self.bytes >= PIECE_BYTES

    def publish(self, publications: Publications) -> None:
        """Take the public records of one change in."""
        self.decisions += publications.declines
        self.outcomes += publications.outcomes
        self.statuses += publications.statuses
        self.bytes += publications.bytes
