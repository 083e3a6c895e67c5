"""The queue in front of the calendar systems: one call at a time for each mailbox, and a bound on those who wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from services.portal.meetings.mailbox_calls import MailboxCalls
from shared.domain.identity import Mailbox
from shared.errors import RetryableError
from tests.support.patience import PATIENCE_S

ADA, BEN, CLEO = Mailbox("t", "ada"), Mailbox("t", "ben"), Mailbox("t", "cleo")


class Slow:
    """A call that lasts until it is released."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> str:
        self.began.set()
        assert self.released.wait(PATIENCE_S)
        return "done"


def admitted(calls: MailboxCalls, mailbox: Mailbox, people: ThreadPoolExecutor, slow: Callable[[], str]) -> Future[str]:
    """A request that stands in the queue, or is answered."""
    before = calls._admitted[mailbox]
    request = people.submit(calls.run, mailbox, slow, wait_s=PATIENCE_S)
    while calls._admitted[mailbox] == before and not request.done():
        threading.Event().wait(0.001)
    return request


def test_a_third_waiting_request_of_a_mailbox_is_refused_at_once_and_others_are_answered() -> None:
    calls, slow = MailboxCalls(), Slow()
    with ThreadPoolExecutor(8) as people:
        requests = [admitted(calls, ADA, people, slow) for _ in range(3)]
        with pytest.raises(RetryableError) as refused:
            calls.run(ADA, slow, wait_s=PATIENCE_S)
        assert refused.value.retry_after_s
        assert calls.run(BEN, lambda: "ben's", wait_s=PATIENCE_S) == "ben's"
        slow.released.set()
        assert [request.result(PATIENCE_S) for request in requests] == ["done"] * 3
        assert calls.run(ADA, lambda: "again", wait_s=PATIENCE_S) == "again"


def test_all_mailboxes_together_hold_a_bounded_number_of_requests() -> None:
    calls, slow = MailboxCalls(workers=1, max_admitted=2), Slow()
    with ThreadPoolExecutor(8) as people:
        requests = [admitted(calls, mailbox, people, slow) for mailbox in (ADA, BEN)]
        with pytest.raises(RetryableError):
            calls.run(CLEO, slow, wait_s=PATIENCE_S)
        slow.released.set()
        assert [request.result(PATIENCE_S) for request in requests] == ["done"] * 2


def test_a_stream_waits_without_taking_the_place_of_a_page() -> None:
    calls, slow = MailboxCalls(), Slow()
    with ThreadPoolExecutor(16) as people:
        streams = [people.submit(calls.run, ADA, slow, wait_s=PATIENCE_S, counted=False) for _ in range(8)]
        assert slow.began.wait(PATIENCE_S)
        page = admitted(calls, ADA, people, slow)
        slow.released.set()
        assert [each.result(PATIENCE_S) for each in (*streams, page)] == ["done"] * 9


def test_calls_of_one_mailbox_never_overlap_and_keep_their_order() -> None:
    calls, first, order = MailboxCalls(), Slow(), list[int]()
    with ThreadPoolExecutor(8) as people:
        request = admitted(calls, ADA, people, first)
        others = [admitted(calls, ADA, people, lambda n=n: order.append(n) or "x") for n in (1, 2)]  # type: ignore[misc,func-returns-value]
        assert order == []
        first.released.set()
        assert [each.result(PATIENCE_S) for each in (request, *others)] == ["done", "x", "x"]
    assert order == [1, 2]


def test_who_waits_too_long_is_told_to_try_again_and_the_call_is_never_begun() -> None:
    calls, slow, late = MailboxCalls(), Slow(), Slow()
    with ThreadPoolExecutor(4) as people:
        request = admitted(calls, ADA, people, slow)
        with pytest.raises(RetryableError):
            calls.run(ADA, late, wait_s=0.01)
        slow.released.set()
        assert request.result(PATIENCE_S) == "done"
        assert calls.run(ADA, lambda: "next", wait_s=PATIENCE_S) == "next"
    assert not late.began.is_set()


def test_what_a_call_raises_reaches_whoever_waits_for_it() -> None:
    def fail() -> str:
        message = "the provider is away"
        raise RetryableError(message)

    calls = MailboxCalls()
    with pytest.raises(RetryableError, match="away"):
        calls.run(ADA, fail, wait_s=PATIENCE_S)
    with pytest.raises(TimeoutError):
        calls.run(ADA, _time_out, wait_s=PATIENCE_S)


def _time_out() -> str:
    raise TimeoutError
