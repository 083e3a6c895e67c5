"""Other rules, the same facts: what a replay prints before anything is deployed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from services.room_status.deciding.fold import Change, fold
from services.room_status.replaying.replay import Comparison, compare, redo
from shared.contracts import observation
from shared.contracts.copy_observation import CopyObservation
from shared.crypto.meetings import StoredMeeting
from shared.crypto.records import sealed_envelope
from shared.domain.keys import TenantKeys
from shared.ports.log import Record
from tests.support.builders import KEYS, an_observation

FACTS = (
    an_observation(baseline=True, a="declined", b="none"),
    an_observation(a="declined", b="declined"),
    an_observation(a="declined", b="accepted"),
    an_observation(a="declined", b="declined"),
)


def loud(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
    """Announces what a first look finds, too."""
    return fold(meeting, msgspec.structs.replace(seen, baseline=False), keys=keys)


def records() -> list[Record]:
    values = [
        sealed_envelope(KEYS, seen, key=b"t/m", type=observation.TYPE, id=f"o-{at}") for at, seen in enumerate(FACTS)
    ]
    return [Record("observations", 0, at, b"t/m", value, (), 0) for at, value in enumerate(values)]


def keys_of(tenant: str) -> TenantKeys:
    assert tenant == KEYS.tenant
    return KEYS


def replayed(*, reached: int = len(FACTS)) -> Comparison:
    told = redo([records()], {}, partition=0, keys_of=keys_of).declines
    redone = redo([records()], {}, partition=0, keys_of=keys_of, rules=loud)
    return compare(redone, told, begin=0, end=len(FACTS), reached=reached)


@pytest.mark.proves("M1")
def test_rules_that_announce_more_show_exactly_what_more_and_where() -> None:
    found = replayed()
    assert [each.source for each in found.missing] == [0]
    assert [each.source for each in found.same] == [1, 3]
    assert [*found.spurious, *found.differing, *found.repeated, *found.undecided] == []
    assert not found.equal


def test_what_the_owner_has_not_passed_is_undecided_and_not_missing() -> None:
    found = replayed(reached=0)
    assert (found.missing, [each.source for each in found.undecided]) == ([], [0])


def test_a_decline_that_stands_twice_or_with_other_bytes_is_told_apart() -> None:
    redone = redo([records()], {}, partition=0, keys_of=keys_of)
    first, second = redone.declines
    bent, again = replace(second, value=second.value + b" "), replace(first)
    found = compare(redone, [first, bent, again], begin=0, end=len(FACTS), reached=len(FACTS))
    assert ([*found.same], [*found.differing], [*found.repeated]) == ([first], [second], [again])
