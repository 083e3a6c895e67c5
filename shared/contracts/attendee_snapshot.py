"""
What an organiser's copy remembers of the people of a series or of one single meeting: hashes and answers, in small pieces.

Key on `calendar-state`: the mailbox, `people`, the name of the series, and of which of its people the piece holds the answers.
One person's answer, to one date or to all, changes the one piece that holds the person, and no reference.
"""

from __future__ import annotations

import msgspec

from shared.domain.attendees import Answer

TYPE = "attendee-snapshot"
VERSION = 3
"""Counted with the references: a process that knows these alone, up to version 2, refuses to take a snapshot for one."""


class AttendeeAnswers(msgspec.Struct, frozen=True, array_like=True):
    """What one person answered to the events of a series."""

    usual: Answer | None
    """To every event that is not in `others`; None: not invited to them."""
    others: dict[str, tuple[str, ...]] = {}
    """Another answer → names of the events that have it, in order; "": those that the person is not invited to."""


class SnapshotPiece(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The people of a series whose hashes begin with certain bits."""

    series: str
    """Pseudonym of the series' event id, or of a single meeting's."""
    bits: str = ""
    """How the SHA-256 of each person's pseudonym begins, as zeros and ones: all pieces together hold everybody once."""
    people: dict[str, AttendeeAnswers] = {}
    """Pseudonym of a person → answers."""
