"""
One POST to an endpoint: to the very address that was checked, within one deadline once its name is resolved (the system's resolver
has its own), and nothing it answers is followed or kept.

The name is resolved once. Unless the operator allows the host by name, every address it stands for has to be public; the
connection is made to one of those addresses, so that a name which answers differently a moment later leads nowhere else. TLS
still proves the name. Proxies of the environment are not used: they would resolve the name anew.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.retry_after import retry_after_s
from shared.domain.webhook_address import WebhookAddress, WebhookAddressError, is_public, read_webhook_url

CONNECT_S = 5.0
WHOLE_S = 15.0
MAX_ANSWER_BYTES = 4_096
MOST_ADDRESSES = 3
"""Of a name, that are tried one after the other."""
TIMEOUT = "timeout"
_REDIRECTS = range(300, 400)

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""As `socket.getaddrinfo`."""


@dataclass(frozen=True, slots=True)
class PostResult:
    """How an attempt ended."""

    status: int = 0
    """0: there was no answer."""
    fault: str = ""
    """Why there was none, or none that counts: a word of ours, since the endpoint's own may say anything."""
    took_s: float = 0.0
    retry_in_s: float = 0.0
    """How long the endpoint asks us to wait."""

    @property
    def taken(self) -> bool:
        """Whether the endpoint has it."""
        return http.HTTPStatus.OK <= self.status < http.HTTPStatus.MULTIPLE_CHOICES

    @property
    def gone(self) -> bool:
        """Whether the endpoint wants nothing any more."""
        return self.status == http.HTTPStatus.GONE


class HttpPost:
    """Thread-safe."""

    def __init__(
        self,
        allowed: Collection[str],
        *,
        resolve: Resolve = socket.getaddrinfo,
        connect_s: float = CONNECT_S,
        whole_s: float = WHOLE_S,
    ) -> None:
        """`allowed`: hosts that may be private and spoken to without TLS."""
        self._allowed = allowed
        self._resolve = resolve
        self._connect_s = connect_s
        self._whole_s = whole_s

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        """The machine's authorities, which take longer to read than most of a start: read for the first that is asked by TLS."""
        return ssl.create_default_context()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> PostResult:
        """Send once. Raises nothing that the endpoint, its name or the network can cause."""
        began_s = time.monotonic()
        try:
            status, retry_in_s = self._exchange(url, headers, body, began_s + self._whole_s)
            fault = "redirect" if status in _REDIRECTS else ""
        except WebhookAddressError:
            status, fault, retry_in_s = 0, "address-refused", 0.0
        except TimeoutError:
            status, fault, retry_in_s = 0, TIMEOUT, 0.0
        except socket.gaierror:
            status, fault, retry_in_s = 0, "no-such-host", 0.0
        except ssl.SSLError:
            status, fault, retry_in_s = 0, "tls", 0.0
        except (OSError, http.client.HTTPException, UnicodeError, ValueError):
            status, fault, retry_in_s = 0, "no-answer", 0.0
        return PostResult(status, fault, time.monotonic() - began_s, retry_in_s)

    def _exchange(self, url: str, headers: Mapping[str, str], body: bytes, deadline_s: float) -> tuple[int, float]:
        address = read_webhook_url(url, self._allowed)
        with contextlib.closing(self._connect(address, deadline_s)) as plain:
            plain.settimeout(_left(deadline_s))
            secured = self._tls.wrap_socket(plain, server_hostname=address.host) if address.tls else plain
            with contextlib.closing(secured) as sock:
                sock.settimeout(_left(deadline_s))
                sock.sendall(_request(address, headers, body))
                return _read_answer(sock, deadline_s)

    def _connect(self, address: WebhookAddress, deadline_s: float) -> socket.socket:
        found = self._resolve(address.host, address.port, type=socket.SOCK_STREAM)
        if not address.allowed and not all(is_public(str(sockaddr[0])) for *_, sockaddr in found):
            message = "Its name stands for an address that is not public."
            raise WebhookAddressError(message)
        failed: OSError = socket.gaierror("no address")
        for family, kind, protocol, _, sockaddr in found[:MOST_ADDRESSES]:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(self._connect_s, _left(deadline_s)))
                sock.connect(sockaddr)
            except OSError as error:
                sock.close()
                failed = error
            else:
                return sock
        raise failed


class _DeadlineReader(io.RawIOBase):
    """Reads a socket, whatever it drips, until the deadline."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._sock = sock
        self._deadline_s = deadline_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline_s))
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """As a socket has it, for `http.client`."""
        return io.BufferedReader(self)


def _left(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _request(address: WebhookAddress, headers: Mapping[str, str], body: bytes) -> bytes:
    own = {"host": address.authority, "user-agent": "roomsync", "connection": "close", "content-length": str(len(body))}
    lines = [f"POST {address.target} HTTP/1.1", *(f"{name}: {value}" for name, value in {**own, **headers}.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _read_answer(sock: socket.socket, deadline_s: float) -> tuple[int, float]:
    """Status, and the seconds of `Retry-After`. The body is read a little, so that a polite server sees no reset, and dropped."""
    answer = http.client.HTTPResponse(_DeadlineReader(sock, deadline_s), method="POST")  # type: ignore[arg-type]  # has makefile
    answer.begin()
    with contextlib.suppress(OSError, http.client.HTTPException):
        answer.read(MAX_ANSWER_BYTES)
    return answer.status, retry_after_s(dict(answer.headers)) or 0.0
