"""Providers are users too: what they experience under load."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.webhook_receiver.receiver import Deployment, Receiver

COUNT = 500
SECONDS = 10.0
SENDERS = 16


@pytest.mark.proves("D9")
def test_five_hundred_notifications_in_ten_seconds_are_all_taken(
    deployment: Deployment, receiver: Receiver, record_property: object
) -> None:
    """A sender gives up after ten seconds, so an answer slower than that fails the test; the rest is reported."""
    began = time.monotonic()

    def send(number: int) -> tuple[int, float]:
        time.sleep(max(0.0, began + number * SECONDS / COUNT - time.monotonic()))  # the pace is the load
        sent = time.monotonic()
        if number % 2:
            answer = receiver.post("/hooks/google", headers=deployment.google_headers(f"c-{number}"))
        else:
            answer = receiver.post("/hooks/graph", deployment.graph_body(f"s-{number}", mailbox=f"m-{number % 50}"))
        return answer.status, time.monotonic() - sent

    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(send, range(COUNT)))

    took = sorted(seconds for _, seconds in answers)
    p99 = took[int(COUNT * 0.99)]
    print(f"p50 {statistics.median(took) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, slowest {took[-1] * 1000:.1f} ms")
    record_property("hook_p99_ms", round(p99 * 1000, 1))  # type: ignore[operator]
    assert [status for status, _ in answers] == [200 if number % 2 else 202 for number in range(COUNT)]
    graph = {hint.subscription_id for hint in deployment.hints("notifications.graph")}
    google = {hint.subscription_id for hint in deployment.hints("notifications.google")}
    assert graph == {f"s-{number}" for number in range(0, COUNT, 2)}
    assert google == {f"c-{number}" for number in range(1, COUNT, 2)}
