"""Builders for tests: what is not said is ordinary. `an_observation(room_a="declined")` reads better than eight arguments."""

from __future__ import annotations

from shared.contracts.observation import Observation, ObservedOccurrence
from shared.domain.attendees import Answer, CopyRole
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys

NOW_MS = 1_790_000_000_000
"""September 2026; any fixed instant would do."""
KEYS = TenantKeys("t-0000000000000001", b"d" * 32, b"h" * 32, b"c" * 32)
START_MS = NOW_MS + DAY_MS


def an_occurrence(*, slot: str = "", start_ms: int = START_MS, hours: int = 1, **rooms: str) -> ObservedOccurrence:
    """One date; keyword arguments are room ids and their answers."""
    return ObservedOccurrence(
        ref=f"o-{slot or 'single'}",
        event_id=f"event-{slot or 'single'}",
        start_ms=start_ms,
        end_ms=start_ms + hours * HOUR_MS,
        rooms={room: Answer(answer) for room, answer in rooms.items()},
        people={"p-guest": Answer.ACCEPTED},
    )


def an_observation(
    *occurrences: ObservedOccurrence,
    mailbox: str = "m-ada",
    provider: str = "microsoft",
    role: CopyRole = CopyRole.ORGANIZER,
    at_ms: int = NOW_MS,
    baseline: bool = False,
    shows_guests: bool = True,
    withdrawn: bool = False,
    meeting: str = "m-planning",
    **rooms: str,
) -> Observation:
    """One copy's word on one meeting; without occurrences, keyword arguments are the rooms of a single date."""
    dates = occurrences or ((an_occurrence(**rooms),) if rooms else ())
    return Observation(
        provider=provider,
        mailbox=mailbox,
        meeting=meeting,
        organizer="p-ada",
        role=role,
        shows_guests=shows_guests,
        baseline=baseline,
        withdrawn=withdrawn,
        observed_at_ms=at_ms,
        occurrences=tuple(dates),
    )
