"""The server in front of every service: stopping in order, deadlines, free ports."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterable

import pytest
from flask import Flask, Response

from shared.errors import ConfigurationError
from shared.runtime import http_channel
from shared.runtime.health import health_app
from shared.runtime.serving import serve, serve_in_background
from tests.integration.services.webhook_receiver.receiver import TIMEOUT_S, Deployment, eventually, running

SLOW_SERVICE = """
import sys, time
from flask import Flask, Response
from shared.runtime.serving import serve
app = Flask("slow")
@app.get("/slow")
def slow():
    print("began", flush=True)
    time.sleep(1)
    return "finished"
serve(app, "slow", 0)
print("stopped", flush=True)
"""


def test_told_to_stop_it_finishes_what_it_began() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_SERVICE], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[2]
        answers: list[bytes] = []
        asking = threading.Thread(target=lambda: answers.append(_read(f"{url}/slow")))
        asking.start()
        assert process.stdout.readline() == "began\n"
        process.terminate()
        asking.join(TIMEOUT_S)

        assert answers == [b"finished"]
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(TIMEOUT_S) == 0


def test_sigterm_ends_an_idle_receiver_with_code_0(deployment: Deployment) -> None:
    with running(deployment) as receiver, socket.create_connection(receiver.address):
        receiver.process.terminate()

        assert receiver.process.wait(TIMEOUT_S) == 0


def test_a_request_that_drips_is_ended_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_channel, "HEADERS_DEADLINE_S", 0.2)
    server = serve_in_background(health_app("dripped", {}), "dripped", ready=False)
    try:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as dripping:
            dripping.sendall(b"GET /livez HTTP/1.1\r\nX-Slow: ")

            def ended() -> bool:
                try:
                    dripping.sendall(b"a")  # each byte would count as activity
                    dripping.settimeout(0.01)
                    return dripping.recv(1) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            eventually(ended)
        assert b"ok" in _read(f"{server.url}/livez")
    finally:
        server.close()


def test_streams_that_nobody_reads_give_their_threads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_channel, "STALLED_ANSWER_S", 0.2)
    app = health_app("streams", {})
    closed: list[str] = []

    @app.get("/stream")
    def stream() -> Response:
        response = Response(itertools.repeat(b"x" * 65536))
        response.call_on_close(lambda: closed.append("closed"))
        return response

    server = serve_in_background(app, "streams", threads=2, ready=False)
    try:
        host, port = server.url.removeprefix("http://").split(":")
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                deaf = stack.enter_context(socket.create_connection((host, int(port)), timeout=TIMEOUT_S))
                deaf.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            eventually(lambda: len(closed) == 2)
            assert b"ok" in _read(f"{server.url}/livez")
    finally:
        server.close()


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(ConfigurationError, match="in use"):
            serve(Flask("late"), "late", holder.getsockname()[1])

    assert "ready" not in capsys.readouterr().out


def test_a_background_server_says_ready_with_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(serve_in_background(health_app("worker", {}), "worker")) as server:
        assert capsys.readouterr().out == f"ready worker {server.url} {os.getpid()}\n"
        assert b"worker" in _read(f"{server.url}/version")


def test_set_from_outside_stop_ends_it() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(_streaming(stop), "stream", 0), kwargs={"stop": stop})
    thread.start()
    stop.set()
    thread.join(TIMEOUT_S)

    assert not thread.is_alive()


def _streaming(stop: threading.Event) -> Flask:
    app = Flask("stream")

    @app.get("/stream")
    def stream() -> Iterable[str]:
        while not stop.wait(0.01):
            yield "tick\n"

    return app


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        body: bytes = answer.read()
        return body
