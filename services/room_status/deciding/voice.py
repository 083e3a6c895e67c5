"""Whose word counts: one copy of a meeting is the voice. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.observation import Observation
from shared.domain.attendees import Role
from shared.providers.catalogue import profile_of


def voice_of(copies: Mapping[str, Observation]) -> Observation | None:
    """
    The copy that is believed about the rooms.

    The organiser's; else, at Google only, the lowest connected copy that shows guests. At Microsoft only the organiser's
    copy holds everybody's answers (microsoftgraph/microsoft-graph-docs#5281), so without it nobody knows.

    Args:
        copies: Mailbox id → its last observation.
    """
    for mailbox in sorted(copies):
        if copies[mailbox].role is Role.ORGANIZER:
            # A list that was cut short, or holds a word nobody knows, says nothing about rooms: not "gone", unknown.
            return copies[mailbox] if copies[mailbox].shows_guests else None
    believed = [
        copies[mailbox]
        for mailbox in sorted(copies)
        if profile_of(copies[mailbox].provider).traits.guests_see_answers and copies[mailbox].shows_guests
    ]
    # A guest who deleted the meeting from their calendar says nothing about it while others still have it.
    return next((copy for copy in believed if copy.occurrences), believed[0] if believed else None)
