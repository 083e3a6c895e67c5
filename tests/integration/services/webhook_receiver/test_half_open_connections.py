"""Connections that send nothing, half of something, or something without end: the others never notice, and they end."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

import pytest

from shared.runtime.http_limits import CONNECTIONS
from tests.integration.services.webhook_receiver.hostile import (
    MIB,
    answered_s,
    connections,
    ended,
    everything,
    first_line,
    peak_mib,
    pour,
)
from tests.integration.services.webhook_receiver.receiver import TIMEOUT_S, Deployment, Receiver, eventually, running
from tests.support.abuse import sized
from tests.support.edges import assert_deadlines, assert_sizes

HEAD = b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ELSEWHERE, PROXY = "127.0.0.2", "127.0.0.3"
"""Loopback addresses that, other than 127.0.0.1, are strangers unless they are named as proxies."""
PER_ADDRESS = 30
MOST_UNFINISHED_MIB = 64
SHIPPED_LIMIT_MIB = 256


@pytest.mark.proves("D2")
def test_more_connections_than_are_held_keep_nobody_out_and_end(
    deployment: Deployment, receiver: Receiver, record_property: Callable[[str, object], None]
) -> None:
    count = sized(CONNECTIONS + 100, 5 * CONNECTIONS)
    with connections(receiver, count, b"", HEAD, HEAD + b"Content-Length: 50\r\n\r\n{") as opened:
        slowest = max(answered_s(deployment, receiver) for _ in range(20))
        crowded_out = len(ended(opened))
        eventually(lambda: len(ended(opened)) == len(opened), within_s=30)

    record_property("slowest_good_answer_ms", round(slowest * 1000))
    print(f"{count} half-open, {crowded_out} crowded out, slowest good answer {slowest * 1000:.0f} ms")
    assert crowded_out >= count - CONNECTIONS
    metrics = receiver.get("/metrics").body
    assert b'roomsync_http_connections_ended_total{reason="late"}' in metrics
    assert b'roomsync_http_connections_ended_total{reason="crowded"}' in metrics


def test_a_byte_now_and_then_buys_no_time(receiver: Receiver) -> None:
    headers, body, lines = HEAD + b"X-Slow: ", HEAD + b"Content-Length: 5000\r\n\r\n", b""
    with connections(receiver, 3, headers, body, lines) as opened:

        def drip_in_vain() -> bool:
            for connection, drop in zip(opened, (b"a", b"a", b"\r\n"), strict=True):
                with contextlib.suppress(OSError):
                    connection.sendall(drop)
            return len(ended(opened)) == len(opened)

        eventually(drip_in_vain, within_s=30)


def test_a_second_request_that_stops_half_way_is_ended_too(deployment: Deployment, receiver: Receiver) -> None:
    body = deployment.graph_body("s-1")
    with socket.create_connection(receiver.address, TIMEOUT_S) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert first_line(connection) == b"HTTP/1.1 202 ACCEPTED"
        connection.sendall(HEAD)
        assert everything(connection) == b""


def test_one_address_has_its_share_and_a_proxy_everybodys(deployment: Deployment) -> None:
    deployment.extra["ROOMSYNC_CONNECTIONS_PER_ADDRESS"] = str(PER_ADDRESS)
    deployment.extra["ROOMSYNC_TRUSTED_PROXIES"] = f"10.0.0.0/8, {PROXY}"
    with (
        running(deployment) as receiver,
        connections(receiver, PER_ADDRESS, source=PROXY) as by_proxy,
        connections(receiver, PER_ADDRESS, source="127.0.0.1") as by_machine,
        connections(receiver, PER_ADDRESS + 5, source=ELSEWHERE) as by_stranger,
        connections(receiver, 5, source=PROXY) as more_by_proxy,
    ):
        body = deployment.graph_body("s-1")
        with connections(receiver, 1, HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, source=ELSEWHERE) as [
            newest
        ]:
            assert first_line(newest) == b"HTTP/1.1 202 ACCEPTED", "its newest connection is served"
        assert ended(by_stranger) == by_stranger[: len(ended(by_stranger))], "its oldest ones made room"
        assert len(ended(by_stranger)) == 6
        assert ended([*by_proxy, *by_machine, *more_by_proxy]) == []


@pytest.mark.proves("D2")
@pytest.mark.parametrize("encoding", ["length", "chunked"])
def test_unfinished_bodies_share_one_budget(
    deployment: Deployment, receiver: Receiver, encoding: str, record_property: Callable[[str, object], None]
) -> None:
    size, count = MIB - 4096, sized(200, 900)
    head = HEAD + b"Content-Length: %d\r\n\r\n" % size if encoding == "length" else CHUNKED + b"%x\r\n" % size
    answered_s(deployment, receiver)
    before = peak_mib(receiver)
    with connections(receiver, count, head) as opened:
        for connection in opened:
            with contextlib.suppress(OSError):
                connection.sendall(b" " * (size - 1))
        slowest = max(answered_s(deployment, receiver) for _ in range(20))
        eventually(lambda: len(ended(opened)) == len(opened), within_s=30)
        refused = [answer for answer in map(everything, opened) if answer.startswith(b"HTTP/1.1 503")]

    grown = peak_mib(receiver) - before
    print(f"{count} bodies, {len(refused)} refused, +{grown:.0f} MiB, slowest good answer {slowest * 1000:.0f} ms")
    record_property("memory_grown_mib", round(grown))
    assert grown <= MOST_UNFINISHED_MIB * 2, "a buffer that grows is larger than what it holds, and is copied"
    assert peak_mib(receiver) <= SHIPPED_LIMIT_MIB
    assert refused
    assert all(b"\r\nRetry-After: 1\r\n" in answer for answer in refused)
    body = deployment.graph_body("s-1")
    eventually(lambda: receiver.post("/hooks/graph", body + b" " * (MIB - len(body))).status == 202)


@pytest.mark.parametrize(
    ("begun", "unit", "status"),
    [
        (CHUNKED + b"1;", b"a" * 8192, b"400"),
        (CHUNKED, b"0" * 8192, b"400"),
        (CHUNKED + b"0\r\n", b"a: b\r\n" * 1000, b"431"),
        (CHUNKED + b"0\r\n", b"a" * 8192, b"431"),
        (CHUNKED, b"1\r\n \r\n" * 1000, b"400"),
        (HEAD, b"a: b\r\n" * 1000, b"431"),
        (HEAD + b"a: ", b"b" * 8192, b"431"),
        (b"POST /", b"a" * 8192, b"431"),
    ],
    ids=["extension", "chunk size", "trailers", "trailer", "chunks", "headers", "header", "target"],
)
def test_what_never_ends_is_refused_early_and_costs_no_processor(
    deployment: Deployment, receiver: Receiver, begun: bytes, unit: bytes, status: bytes
) -> None:
    with socket.create_connection(receiver.address, TIMEOUT_S) as connection:
        connection.sendall(begun)
        sent = pour(connection, unit, 8 * MIB)
        assert first_line(connection).split(b" ")[1] == status
    assert sent < 8 * MIB
    answered_s(deployment, receiver)


def test_a_refused_sender_reads_the_refusal_though_it_sends_on(receiver: Receiver) -> None:
    with socket.create_connection(receiver.address, TIMEOUT_S) as connection:
        connection.sendall(HEAD + b"a: " + b"b" * 300_000 + b"\r\n\r\n" + b"c" * MIB)
        assert everything(connection)[8:13] == b" 431 "


def test_a_refused_sender_is_not_heard_out_for_ever(receiver: Receiver) -> None:
    began = time.monotonic()
    with socket.create_connection(receiver.address, TIMEOUT_S) as connection:
        connection.sendall(b"no request\r\n\r\n")
        eventually(lambda: pour(connection, b"x", 1) or True)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < began + 2 * TIMEOUT_S:
                connection.sendall(b"x" * 65536)
            pytest.fail("it is still being heard")


def test_unfinished_requests_end_at_their_deadlines_and_not_before(receiver: Receiver) -> None:
    assert_deadlines(receiver.address, b"/hooks/google")


def test_each_size_is_taken_to_its_last_byte_and_not_beyond(receiver: Receiver) -> None:
    assert_sizes(receiver.address, b"/hooks/nobody")
