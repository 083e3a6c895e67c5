"""Who is connected: bounds on connections, in all and of one address, and one budget for bodies. Thread-safe where it says so."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Protocol

from shared.errors import ConfigurationError
from shared.runtime.http_limits import (
    CONNECTIONS,
    CONNECTIONS_PER_ADDRESS,
    FREE_BODY_BYTES,
    UNFINISHED_BODIES_BYTES,
)
from shared.runtime.settings import Settings

Network = IPv4Network | IPv6Network
Peer = IPv4Address | IPv6Address

THIS_MACHINE: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("::1"))
NO_PROXY = "none"
"""The word for a deployment that people reach without a reverse proxy."""
_IPV6_SITE_BITS = 64
"""One subscriber has at least these many bits of addresses to itself: it is counted as one."""


def networks_of(listed: str) -> tuple[Network, ...]:
    """
    Read a list of addresses and networks: `10.0.0.7,192.168.0.0/16`; `none` and the empty list are empty.

    Raises:
        ConfigurationError: an entry is neither.
    """
    if listed.strip() == NO_PROXY:
        return ()
    try:
        return tuple(ipaddress.ip_network(entry.strip()) for entry in listed.split(",") if entry.strip())
    except ValueError as error:
        message = (
            f"ROOMSYNC_TRUSTED_PROXIES={listed!r}: {error}; list addresses or networks, like 10.0.0.7,192.168.0.0/16"
        )
        raise ConfigurationError(message) from error


@dataclass(frozen=True, slots=True)
class Admission:
    """
    How many connections are held.

    A connection too many costs the oldest unfinished one its place, not the newest: whoever holds connections open loses
    them, whoever sends a request gets through.
    """

    per_address: int = CONNECTIONS_PER_ADDRESS
    trusted: tuple[Network, ...] = ()
    """Reverse proxies, which bring everybody's requests from one address: bounded in all, never by address. So is this machine."""
    total: int = CONNECTIONS

    def group_of(self, address: str) -> str | None:
        """Whom a peer is counted with: itself, its IPv6 site, or None for those that are not counted by address."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, IPv6Address):
            ip = ip.ipv4_mapped or ip
        if any(ip in network for network in (*THIS_MACHINE, *self.trusted)):
            return None
        return site_of(ip)


def site_of(address: Peer) -> str:
    """Whom an address is counted with: an IPv6 address with all of its site, an IPv4 address alone. Pure."""
    if isinstance(address, IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_SITE_BITS), strict=False))
    return str(address)


def admission_from(settings: Settings) -> Admission:
    """
    Take the bounds on connections from the settings.

    Raises:
        ConfigurationError: the list of trusted proxies cannot be read.
    """
    return Admission(settings.connections_per_address, networks_of(settings.trusted_proxies))


def door_admission_from(settings: Settings) -> Admission:
    """
    Take the bounds on connections of a service that strangers reach: it must know its reverse proxies.

    Without them everybody behind one would be counted as one client, and lock each other out.

    Raises:
        ConfigurationError: the trusted proxies are not set although this is no machine of one's own, or cannot be read.
    """
    if not settings.loopback and not settings.trusted_proxies.strip():
        message = (
            "ROOMSYNC_TRUSTED_PROXIES is missing: list the addresses or networks of the reverse proxies in front, "
            f"or set it to `{NO_PROXY}` if people and providers reach this service without one"
        )
        raise ConfigurationError(message)
    return admission_from(settings)


class ManagedConnection(Protocol):
    """What `Connections` must know of one."""

    @property
    def unfinished(self) -> bool:
        """Whether a request is being awaited or is still arriving."""

    @property
    def idle(self) -> bool:
        """Whether it waits between two requests."""

    def drop(self) -> None:
        """Close it now."""


class Connections:
    """Every open connection, oldest first, in all and by address. Used by the server's loop alone."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._all: dict[ManagedConnection, str | None] = {}
        self._groups: dict[str, dict[ManagedConnection, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: ManagedConnection, address: str) -> int:
        """Count a new connection in, and drop those that have to make room for it; returns how many."""
        group = self._admission.group_of(address)
        self._all[connection] = group
        dropped = 0
        if group is not None:
            members = self._groups.setdefault(group, {})
            members[connection] = None
            if len(members) > self._admission.per_address:
                dropped += _drop_one(list(members))
        if len(self._all) > self._admission.total:
            dropped += _drop_one(list(self._all))
        return dropped

    def remove(self, connection: ManagedConnection) -> None:
        """Count a closed connection out; one that is not counted is none's business."""
        group = self._all.pop(connection, None)
        if group is None:
            return
        members = self._groups[group]
        members.pop(connection, None)
        if not members:
            del self._groups[group]


def _drop_one(oldest_first: list[ManagedConnection]) -> int:
    newest = oldest_first[-1]
    victim = _chosen(oldest_first[:-1]) or newest
    victim.drop()
    return 1


def _chosen(candidates: Iterable[ManagedConnection]) -> ManagedConnection | None:
    idle = None
    for connection in candidates:
        if connection.unfinished:
            return connection
        if idle is None and connection.idle:
            idle = connection
    return idle


class BodyBudget:
    """The memory that all bodies share. Thread-safe: taken from by the loop, given back by the thread that has answered."""

    def __init__(self, total_bytes: int = UNFINISHED_BODIES_BYTES - CONNECTIONS * FREE_BODY_BYTES) -> None:
        self._left = total_bytes
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Reserve `count` bytes; False, and nothing reserved, when there are not so many left."""
        with self._lock:
            if count > self._left:
                return False
            self._left -= count
            return True

    def give_back(self, count: int) -> None:
        """Return what was taken."""
        with self._lock:
            self._left += count
