"""
Sets a meeting aside of which a record would exceed its bound, so that it stops nobody. Pure.

Nothing of it is written: what was written last stays, and the mailbox is looked at in full until it fits again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.sync_worker.deciding.pieces import CommitPart
from services.sync_worker.deciding.references import References
from shared.contracts import bounds
from shared.contracts.calendar_state import EventReference
from shared.contracts.topics import CALENDAR_STATE
from shared.domain.identity import Mailbox
from shared.ports.log import NewRecord, Record, StateChange


@dataclass(frozen=True, slots=True)
class ParkedMeeting:
    """A meeting that cannot be written."""

    source: Record
    """What it would have been written as. Its offset is negative, as it was never appended: it stands for mailbox and meeting."""
    reason: str


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
    before: References, after: References, changes: Mapping[str, StateChange], written: Iterable[CommitPart]
) -> dict[str, EventReference]:
    """The references after a look of which only `written` is committed."""
    kept = {change.key for part in written for change in part.changes}
    parked = {event_id for event_id, change in changes.items() if change.key not in kept}
    restored = {event_id: before[event_id] for event_id in parked if event_id in before}
    return {event_id: part for event_id, part in after.items() if event_id not in parked} | restored


def _never_appended(source: NewRecord, mailbox: Mailbox) -> Record:
    name = hashlib.sha256(mailbox.key + b" " + source.key).digest()
    offset = -1 - int.from_bytes(name[:6])
    return Record(source.topic, source.partition, offset, source.key, source.value, source.headers, 0)
