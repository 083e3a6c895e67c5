"""Requests that wait while the log is asked for others: each is admitted when its turn comes, and refused without delay."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from services.webhook_receiver import deadline_queue
from services.webhook_receiver.intake import Intake, PendingHints
from services.webhook_receiver.protocols.push import Hint
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.domain import trace
from shared.domain.identity import Mailbox, partition_of
from shared.errors import LogUnavailableError
from shared.ports.log import Append
from shared.runtime.breaker import Breaker, Happening, Lane
from tests.unit.services.webhook_receiver.pushes import mailbox

PARTITIONS = 4
TOPIC = "notifications.graph"
WAIT_S = 10.0
ADA, EVE = mailbox("m-ada"), mailbox("m-eve")


class WaitingLog:
    """Keeps the thread that asks it until it is let go."""

    def __init__(self) -> None:
        self.asked: list[Append] = []
        self.entered = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)

    def begin_appends(self, appends: Sequence[Append]) -> None:
        self.asked += appends
        self.entered.release()
        assert self.let_go.acquire(timeout=WAIT_S)


class Clock:
    def now_ms(self) -> int:
        return 0


class Rig:
    def __init__(self) -> None:
        self.log = WaitingLog()
        self.breaker = Breaker("test-log", lambda: None)
        self.breaker.close()  # no probe: a lane that opens stays open
        self.intake = Intake(lambda: self.log, PARTITIONS, Clock(), self.breaker)  # type: ignore[arg-type, return-value]
        self.outcomes: dict[str, Exception | None] = {}
        self.settled = threading.Semaphore(0)

    def begin(self, name: str, of: Mailbox) -> None:
        def settled(failure: Exception | None) -> None:
            self.outcomes[name] = failure
            self.settled.release()

        self.intake.begin(TOPIC, [hint_of(name, of)], trace.make(), settled)


def hint_of(name: str, of: Mailbox) -> Hint:
    notification = ChangeNotification(
        provider="microsoft", kind=HintKind.CHANGED, subscription_id=name, key_id="k", received_at_ms=0
    )
    return Hint(of, notification)


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.log.let_go.release(9)
    rig.intake.close()


@pytest.mark.proves("D4")
def test_whoever_waited_while_a_lane_opened_is_refused_without_asking_the_log(rig: Rig) -> None:
    rig.begin("first", ADA)
    assert rig.log.entered.acquire(timeout=WAIT_S)
    rig.begin("behind it", ADA)
    rig.log.asked[0].settle(LogUnavailableError("its leader is gone"))
    rig.log.let_go.release()

    assert rig.settled.acquire(timeout=WAIT_S)
    assert rig.settled.acquire(timeout=WAIT_S)
    assert all(isinstance(outcome, LogUnavailableError) for outcome in rig.outcomes.values())
    assert len(rig.log.asked) == 1


@pytest.mark.proves("D4")
def test_while_a_lane_is_open_nobody_waits_for_the_thread(rig: Rig) -> None:
    assert partition_of(ADA.key, PARTITIONS) != partition_of(EVE.key, PARTITIONS)
    rig.breaker.settle({partition_of(ADA.key, PARTITIONS)}, succeeded=False)
    rig.breaker._away = False  # the probe answers: it is one lane, not the whole log
    rig.begin("on another lane", EVE)
    assert rig.log.entered.acquire(timeout=WAIT_S)

    rig.begin("refused", ADA)
    assert isinstance(rig.outcomes["refused"], LogUnavailableError)
    rig.log.asked[0].settle(None)
    assert rig.outcomes["on another lane"] is None


def test_what_the_log_says_after_the_time_was_over_changes_nothing(rig: Rig) -> None:
    rig.begin("given up", ADA)
    assert rig.log.entered.acquire(timeout=WAIT_S)
    rig.log.let_go.release()
    rig.intake.close()
    assert isinstance(rig.outcomes["given up"], LogUnavailableError)
    rig.log.asked[0].settle(None)

    assert isinstance(rig.outcomes["given up"], LogUnavailableError)
    assert rig.breaker.open_lanes() == 1


@pytest.mark.proves("D4")
def test_whoever_is_expired_while_being_admitted_leaves_the_lane_to_the_next_and_its_gap_to_be_signalled(
    rig: Rig,
) -> None:
    lane = partition_of(ADA.key, PARTITIONS)
    rig.breaker.settle({lane}, succeeded=False)
    rig.breaker._away = False
    rig.breaker._happened({lane}, Happening.PROBED)
    rig.intake._gaps.note([(lane, ADA)])
    expired = PendingHints(TOPIC, [hint_of("expired", ADA)], trace.make(), lambda _: None, frozenset({lane}))
    rig.intake._append_group([expired])

    assert rig.log.asked == []
    assert rig.breaker._lanes[lane] is Lane.OPEN, "in a trial that nobody settles it would stay shut for ever"
    assert rig.intake._gaps._missed.keys() == {lane}


@pytest.mark.proves("D9")
def test_a_request_behind_a_crowd_is_refused_without_the_log_and_leaves_a_gap(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline_queue, "MANY_WAITING", 1)
    monkeypatch.setattr(deadline_queue, "CROWDED_AFTER_S", 0.0)
    rig.begin("the crowd", EVE)
    assert rig.log.entered.acquire(timeout=WAIT_S)
    rig.begin("behind it", ADA)
    without_effect: list[Exception | None] = []
    rig.intake.begin(TOPIC, [], trace.make(), without_effect.append)

    assert isinstance(rig.outcomes["behind it"], LogUnavailableError)
    assert without_effect == [None], "what has no effect needs no log"
    assert len(rig.log.asked) == 1
    assert rig.intake._gaps._missed.keys() == {partition_of(ADA.key, PARTITIONS)}
