"""Requests whose answers come later hold no thread, keep their order on a connection, and cannot end the server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from deploy.local.processes import HOST, free_ports
from shared.runtime.http_direct import DirectAnswer, DirectRequest, Respond
from shared.runtime.serving import serve

MANY = 20
TIMEOUT_S = 10.0


class Later:
    """A handler that answers when it is asked to."""

    def __init__(self) -> None:
        self.asked: list[tuple[DirectRequest, Respond]] = []
        self.changed = threading.Condition()

    def handle(self, request: DirectRequest, respond: Respond) -> None:
        if request.body == b"fault":
            message = "a fault of ours"
            raise RuntimeError(message)
        if request.body == b"fault after the answer":
            respond(DirectAnswer(202, body=request.body))
            raise RuntimeError
        with self.changed:
            self.asked.append((request, respond))
            self.changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= count, TIMEOUT_S)

    def answer_all(self) -> None:
        for request, respond in self.asked:
            respond(DirectAnswer(202, (("X-Query", request.query),), request.body))


@pytest.fixture
def later() -> Iterator[tuple[Later, tuple[str, int]]]:
    """Behind one thread, with an application beside it."""
    app, handler, stop, port = Flask("beside"), Later(), threading.Event(), free_ports(1)[0]
    app.add_url_rule("/app", view_func=lambda: "application")
    arguments = {"threads": 1, "stop": stop, "host": HOST, "direct": {"/hook": handler.handle}}
    server = threading.Thread(target=serve, args=(app, "beside", port), kwargs=arguments)
    server.start()
    yield handler, (HOST, port)
    stop.set()
    server.join(TIMEOUT_S)
    assert not server.is_alive()


def connected(address: tuple[str, int]) -> socket.socket:
    for _ in range(1000):
        try:
            return socket.create_connection(address, TIMEOUT_S)
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
    pytest.fail("it does not listen")


def hook(body: bytes, query: bytes = b"q=1") -> bytes:
    return b"POST /hook?%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (query, len(body)) + body


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


@pytest.mark.proves("D9")
def test_more_wait_than_there_are_threads_and_the_application_answers_meanwhile(
    later: tuple[Later, tuple[str, int]],
) -> None:
    handler, address = later
    connections = [connected(address) for _ in range(MANY)]
    for number, connection in enumerate(connections):
        connection.sendall(hook(b"body %02d" % number))
    handler.wait_for(MANY)
    with connected(address) as other:
        other.sendall(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 OK\r\n" in read_until(other, b"application")
    threading.Thread(target=handler.answer_all).start()

    for number, connection in enumerate(connections):
        answer = read_until(connection, b"body %02d" % number)
        assert answer.startswith(b"HTTP/1.1 202 ACCEPTED\r\n")
        assert b"X-Query: q=1\r\n" in answer
        connection.close()


def test_answers_keep_the_order_of_requests_on_a_connection(later: tuple[Later, tuple[str, int]]) -> None:
    handler, address = later
    with connected(address) as connection:
        connection.sendall(hook(b"first") + b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n" + hook(b"last"))
        handler.wait_for(1)
        handler.asked[0][1](DirectAnswer(202, body=b"first"))  # that one alone: the last may have been read by now
        received = read_until(connection, b"application")
        handler.wait_for(2)
        handler.asked[1][1](DirectAnswer(202, body=b"last"))

        assert received.index(b"first") < received.index(b"application")
        assert read_until(connection, b"last").startswith(b"HTTP/1.1 202 ACCEPTED\r\n")


def test_a_fault_in_one_request_is_that_requests_alone(later: tuple[Later, tuple[str, int]]) -> None:
    handler, address = later
    with connected(address) as connection:
        connection.sendall(hook(b"fault"))
        assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 500 ")
        connection.sendall(hook(b"sound"))
        handler.wait_for(1)
        handler.answer_all()
        assert b" 202 " in read_until(connection, b"sound")


def test_a_fault_after_the_answer_answers_no_other_request(later: tuple[Later, tuple[str, int]]) -> None:
    handler, address = later
    with connected(address) as connection:
        connection.sendall(hook(b"fault after the answer") + hook(b"sound"))
        assert b" 202 " in read_until(connection, b"fault after the answer")
        handler.wait_for(1)
        handler.answer_all()
        assert read_until(connection, b"sound").startswith(b"HTTP/1.1 202 ")
