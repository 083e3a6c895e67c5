from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import LogUnavailableError
from shared.runtime.breaker import Breaker, Happening, Lane, admits, after
from tests.support.patience import PATIENCE_S


class Dependency:
    """Up or down, and counted."""

    def __init__(self) -> None:
        self.up = True
        self.calls = 0
        self.probes = 0

    def call(self) -> str:
        self.calls += 1
        if not self.up:
            message = "away"
            raise LogUnavailableError(message)
        return "done"

    def probe(self) -> None:
        self.probes += 1
        if not self.up:
            message = "away"
            raise LogUnavailableError(message)


@pytest.fixture
def dependency() -> Dependency:
    return Dependency()


@pytest.fixture
def breaker(dependency: Dependency) -> Iterator[Breaker]:
    breaker = Breaker("test", dependency.probe, probe_every_s=0.01)
    yield breaker
    breaker.close()


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@given(st.lists(st.sampled_from(Happening)))
def test_an_open_lane_is_only_left_through_a_probe(happenings: list[Happening]) -> None:
    lane = Lane.OPEN
    for happening in happenings:
        before, lane = lane, after(lane, happening)
        if before is Lane.OPEN and lane is not Lane.OPEN:
            assert happening is Happening.PROBED


@given(st.lists(st.sampled_from(Happening)))
def test_a_trial_admits_nobody_else(happenings: list[Happening]) -> None:
    lane = Lane.HALF_OPEN
    for happening in happenings:
        lane = after(lane, happening)
        if lane is Lane.TRIAL:
            assert not admits(lane)


def test_while_well_everybody_passes(breaker: Breaker, dependency: Dependency) -> None:
    assert [breaker.call({0}, dependency.call) for _ in range(3)] == ["done"] * 3
    assert breaker.open_lanes() == 0


def test_after_one_failure_nobody_waits_for_it_again(breaker: Breaker, dependency: Dependency) -> None:
    dependency.up = False
    for _ in range(5):
        with pytest.raises(LogUnavailableError):
            breaker.call({0}, dependency.call)

    assert dependency.calls == 1


def test_it_closes_once_the_probe_and_one_caller_have_succeeded(breaker: Breaker, dependency: Dependency) -> None:
    dependency.up = False
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    eventually(lambda: dependency.probes >= 2)
    assert breaker.open_lanes() == 1
    dependency.up = True

    def passes() -> bool:
        try:
            return breaker.call({0}, dependency.call) == "done"
        except LogUnavailableError:
            return False

    eventually(passes)
    assert breaker.open_lanes() == 0


def test_a_bug_in_the_action_opens_the_lane_too(breaker: Breaker) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaker.call({0}, broken)

    assert breaker.open_lanes() == 1


def test_only_one_caller_tries_a_lane_that_is_back(breaker: Breaker, dependency: Dependency) -> None:
    dependency.up = False
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    dependency.up = True
    trying, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        trying.set()
        go_on.wait(PATIENCE_S)

    def trial() -> None:
        while not trying.is_set():
            try:
                breaker.call({0}, slow)
            except LogUnavailableError:
                time.sleep(0.005)

    thread = threading.Thread(target=trial)
    thread.start()
    assert trying.wait(PATIENCE_S)
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    go_on.set()
    thread.join(PATIENCE_S)

    assert breaker.call({0}, dependency.call) == "done"


def test_a_caller_of_two_lanes_needs_both(breaker: Breaker, dependency: Dependency) -> None:
    dependency.up = False
    breaker.close()  # no probing: the lane stays open
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    dependency.up = True

    with pytest.raises(LogUnavailableError):
        breaker.call({0, 1}, dependency.call)
    assert breaker.call({1}, dependency.call) == "done"


def test_once_the_probe_has_failed_no_lane_is_tried(breaker: Breaker, dependency: Dependency) -> None:
    """Everything is away, not one lane of it: the others need not find out one by one, each waiting for itself."""
    dependency.up = False
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    eventually(lambda: dependency.probes >= 2)
    for lane in range(1, 4):
        with pytest.raises(LogUnavailableError):
            breaker.call({lane}, dependency.call)

    assert dependency.calls == 1


def test_until_the_first_probe_has_answered_no_lane_is_tried(dependency: Dependency) -> None:
    """Those who queued for a thread behind the first failure have waited once already."""
    answer = threading.Event()

    def slow_probe() -> None:
        answer.wait(PATIENCE_S)

    breaker = Breaker("test", slow_probe, probe_every_s=0.01)
    dependency.up = False
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    dependency.up = True
    with pytest.raises(LogUnavailableError):
        breaker.call({1}, dependency.call)
    answer.set()

    def passes() -> bool:
        try:
            return breaker.call({1}, dependency.call) == "done"
        except LogUnavailableError:
            return False

    eventually(passes)
    breaker.close()


def test_probing_ends_when_nothing_is_open(breaker: Breaker, dependency: Dependency) -> None:
    dependency.up = False
    with pytest.raises(LogUnavailableError):
        breaker.call({0}, dependency.call)
    dependency.up = True

    def closed() -> bool:
        try:
            breaker.call({0}, dependency.call)
        except LogUnavailableError:
            return False
        return True

    eventually(closed)
    eventually(lambda: not any(thread.name == "breaker-test" for thread in threading.enumerate()))
