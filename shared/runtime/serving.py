"""An application behind waitress on one port: `ready` once it listens, and an orderly end when it is asked to stop."""

from __future__ import annotations

import logging
import resource
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
from shared.runtime import metrics
from shared.runtime.client_address import with_client_address
from shared.runtime.http_channel import GuardedChannel, Phase
from shared.runtime.http_connections import Admission, BodyBudget, Connections
from shared.runtime.http_direct import DirectDispatcher, DirectRoutes, Wake
from shared.runtime.http_limits import HEADERS_BYTES, IDLE_S, MIB
from shared.runtime.http_loop import SocketLoop
from shared.runtime.http_rounds import RoundRobin, Spaced
from shared.runtime.log_limit import LimitedLog, LimitedRecords
from shared.runtime.logging import get_logger
from shared.runtime.ready import announce

WsgiApp = Callable[..., Any]

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024
_POLL_S = 0.2
_GRACE_S = 5.0
_END_APART_S = 0.003
"""Between two late connections that are ended: good requests get their turn, and a thousand are ended within three seconds."""
_FILES = 4096
_DEFAULT = Admission()
_NONE: DirectRoutes = {}

_log = LimitedLog(get_logger())
logging.getLogger("waitress").addFilter(LimitedRecords())


def serve(
    app: WsgiApp,
    name: str,
    port: int,
    *,
    threads: int = 8,
    stop: threading.Event | None = None,
    host: str = LOOPBACK,
    max_body_bytes: int = MAX_BODY_BYTES,
    admission: Admission = _DEFAULT,
    direct: DirectRoutes = _NONE,
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
        admission: How many connections are held, and which peers are proxies.
        direct: Paths whose POSTs do not reach `app`.

    Raises:
        ConfigurationError: the port is taken.
    """
    stop = stop or threading.Event()
    server = _Server(app, _bound(host, port), threads, max_body_bytes, admission, direct)
    with _stopping_on_signals(stop):
        announce(name, server.url)
        server.run(stop)


class BackgroundServer:
    """A server in a thread of its own: a worker's health port."""

    def __init__(self, server: _Server) -> None:
        self.url = server.url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=server.run, args=(self._stop,), name="health-port", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving; requests that are here are finished."""
        self._stop.set()
        self._thread.join(timeout=_GRACE_S + 2)


def serve_in_background(
    app: WsgiApp,
    name: str,
    port: int = 0,
    *,
    threads: int = 2,
    host: str = LOOPBACK,
    ready: bool = True,
    admission: Admission = _DEFAULT,
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
        admission: How many connections are held, and which peers are proxies.

    Raises:
        ConfigurationError: the port is taken.
    """
    background = BackgroundServer(_Server(app, _bound(host, port), threads, MAX_BODY_BYTES, admission, _NONE))
    if ready:
        announce(name, background.url)
    return background


class _Server:
    """Waitress with our loop, our connections and our parser (ADR 14); its own `run` can be ended by an exception only."""

    def __init__(
        self,
        app: WsgiApp,
        listener: socket.socket,
        threads: int,
        max_body_bytes: int,
        admission: Admission,
        direct: DirectRoutes,
    ) -> None:
        """Listen; nothing is answered before `run`."""
        _allow_files()
        self._sockets = SocketLoop(self._answer)
        self._connections = Connections(admission)
        self._budget = BodyBudget()
        self._rounds = RoundRobin(self._channels)
        self._late: Spaced[GuardedChannel] = Spaced(_END_APART_S)
        self._wake = Wake()
        self._direct = DirectDispatcher(direct, threads, self._wake)
        self._server = create_server(
            with_client_address(app, admission.trusted),
            _dispatcher=self._direct,
            map=self._sockets,
            sockets=[listener],
            threads=threads,
            ident=None,
            clear_untrusted_proxy_headers=False,  # `with_client_address` reads and clears them: waitress knows no networks
            connection_limit=2 * admission.total,  # `Connections` makes room before waitress would stop accepting
            channel_timeout=int(2 * IDLE_S),  # `GuardedChannel.is_late` comes first
            max_request_header_size=HEADERS_BYTES + 1,  # waitress refuses what has as many
            max_request_body_size=max_body_bytes + 1,  # waitress refuses from this many bytes on
            outbuf_high_watermark=MIB,  # of an answer that is not read, per connection; then its thread waits
            inbuf_overflow=max_body_bytes + 2,  # a body never touches a temporary file
        )
        self._wake.pull, self._server.pull_trigger = self._server.pull_trigger, self._wake
        self._server.channel_class = self._accept
        self.url = f"http://{self._server.effective_host}:{self._server.effective_port}"

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`; then accept nothing more, and finish what is here within some seconds."""
        while not stop.is_set():
            self._turn()
            self._end_late_connections()
        self._finish()

    def _turn(self) -> None:
        """Wait for sockets and answers, and see to both."""
        self._wake.looked()
        self._answer()
        now = time.monotonic()
        self._sockets.turn(min(_POLL_S, self._rounds.wait_s(now), self._late.wait_s(now)))

    def _answer(self) -> None:
        """Send the answers that have come."""
        while served := self._direct.answer_all():
            for channel in served:
                self._sockets.ask(channel.descriptor)

    def _accept(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: dict[int, Any]) -> GuardedChannel:
        """Waitress' `channel_class`: called for each accepted socket."""
        channel = GuardedChannel(server, sock, addr, adj, map, connections=self._connections, budget=self._budget)
        if dropped := self._connections.add(channel, addr[0]):
            metrics.HTTP_CONNECTIONS_ENDED.labels("crowded").inc(dropped)
            _log.warning(
                "connections_crowded", next="see roomsync_http_connections_ended_total; ROOMSYNC_TRUSTED_PROXIES"
            )
        return channel

    def _channels(self) -> list[GuardedChannel]:
        return list(self._server.active_channels.values())

    def _end_late_connections(self) -> None:
        """Ask those whose turn it is, and let the loop ask them too, whether or not something has happened to them."""
        now = time.monotonic()
        for channel in self._rounds.due(now):
            self._sockets.ask(channel.descriptor)
            if channel.connected and channel.is_late(now):
                self._late.add(channel)
        late = self._late.due(now)
        if late is not None and late.connected and late.is_late(now):  # it may have gone, or gone on, meanwhile
            late.drop()
            metrics.HTTP_CONNECTIONS_ENDED.labels("late").inc()
            _log.warning("late_connections_ended")

    def _finish(self) -> None:
        wasyncore.dispatcher.close(self._server)  # the listening socket only: the trigger still wakes us for answers
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline and any(channel.phase is Phase.ANSWER for channel in self._channels()):
            self._turn()
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._sockets)  # idle keep-alive connections


def _allow_files() -> None:
    """Raise the soft limit of descriptors: beyond it, accepting fails again and again, and the loop spins."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
