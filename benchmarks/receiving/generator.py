"""
Sends pushes to a receiver from a process of its own, and prints what came back as one line of JSON.

With a rate, push number n is due at n/rate seconds whatever became of those before it, and its time counts from then: a
push that finds all connections busy waits for one here, and that wait is the receiver's, unless `--from-sending` counts from
when it was sent. Without a rate every connection
sends its next push as soon as it is answered. Connections are kept open between pushes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_LENGTH = b"content-length:"
_HEAD_END = b"\r\n\r\n"
_LAST_S = 15.0
"""How long the last answers may take."""


@dataclass(slots=True)
class Outcome:
    """What came back: status → seconds of each answer."""

    answers: dict[int, list[float]] = field(default_factory=dict)
    broken: int = 0
    """Connections that the receiver closed with a push on them."""
    unanswered: int = 0
    began: float = 0.0
    ended: float = 0.0
    """When the last answer came."""


class Sender(asyncio.Protocol):
    """One kept connection with at most one push on it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._due_at = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Offer it for pushes."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._load.offer(self)

    def send(self, request: bytes, due_at: float) -> None:
        """Put a push on it."""
        assert self.transport
        self._due_at = due_at
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read until the answer is whole."""
        self._received += data
        head, end, body = self._received.partition(_HEAD_END)
        if not end:
            return
        lines = head.lower().split(b"\r\n")
        lengths = [int(line[len(_LENGTH) :]) for line in lines[1:] if line.startswith(_LENGTH)]
        if len(body) < sum(lengths):
            return
        self._received, due_at, self._due_at = b"", self._due_at, 0.0
        self._load.answered(int(head[9:12]), time.perf_counter() - due_at)
        if b"connection: close" in lines:
            self._close()
        else:
            self._load.offer(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Open another in its place."""
        self._load.lost(self, broken=self._due_at > 0)

    def _close(self) -> None:
        assert self.transport
        self.transport.close()


class Load:
    """The pushes of one measurement over its connections."""

    def __init__(
        self, address: tuple[str, int], requests: Sequence[bytes], *, paced: bool, from_sending: bool = False
    ) -> None:
        """`paced`: pushes come by `add`; else each connection sends one after the other."""
        self._from_sending = from_sending
        self._address = address
        self._requests = requests
        self._paced = paced
        self._idle: deque[Sender] = deque()
        self._due: deque[float] = deque()
        self._sent = 0
        self._over = False
        self._opening: set[asyncio.Task[object]] = set()
        self.outcome = Outcome()

    def open(self) -> None:
        """Open one more connection, while there is or may be something to send."""
        if self._due or not self._over:
            loop = asyncio.get_running_loop()
            task: asyncio.Task[object] = loop.create_task(
                loop.create_connection(lambda: Sender(self), *self._address)  # type: ignore[arg-type]
            )
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def begin(self) -> None:
        """Count from now on."""
        self.outcome.began = time.perf_counter()
        if not self._paced:
            for sender in list(self._idle):
                self._idle.remove(sender)
                self.offer(sender)

    def end(self) -> None:
        """Send nothing more."""
        self._over = True

    @property
    def ready(self) -> int:
        """How many connections wait for a push."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many pushes are not answered yet."""
        done = sum(map(len, self.outcome.answers.values())) + self.outcome.broken
        return self._sent + len(self._due) - done

    def add(self, due_at: float) -> None:
        """Send one more push, on the first connection that is idle."""
        if self._idle:
            self._send(self._idle.popleft(), due_at)
        else:
            self._due.append(due_at)

    def offer(self, sender: Sender) -> None:
        """Take an idle connection."""
        if self._due:
            self._send(sender, self._due.popleft())
        elif self._paced or not self.outcome.began:
            self._idle.append(sender)
        elif not self._over:
            self._send(sender, time.perf_counter())

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.outcome.answers.setdefault(status, []).append(seconds)
        self.outcome.ended = time.perf_counter()

    def lost(self, sender: Sender, *, broken: bool) -> None:
        """Count a closed connection, and open another."""
        self.outcome.broken += broken
        if sender in self._idle:
            self._idle.remove(sender)
        self.open()

    def _send(self, sender: Sender, due_at: float) -> None:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        sender.send(request, time.perf_counter() if self._from_sending else due_at)


async def run(load: Load, connections: int, rate: float, seconds: float) -> Outcome:
    """Open the connections, send for so many seconds, and wait for the last answers."""
    for _ in range(connections):
        load.open()
    while load.ready < connections:  # noqa: ASYNC110  # a hundred times a second is cheap, and an event for it is not clearer
        await asyncio.sleep(0.01)
    load.begin()
    began = load.outcome.began
    for number in range(int(rate * seconds)):
        due_at = began + number / rate
        if (early_s := due_at - time.perf_counter()) > 0:
            await asyncio.sleep(early_s)
        load.add(due_at)
    await asyncio.sleep(began + seconds - time.perf_counter())
    load.end()
    deadline = time.perf_counter() + _LAST_S
    while load.waiting and time.perf_counter() < deadline:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.01)
    load.outcome.unanswered = load.waiting
    return load.outcome


def main() -> int:
    """Arguments: the receiver's address, a file of pushes as `roomsync trigger --print` writes them, and the load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("pushes", type=Path)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.0, help="pushes a second; 0: as fast as they are answered")
    parser.add_argument("--from-sending", action="store_true", help="leave out what a push waits for a connection")
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    parts = urlsplit(arguments.url)
    requests = [_request(json.loads(line), parts.netloc) for line in arguments.pushes.read_text().splitlines()]
    load = Load(
        (parts.hostname or "", parts.port or 80),
        requests,
        paced=arguments.rate > 0,
        from_sending=arguments.from_sending,
    )
    outcome = asyncio.run(run(load, arguments.connections, arguments.rate, arguments.seconds))
    print(json.dumps(asdict(outcome)))
    return 0


def _request(push: dict[str, str | dict[str, str]], host: str) -> bytes:
    body, headers = str(push["body"]).encode(), push["headers"]
    assert isinstance(headers, dict)
    fields = {"Host": host, **headers, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {push['path']} HTTP/1.1\r\n{head}\r\n".encode() + body


if __name__ == "__main__":
    sys.exit(main())
