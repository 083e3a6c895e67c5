"""Real Redis servers on loopback, one a profile: `python -m deploy.local.redis --profile registry --dir D`."""

from __future__ import annotations

import argparse
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from deploy.local.jars import INSTALL
from deploy.local.processes import HOST, Child, ServerError, find_tool, free_ports

READY_S = 20.0


class RedisUse(StrEnum):
    """What the server is for."""

    VIEWS = "views"
    """May be lost: nothing is written to disk."""
    REGISTRY = "registry"
    """Exists nowhere else: on disk before it is acknowledged, never evicted."""


_OPTIONS = {
    # An index of somebody's meetings with up to 512 entries is kept compact; by default with 128. The name is one that
    # Redis 6 knows as well.
    RedisUse.VIEWS: {"save": "", "appendonly": "no", "zset-max-ziplist-entries": "512"},
    RedisUse.REGISTRY: {
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "no-appendfsync-on-rewrite": "no",
    },
}


class RedisServer:
    """One server; it can be killed and started again on the same port and data."""

    def __init__(self, profile: RedisUse, directory: Path, port: int) -> None:
        """Start it and wait until it answers."""
        self._profile = profile
        self._directory = directory
        self._port = port
        self._child = self._started()

    @property
    def url(self) -> str:
        """As ROOMSYNC_VIEW_REDIS_URL and ROOMSYNC_REGISTRY_REDIS_URL take it."""
        return f"redis://{HOST}:{self._port}/0"

    def freeze(self) -> None:
        """SIGSTOP."""
        self._child.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        self._child.thaw()

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def restart(self) -> None:
        """Start it again after `kill`."""
        self._child = self._started()

    def stop(self) -> None:
        """End it in order."""
        self._child.stop()

    def _started(self) -> Child:
        command = [find_tool("redis-server", INSTALL), "--bind", HOST, "--port", str(self._port)]
        command += ["--dir", str(self._directory), "--daemonize", "no"]
        for name, value in _OPTIONS[self._profile].items():
            command += [f"--{name}", value]
        child = Child(command, self._directory / "redis.log", cwd=self._directory)
        child.wait_until(self._answers, READY_S)
        return child

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self._port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def redis_server(profile: RedisUse, directory: Path | None = None) -> Iterator[RedisServer]:
    """
    A server on a free port, in `directory` or a temporary one.

    Raises:
        ServerError: redis-server is missing or does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="roomsync-redis-") as temporary:
        home = directory or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        server = RedisServer(profile, home, free_ports(1)[0])
        try:
            yield server
        finally:
            server.stop()


def main() -> None:
    """Run one server until interrupted; the first line printed is its address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", type=RedisUse, choices=list(RedisUse), default=RedisUse.VIEWS)
    parser.add_argument("--dir", type=Path, default=None, help="data directory, kept; default: a temporary one")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with redis_server(arguments.profile, arguments.dir) as server:
            print(server.url, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return
    except ServerError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
