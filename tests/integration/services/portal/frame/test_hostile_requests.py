"""What a stranger without a session can send: every answer is one of ours, none is a 500, and nobody else waits for it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from shared.contracts.rows import IntegrationState
from shared.registry import tables
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Browser, Office

LONG = "a" * 60_000
DEEP = "[" * 30_000
SLOWEST_FACTOR = 60.0
"""How many times as long as an ordinary page the answer to a long address may take: reading 60 kB is not free."""


@pytest.fixture
def portal(office: Office) -> Iterator[str]:
    """The portal on a port of its own."""
    server = serve_in_background(office.app, "portal", threads=4, ready=False)
    yield server.url
    server.close()


def raw(url: str, request: bytes) -> bytes:
    """The answer to bytes that no client library would send."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def get(path: bytes, *headers: bytes) -> bytes:
    lines = [b"GET " + path + b" HTTP/1.1", *headers, b"Connection: close"]
    if not any(line.lower().startswith(b"host:") for line in headers):
        lines.append(b"Host: 127.0.0.1")
    return b"\r\n".join(lines) + b"\r\n\r\n"


HOSTILE = {
    "long path with a line feed": get(b"/prompts/" + LONG.encode() + b"%0A"),
    "long path": get(b"/prompts/" + LONG.encode()),
    "short path with a line feed": get(b"/prompts/abc%0A"),
    "long path of a program": get(b"/v1/room-rejections/" + LONG.encode() + b"%0A"),
    "carriage return": get(b"/prompts/a%0D%0ASet-Cookie:%20x=y"),
    "zero byte": get(b"/prompts/%00"),
    "half a character": get(b"/prompts/%ED%A0%80"),
    "not UTF-8": get(b"/prompts/%FF%FE?next=%FF%0A"),
    "line feed in the way back": get(b"/auth/login?next=/prompts/a%0Ab"),
    "long query": get(b"/auth/callback?state=" + LONG.encode()),
    "long host": get(b"/auth/login?provider=microsoft", b"Host: " + LONG.encode()),
    "odd host": get(b"/auth/login?provider=microsoft", b"Host: [::1"),
    "odder host": get(b"/auth/login?provider=microsoft", b"Host: a@b:c"),
    "port that is none": get(b"/auth/login?provider=microsoft", b"Host: localhost:99999999999"),
    "long cookie": get(b"/v1/me", b"Cookie: roomsync_session=" + LONG.encode()),
    "dotted cookie": get(b"/v1/me", b"Cookie: roomsync_session=../..%0A.\xff\xfe"),
    "slash in a cookie": get(b"/v1/me", b"Cookie: roomsync_session=a/b:c.d; roomsync_sign_in=\x01"),
    "long event id": get(b"/v1/me/stream", b"Last-Event-ID: " + LONG.encode()),
    "long token": get(b"/v1/room-rejections", b"Authorization: Bearer " + LONG.encode()),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_request_is_answered_as_wrong_and_holds_nobody_up(portal: str, name: str) -> None:
    began = time.perf_counter()
    httpx.get(f"{portal}/auth/login").raise_for_status()
    ordinary_s = time.perf_counter() - began
    others: list[float] = []
    done = threading.Event()

    def look_in() -> None:
        while not done.is_set():
            started = time.perf_counter()
            httpx.get(f"{portal}/livez", timeout=60).raise_for_status()
            others.append(time.perf_counter() - started)

    beside = threading.Thread(target=look_in)
    beside.start()
    began = time.perf_counter()
    answer = raw(portal, HOSTILE[name])
    took_s = time.perf_counter() - began
    done.set()
    beside.join()

    assert status_of(answer) < 500, answer[:300]
    assert b"\x00" not in answer
    assert b"\r\nSet-Cookie: x=y" not in answer
    assert took_s < SLOWEST_FACTOR * max(ordinary_s, 0.01)
    assert max(others, default=0.0) < SLOWEST_FACTOR * max(ordinary_s, 0.01)


ODD_HOSTS = (b"[::1", b"a@b:c", b"rooms.example/..", b"rooms.example:80a", b"a" * 300, b"rooms example")


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_host_that_is_none_gets_our_page_and_builds_no_address(portal: str, host: bytes) -> None:
    for path in (b"/auth/login?provider=microsoft", b"/", b"/static/mark.svg", b"/nowhere"):
        answer = raw(portal, get(path, b"Accept: text/html", b"Host: " + host))
        assert status_of(answer) == 400, path
        assert b"characters in it that no address of ours has" in answer, path
        assert b"\r\nLocation:" not in answer
        assert host not in answer


@pytest.mark.parametrize(
    "path", ["/v1/me/bookings", "/v1/admin/rooms", "/v1/admin/people", "/v1/admin/integration/test"]
)
@pytest.mark.parametrize(
    "body", [DEEP, '{"a":' * 20_000, '{"room": "\\ud800"}', "NaN", "\x00", '"' + LONG[:50_000] + '"']
)
def test_deep_or_broken_json_is_refused_as_that(ada: Browser, path: str, body: str) -> None:
    answer = ada.client.post(
        path, data=body, headers={"X-CSRF-Token": ada.csrf, "Content-Type": "application/json", "Idempotency-Key": "k"}
    )
    assert 400 <= answer.status_code < 500, answer.text
    assert json.loads(answer.text)["next"]


def test_deep_json_at_a_long_address_is_refused_as_that(ada: Browser) -> None:
    answer = ada.client.post(
        f"/v1/me/prompts/{LONG[:8_000]}\n/take",
        data=DEEP,
        headers={"X-CSRF-Token": ada.csrf, "Content-Type": "application/json"},
    )
    assert answer.status_code == 414


ERROR_CODES = {
    "letters": LONG,
    "words and no end": "a_" * 30_000,
    "long words": ("a" * 41 + "_") * 1_400,
    "an endless number": "AADSTS" + "1" * 60_000,
    "nearly a number": "AADSTS1234" * 6_000,
    "addresses": "a@" * 30_000,
    "tokens": "token=" * 10_000,
    "line feeds": "invalid_\n" * 6_600,
    "no code at all": "\x00" * 60_000,
}


def test_error_code_without_end_costs_no_more_than_its_reading(office: Office, ada: Browser) -> None:
    tables.users(office.engine.registry).change(
        ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=("subscription-admin",)) if row else None
    )
    tables.tenants(office.engine.registry).change(
        ada.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=IntegrationState.OFF) if row else None,
    )

    def report(code: str) -> tuple[int, float]:
        ada.client.delete("/v1/admin/integration/test", headers={"X-CSRF-Token": ada.csrf})
        assert ada.post("/v1/admin/integration/test", {"provider": "microsoft"}).status_code == 202
        began = time.thread_time()
        answer = ada.client.post("/admin/integration/test/reported", data={"csrf": ada.csrf, "code": code})
        return answer.status_code, time.thread_time() - began

    status, ordinary_s = report("AADSTS50011")
    assert status == 303
    for name, code in ERROR_CODES.items():
        status, took_s = report(code)
        assert status in (303, 413, 422), name
        assert took_s < SLOWEST_FACTOR * max(ordinary_s, 0.01), name
        assert code[:200] not in ada.client.get("/v1/admin/integration").text, name
