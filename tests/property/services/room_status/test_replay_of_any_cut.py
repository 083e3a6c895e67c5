"""However observations fell into polls, and wherever a range begins and ends, replaying it gives what was told of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import decide, sweep
from services.room_status.replaying.history import PastReader, Reached
from services.room_status.replaying.replay import PublicEvent, compare, compare_outcomes, decline, outcome, redo
from shared.contracts import observation
from shared.contracts.observation import Observation
from shared.contracts.topics import OBSERVATIONS, POSITION_KEY
from shared.crypto.records import sealed_envelope
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.domain.keys import TenantKeys
from shared.ports.log import Record
from tests.support.builders import KEYS, NOW_MS, an_observation, an_occurrence


@dataclass
class Partition:
    """One partition of the log and its owner, in a few lists."""

    memory: dict[bytes, bytes] = field(default_factory=dict)
    history: list[Record] = field(default_factory=list)
    told: list[PublicEvent] = field(default_factory=list)
    ended: list[PublicEvent] = field(default_factory=list)

    def commit(self, batch: Batch, passed: int) -> None:
        for change in batch.changes:
            self._remember(change.key, change.value)
            if change.value is None:
                self.memory.pop(change.key, None)
            else:
                self.memory[change.key] = change.value
        self.told += map(decline, batch.decisions)
        self.ended += map(outcome, batch.outcomes)
        if not batch.empty:
            self._remember(POSITION_KEY, msgspec.json.encode(Reached(inputs={OBSERVATIONS.name: passed})))

    def _remember(self, key: bytes, value: bytes | None) -> None:
        self.history.append(Record("meeting-state", 0, len(self.history), key, value, (), 0))


def keys_of(tenant: str) -> TenantKeys:
    del tenant
    return KEYS


def a_record(seen: Observation, offset: int) -> Record:
    key = f"{KEYS.tenant}/{seen.meeting}".encode()
    value = sealed_envelope(KEYS, seen, key=key, type=observation.TYPE, id=f"o-{offset}")
    return Record(OBSERVATIONS.name, 0, offset, key, value, (), 0)


answers = st.sampled_from(["none", "accepted", "declined"])
observed = st.builds(
    lambda room, meeting, mailbox, shift, withdrawn: an_observation(
        an_occurrence(start_ms=NOW_MS + shift * HOUR_MS, r=room),
        meeting=f"m-{meeting}",
        mailbox=mailbox,
        provider="google",
        withdrawn=withdrawn,
    ),
    answers,
    st.integers(0, 1),
    st.sampled_from(["m-ada", "m-ben"]),
    st.integers(1, 2),
    st.booleans(),
)
polls = st.lists(
    st.lists(observed, max_size=5) | st.sampled_from([NOW_MS + 150 * MINUTE_MS, NOW_MS + 9 * DAY_MS]),
    min_size=1,
    max_size=6,
)
"""What each poll brought; a moment: nothing came, and a sweep found some of the meetings over, or all of them long past."""


@pytest.mark.proves("M1")
@given(polls=polls, begin=st.integers(0, 6), length=st.integers(0, 30))
def test_any_cut_of_any_batching_gives_the_declines_that_were_told_of_it(
    polls: list[list[Observation] | int], begin: int, length: int
) -> None:
    owner, records = Partition(), list[Record]()
    for poll in polls:
        if isinstance(poll, int):
            batch = sweep(owner.memory, now_ms=poll, partition=0, keys_of=keys_of)
        else:
            fresh = [a_record(seen, len(records) + number) for number, seen in enumerate(poll)]
            records += fresh
            batch = decide(fresh, owner.memory, partition=0, keys_of=keys_of, told=frozenset())
        owner.commit(batch, len(records))
    end = begin + length
    reader = PastReader(begin)
    reader.read(owner.history)
    found = reader.past
    assert list(found.holes(keys_of)) == []
    pages = [records[begin:end]] if records[begin:end] else []
    redone = redo(pages, found.memory, partition=0, keys_of=keys_of, swept=found.swept)
    once = list({each.id: each for each in owner.told}.values())
    compared = compare(redone, once, begin=begin, end=end, reached=len(records))
    here = [(each.id, each.value) for each in owner.told if begin <= (each.source or 0) < end]
    assert [(each.id, each.value) for each in redone.declines] == here
    assert [*compared.missing, *compared.undecided, *compared.spurious] == []
    if len({each.id for each in owner.ended}) < len(owner.ended):
        return  # the sweep ran days ahead of the looks: what it had forgotten was told, and ended, anew
    ends = compare_outcomes(redone, owner.ended, begin=begin, end=end, reached=len(records))
    assert [*ends.missing, *ends.undecided, *ends.spurious, *ends.differing, *ends.repeated] == []
    assert {each.id for each in owner.ended if each.source is not None and begin <= each.source < end} <= {
        each.id for each in ends.same
    }
