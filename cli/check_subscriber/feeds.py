"""How a subscriber is fed: from a topic of its own, or through its standard input."""

from __future__ import annotations

import subprocess
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from shared.contracts.topics import ROOM_REJECTIONS
from shared.ports.log import NewRecord
from shared.runtime.wiring import kafka_security

if TYPE_CHECKING:
    from shared.runtime.settings import Settings

GROUP = "subscriber-check"


class SubscriberFeed(Protocol):
    """Where a subscriber gets events from. A context manager: what it made is taken away at the end."""

    @property
    def places(self) -> dict[str, str]:
        """What stands in the command and the environment of the subscriber: name → value."""
        ...

    def send(self, value: bytes) -> None:
        """Give it one record, now or when it is there again."""
        ...

    def attach(self, process: subprocess.Popen[bytes] | None) -> None:
        """The subscriber has been started, or (None) stopped."""
        ...

    def __enter__(self) -> Self:
        """Raises LogUnavailableError."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take away what was made."""
        ...


class KafkaFeed:
    """A topic with one partition, made for one check."""

    def __init__(self, settings: Settings, prefix: str) -> None:
        """`prefix` stands before the names of topic and group."""
        from shared.engines.distributed.append import Appender  # noqa: PLC0415  # keeps Kafka's client unloaded
        from shared.engines.distributed.clients import Clients  # noqa: PLC0415

        self._settings = settings
        self._prefix = prefix
        self._appender = Appender(Clients(settings.kafka_bootstrap, prefix, kafka_security(settings)))

    @property
    def places(self) -> dict[str, str]:
        """Brokers, topic and group."""
        topic, group = f"{self._prefix}{ROOM_REJECTIONS.name}", f"{self._prefix}{GROUP}"
        return {"bootstrap": self._settings.kafka_bootstrap, "topic": topic, "group": group}

    def send(self, value: bytes) -> None:
        """Append it."""
        self._appender.append([NewRecord(ROOM_REJECTIONS.name, 0, b"check/meeting", value)])

    def attach(self, process: subprocess.Popen[bytes] | None) -> None:
        """The topic is there either way."""

    def __enter__(self) -> Self:
        """Make the topic. Raises LogUnavailableError."""
        from shared.engines.distributed import ensure_topics  # noqa: PLC0415

        ensure_topics(
            self._settings.kafka_bootstrap,
            prefix=self._prefix,
            partitions=1,
            replication=self._settings.kafka_replication,
            topics=(ROOM_REJECTIONS,),
            security=kafka_security(self._settings),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the topic."""
        from shared.engines.distributed import delete_topics  # noqa: PLC0415

        self._appender.close()
        security = kafka_security(self._settings)
        delete_topics(self._settings.kafka_bootstrap, prefix=self._prefix, topics=(ROOM_REJECTIONS,), security=security)


class StdinFeed:
    """Lines on the subscriber's standard input; what comes while it is away is given to it when it is there again."""

    places: dict[str, str] = {}  # noqa: RUF012  # a constant: there is nothing to fill in

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: deque[bytes] = deque()
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, value: bytes) -> None:
        """Write a line, at once or later."""
        self._waiting.append(value + b"\n")
        self._flush()

    def attach(self, process: subprocess.Popen[bytes] | None) -> None:
        """Write what has been waiting."""
        self._process = process
        self._flush()

    def __enter__(self) -> Self:
        """Nothing has to be made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing has to be taken away."""

    def _flush(self) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            while self._waiting:
                self._process.stdin.write(self._waiting[0])
                self._process.stdin.flush()
                self._waiting.popleft()
        except BrokenPipeError:
            self._process = None  # it has ended: the check says so
