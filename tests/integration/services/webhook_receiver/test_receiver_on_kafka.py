"""The same promises on a real broker, with no Redis anywhere: the receiver asks the log and nothing else."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local.kafka import Brokers, brokers
from deploy.local.processes import ServerError
from shared.engines.distributed import ensure_topics
from tests.integration.services.webhook_receiver.receiver import Deployment, Receiver, eventually, running
from tests.support import servers

pytestmark = pytest.mark.kafka

NOWHERE = "redis://127.0.0.1:1/0"
PARTITIONS = 4


@pytest.fixture(scope="module")
def broker() -> Iterator[Brokers]:
    """One that may be frozen."""
    try:
        cluster = brokers(1)
        found = cluster.__enter__()
    except ServerError as error:
        servers.require(str(error))
        raise
    try:
        yield found
    finally:
        cluster.__exit__(None, None, None)


@pytest.fixture
def deployment(tmp_path: Path, broker: Brokers, request: pytest.FixtureRequest) -> Deployment:
    """On Kafka, with topics of this test's own."""
    prefix = f"{request.node.name.replace('_', '-')[:40]}."
    ensure_topics(broker.bootstrap, prefix=prefix, partitions=PARTITIONS, replication=1)
    settings = {
        "ENGINE": "kafka", "KAFKA_BOOTSTRAP": broker.bootstrap, "KAFKA_REPLICATION": "1", "TOPIC_PREFIX": prefix,
        "PARTITIONS": str(PARTITIONS), "VIEW_REDIS_URL": NOWHERE, "REGISTRY_REDIS_URL": NOWHERE,
    }  # fmt: skip
    return Deployment(tmp_path / "home", extra={f"ROOMSYNC_{name}": value for name, value in settings.items()})


@pytest.mark.proves("D2", "D4")
def test_acknowledged_means_that_kafka_has_it_even_if_killed_at_once(deployment: Deployment) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def keep_sending(sender: int) -> None:
        for number in range(10_000):
            name = f"s-{sender}-{number}"
            try:
                status = receiver.post("/hooks/graph", deployment.graph_body(name, mailbox=f"m-{number % 9}")).status
            except (OSError, http.client.HTTPException):
                return
            if status == 202:
                acknowledged.append(name)
            if len(acknowledged) >= 40:
                enough.set()

    with running(deployment) as receiver, ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(keep_sending, sender) for sender in range(4)]
        assert enough.wait(60)
        receiver.kill()
        for sender in senders:
            sender.result(30)

    durable = {hint.subscription_id for hint in deployment.hints("notifications.graph")}
    assert set(acknowledged) <= durable


@pytest.mark.proves("D4")
def test_while_kafka_is_frozen_it_says_503_and_the_retry_succeeds(deployment: Deployment, broker: Brokers) -> None:
    with running(deployment) as receiver:
        assert taken(deployment, receiver, "s-before")
        broker.freeze()
        try:
            answers = [receiver.post("/hooks/graph", deployment.graph_body("s-1")) for _ in range(5)]
            assert receiver.get("/readyz").status == 503
        finally:
            broker.thaw()
        assert {answer.status for answer in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
        eventually(lambda: taken(deployment, receiver, "s-1"), within_s=60)

    assert {"s-before", "s-1"} == {hint.subscription_id for hint in deployment.hints("notifications.graph")}
    assert len(deployment.gaps()) >= 1, "hints may have been lost meanwhile: somebody must look"


def taken(deployment: Deployment, receiver: Receiver, subscription: str) -> bool:
    return receiver.post("/hooks/graph", deployment.graph_body(subscription)).status == 202
