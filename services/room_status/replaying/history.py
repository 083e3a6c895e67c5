"""What `meeting-state` says of the past: the memory as it was before an observation, and whether it is whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from services.room_status.deciding.batch import KeysOf
from shared.contracts import envelope as envelopes
from shared.contracts.envelope import read_json
from shared.contracts.meeting_state import MeetingState
from shared.contracts.topics import OBSERVATIONS, POSITION_KEY
from shared.crypto.records import opened
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import Record


class Reached(msgspec.Struct, frozen=True):
    """What is read of a position record: the owner had passed every observation below."""

    inputs: dict[str, int] = {}


@dataclass(slots=True)
class Past:
    """One partition's memory at a cut, and what became of it."""

    memory: dict[bytes, bytes] = field(default_factory=dict)
    """Meeting key → its state before the observation at the cut."""
    later: dict[bytes, bytes | None] = field(default_factory=dict)
    """Meeting key → the first thing recorded of it from the cut on; None: it was forgotten."""
    swept: list[tuple[int, bytes]] = field(default_factory=list)
    """Meetings that were forgotten later: before which observation, in order. Time did that, so no fold gives it again."""
    newest_before_ms: int = 0
    """When the newest state of the memory was written."""

    def holes(self, keys_of: KeysOf) -> Iterator[str]:
        """
        Meetings of which a change is missing at the cut: what was recorded next is not what follows upon it.

        A meeting whose tenant's key was destroyed is none: nothing of it can be replayed, and nothing of it has to be.
        """
        for key, value in self.later.items():
            if value is None:
                continue
            before = self.memory.get(key)
            try:
                keys = keys_of(key.decode().partition("/")[0])
                version = opened(before, keys, MeetingState).version if before else 0
                if opened(value, keys, MeetingState).version not in {version, version + 1}:  # a torn commit is repeated
                    yield key.decode()
            except KeyDestroyedError:
                continue


def past(history: Iterable[Record], cut: int) -> Past:
    """
    The memory before the observation at offset `cut`.

    Args:
        history: The committed records of a partition of `meeting-state`, in order, from its beginning.

    Raises:
        MalformedRecordError: a record that room_status cannot have written.
    """
    found = Past()
    commit: list[Record] = []
    for record in history:
        if record.key != POSITION_KEY:
            commit.append(record)
            continue
        reached = reached_by(record)
        for each in commit:
            _enter(found, each, cut, reached)
        commit.clear()
    return found


def reached_by(record: Record) -> int:
    """The offset of the next observation, by a position record. Raises MalformedRecordError."""
    return read_json(record.value or b"{}", Reached).inputs.get(OBSERVATIONS.name, 0)


def source_of(state: bytes) -> int:
    """The offset of the observation that a state was recorded upon. Raises MalformedRecordError."""
    return source_offset(envelopes.decode(state).id)


def source_offset(position: str) -> int:
    """The offset in `topic/partition/offset`. Raises MalformedRecordError."""
    topic, _, place = position.partition("/")
    offset = place.rpartition("/")[2]
    if topic != OBSERVATIONS.name or not offset.isdecimal():
        message = f"{position!r} is no place on {OBSERVATIONS.name}"
        raise MalformedRecordError(message)
    return int(offset)


def _enter(found: Past, record: Record, cut: int, reached: int) -> None:
    if not _before(record, cut, reached):
        found.later.setdefault(record.key, record.value)
        if record.value is None:
            found.swept.append((reached, record.key))
    elif record.value is None:
        found.memory.pop(record.key, None)
    else:
        found.memory[record.key] = record.value
        found.newest_before_ms = record.appended_at_ms


def _before(record: Record, cut: int, reached: int) -> bool:
    """Whether a state was true before the observation at `cut`. A tombstone names none: its commit's position stands for it."""
    return reached <= cut if record.value is None else source_of(record.value) < cut
