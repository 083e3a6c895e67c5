"""Slow, oversized, malformed and lying requests: no 5xx, and good traffic never notices."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.integration.services.webhook_receiver.receiver import TIMEOUT_S, Deployment, Receiver

MIB = 1024 * 1024


def send_raw(receiver: Receiver, raw: bytes) -> int:
    """Write bytes to the socket; the status of what comes back."""
    with socket.create_connection(receiver.address, timeout=TIMEOUT_S) as connection:
        connection.sendall(raw)
        return int(connection.recv(65536).split(b" ", 2)[1])


@contextlib.contextmanager
def dripping(receiver: Receiver, count: int) -> Iterator[None]:
    """Connections that have begun a request and never end it."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.create_connection(receiver.address, timeout=TIMEOUT_S))
            headers = b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
            connection.sendall(headers if number % 2 else headers + b"\r\n{")
        yield


def is_well(deployment: Deployment, receiver: Receiver) -> bool:
    return receiver.post("/hooks/graph", deployment.graph_body("s-good")).status == 202


@pytest.mark.proves("D2")
def test_slow_senders_in_hundreds_cost_the_others_nothing(deployment: Deployment, receiver: Receiver) -> None:
    with dripping(receiver, 300):
        assert all(is_well(deployment, receiver) for _ in range(20))


@pytest.mark.parametrize("encoding", ["length", "chunked"])
@pytest.mark.parametrize("path", ["/hooks/graph", "/hooks/google"])
def test_an_oversized_body_is_heard_out_and_refused(
    deployment: Deployment, receiver: Receiver, path: str, encoding: str
) -> None:
    body = b" " * (24 * MIB)
    if encoding == "length":
        status = receiver.post(path, body, deployment.google_headers("c-1")).status
    else:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        status = send_raw(receiver, head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")

    assert status == 413
    assert is_well(deployment, receiver)


def test_a_body_of_exactly_the_limit_is_read(deployment: Deployment, receiver: Receiver) -> None:
    body = deployment.graph_body("s-1")

    assert receiver.post("/hooks/graph", body + b" " * (MIB - len(body))).status == 202
    assert receiver.post("/hooks/graph", body + b" " * (MIB - len(body) + 1)).status == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /hooks/graph\r\n\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{}{}{}{}\r\n\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\n bad: header\r\n\r\n",
        b"POST /hooks/google HTTP/1.1\r\nHost: x\r\nX-Goog-Channel-ID: \xff\xfe\r\nX-Goog-Resource-State: \x00\r\n\r\n",
        b"POST /hooks/graph?validationToken=%FF%FE HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /%2e%2e/hooks HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 300_000 + b"\r\n\r\n",
    ],
)
def test_garbage_is_never_answered_with_a_fault_of_ours(deployment: Deployment, receiver: Receiver, raw: bytes) -> None:
    assert send_raw(receiver, raw) < 500
    assert is_well(deployment, receiver)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"value":' + b"[" * 200_000, b'{"value":[' + b'{"a":' * 100_000, b"\x00" * 1000]
)
def test_bodies_that_are_no_batch_are_refused(deployment: Deployment, receiver: Receiver, body: bytes) -> None:
    assert receiver.post("/hooks/graph", body).status == 400
    assert is_well(deployment, receiver)
