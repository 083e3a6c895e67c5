"""
What one copy says of one meeting, in version 2: content-free, per date, with the stretch of time that was looked at.

A copy is one mailbox's view of a meeting. The record replaces what that copy said before. It carries the number of people a
date needs and never the people. Version 1 (`shared.contracts.observation`) is read through `from_version_1`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.observation import Observation
from shared.domain.attendees import Answer, CopyRole

TYPE = "copy-observation"
VERSION = 2


class Sight(StrEnum):
    """Whether the copy was read, and if not, why nothing can be said of it."""

    READ = "read"
    BLIND = "blind"
    """Its looks fail and the next is more than a minute off: it is connected, and says nothing until a look succeeds."""
    WITHDRAWN = "withdrawn"
    """Its mailbox is not connected any more (disconnected, grant ended, integration switched off)."""


class CopyDate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One date of the meeting, as this copy shows it."""

    ref: str
    """Pseudonym of the occurrence (`TenantKeys.occurrence`)."""
    event_id: str
    """This mailbox's own id of the event: the reference."""
    start_ms: int
    """With `end_ms` it names the ask. Of an all-day date: midnight UTC of its first day, whatever the zone."""
    end_ms: int
    begins_ms: int = 0
    """The instant at which an all-day date begins where the meeting is held; 0: the same as `start_ms`."""
    ends_ms: int = 0
    rooms: dict[str, Answer] = {}
    """Room id → answer: rooms of the organisation's list alone."""
    answered: dict[str, int] = {}
    """Room id → when it gave its answer, epoch milliseconds by the provider's clock; absent where the provider does not say it.
    Compared with that of the same room's other answers alone: an answer with the same moment is the same answer."""
    seats: int = 0
    """How many people the date needs a seat for, its organiser included; 0: not said."""
    credible: bool = True
    """False: this copy must not be believed about this date's rooms (a draft, a hidden or cut guest list)."""
    sequence: int = 0
    """Google's `sequence`: it rises with every change of the event that guests are told of. 0 at Microsoft."""
    can_change: bool = False
    """Whether this mailbox's person may change the rooms of this date: its organiser, or a guest with `guestsCanModify`."""


class CopyObservation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Replaces this copy's earlier word on the meeting. What it means that a date is absent, `covers` says."""

    provider: str
    mailbox: str
    meeting: str
    """Pseudonym that all copies share (`TenantKeys.meeting`)."""
    organizer: str = ""
    """Keyed hash of the organiser; "" where it is not said."""
    role: CopyRole = CopyRole.GUEST
    sight: Sight = Sight.READ
    baseline: bool = False
    """The first look after a consent: it silences what was never witnessed before, and nothing else."""
    observed_at_ms: int
    """When the look began: max(clock, the mailbox's last + 1). Rises within a mailbox; orders copies against each other."""
    unchanged_until_ms: int = 0
    """When the mailbox's look before this one began: until then the copy showed what it said last. A look that finds nothing new
    sends no observation. 0: not known."""
    window_start_ms: int = 0
    """The stretch of time that the look covered. A date that is absent was let go if its last known time lies inside, and is
    out of sight if it lies outside."""
    window_end_ms: int = 0
    dates: tuple[CopyDate, ...] = ()

    def covers(self, start_ms: int, end_ms: int) -> bool:
        """Whether a date with these times would have been seen by this look (epoch milliseconds, end exclusive)."""
        return self.sight is Sight.READ and start_ms < self.window_end_ms and end_ms > self.window_start_ms


def from_version_1(earlier: Observation) -> CopyObservation:
    """
    Read a fact that 0.1.0 recorded.

    It covered whatever it was silent of, as its rules had it. People become their number, and only an organiser could act.
    """
    organizes = earlier.role is CopyRole.ORGANIZER
    return CopyObservation(
        provider=earlier.provider,
        mailbox=earlier.mailbox,
        meeting=earlier.meeting,
        organizer=earlier.organizer,
        role=earlier.role,
        sight=Sight.WITHDRAWN if earlier.withdrawn else Sight.READ,
        baseline=earlier.baseline,
        observed_at_ms=earlier.observed_at_ms,
        window_end_ms=1 << 52,
        dates=tuple(
            CopyDate(
                ref=date.ref,
                event_id=date.event_id,
                start_ms=date.start_ms,
                end_ms=date.end_ms,
                rooms=date.rooms,
                seats=len({*date.people, earlier.organizer} - {""}),
                credible=earlier.shows_guests,
                can_change=organizes,
            )
            for date in earlier.occurrences
        ),
    )
