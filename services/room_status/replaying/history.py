"""What `meeting-state` says of the past: the memory as it was before an observation, and whether it is whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from services.room_status.deciding.decision import KeysOf
from shared.contracts import envelope as envelopes
from shared.contracts import meeting_state_version_1
from shared.contracts.day_tally import is_tally
from shared.contracts.envelope import read_json
from shared.contracts.meeting_state import MEETING_TYPE, parts_of
from shared.contracts.topics import OBSERVATIONS, POSITION_KEY
from shared.crypto.meetings import open_copy, open_meeting
from shared.domain.identity import key_text, tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import Record

FIRST_RULES_WITH_OUTCOMES = 3


class Reached(msgspec.Struct, frozen=True):
    """What is read of a position record: the owner had passed every observation below."""

    inputs: dict[str, int] = {}


@dataclass(slots=True)
class Past:
    """One partition's memory at a cut, and what became of it."""

    memory: dict[bytes, bytes] = field(default_factory=dict)
    """Key → the record before the observation at the cut."""
    later: dict[bytes, bytes | None] = field(default_factory=dict)
    """Key → the first thing recorded of it from the cut on; None: it was forgotten."""
    swept: list[tuple[int, bytes, bytes | None]] = field(default_factory=list)
    """What sweeps did later: before which observation, to which key, and what stands there since (None: nothing), in order.
    Time did that, so no fold gives it again."""
    sources: dict[bytes, int] = field(default_factory=dict)
    """Key → the observation upon which its newest record was made."""
    earlier_rules_until: int = 0
    """Every observation that is known to have been decided by rules version 1 stands below."""
    outcomes_from: int = 0
    """Every observation that is known to have been decided by rules that published no outcomes stands below."""
    newest_before_ms: int = 0
    """When the newest state of the memory was written."""

    def holes(self, keys_of: KeysOf, later: Iterable[tuple[bytes, bytes | None]] | None = None) -> Iterator[str]:
        """
        Meetings of which a change is missing at the cut: what was recorded next is not what follows upon it.

        Args:
            keys_of: A tenant's keys.
            later: Only these items of `Past.later`; all of them, if left out.

        A meeting whose tenant's key was destroyed is none: nothing of it can be replayed, and nothing of it has to be.
        """
        for key, value in self.later.items() if later is None else later:
            if value is None:
                continue
            before = self.memory.get(key)
            try:
                keys = keys_of(tenant_of_key(key))
                version = _version(key, before, keys) if before else 0
                if _version(key, value, keys) not in {version, version + 1}:  # a torn commit is repeated
                    yield key_text(key)
            except KeyDestroyedError:
                continue


def _version(key: bytes, value: bytes, keys: TenantKeys) -> int:
    if parts_of(key)[1]:
        return open_copy(key, value, keys).version
    return open_meeting(key, value, keys).record.version


class PastReader:
    """Reads the memory before the observation at offset `cut`, page by page."""

    def __init__(self, cut: int) -> None:
        """`cut` is the offset of an observation."""
        self.past = Past()
        self._cut = cut
        self._commit: list[Record] = []

    def read(self, page: Iterable[Record]) -> None:
        """
        Take in the next committed records of a partition of `meeting-state`, in order, from its beginning.

        Raises:
            MalformedRecordError: a record that room_status cannot have written.
        """
        for record in page:
            if is_tally(record.key):
                continue  # counts: nothing is decided by them
            if record.key != POSITION_KEY:
                self._commit.append(record)
                continue
            reached = reached_by(record)
            for each in self._commit:
                _enter(self.past, each, self._cut, reached)
            self._commit.clear()


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
    source = source_of(record.value) if record.value is not None else None
    swept = source is None or found.sources.get(record.key) == source
    if source is not None:
        found.sources[record.key] = source
        envelope = envelopes.decode(record.value or b"")
        if envelope.type == meeting_state_version_1.TYPE:
            found.earlier_rules_until = max(found.earlier_rules_until, source + 1)
        if envelope.type == MEETING_TYPE and envelope.rules < FIRST_RULES_WITH_OUTCOMES:
            found.outcomes_from = max(found.outcomes_from, source + 1)
    # A sweep names no observation of its own: the position of its commit stands for it.
    before = reached <= cut if source is None or swept else source < cut
    if not before:
        found.later.setdefault(record.key, record.value)
        if swept:
            found.swept.append((reached, record.key, record.value))
    elif record.value is None:
        found.memory.pop(record.key, None)
    else:
        found.memory[record.key] = record.value
        found.newest_before_ms = record.appended_at_ms
