"""Whose connection has to go, who is counted together, and what a budget gives."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.errors import ConfigurationError
from shared.runtime.http_connections import Admission, BodyBudget, Connections, networks_of


@dataclass(eq=False)
class Peer:
    """A connection in one of three states."""

    unfinished: bool = False
    idle: bool = False
    dropped: bool = False

    def drop(self) -> None:
        self.dropped = True


def with_added(admission: Admission, *peers: Peer, address: str = "203.0.113.7") -> Connections:
    connections = Connections(admission)
    for peer in peers:
        connections.add(peer, address)
    return connections


def dropped(*peers: Peer) -> list[int]:
    return [number for number, peer in enumerate(peers) if peer.dropped]


@pytest.mark.parametrize("admission", [Admission(per_address=3), Admission(total=3)], ids=["address", "all"])
def test_the_oldest_unfinished_goes_then_an_idle_one_then_the_newest(admission: Admission) -> None:
    unfinished = [Peer(), Peer(idle=True), Peer(unfinished=True), Peer(unfinished=True)]
    idle = [Peer(), Peer(idle=True), Peer(idle=True), Peer()]
    answering = [Peer(), Peer(), Peer(), Peer(unfinished=True)]
    for peers in (unfinished, idle, answering):
        with_added(admission, *peers)

    assert [dropped(*unfinished), dropped(*idle), dropped(*answering)] == [[2], [1], [3]]


def test_one_that_has_left_is_counted_no_more() -> None:
    peers = [Peer(unfinished=True) for _ in range(4)]
    connections = Connections(Admission(per_address=2))
    for peer in peers:
        connections.add(peer, "203.0.113.7")
        connections.remove(peer)
        connections.remove(peer)

    assert dropped(*peers) == []
    assert len(connections) == 0


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("::ffff:127.0.0.1", None),
        ("::1", None),
        ("127.0.0.2", "127.0.0.2"),
        ("10.1.2.3", None),
        ("2001:db8:2::9", None),
    ],
)
def test_an_ipv6_site_is_one_and_proxies_are_none(address: str, group: str | None) -> None:
    assert Admission(trusted=networks_of("10.0.0.0/8, 2001:db8:2::/48,")).group_of(address) == group


@pytest.mark.parametrize("listed", ["caddy", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8;::1"])
def test_a_list_of_proxies_that_cannot_be_read_is_said(listed: str) -> None:
    with pytest.raises(ConfigurationError, match="ROOMSYNC_TRUSTED_PROXIES"):
        networks_of(listed)


def test_a_budget_gives_all_or_nothing_and_takes_back() -> None:
    budget = BodyBudget(100)

    assert [budget.take(60), budget.take(41), budget.take(40), budget.take(1)] == [True, False, True, False]
    budget.give_back(60)
    assert budget.take(60)
