"""What 100 connections that wait for a provider's sign-in cost others: the ratio of p99 with and without them."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

from benchmarks.bench_receiver import Send, paced
from benchmarks.load_beside import load_beside
from benchmarks.running_portal import running_portal

CONNECTIONS = 100
CLIENTS = 20
"""Addresses that they come from."""
AGAIN_S = 5.0
"""What a refused request is told to wait."""
ROUNDS = 3
WANTED = 1.5


def main() -> int:
    """Print the ratios. They are made of pairs measured one after the other, since the machine's own noise is larger."""
    with tempfile.TemporaryDirectory() as home, _silent() as provider:
        environ = {
            **os.environ,
            "ROOMSYNC_HOME": home,
            "ROOMSYNC_PORTAL_PORT": "0",
            "ROOMSYNC_LOG_LEVEL": "error",
            "ROOMSYNC_TRUSTED_PROXIES": "none",
            "ROOMSYNC_MICROSOFT_CLIENT_ID": "bench",
            "ROOMSYNC_MICROSOFT_CLIENT_SECRET": "bench",
            "ROOMSYNC_MICROSOFT_LOGIN_URL": provider,
        }
        with running_portal(environ) as portal:
            ratios = [_ratio(portal.url, round_) for round_ in range(ROUNDS)]
    print(f"p99 beside {CONNECTIONS} connections: {statistics.median(ratios):.2f} times (wanted: {WANTED} at most)")
    return 0


def _ratio(url: str, round_: int) -> float:
    send = _sender(url)
    alone = _p99_ms(send)
    with load_beside(_keep_waiting, url, round_) as load:
        beside = _p99_ms(send)
    answers = load.recv()
    refused = sum(status == http.client.SERVICE_UNAVAILABLE for status in answers)
    print(
        f"alone p99 {alone:.1f} ms, beside them p99 {beside:.1f} ms; {refused} of {len(answers)} answers to them were 503"
    )
    return beside / alone


def _p99_ms(send: Send) -> float:
    answers = paced(send)
    assert {status for status, _ in answers} == {http.client.UNAUTHORIZED}
    return statistics.quantiles([seconds * 1000 for _, seconds in answers], n=100)[98]


def _sender(url: str) -> Send:
    """A request that reads the registry, and waits for no provider: whoever has no live session is told so."""

    def send(_number: int) -> tuple[int, float]:
        began = time.perf_counter()
        status, _, _ = _get(url, "/v1/me", "127.0.0.1", "roomsync_session=t-none.x")
        return status, time.perf_counter() - began

    return send


def _keep_waiting(orders: Connection, url: str, round_: int) -> None:
    """Hold the connections: each comes back from its provider, and comes again when it is refused or has waited in vain.

    The last message is the list of their answers' status codes.
    """
    stop = threading.Event()
    answers: list[int] = []

    def come_back(number: int) -> None:
        client = f"127.0.{round_ + 1}.{number % CLIENTS + 1}"
        stop.wait(number * AGAIN_S / CONNECTIONS)  # one after the other: a burst would be measured as well
        while not stop.is_set():
            begun = _begun(url, client)
            if begun is not None:
                answers.append(_get(url, begun[0], client, begun[1])[0])
            stop.wait(AGAIN_S)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        people = [pool.submit(come_back, number) for number in range(CONNECTIONS)]
        time.sleep(2 * AGAIN_S)
        orders.send("waiting")
        orders.recv()
        stop.set()
        for person in people:
            person.result()
    orders.send(answers)


def _begun(url: str, client: str) -> tuple[str, str] | None:
    """A sign-in under way: the path to come back to, and the browser's cookie; None when the registry was too busy to begin it."""
    status, headers, _ = _get(url, "/auth/login?provider=microsoft", client)
    if status != http.client.FOUND:
        return None
    state = parse_qs(urlsplit(headers["Location"]).query)["state"][0]
    return f"/auth/callback?state={state}&code=c", headers["Set-Cookie"].partition(";")[0]


def _get(url: str, path: str, client: str, cookie: str = "") -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    opened = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60, source_address=(client, 0))
    with contextlib.closing(opened) as connection:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


@contextlib.contextmanager
def _silent() -> Iterator[str]:
    """A provider that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS * 10) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


if __name__ == "__main__":
    sys.exit(main())
