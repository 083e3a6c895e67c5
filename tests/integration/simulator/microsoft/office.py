"""One simulated organisation, a receiver of notifications, and waiting for what comes on other threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from simulator.world import Principal, World

NOW_MS = 1_800_000_000_000
CLIENT = "roomsync"
SCOPES = frozenset({"Calendars.ReadWrite", "User.Read", "Place.Read.All"})


class PlainTokens:
    """`Bearer <user id>[ scope ...]` speaks for that user: signing in is shown elsewhere."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def bearer(self, headers: Mapping[str, str]) -> Principal | None:
        scheme, _, token = dict(headers).get("Authorization", "").partition(" ")
        user, *scopes = token.split(",")
        if scheme != "Bearer" or not user or user == "expired":
            return None
        return Principal(user, frozenset(scopes) or SCOPES, CLIENT)

    def grant_tenant(self, tenant_id: str, *scopes: Any, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._inner.grant_tenant(tenant_id, *scopes, **more)
        return answer

    def set_consent(self, user_id: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._inner.set_consent(user_id, **more)
        return answer


@dataclass
class Office:
    """One simulated organisation and the means to drive it."""

    world: World
    url: str
    http: httpx.Client
    tenant: str
    ann: dict[str, Any]
    bob: dict[str, Any]

    @property
    def graph(self) -> str:
        return f"{self.url}/microsoft/graph/v1.0"

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.url}/sim/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def room(self, name: str = "Aare", **more: Any) -> dict[str, Any]:
        address = f"{name.lower()}@rooms.contoso.test"
        body = {"tenant": self.tenant, "name": name, "address": address, "capacity": 6, "building": "Riverside", **more}
        made: dict[str, Any] = self.sim("POST", "/rooms", body)
        return made

    def call(self, method: str, path: str, body: Any = None, *, user: str = "", **headers: str) -> httpx.Response:
        url = path if path.startswith("http") else self.graph + path
        token = {"Authorization": f"Bearer {user or self.ann['id']}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, url, json=body, headers={**token, **named})

    def advance(self, ms: int) -> None:
        self.sim("POST", "/clock", {"advanceMs": ms})

    def history(self, *kinds: str) -> list[dict[str, Any]]:
        return [fact for fact in self.sim("GET", "/history")["history"] if not kinds or fact["kind"] in kinds]


@dataclass
class Receiver:
    """A tiny server that answers the handshake and keeps what it is sent; `answers` are statuses for the next POSTs."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    handshakes: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    echo: Callable[[str], tuple[int, str, str]] = field(default=lambda token: (200, "text/plain", token))

    def items(self) -> list[dict[str, Any]]:
        return [item for post in self.posts for item in post["value"]]


def eventually(found: Callable[[], Any], within_s: float = 10.0) -> Any:
    """Poll until `found` gives something true; fail at the deadline."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"not within {within_s} s")
