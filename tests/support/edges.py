"""Where the server in front of a service ends a connection or refuses a request: each limit at its last byte and second."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.runtime.http_limits import (
    BODY_DEADLINE_S,
    CHUNK_LINE_BYTES,
    HEADERS_BYTES,
    HEADERS_DEADLINE_S,
    REQUEST_LINE_BYTES,
    TRAILERS_BYTES,
)
from tests.support.patience import PATIENCE_S

Address = tuple[str, int]
SLACK_S = 2.0
"""How much later than its deadline a connection may end on a machine that is never late itself."""
SLACK_FACTOR = 4.0
"""How many times as late as a bare sleep it may be beside that: the server's loop and the test's thread each wake late."""


@dataclass
class Lateness:
    """How late this machine wakes a thread that does nothing but sleep, at worst."""

    seconds: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            time.sleep(0.05)
            self.seconds = max(self.seconds, time.monotonic() - began - 0.05)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self.watch)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def unfinished(path: bytes) -> dict[str, tuple[bytes, float]]:
    """What a connection sends → the seconds that it is given from then on; none is answered."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n"
    return {
        "nothing": (b"", HEADERS_DEADLINE_S),
        "half its headers": (head + b"X-Half: ", HEADERS_DEADLINE_S),
        "a body one byte short": (head + b"Content-Length: 5\r\n\r\nabcd", BODY_DEADLINE_S),
        "a chunk without end": (head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcd", BODY_DEADLINE_S),
    }


def ended_after_s(address: Address, begun: bytes) -> float:
    """From before the connection until it is closed, without a word."""
    began = time.monotonic()
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(begun)
        assert connection.recv(1) == b""
    return time.monotonic() - began


def assert_deadlines(address: Address, path: bytes) -> None:
    """Each unfinished request is closed at its deadline: not a moment before it, and as soon after it as this machine wakes."""
    measured: dict[str, float] = {}
    requests, late = unfinished(path), Lateness()
    threads = [
        threading.Thread(target=lambda name=name: measured.update({name: ended_after_s(address, requests[name][0])}))
        for name in requests
    ]
    with late.watched():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print({name: round(seconds, 3) for name, seconds in measured.items()}, f"late by {late.seconds:.3f} s")
    assert measured.keys() == requests.keys(), "closed with a reset, or with an answer"
    for name, (_, deadline_s) in requests.items():
        assert deadline_s <= measured[name] < deadline_s + SLACK_S + SLACK_FACTOR * late.seconds, name


def head_of(path: bytes, size: int) -> bytes:
    """A request whose head has exactly `size` bytes, the empty line at its end included; no field is longer than needed."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    return head + b"A: " + b"a" * (size - len(head) - len(b"A: \r\n\r\n")) + b"\r\n\r\n"


def line_of(path: bytes, size: int) -> bytes:
    """A request whose first line has exactly `size` bytes without its end."""
    line = b"POST " + path + b"?a= HTTP/1.1"
    return line.replace(b"a=", b"a=" + b"a" * (size - len(line))) + b"\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def chunked(path: bytes, rest: bytes) -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + rest


def chunk_line_of(path: bytes, size: int) -> bytes:
    """A request whose one chunk is begun by a line of exactly `size` bytes, CR LF included."""
    return chunked(path, b"1;" + b"a" * (size - len(b"1;\r\n")) + b"\r\nx\r\n0\r\n\r\n")


def trailers_of(path: bytes, size: int) -> bytes:
    """A request with trailers of exactly `size` bytes, the empty line at their end included."""
    return chunked(path, b"0\r\na: " + b"a" * (size - len(b"a: \r\n\r\n")) + b"\r\n\r\n")


EDGES = {
    "headers": (head_of, HEADERS_BYTES, 431),
    "request line": (line_of, REQUEST_LINE_BYTES, 414),
    "control line": (chunk_line_of, CHUNK_LINE_BYTES, 400),
    "trailers": (trailers_of, TRAILERS_BYTES, 431),
}
"""What is bounded → how to make one of a size, the largest that is taken, and how one byte more is refused."""


def status_of(address: Address, raw: bytes) -> int:
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(raw)
        return int(connection.recv(65536).split(b" ", 2)[1])


def assert_sizes(address: Address, path: bytes) -> None:
    """The largest of each is read, and answered by the application; one byte more is refused before it."""
    usual = status_of(address, head_of(path, 200))
    assert usual not in {refused for _, _, refused in EDGES.values()} - {400}
    for name, (made, most, refused) in EDGES.items():
        assert status_of(address, made(path, most)) == usual, f"{name} of {most} bytes"
        assert status_of(address, made(path, most + 1)) == refused, f"{name} of {most + 1} bytes"
