"""Whose request it is: what proxies say counts as far as they are trusted, and not a word further."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigurationError
from shared.runtime.client_address import client_group, client_of, with_client_address
from shared.runtime.http_connections import door_admission_from, networks_of
from shared.runtime.settings import Settings

PROXIES = networks_of("10.0.0.0/8,2001:db8:2::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
        ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.7, 10.0.0.6", "203.0.113.7"),
        ("::ffff:10.0.0.5", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.5", "::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:2::1", "[2001:db8:9::1]:443", "2001:db8:9::1"),
        ("10.0.0.5", "fe80::1%eth0", "fe80::1"),
        ("10.0.0.5", "", ""),
        ("10.0.0.5", "10.0.0.6", ""),
        ("10.0.0.5", "203.0.113.7, unknown", ""),
        ("10.0.0.5", "203.0.113.7," + "10.0.0.6," * 40 + "10.0.0.6", ""),
    ],
)
def test_the_client_is_the_rightmost_that_no_trusted_proxy_is(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


@given(st.text(max_size=200))
def test_nothing_that_a_client_writes_itself_changes_whose_request_it_is(written: str) -> None:
    assert client_of("203.0.113.7", written, PROXIES) == "203.0.113.7"
    assert client_of("10.0.0.5", f"{written}, 203.0.113.7", PROXIES) == "203.0.113.7"


@given(st.text(max_size=200))
def test_no_header_raises(written: str) -> None:
    client = client_of("10.0.0.5", written, PROXIES)
    assert bool(client_group(client)) is bool(client)


def test_the_application_reads_the_client_and_no_word_of_a_proxy() -> None:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], _start: object) -> list[bytes]:
        seen.append(environ)
        return []

    for peer in ("10.0.0.5", "203.0.113.9"):
        environ = {
            "REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.7", "HTTP_X_FORWARDED_HOST": "evil.test",
            "HTTP_X_FORWARDED_PROTO": "https", "HTTP_FORWARDED": "for=1.2.3.4", "HTTP_HOST": "rooms.test",
        }  # fmt: skip
        with_client_address(app, PROXIES)(environ, lambda *_: lambda _: None)

    assert seen == [
        {"REMOTE_ADDR": "203.0.113.7", "HTTP_HOST": "rooms.test"},
        {"REMOTE_ADDR": "203.0.113.9", "HTTP_HOST": "rooms.test"},
    ]


def test_an_ipv6_site_is_one_client() -> None:
    assert client_group("2001:db8:9::1") == client_group("2001:db8:9::ffff:2") == "2001:db8:9::/64"
    assert [client_group(each) for each in ("203.0.113.7", "", "nobody")] == ["203.0.113.7", "", ""]


LOCAL = {
    f"{name}_url": "http://127.0.0.1:8103"
    for name in (
        "microsoft_login", "microsoft_graph", "google_auth", "google_token", "google_calendar", "google_directory",
    )
}  # fmt: skip
REACHED = [
    {"public_url": "https://rooms.example.org"},
    {"listen_host": "0.0.0.0"},
    {"engine": "kafka", "kafka_bootstrap": "kafka-1:9092"},
]


def test_on_a_machine_of_ones_own_no_proxy_need_be_named() -> None:
    assert door_admission_from(Settings(**LOCAL)).trusted == ()


@pytest.mark.parametrize("reached", REACHED)
def test_a_door_that_others_reach_does_not_open_without_its_proxies(reached: dict[str, Any]) -> None:
    for listed in ("", " "):
        with pytest.raises(ConfigurationError, match="ROOMSYNC_TRUSTED_PROXIES is missing"):
            door_admission_from(Settings(**LOCAL, **reached, trusted_proxies=listed))
    assert door_admission_from(Settings(**LOCAL, **reached, trusted_proxies="none")).trusted == ()
    assert door_admission_from(Settings(**LOCAL, **reached, trusted_proxies="10.0.0.0/8")).trusted
