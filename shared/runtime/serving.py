"""An application behind waitress on one port: `ready` once it listens, and an orderly end when told to stop."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from shared.errors import ConfigurationError
from shared.runtime.http_channel import DeadlineChannel
from shared.runtime.logging import get_logger
from shared.runtime.ready import announce

WsgiApp = Callable[..., Any]

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024
_POLL_S = 0.2
_SWEEP_EVERY_S = 1.0
_GRACE_S = 5.0
_IDLE_S = 60
_CONNECTIONS = 1000

_log = get_logger()


def serve(
    app: WsgiApp,
    name: str,
    port: int,
    *,
    threads: int = 8,
    stop: threading.Event | None = None,
    host: str = LOOPBACK,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> None:
    """
    Serve until SIGTERM, SIGINT or `stop`; then take no more connections and finish the requests that are here.

    Args:
        app: The WSGI application.
        name: What `ready NAME URL PID` says on stdout once the port listens.
        port: 0 takes a free one.
        threads: How many requests are answered at once.
        stop: Set by somebody else to end it; also set by the signals, so that streams of `app` can end themselves.
        host: The address to listen on.
        max_body_bytes: A longer body is answered 413.

    Raises:
        ConfigurationError: the port is taken.
    """
    stop = stop or threading.Event()
    server = _listen(app, host, port, threads, max_body_bytes)
    with _stopping_on_signals(stop):
        announce(name, _url_of(server))
        _run(server, stop)


class BackgroundServer:
    """A server in a thread of its own: a worker's health port."""

    def __init__(self, server: Any) -> None:
        self.url = _url_of(server)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=_run, args=(server, self._stop), name="health-port", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; requests that are here are finished."""
        self._stop.set()
        self._thread.join(timeout=_GRACE_S + 2)


def serve_in_background(
    app: WsgiApp, name: str, port: int = 0, *, threads: int = 2, host: str = LOOPBACK, ready: bool = True
) -> BackgroundServer:
    """
    Serve `app` beside the caller's own work.

    Args:
        app: The WSGI application.
        name: What the `ready` line says.
        port: 0 takes a free one.
        threads: How many requests are answered at once.
        host: The address to listen on.
        ready: Print the `ready` line; otherwise the caller does, with `announce(name, server.url)`.
    """
    background = BackgroundServer(_listen(app, host, port, threads, MAX_BODY_BYTES))
    if ready:
        announce(name, background.url)
    return background


def _listen(app: WsgiApp, host: str, port: int, threads: int, max_body_bytes: int) -> Any:
    server = create_server(
        app,
        sockets=[_bound(host, port)],
        threads=threads,
        ident=None,
        connection_limit=_CONNECTIONS,
        channel_timeout=_IDLE_S,
        asyncore_use_poll=True,  # select() ends at 1024 descriptors
        max_request_body_size=max_body_bytes + 1,  # waitress refuses from this many bytes on
        inbuf_overflow=max_body_bytes + 2,  # a body never touches a temporary file
    )
    server.channel_class = DeadlineChannel
    return server


def _bound(host: str, port: int) -> socket.socket:
    """Bound here, not by waitress, which leaves threads and a pipe behind when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        message = (
            f"port {port} of {host} cannot be listened on ({error.strerror}): set another one, or 0 for a free one"
        )
        raise ConfigurationError(message) from error
    return listener


def _url_of(server: Any) -> str:
    return f"http://{server.effective_host}:{server.effective_port}"


def _run(server: Any, stop: threading.Event) -> None:
    sweep_at = time.monotonic() + _SWEEP_EVERY_S
    while not stop.is_set():
        _turn(server)
        if time.monotonic() >= sweep_at:
            sweep_at = time.monotonic() + _SWEEP_EVERY_S
            _end_late_requests(server)
    _finish(server)


def _turn(server: Any) -> None:
    wasyncore.loop(timeout=_POLL_S, use_poll=True, map=server._map, count=1)  # noqa: SLF001  # waitress' own run() cannot be ended


def _end_late_requests(server: Any) -> None:
    now = time.monotonic()
    late = [channel for channel in server.active_channels.values() if channel.is_late(now)]
    for channel in late:
        channel.will_close = True
    if late:
        _log.warning("slow_requests_ended", count=len(late))


def _finish(server: Any) -> None:
    wasyncore.dispatcher.close(server)  # the listening socket only: the trigger still wakes the loop for answers
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline and any(
        channel.requests or channel.total_outbufs_len for channel in list(server.active_channels.values())
    ):
        _turn(server)
    server.task_dispatcher.shutdown(timeout=1)
    wasyncore.close_all(server._map)  # noqa: SLF001  # idle keep-alive connections


@contextmanager
def _stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
