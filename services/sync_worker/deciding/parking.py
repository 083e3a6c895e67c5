"""
Sets a meeting aside of which a record would exceed its bound, so that it stops nobody. Pure.

Nothing of it is written: what was written last stays, and the mailbox is looked at in full until it fits again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar

from services.sync_worker.deciding.pieces import CommitPart
from shared.contracts import bounds
from shared.contracts.meeting_state import meeting_of_key
from shared.contracts.topics import CALENDAR_STATE, OBSERVATIONS
from shared.domain.identity import Mailbox
from shared.ports.log import NewRecord, Record, StateChange

T = TypeVar("T")

MOST_UNREAD = 1_000
"""Of more, what is declined when it fits is told: a mailbox' own record stays below 40 kB."""


@dataclass(frozen=True, slots=True)
class ParkedMeeting:
    """A meeting that cannot be written."""

    source: Record
    """What it would have been written as. Its offset is negative, as it was never appended: it stands for mailbox and meeting."""
    reason: str

    @property
    def meeting(self) -> str:
        """Its pseudonym; "" where none is known."""
        return meeting_of_key(self.source.key) if self.source.topic == OBSERVATIONS.name else ""


def park(parts: Iterable[CommitPart], mailbox: Mailbox, partition: int) -> tuple[list[CommitPart], list[ParkedMeeting]]:
    """
    Divide parts into those that can be written, and those that are set aside because of their size.

    Args:
        partition: Of the mailbox.
    """
    fitting: list[CommitPart] = []
    parked: list[ParkedMeeting] = []
    for part in parts:
        values = [*(each.value for each in part.observations), *(each.value for each in part.changes)]
        size = max((len(value or b"") for value in values), default=0)
        if size <= bounds.MAX_RECORD_BYTES:
            fitting.append(part)
            continue
        reason = f"a record of the meeting would take {size} bytes, and {bounds.MAX_RECORD_BYTES} are the bound"
        sources = part.observations or [NewRecord(CALENDAR_STATE.name, partition, mailbox.key, part.changes[0].value)]
        parked += [ParkedMeeting(_never_appended(source, mailbox), reason) for source in sources]
    return fitting, parked


def with_parked_as_before(
    before: Mapping[str, T],
    after: Mapping[str, T],
    changes: Mapping[str, Sequence[StateChange]],
    written: Iterable[CommitPart],
) -> dict[str, T]:
    """
    What is kept after a look of which only `written` is committed: references by event id, or snapshots by their series.

    Args:
        before: As they were.
        after: As the look would have them.
        changes: By the same names.
        written: What is not parked.
    """
    kept = {change.key for part in written for change in part.changes}
    parked = {name for name, each in changes.items() if any(change.key not in kept for change in each)}
    restored = {name: before[name] for name in parked if name in before}
    return {name: part for name, part in after.items() if name not in parked} | restored


def unread_meetings(before: AbstractSet[str], parked: Iterable[ParkedMeeting], *, baseline: bool) -> tuple[str, ...]:
    """
    Name the meetings that no look since the consent could write: what they show is no news once they fit.

    Args:
        before: Those that were named before this look.
        parked: What this look could not write.
        baseline: Whether it is the first look after a consent.

    Returns:
        Pseudonyms, at most `MOST_UNREAD`.
    """
    names = {one.meeting for one in parked if one.meeting and (baseline or one.meeting in before)}
    return tuple(sorted(names)[:MOST_UNREAD])


def _never_appended(source: NewRecord, mailbox: Mailbox) -> Record:
    name = hashlib.sha256(mailbox.key + b" " + source.key).digest()
    offset = -1 - int.from_bytes(name[:6])
    return Record(source.topic, source.partition, offset, source.key, source.value, source.headers, 0)
