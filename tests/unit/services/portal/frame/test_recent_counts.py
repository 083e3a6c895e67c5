"""Counts of whole organisations: one request counts, and the others wait for nothing that is known already."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.portal.frame import recent_counts
from services.portal.frame.recent_counts import RecentCounts
from shared.errors import StoreUnavailableError
from tests.support.office import ManualClock
from tests.support.patience import PATIENCE_S

KEPT_MS = 30_000


class Counting:
    """Counts its calls; each ends when the test lets it."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def __call__(self, _tenant: str, _before: int | None) -> int:
        self.calls += 1
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE_S)
        return self.calls


@pytest.mark.proves("P7")
def test_one_request_counts_and_the_others_get_what_is_known() -> None:
    clock, counting = ManualClock(), Counting()
    counts = RecentCounts(clock, counting, kept_ms=KEPT_MS)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(counts.of, "t-1") for _ in range(8)]
        assert counting.begun.acquire(timeout=PATIENCE_S)
        counting.may_end.release()
        assert {each.result(PATIENCE_S) for each in asked} == {1}, "nothing was known: they waited for the first"

        clock.at_ms += KEPT_MS
        again = threads.submit(counts.of, "t-1")
        assert counting.begun.acquire(timeout=PATIENCE_S)
        assert counts.of("t-1") == 1, "what was known before, while another request counts"
        counting.may_end.release()
        assert again.result(PATIENCE_S) == 2
    assert counts.of("t-1") == 2
    clock.at_ms += KEPT_MS - 1
    assert (counts.of("t-1"), counting.calls) == (2, 2)


@pytest.mark.proves("P7")
def test_who_need_not_wait_gets_something_the_first_time_and_a_failure_is_not_kept() -> None:
    counting, clock = Counting(), ManualClock()
    counts = RecentCounts(clock, counting, kept_ms=KEPT_MS, before=0)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(counts.of, "t-1")
        assert counting.begun.acquire(timeout=PATIENCE_S)
        assert counts.of("t-1") == 0
        counting.may_end.release()
        assert first.result(PATIENCE_S) == 1

    failures = [StoreUnavailableError("away")]

    def fail_once(_tenant: str, _before: int | None) -> int:
        if failures:
            raise failures.pop()
        return 7

    counts = RecentCounts(clock, fail_once, kept_ms=KEPT_MS)
    with pytest.raises(StoreUnavailableError):
        counts.of("t-1")
    assert counts.of("t-1") == 7


@pytest.mark.proves("P7")
def test_no_more_organisations_are_kept_than_there_is_room_for() -> None:
    asked: list[str] = []
    counts = RecentCounts(ManualClock(), lambda tenant, _: asked.append(tenant) or len(asked), kept_ms=KEPT_MS)
    for number in range(recent_counts.MAX_TENANTS + 1):
        counts.of(f"t-{number}")
    counts.of("t-1")
    counts.of("t-0")
    assert asked[-2:] == [f"t-{recent_counts.MAX_TENANTS}", "t-0"]
