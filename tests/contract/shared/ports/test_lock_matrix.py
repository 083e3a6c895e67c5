"""
Two guards keep a torn commit from being told twice: transactions, and derived ids with the tail check. Each has to do alone.

The long form, with processes that die, is `make chaos`. Frozen owners are not in it: without transactions nothing fences
them, which is declared.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from services.room_status.deciding.decision import decide
from services.room_status.worker import RoomStatusOwner
from shared.contracts import observation
from shared.contracts.observation import Observation
from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.crypto.records import sealed_envelope
from shared.domain.keys import TenantKeys
from shared.errors import FencedError
from shared.ports.log import NewRecord, Record
from tests.contract.conftest import EngineFactory
from tests.contract.deployments import ManualClock
from tests.contract.features import Features
from tests.contract.waiting import eventually
from tests.support.builders import NOW_MS, an_observation

STORY = tuple(
    an_observation(at_ms=NOW_MS + number, meeting=meeting, **rooms)  # type: ignore[arg-type]  # rooms by name
    for number, (meeting, rooms) in enumerate(
        (
            ("m-one", {"a": "declined"}),
            ("m-two", {"a": "none", "b": "none"}),
            ("m-two", {"a": "declined", "b": "accepted"}),
            ("m-one", {"a": "accepted"}),
            ("m-one", {"a": "declined"}),
            ("m-two", {"a": "declined", "b": "declined"}),
        )
    )
)
DEATHS = ("room-status.decided", "room-status.stated")
"""Inside a commit: the decisions stand, the states do not; all stands, but for the commit itself."""
BOTH, NO_TAIL_CHECK, NO_TRANSACTIONS, NEITHER = (True, True), (True, False), (False, True), (False, False)
"""Transactions, tail check."""


class Death:
    """Ends an owner inside its second commit: each gets one thing done, and dies of the next."""

    def __init__(self, point: str) -> None:
        self._point, self._left = point, 2

    def __call__(self, point: str) -> None:
        self._left -= point == self._point
        if point == self._point and not self._left:
            message = "died here"
            raise RuntimeError(message)


class Owners:
    """One owner of the partition after another, each in an engine of its own, as processes would be."""

    def __init__(self, opened: EngineFactory, clock: ManualClock, partition: int, guards: tuple[bool, bool]) -> None:
        self._opened, self._clock, self._partition = opened, clock, partition
        self._transactions, self._tail_check = guards
        self._log = opened().log
        self.deaths = 0

    def take_in(self, point: str, records: list[NewRecord]) -> None:
        """Have `records` handled one by one, by as many owners as it takes."""
        owner = self._next(point)
        for record in records:
            self._log.append([record])
            end = self._log.span(OBSERVATIONS.name, self._partition, committed=False).end
            while owner._passed.get(OBSERVATIONS.name, 0) < end:
                try:
                    owner.step()
                except (FencedError, RuntimeError):
                    self.deaths += 1
                    owner = self._next(point)
        owner.close()

    def _next(self, point: str) -> RoomStatusOwner:
        guards = {} if self._transactions else {"transactions": False}
        engine = self._opened(at_point=Death(point), **guards)
        claim = engine.log.claim(ROOM_STATUS_STATION, self._partition)
        return RoomStatusOwner(claim, engine, self._clock, poll_s=0.05, tail_check=self._tail_check)


PlayDeaths = Callable[[tuple[bool, bool], str], tuple[list[str], list[str]]]
"""Guards and the place of death → ids as they should be told, and as they were."""


@pytest.fixture
def play_deaths(
    engine_factory: EngineFactory, clock: ManualClock, tenant: str, features: Features, partition: int
) -> PlayDeaths:
    clock.at_ms = NOW_MS

    def play(guards: tuple[bool, bool], point: str) -> tuple[list[str], list[str]]:
        engine = engine_factory()
        keys = engine.keyring.create(tenant)
        owners = Owners(engine_factory, clock, partition, guards)
        owners.take_in(point, [sealed(seen, keys, partition) for seen in STORY])
        assert owners.deaths >= 2
        expected = ids_of_an_undisturbed_fold(keys, partition)

        def found() -> list[str]:
            records = engine.log.read(ROOM_REJECTIONS.name, partition, 0)
            return [json.loads(record.value or b"{}")["id"] for record in records]

        eventually(lambda: len(found()) >= len(expected), within_s=features.visible_s + 10)
        return expected, found()

    return play


def sealed(seen: Observation, keys: TenantKeys, partition: int) -> NewRecord:
    key = f"{keys.tenant}/{seen.meeting}".encode()
    value = sealed_envelope(keys, seen, key=key, type=observation.TYPE, id=f"o-{seen.observed_at_ms}")
    return NewRecord(OBSERVATIONS.name, partition, key, value)


def ids_of_an_undisturbed_fold(keys: TenantKeys, partition: int) -> list[str]:
    new = [sealed(seen, keys, partition) for seen in STORY]
    records = [Record(one.topic, partition, offset, one.key, one.value, (), NOW_MS) for offset, one in enumerate(new)]
    batch = decide(records, {}, partition=partition, keys_of=lambda _: keys, told=frozenset())
    return [json.loads(decision.value or b"")["id"] for decision in batch.decisions]


@pytest.mark.parametrize("point", DEATHS)
@pytest.mark.proves("D7")
def test_with_both_guards_each_decline_is_told_once_and_in_order(play_deaths: PlayDeaths, point: str) -> None:
    expected, found = play_deaths(BOTH, point)
    assert found == expected


@pytest.mark.parametrize("point", DEATHS)
def test_transactions_do_without_the_tail_check(play_deaths: PlayDeaths, point: str) -> None:
    expected, found = play_deaths(NO_TAIL_CHECK, point)
    assert found == expected


@pytest.mark.parametrize("point", DEATHS)
def test_derived_ids_and_the_tail_check_do_without_transactions(
    play_deaths: PlayDeaths, point: str, features: Features
) -> None:
    expected, found = play_deaths(NO_TRANSACTIONS if features.transactions_optional else BOTH, point)
    assert found == expected


def test_without_either_guard_declines_are_told_twice(play_deaths: PlayDeaths, features: Features) -> None:
    """What the other tests would not be worth believing without; the embedded engine's guard cannot be left out."""
    expected, found = play_deaths(NEITHER if features.transactions_optional else NO_TAIL_CHECK, "room-status.decided")
    assert list(dict.fromkeys(found)) == expected
    assert (len(found) > len(expected)) == features.transactions_optional
