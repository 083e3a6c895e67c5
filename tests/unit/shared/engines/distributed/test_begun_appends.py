"""Appends that are begun together succeed and fail each for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.engines.distributed import append
from shared.engines.distributed.append import Appender
from shared.engines.distributed.clients import APPEND_TIMEOUT_MS, KafkaError
from shared.errors import LogUnavailableError
from shared.ports.log import Append, NewRecord

DEAD = 3


class Sent:
    """A record on its way, until the test settles it."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[..., None]] = []

    def add_both(self, callback: Callable[..., None]) -> None:
        self.callbacks.append(callback)

    def settle(self, outcome: object) -> None:
        for callback in self.callbacks:
            callback(outcome)


class Producer:
    """Sends to every partition but the dead one."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def send(self, *_: object, partition: int, **__: object) -> Sent:
        if partition == DEAD:
            raise KafkaError
        self.sent.append(Sent())
        return self.sent[-1]


class Clients:
    bootstrap = "nowhere:1"

    def __init__(self) -> None:
        self.producer = Producer()

    def appender(self) -> Producer:
        return self.producer

    def topic(self, name: str) -> str:
        return name


class Outcomes(dict[str, Any]):
    def append_of(self, name: str, *partitions: int) -> Append:
        def settle(failure: Exception | None) -> None:
            assert name not in self, "settled twice"
            self[name] = failure

        return Append([NewRecord("t", partition, b"k", b"v") for partition in partitions], settle)


@pytest.mark.proves("D4")
def test_an_append_is_settled_when_its_last_record_is_durable_or_its_first_has_failed() -> None:
    clients, outcomes = Clients(), Outcomes()
    appender = Appender(clients)  # type: ignore[arg-type]
    appender.begin([outcomes.append_of("two", 0, 1), outcomes.append_of("one", 0), outcomes.append_of("lost", 1, 2)])
    first, second, third, fourth, fifth = clients.producer.sent

    third.settle(object())
    first.settle(object())
    assert outcomes == {"one": None}, "the first append has one record that is not durable yet"
    second.settle(object())
    fourth.settle(KafkaError("its broker died"))
    fifth.settle(KafkaError("its broker died"))

    assert outcomes["two"] is None
    assert isinstance(outcomes["lost"], LogUnavailableError)


@pytest.mark.proves("D4")
def test_a_record_that_cannot_even_be_queued_fails_its_append_and_no_other() -> None:
    clients, outcomes = Clients(), Outcomes()
    appender = Appender(clients)  # type: ignore[arg-type]
    appender.begin([outcomes.append_of("dead", 0, DEAD), outcomes.append_of("alive", 1)])
    for sent in clients.producer.sent:
        sent.settle(object())

    assert isinstance(outcomes["dead"], LogUnavailableError)
    assert outcomes["alive"] is None


class ProducerWithoutMetadata(Producer):
    """Waits for it, by a clock of its own, and in vain."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0
        self.asked = 0

    def send(self, *_: object, **__: object) -> Sent:
        self.asked += 1
        self.now_s += APPEND_TIMEOUT_MS / 1000
        raise KafkaError


@pytest.mark.proves("D4")
def test_metadata_that_cannot_be_had_is_waited_for_once_for_all_that_is_begun_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clients, outcomes = Clients(), Outcomes()
    clients.producer = producer = ProducerWithoutMetadata()
    monkeypatch.setattr(append.time, "monotonic", lambda: producer.now_s)
    Appender(clients).begin([outcomes.append_of(f"{number}", number) for number in range(9)])  # type: ignore[arg-type]

    assert producer.asked == 1
    assert len(outcomes) == 9
    assert all(isinstance(outcome, LogUnavailableError) for outcome in outcomes.values())
