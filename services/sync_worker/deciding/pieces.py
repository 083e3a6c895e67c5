"""
What finished looks write, cut into commits. Pure.

A meeting's observations and its references stand in one *part*. The last part of a look is its mailbox: cursor, marks and timers.
So an owner that dies between two commits leaves whole meetings and an old cursor: the look is repeated, and nothing is lost. What a
look writes is not divided at all where it fits into one commit. A part that exceeds one alone is divided before (`divide_large`);
the mailbox then has on record, in a part before it, that its meetings are to be observed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.sync_worker.deciding.references import References, meeting_of
from shared.contracts.bounds import PIECE_BYTES, PIECE_RECORDS
from shared.contracts.meeting_state import meeting_of_key
from shared.domain.identity import Mailbox
from shared.ports.log import NewRecord, StateChange

Changes = Mapping[str, Sequence[StateChange]]
"""Event id → what is written because of it."""


@dataclass(slots=True)
class CommitPart:
    """Observations and changes of the state that are committed together."""

    observations: list[NewRecord] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    finished: list[Mailbox] = field(default_factory=list)
    """Mailboxes of which everything is committed with this part."""
    records: int = 0
    size: int = 0
    """What the values of its records take, in bytes."""

    def add(self, observations: Iterable[NewRecord] = (), changes: Iterable[StateChange] = ()) -> CommitPart:
        """Take more records in; returns itself."""
        for record in observations:
            self.observations.append(record)
            self._count(record.value)
        for change in changes:
            self.changes.append(change)
            self._count(change.value)
        return self

    def _count(self, value: bytes | None) -> None:
        self.records += 1
        self.size += len(value or b"")


def fit_together(*parts: CommitPart) -> bool:
    """Whether the parts can be committed at once."""
    return sum(part.records for part in parts) <= PIECE_RECORDS and sum(part.size for part in parts) <= PIECE_BYTES


def meeting_parts(
    observations: Iterable[NewRecord], changes: Changes, before: References, after: References
) -> list[CommitPart]:
    """
    Put each meeting's observations together with the references of its events, and with what is remembered of its people.

    Meetings between which an event has moved are one: committed apart, a repeated look would not know that the former one has
    lost the event.

    Args:
        observations: Keyed by tenant and meeting.
        changes: Of the references, and of the pieces of snapshots.
        before: The mailbox's references before the look.
        after: The same after it.
    """
    meetings = {event_id: {meeting_of(before, event_id), meeting_of(after, event_id)} - {""} for event_id in changes}
    mixed = {meeting for both in meetings.values() if len(both) > 1 for meeting in both}
    parts: dict[str, CommitPart] = {}

    def part_of(meeting: str) -> CommitPart:
        return parts.setdefault("" if meeting in mixed else meeting, CommitPart())

    for record in observations:
        part_of(meeting_of_key(record.key)).add([record])
    for event_id, each in changes.items():
        part_of(next(iter(meetings[event_id]), "")).add(changes=each)
    return list(parts.values())


def is_large(part: CommitPart) -> bool:
    """Whether a part exceeds a commit alone."""
    return not fit_together(part)


def divide_large(part: CommitPart, *, observations_first: bool = False) -> list[CommitPart]:
    """
    Cut a part that exceeds a commit alone into such as do not; any other is returned as it is.

    Args:
        part: One meeting's, or those between which an event has moved.
        observations_first: Before the references, for a mailbox that leaves: what is deleted names no meeting any more.
    """
    if not is_large(part):
        return [part]
    observations = [CommitPart().add([record]) for record in part.observations]
    changes = [CommitPart().add(changes=[change]) for change in part.changes]
    divided = [CommitPart()]
    for each in [*observations, *changes] if observations_first else [*changes, *observations]:
        if not fit_together(divided[-1], each):
            divided.append(CommitPart())
        divided[-1].add(each.observations, each.changes)
    return divided


def cut_into_commits(written: Mapping[Mailbox, Sequence[CommitPart]]) -> Iterator[CommitPart]:
    """
    Cut what looks write into commits, in their order; there is always one.

    Args:
        written: Mailbox → the parts of its look.
    """
    piece = CommitPart()
    for mailbox, parts in written.items():
        for whole in [parts] if fit_together(*parts) else [[part] for part in parts]:
            if piece.records and not fit_together(piece, *whole):
                yield piece
                piece = CommitPart()
            for part in whole:
                piece.add(part.observations, part.changes)
        piece.finished.append(mailbox)
    yield piece
