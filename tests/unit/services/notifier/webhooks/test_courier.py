"""How many requests are on their way at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping

import pytest

from services.notifier.webhooks.courier import MOST_AT_ONCE, Courier, Ended, EndpointName, Parcel
from shared.runtime.http_post import HttpPost, PostResult
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.proves("B21")


class Waiting(HttpPost):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__(frozenset())
        self.go = threading.Event()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> PostResult:
        del url, headers, body
        assert self.go.wait(PATIENCE_S)
        return PostResult(status=204)


def parcel(endpoint: str) -> Parcel:
    return Parcel(EndpointName("t-1", endpoint), 0, "d-1", "https://x.test/", {}, b"{}")


def test_few_go_to_one_endpoint_and_none_waits_for_a_thread() -> None:
    post, ended = Waiting(), Ended()
    courier = Courier(post, threads=5)
    begun = [courier.try_send(parcel("w-1"), ended) for _ in range(MOST_AT_ONCE + 1)]
    assert begun == [True] * MOST_AT_ONCE + [False]
    assert [courier.try_send(parcel(f"w-{number}"), ended) for number in range(2, 5)] == [True, True, False]
    assert not courier.has_room(EndpointName("t-1", "w-5"))
    post.go.set()
    courier.drain(10)
    assert sum(1 for _ in range(5) if ended.get(timeout=PATIENCE_S)[1].taken) == 5
    with pytest.raises(queue.Empty):
        ended.get_nowait()
    assert courier.has_room(EndpointName("t-1", "w-1"))
    assert courier.try_send(parcel("w-1"), ended)
    courier.drain(10)
