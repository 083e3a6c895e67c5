"""Builders for observations of version 2: one line a look."""

from __future__ import annotations

from shared.contracts.copy_observation import CopyDate, CopyObservation, Sight
from shared.domain.attendees import Answer, CopyRole
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.support.builders import NOW_MS, START_MS

WINDOW_MS = 60 * DAY_MS


def a_date(
    slot: str = "single",
    *,
    start_ms: int = START_MS,
    hours: int = 1,
    credible: bool = True,
    sequence: int = 0,
    can_change: bool = False,
    **rooms: str,
) -> CopyDate:
    """One date; keyword arguments are room ids and their answers."""
    return CopyDate(
        ref=f"o-{slot}",
        event_id=f"event-{slot}",
        start_ms=start_ms,
        end_ms=start_ms + hours * HOUR_MS,
        rooms={room: Answer(answer) for room, answer in rooms.items()},
        seats=3,
        credible=credible,
        sequence=sequence,
        can_change=can_change,
    )


def a_look(
    *dates: CopyDate,
    mailbox: str = "m-ada",
    provider: str = "google",
    role: CopyRole = CopyRole.ORGANIZER,
    at_ms: int = NOW_MS,
    baseline: bool = False,
    sight: Sight = Sight.READ,
    window_ms: int = WINDOW_MS,
    unchanged_until_ms: int = 0,
) -> CopyObservation:
    """One copy's word on one meeting."""
    return CopyObservation(
        provider=provider,
        mailbox=mailbox,
        meeting="m-planning",
        organizer="p-ada",
        role=role,
        sight=sight,
        baseline=baseline,
        observed_at_ms=at_ms,
        unchanged_until_ms=unchanged_until_ms,
        window_start_ms=at_ms - DAY_MS,
        window_end_ms=at_ms + window_ms,
        dates=dates,
    )


def a_guest_look(*dates: CopyDate, mailbox: str = "m-ben", **rest: object) -> CopyObservation:
    """As `a_look`, of a guest's copy."""
    return a_look(*dates, mailbox=mailbox, role=CopyRole.GUEST, **rest)  # type: ignore[arg-type]
