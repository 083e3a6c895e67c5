"""What was acknowledged is there, whatever happens next; what was not is asked for again."""

from __future__ import annotations

import contextlib
import http.client
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.contracts import envelope
from shared.contracts.change_notification import HintKind
from tests.integration.services.webhook_receiver.receiver import Deployment, Receiver, eventually, running

SENDERS = 4


@contextlib.contextmanager
def log_locked(deployment: Deployment) -> Iterator[None]:
    """Nobody else can write: the embedded engine's way of being away."""
    with contextlib.closing(sqlite3.connect(deployment.home / "log.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.proves("D4")
def test_killed_right_after_answering_it_has_lost_nothing(deployment: Deployment) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def keep_sending(sender: int) -> None:
        for number in range(10_000):
            name = f"s-{sender}-{number}"
            try:
                status = receiver.post("/hooks/graph", deployment.graph_body(name)).status
            except (OSError, http.client.HTTPException):
                return
            assert status == 202
            acknowledged.append(name)
            if len(acknowledged) >= 40:
                enough.set()

    with running(deployment) as receiver, ThreadPoolExecutor(SENDERS) as pool:
        senders = [pool.submit(keep_sending, sender) for sender in range(SENDERS)]
        assert enough.wait(30)
        receiver.kill()
        for sender in senders:
            sender.result(30)

    durable = {hint.subscription_id for hint in deployment.hints("notifications.graph")}
    assert len(acknowledged) >= 40
    assert set(acknowledged) <= durable


@pytest.mark.proves("D4")
def test_killed_between_append_and_answer_the_retry_is_merely_a_second_hint(deployment: Deployment) -> None:
    deployment.extra["ROOMSYNC_CRASH_AT"] = "receiver-appended:2"
    with running(deployment) as receiver:
        assert receiver.post("/hooks/graph", deployment.graph_body("s-1")).status == 202
        with pytest.raises((OSError, http.client.HTTPException)):
            receiver.post("/hooks/graph", deployment.graph_body("s-2"))
    del deployment.extra["ROOMSYNC_CRASH_AT"]
    with running(deployment) as receiver:
        assert receiver.post("/hooks/graph", deployment.graph_body("s-2")).status == 202

    assert sorted(hint.subscription_id for hint in deployment.hints("notifications.graph")) == ["s-1", "s-2", "s-2"]


@pytest.mark.proves("D4")
def test_while_the_log_is_away_it_says_503_and_the_retry_succeeds(deployment: Deployment, receiver: Receiver) -> None:
    assert receiver.post("/hooks/graph", deployment.graph_body("s-before")).status == 202
    with log_locked(deployment):
        refused = [receiver.post("/hooks/graph", deployment.graph_body("s-1", "s-2")) for _ in range(5)]
        google = receiver.post("/hooks/google", headers=deployment.google_headers("c-1"))
        forged = receiver.post("/hooks/graph", deployment.graph_body("s-x", proven=False))
        assert receiver.get("/readyz").status == 503
        assert receiver.get("/livez").status == 200

    assert {answer.status for answer in (*refused, google)} == {503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert forged.status == 202, "what has no effect needs no log"
    eventually(lambda: receiver.post("/hooks/graph", deployment.graph_body("s-1", "s-2")).status == 202)
    eventually(lambda: receiver.post("/hooks/google", headers=deployment.google_headers("c-1")).status == 200)
    assert {"s-before", "s-1", "s-2"} == {hint.subscription_id for hint in deployment.hints("notifications.graph")}
    [gap] = deployment.gaps()
    assert gap.key == b"t-0000000000000001/m-ada"
    assert b'"wish":"gap"' in bytes(envelope.decode(gap.value or b"").payload)


def test_a_log_that_is_away_at_the_start_is_no_reason_not_to_start(deployment: Deployment) -> None:
    with running(deployment):
        pass
    with log_locked(deployment), running(deployment) as receiver:
        assert receiver.post("/hooks/graph", deployment.graph_body("s-1")).status == 503
        assert receiver.post("/hooks/graph?validationToken=abc").body == b"abc"


@pytest.mark.proves("D2")
def test_what_graph_sends_becomes_records(deployment: Deployment, receiver: Receiver) -> None:
    echo = receiver.post(
        "/hooks/graph/lifecycle?validationToken=Validation%3A+a%2Bb", headers={"Content-Type": "text/plain"}
    )
    batch = receiver.post("/hooks/graph", deployment.graph_body("s-1", "s-2"), {"Content-Type": "application/json"})
    forged = receiver.post("/hooks/graph", deployment.graph_body("s-3", proven=False))

    assert (echo.status, echo.body, echo.headers["Content-Type"]) == (
        200,
        b"Validation: a+b",
        "text/plain; charset=utf-8",
    )
    assert (batch.status, forged.status) == (202, 202)
    assert [hint.subscription_id for hint in deployment.hints("notifications.graph")] == ["s-1", "s-2"]
    assert b'roomsync_hook_items_total{outcome="forged",provider="microsoft"} 1.0' in receiver.get("/metrics").body


@pytest.mark.proves("D3")
def test_what_google_sends_becomes_records(deployment: Deployment, receiver: Receiver) -> None:
    answers = [
        receiver.post("/hooks/google", headers=deployment.google_headers("c-1", "sync")),
        receiver.post("/hooks/google", headers=deployment.google_headers("c-1", "exists")),
        receiver.post("/hooks/google", headers=deployment.google_headers("c-2", made_for="c-1")),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200]
    hints = deployment.hints("notifications.google")
    assert [(hint.subscription_id, hint.kind) for hint in hints] == [("c-1", HintKind.SYNC), ("c-1", HintKind.CHANGED)]
    assert b'roomsync_hook_items_total{outcome="forged",provider="google"} 1.0' in receiver.get("/metrics").body
