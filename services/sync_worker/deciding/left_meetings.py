"""
What a mailbox that leaves keeps of its meetings, so that its return can say which of them are gone. Pure.

Only meetings that its person organises and that have a room are kept: a guest's calendar that loses a meeting says nothing of
it. Of each, its pseudonym and the end of its last known date are kept until that end.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from services.sync_worker.deciding.references import References, has_rooms, meeting_of
from shared.domain.instants import DAY_MS

MOST_KEPT = 2_000
"""Those that end first are kept: a record stays below 100 kB before it is compressed."""

Ends = Mapping[str, int]
"""Pseudonym of a meeting → the end of its last known date, epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class KeptMeetings:
    """What is kept of one mailbox that left."""

    ends: Ends
    era: str
    """Of the data key that its meetings are named under."""


def meetings_to_keep(
    references: References, earlier: Ends, *, owed: Container[str] = (), now_ms: int
) -> dict[str, int]:
    """
    Choose what is kept of a mailbox that leaves.

    Args:
        references: Everything that is known of its events.
        earlier: What was kept when it left before; it leaves again without having been looked at in full.
        owed: Meetings of which an observation was lost: they are kept whether they have a room or not.
        now_ms: Epoch milliseconds; what has ended by then is not kept.
    """
    ends = dict(earlier)
    for event_id, part in references.items():
        meeting = meeting_of(references, event_id)
        if part.is_organizer and meeting and (meeting in owed or has_rooms(part, references)):
            ends[meeting] = max(ends.get(meeting, 0), part.ends_ms or part.end_ms)
    first = sorted(leave_out_ended(ends, now_ms).items(), key=lambda each: (each[1], each[0]))
    return dict(first[:MOST_KEPT])


def leave_out_ended(ends: Ends, now_ms: int) -> dict[str, int]:
    """Leave out the meetings that have ended."""
    return {meeting: end_ms for meeting, end_ms in ends.items() if end_ms > now_ms}


def forget_at_ms(ends: Ends) -> int:
    """Say when ended meetings are to be left out next: at most once a day, within a day of the first end."""
    return min(ends.values(), default=0) + DAY_MS
