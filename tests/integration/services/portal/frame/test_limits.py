"""Limits behind a reverse proxy: a flood meets them, and nobody else does, whatever becomes of the store of the counts."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from deploy.local.redis import RedisServer, RedisUse, redis_server
from services.portal.frame import limits
from shared.runtime.http_connections import THIS_MACHINE, Admission
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Browser, Office
from tests.support.described_answers import described_portal
from tests.support.servers import REGISTRY_REDIS, address

ATTACKER, OTHER = "203.0.113.7", "198.51.100.9"
SLOW_S = 3.0
"""Longer than any good answer may take while the store hangs: it is waited for once, for a second."""


@dataclass
class Flood:
    """Requests that one client sends as fast as it can, and good ones of somebody else's in between."""

    client: httpx.Client
    answers: Counter[int] = field(default_factory=Counter)
    good_s: list[float] = field(default_factory=list)

    def send(self, count: int, path: str, method: str = "GET", every: int = 100, **headers: str) -> None:
        for number in range(count):
            answer = self.client.request(
                method, path, headers={name.replace("_", "-"): headers[name] for name in headers}
            )
            self.answers[answer.status_code] += 1
            if number % every == 0:
                self.good()

    def good(self) -> None:
        began = time.perf_counter()
        answer = self.client.get("/auth/login", headers={"X-Forwarded-For": OTHER})
        self.good_s.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text

    def report(self, name: str) -> None:
        print(
            f"\n{name}: {sum(self.answers.values())} requests, {self.answers[429]} refused, "
            f"slowest of {len(self.good_s)} good answers {max(self.good_s) * 1000:.0f} ms"
        )


@contextmanager
def served(app: Flask, *, proxied: bool) -> Iterator[httpx.Client]:
    """The application on a port; `proxied`: this machine is its trusted proxy."""
    admission = Admission(trusted=THIS_MACHINE if proxied else ())
    server = serve_in_background(app, "portal", threads=4, ready=False, admission=admission)
    try:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            yield client
    finally:
        server.close()


def sign_in_page(client: FlaskClient, who: str) -> int:
    with client.get("/auth/login", environ_base={"REMOTE_ADDR": who}) as answer:
        return answer.status_code


def test_one_client_behind_the_proxy_locks_out_itself_alone(office: Office, ada: Browser) -> None:
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    session = f"roomsync_session={cookie.value}"
    with served(office.app, proxied=True) as client:
        flood = Flood(client)
        flood.send(limits.SIGN_IN.per_client + 50, "/auth/login", X_Forwarded_For=f"{OTHER}, {ATTACKER}")
        assert flood.answers == {200: limits.SIGN_IN.per_client, 429: 50}

        behind = {"X-Forwarded-For": ATTACKER}
        assert client.get("/livez", headers=behind).status_code == 200
        assert client.get("/static/mark.svg", headers=behind).status_code == 200
        assert client.get("/auth/login", headers={**behind, "Cookie": session}).status_code == 200, "has an account"
        left = client.post("/auth/logout", data={"csrf": ada.csrf}, headers={**behind, "Cookie": session})
        assert (left.status_code, left.headers["Location"]) == (303, "/auth/login")
        flood.report("1,204 and more anonymous requests of one client behind a proxy")
    assert office.browser().client.get("/v1/me").status_code == 401


def test_signing_out_health_and_static_files_are_never_counted(office: Office) -> None:
    with served(office.app, proxied=True) as client:
        behind = {"X-Forwarded-For": ATTACKER}
        for path, status in (("/auth/logout", 303), ("/profile/sign-out-everywhere", 401)):
            assert limits.limit_of("POST", path) is None
            assert {client.post(path, headers=behind).status_code for _ in range(70)} == {status}
        for path in ("/livez", "/readyz", "/version", "/metrics", "/static/mark.svg"):
            assert limits.limit_of("GET", path) is None


def test_who_names_another_client_without_being_a_proxy_is_counted_as_itself(office: Office) -> None:
    with served(office.app, proxied=False) as client:
        answers = Counter(
            client.get("/auth/login", headers={"X-Forwarded-For": f"198.51.100.{number % 250}"}).status_code
            for number in range(limits.SIGN_IN.per_client + 20)
        )
    assert answers == {200: limits.SIGN_IN.per_client, 429: 20}


