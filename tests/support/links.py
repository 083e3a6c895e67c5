"""Addresses that lead elsewhere, in every disguise; and a watch over every connection that is opened meanwhile."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

_SCHEMES = (
    "https://",
    "http://",
    "//",
    "HTTP://",
    "http:/",
    "http:\\\\",
    "ftp://",
    "file://",
    "javascript:",
    "\thttp://",
    "",
)
_HOSTS = (
    "evil.test", "evil.test:443", "{own}.evil.test", "{own}@evil.test", "{own}:x@evil.test", "evil.test#@{own}",
    "evil.test?@{own}", "evil.test\\@{own}", "evil.test/{own}", "{own}%2eevil.test", "{own}%40evil.test", "{host}:9",
    "localhost:{port}", "[::1]:{port}", "2130706433:{port}", "0x7f.1:{port}", "127.1:{port}", "{host}.:{port}",
    "{host}:0{port}", "{host}%00.evil.test:{port}", "evil。test", "ⓔvil.test", "169.254.169.254", "0:{port}", "{own}\r\nx: y",
)  # fmt: skip
_PATHS = ("{base}/me", "{base}/../../evil", "/beta/me", "{base}evil", "", "/%2e%2e{base}")


def links(own_url: str) -> list[str]:
    """Hundreds of them; `own_url` is the address that they pretend to be, with its path."""
    parts = urlsplit(own_url)
    known = {"own": parts.netloc, "host": parts.hostname, "port": parts.port, "base": parts.path.rstrip("/")}
    made = (
        "".join((scheme, host.format(**known), path.format(**known)))
        for scheme, host, path in itertools.product(_SCHEMES, _HOSTS, _PATHS)
    )
    return sorted(set(made))


@contextmanager
def connections_watched(own_url: str) -> Iterator[list[Any]]:
    """Every address that is connected to, and every name that is looked up, beside those of `own_url`; nothing is let through."""
    parts, foreign = urlsplit(own_url), list[Any]()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def watched_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[:2] != (parts.hostname, parts.port):
            foreign.append(address)
            raise ConnectionRefusedError(address)
        connect(self, address)

    def watched_look_up(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        if text != parts.hostname or int(port or 0) != parts.port:
            foreign.append((host, port))
            raise socket.gaierror(host)
        return look_up(host, port, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", watched_connect)
        patch.setattr(socket, "getaddrinfo", watched_look_up)
        yield foreign
