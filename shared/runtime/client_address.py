"""Who sent a request: the peer of the connection, or the client that trusted reverse proxies name in `X-Forwarded-For`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.runtime.http_connections import Network, Peer, site_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_HOPS = 16
"""Entries of `X-Forwarded-For` that are looked at, from the right; nobody has so many proxies of their own."""
_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_BY",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)


def client_of(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> str:
    """
    Find the client's address: the rightmost that is no trusted proxy's, since each proxy appends whom it heard.

    What stands further left is the client's own word, and is not read. Pure.

    Args:
        peer: The address at the other end of the connection.
        forwarded: `X-Forwarded-For`, as it came; "" for none.
        trusted: Reverse proxies whose word counts.

    Returns:
        The address; "" when only trusted proxies are named, so that nobody knows whom they speak for.
    """
    address = address_of(peer)
    if address is None or not _is_in(address, trusted):
        return peer
    for entry in reversed(forwarded.split(",")[-MAX_HOPS:]):
        address = address_of(entry)
        if address is None:
            return ""
        if not _is_in(address, trusted):
            return str(address)
    return ""


def with_client_address(app: WSGIApplication, trusted: tuple[Network, ...]) -> WSGIApplication:
    """Give `app` the client's address as `REMOTE_ADDR` ("" when it is not known), and no word of proxies beside it."""

    def addressed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = client_of(environ.get("REMOTE_ADDR", ""), forwarded, trusted)
        for name in _FORWARDED:
            environ.pop(name, None)
        return app(environ, start_response)

    return addressed


def client_group(address: str) -> str:
    """Whom a client's address is counted with: itself, or its IPv6 site; "" for an address that is none. Pure."""
    found = address_of(address)
    return site_of(found) if found else ""


def address_of(entry: str) -> Peer | None:
    """Read one entry, with or without a port: `203.0.113.7:4711`, `[2001:db8::1]:443`; None for anything else. Pure."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Peer, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
