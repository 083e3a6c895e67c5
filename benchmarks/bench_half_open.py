"""What 200 half-open connections cost good notifications: the ratio of the slowest of a hundred, with and without them."""

from __future__ import annotations

import os
import selectors
import socket
import statistics
import sys
import tempfile
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from benchmarks.bench_receiver import Send, paced, pushes_of, receiver, sender_to
from benchmarks.load_beside import load_beside
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
    with load_beside(_keep_half_open, url):
        beside = _p99_ms(send)
    print(f"alone p99 {alone:.1f} ms, beside them p99 {beside:.1f} ms")
    return beside / alone


def _p99_ms(send: Send) -> float:
    answers = paced(send)
    assert {status for status, _ in answers} == {200, 202}
    return statistics.quantiles([seconds * 1000 for _, seconds in answers], n=100)[98]


def _keep_half_open(orders: Connection, url: str) -> None:
    """Open the connections, and each anew once the receiver has ended it."""
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
    with selectors.DefaultSelector() as opened:
        for number in range(HALF_OPEN):
            opened.register(_begun(address, number), selectors.EVENT_READ, number)
        orders.send("open")
        while not orders.poll():
            for key, _ in opened.select(0.5):
                opened.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                opened.register(_begun(address, key.data), selectors.EVENT_READ, key.data)
        for key in [*opened.get_map().values()]:
            key.fileobj.close()  # type: ignore[union-attr]


def _begun(address: tuple[str, int], number: int) -> socket.socket:
    connection = socket.create_connection(address, 10)
    connection.sendall(BEGUN[number % len(BEGUN)])
    return connection


if __name__ == "__main__":
    sys.exit(main())
