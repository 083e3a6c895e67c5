"""What 200 half-open connections cost good notifications: the ratio of the slowest of a hundred, with and without them."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.bench_receiver import Send, paced, pushes_of, receiver, sender_to
from cli.demo.processes import simulator_environ

HALF_OPEN = 200
ROUNDS = 3
BEGUN = (
    b"",
    b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nX-Half: ",
    b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{",
)
WANTED = 1.2


def main() -> int:
    """Print the ratios. They are made of pairs measured one after the other, since the machine's own noise is larger."""
    with tempfile.TemporaryDirectory() as home:
        environ = {
            **os.environ,
            **simulator_environ("http://127.0.0.1:9"),
            "ROOMSYNC_HOME": home,
            "ROOMSYNC_RECEIVER_PORT": "0",
            "ROOMSYNC_LOG_LEVEL": "error",
        }
        with receiver(environ) as url:
            send = sender_to(url, [push for kind in ("graph", "google") for push in pushes_of(environ, kind)])
            for number in range(20):
                send(number)
            ratios = [_ratio(url, send) for _ in range(ROUNDS)]
    print(
        f"p99 beside {HALF_OPEN} half-open connections: {statistics.median(ratios):.2f} times (wanted: {WANTED} at most)"
    )
    return 0


def _ratio(url: str, send: Send) -> float:
    alone = _p99_ms(send)
    with _half_open(url):
        beside = _p99_ms(send)
    print(f"alone p99 {alone:.1f} ms, beside them p99 {beside:.1f} ms")
    return beside / alone


def _p99_ms(send: Send) -> float:
    answers = paced(send)
    assert {status for status, _ in answers} == {200, 202}
    return statistics.quantiles([seconds * 1000 for _, seconds in answers], n=100)[98]


@contextlib.contextmanager
def _half_open(url: str) -> Iterator[None]:
    """Hold the connections, and open each anew when the receiver has ended it."""
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
    stop = threading.Event()
    opened = [_begun(address, number) for number in range(HALF_OPEN)]

    def replace_ended() -> None:
        while not stop.wait(0.5):
            for number, connection in enumerate(opened):
                if select.select([connection], [], [], 0)[0]:
                    connection.close()
                    opened[number] = _begun(address, number)

    keeper = threading.Thread(target=replace_ended)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()
        for connection in opened:
            connection.close()


def _begun(address: tuple[str, int], number: int) -> socket.socket:
    connection = socket.create_connection(address, 10)
    connection.sendall(BEGUN[number % len(BEGUN)])
    return connection


if __name__ == "__main__":
    sys.exit(main())
