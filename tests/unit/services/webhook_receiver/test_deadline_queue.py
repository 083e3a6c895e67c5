"""What waits for the log: grouped, in time, and not too many."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from services.webhook_receiver.deadline_queue import BUDGET_S, CROWDED_AFTER_S, MANY_WAITING, DeadlineQueue, is_crowded
from services.webhook_receiver.gaps import Gaps
from shared.domain.identity import Mailbox
from shared.errors import LogUnavailableError

WAIT_S = 10.0
ADA, EVE = Mailbox("t-1", "m-ada"), Mailbox("t-1", "m-eve")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Log:
    """Takes groups, and answers none of them."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.expired: list[tuple[str, Exception]] = []
        self.let_go = threading.Semaphore(0)
        self.changed = threading.Condition()
        self.clock = Clock()
        self.queue: DeadlineQueue[str] = DeadlineQueue(self.take, self.expire, self.clock)

    def take(self, group: Sequence[str]) -> None:
        with self.changed:
            self.groups.append(list(group))
            self.changed.notify_all()
        self.let_go.acquire(timeout=WAIT_S)

    def expire(self, thing: str, error: Exception) -> None:
        with self.changed:
            self.expired.append((thing, error))
            self.changed.notify_all()

    def until(self, groups: int = 0, expired: int = 0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.groups) >= groups and len(self.expired) >= expired, WAIT_S)


@pytest.mark.proves("D4")
def test_what_comes_while_the_log_is_asked_is_the_next_group() -> None:
    log = Log()
    log.queue.add("a")
    log.until(groups=1)
    for thing in ("b", "c", "d"):
        log.queue.add(thing)
    log.let_go.release(2)
    log.until(groups=2)

    assert log.groups == [["a"], ["b", "c", "d"]]
    log.queue.close()


@pytest.mark.proves("D4")
def test_whoever_the_log_does_not_answer_in_time_is_expired_once() -> None:
    log = Log()
    log.let_go.release(9)
    log.queue.add("a")
    log.until(groups=1)
    log.clock.now_s += BUDGET_S
    log.queue.add("b")
    log.until(groups=2, expired=1)

    [(thing, error)] = log.expired
    assert thing == "a"
    assert isinstance(error, LogUnavailableError)
    assert not log.queue.remove("a"), "an acknowledgement that comes now is too late"
    assert log.queue.remove("b")
    log.queue.close()
    assert len(log.expired) == 1


@pytest.mark.proves("D4")
def test_while_the_log_keeps_its_thread_everything_else_is_expired_in_time_and_not_handed_on() -> None:
    log = Log()
    log.queue.add("a")
    log.until(groups=1)
    log.queue.add("b")
    log.clock.now_s += BUDGET_S
    log.until(expired=2)
    assert [thing for thing, _ in log.expired] == ["a", "b"]

    log.queue.add("c")
    log.let_go.release(2)
    log.until(groups=2)
    assert log.groups == [["a"], ["c"]]
    log.queue.close()


@pytest.mark.proves("D4")
def test_a_fault_in_what_is_called_for_one_keeps_no_other_from_being_expired() -> None:
    expired, done = [], threading.Event()

    def expire(thing: str, _: Exception) -> None:
        expired.append(thing)
        if thing == "a":
            raise RuntimeError(thing)
        done.set()

    queue: DeadlineQueue[str] = DeadlineQueue(lambda _: None, expire)
    for thing in ("a", "b"):
        queue.add(thing)
    assert done.wait(WAIT_S)
    assert expired == ["a", "b"]
    queue.close()


def test_closed_it_expires_what_waits_and_takes_nothing_more() -> None:
    log = Log()
    log.let_go.release(9)
    log.queue.add("a")
    log.until(groups=1)
    log.queue.close()

    assert [thing for thing, _ in log.expired] == ["a"]
    assert not log.queue.add("b")


@pytest.mark.proves("D9")
@pytest.mark.parametrize(
    ("count", "oldest_s", "crowded"),
    [
        (MANY_WAITING - 1, 2.0, False),
        (MANY_WAITING, CROWDED_AFTER_S, False),
        (MANY_WAITING, CROWDED_AFTER_S + 0.001, True),
        (10 * MANY_WAITING, 0.0, False),
    ],
)
def test_many_of_whom_the_first_has_waited_for_long_are_a_crowd(count: int, oldest_s: float, crowded: bool) -> None:
    assert is_crowded(count, oldest_s) == crowded


@pytest.mark.proves("D9")
def test_a_crowd_is_not_joined_until_it_gets_smaller() -> None:
    log = Log()
    log.let_go.release(9 * MANY_WAITING)
    for number in range(MANY_WAITING):
        assert log.queue.add(f"{number}")
    log.clock.now_s += 2 * CROWDED_AFTER_S

    assert not log.queue.add("late")
    assert log.queue.remove("0")
    assert log.queue.add("later")
    log.queue.close()


@pytest.mark.proves("D4")
def test_a_gap_left_by_a_crowd_is_signalled_once_it_is_over() -> None:
    clock = Clock()
    gaps = Gaps(clock)
    gaps.note([(1, ADA)], quiet_s=2.0)
    gaps.note([(2, EVE)])
    assert gaps.taken([1, 2]) == {2: EVE}
    clock.now_s += 1.0
    gaps.note([(1, EVE)], quiet_s=2.0)
    clock.now_s += 1.5
    assert gaps.taken([1, 2]) == {}, "somebody was refused again meanwhile"
    clock.now_s += 0.5

    assert gaps.taken([1, 2]) == {1: ADA}
    assert gaps.taken([1, 2]) == {}