def test_a_proxy_that_names_nobody_is_not_counted_as_everybody(office: Office) -> None:
    with served(office.app, proxied=True) as client:
        answers = {client.get("/auth/login").status_code for _ in range(limits.SIGN_IN.per_client + 20)}
    assert answers == {200}


def test_an_account_is_one_in_all_its_browsers_and_holds_up_nobody(
    office: Office, domain: str, ada: Browser, ben: Browser
) -> None:
    browsers = [ada, office.signed_in(f"ada@{domain}")]
    answers = Counter(
        browsers[number % 2].post("/v1/admin/integration/test").status_code
        for number in range(limits.TEST.per_account + 4)
    )
    assert answers == {403: limits.TEST.per_account, 429: 4}
    assert ben.post("/v1/admin/integration/test").status_code == 403, "at the same address"
    assert ada.post("/profile/disconnect").status_code != 429, "another limit"


@dataclass
class Replicas:
    """Two portals that share one registry's Redis, as two processes do."""

    server: RedisServer
    clients: list[FlaskClient]
    apps: list[Flask]

    def answers(self, count: int, who: str = ATTACKER) -> Counter[int]:
        return Counter(sign_in_page(self.clients[number % 2], who) for number in range(count))


@pytest.fixture
def few() -> limits.Limit:
    """A limit on signing in that is soon reached."""
    return dataclasses.replace(limits.SIGN_IN, per_client=40)


@pytest.fixture
def replicas(office: Office, tmp_path: Path, few: limits.Limit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replicas]:
    address(REGISTRY_REDIS)  # skips, or fails in CI, where there is no Redis
    monkeypatch.setattr(limits, "SIGN_IN", few)
    monkeypatch.setattr(limits, "LIMITS", (few, limits.TEST, limits.WRITES))
    with redis_server(RedisUse.REGISTRY, tmp_path / "redis") as server:
        settings = dataclasses.replace(office.settings, engine="kafka", registry_redis_url=server.url)
        apps = [described_portal(dataclasses.replace(office.deps, settings=settings)) for _ in range(2)]
        yield Replicas(server, [app.test_client() for app in apps], apps)
        for app in apps:
            app.extensions[limits.EXTENSION].storage.storage.close()


def test_two_processes_count_together(replicas: Replicas, few: limits.Limit) -> None:
    answers = replicas.answers(few.per_client + 10)

    assert answers == {200: few.per_client, 429: 10}
    assert sign_in_page(replicas.clients[0], OTHER) == 200


def test_nothing_in_the_store_tells_who_it_was(replicas: Replicas) -> None:
    replicas.answers(4)
    storage = replicas.apps[0].extensions[limits.EXTENSION].storage.storage
    names = storage.keys("*")

    assert len(names) == 1
    assert ATTACKER.encode() not in names[0]
    assert 0 < storage.ttl(names[0]) <= limits.SIGN_IN.window_ms // 1000


@pytest.mark.parametrize("fault", ["gone", "hung", "full"])
def test_a_store_that_is_away_stops_nobody_and_each_process_counts_for_itself(
    replicas: Replicas, few: limits.Limit, fault: str
) -> None:
    assert replicas.answers(10) == {200: 10}
    away: dict[str, Any] = {
        "gone": replicas.server.kill,
        "hung": replicas.server.freeze,
        "full": lambda: full(replicas, "1"),
    }
    back: dict[str, Any] = {
        "gone": replicas.server.restart,
        "hung": replicas.server.thaw,
        "full": lambda: full(replicas, "0"),
    }
    away[fault]()
    began = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        first = set(pool.map(lambda _: sign_in_page(replicas.apps[0].test_client(), OTHER), range(8)))
    first_s = time.perf_counter() - began
    answers = Counter(sign_in_page(replicas.clients[0], ATTACKER) for _ in range(few.per_client + 10))
    assert (first, first_s < SLOW_S) == ({200}, True)
    assert answers == {200: few.per_client, 429: 10}, "counted in memory, from nought"
    back[fault]()

    deadline = time.monotonic() + 90
    while sign_in_page(replicas.clients[0], ATTACKER) == 429:
        assert time.monotonic() < deadline, "the store was not used again"
        time.sleep(0.1)


def full(replicas: Replicas, most_bytes: str) -> None:
    """Let the store refuse to write, as a full one does; "0" lets it write again."""
    replicas.apps[0].extensions[limits.EXTENSION].storage.storage.config_set("maxmemory", most_bytes)
