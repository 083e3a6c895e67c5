"""
Requests that schemathesis makes up from the document, against a served portal, as people of each role in three organisations.

Whatever is sent, the answer has a status, a content type and a body that the document names, and is nobody's mistake of ours.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.portal.frame import limits
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState
from shared.domain.roles import Role
from shared.organisations.service_tokens import make_token
from shared.registry import tables
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Browser, Office
from tests.support.abuse import sized
from tests.support.described_answers import closed_document, interface_of

ENDLESS = "/v1/me/stream"
"""Its events are held against the document where streams are read to an end."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = sized(10, 200)
"""Of each operation."""


@dataclass
class Client:
    """Somebody who asks, with what they prove themselves by."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    browser: Browser | None = None
    roles: tuple[str, ...] = ()

    def restore(self, office: Office) -> None:
        """Put back what earlier requests may have thrown away: their rights, and the state of their organisation."""
        if self.browser is None:
            return
        registry, tenant = office.engine.registry, self.browser.tenant
        tables.users(registry).change(
            tenant, self.browser.user, lambda row: msgspec.structs.replace(row, roles=self.roles) if row else None
        )
        tables.tenants(registry).change(
            tenant,
            "tenant",
            lambda row: msgspec.structs.replace(row, integration=IntegrationState.ENABLED) if row else None,
        )
        office.engine.keyring.create(tenant)


@dataclass
class Served:
    """The portal behind a real server, and everybody who asks it."""

    url: str
    office: Office
    clients: list[Client]
    own: dict[str, list[str]]
    """Name of a part of an address → ids that there are."""

    @property
    def mostly_those_who_may(self) -> list[Client]:
        """Everybody, those before whom most doors open more often."""
        return [*self.clients, *self.clients[:3], self.clients[0], self.clients[2], self.clients[2]]


@pytest.fixture
def served(office: Office, ada: Browser, domain: str) -> Iterator[Served]:
    gil = office.signed_in(f"ada@g.{domain}", "google")
    where = f"third{uuid.uuid4().hex[:8]}.test"
    third = office.simulator.post("tenants", provider="microsoft", name="Third", domain=where)
    user = office.simulator.post("users", tenant=third["id"], name="Cleo", address=f"cleo@{where}")
    office.simulator.post(f"users/{user['id']}/consents", granted=True)
    cleo = office.signed_in(f"cleo@{where}")
    clients = [
        _person("employee", ada, ()),
        _person("building-admin", gil, (Role.BUILDING_ADMIN.value,)),
        _person("subscription-admin", cleo, (Role.SUBSCRIPTION_ADMIN.value,)),
        Client("service", {"Authorization": f"Bearer {make_token(office.engine.registry, ada.tenant, 0)[1]}"}),
        Client("nobody"),
    ]
    server = serve_in_background(office.app, "portal", threads=8, ready=False)
    try:
        yield Served(server.url, office, clients, _make_meetings(office, ada, cleo))
    finally:
        office.deps.stop.set()
        server.close()


def _person(name: str, browser: Browser, roles: tuple[str, ...]) -> Client:
    cookie = browser.client.get_cookie("roomsync_session")
    assert cookie is not None
    return Client(name, {"X-CSRF-Token": browser.csrf}, {"roomsync_session": str(cookie.value)}, browser, roles)


def _make_meetings(office: Office, ada: Browser, cleo: Browser) -> dict[str, list[str]]:
    first, second = office.enter_rooms(ada.tenant, "one", "two")
    others = office.enter_rooms(cleo.tenant, "three", "four")
    room = office.room(ada, first, RoomState.DECLINED)
    office.show(office.meeting(ada, room), ada.tenant)
    decline = office.announce(ada, room)
    return {
        "prompt_id": [decline],
        "decline_id": [decline],
        "room_id": [first, second, *others],
        "user": [ada.user, cleo.user],
        "row_id": [ada.user, cleo.user],
        "role": [role.value for role in Role],
        "meeting": ["m-planningplanning"],
        "occurrence": ["o-planningplanning"],
        "day": ["2026-11-30"],
    }


@pytest.mark.proves("B28")
def test_every_answer_to_requests_made_up_from_the_document_is_described(served: Served) -> None:
    document = closed_document(interface_of(served.office.app).document)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=served.url)
    answered: Counter[int] = Counter()
    slowest_s, asked, faults = 0.0, 0, list[str]()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == ENDLESS:
            continue
        asked += 1
        try:
            answers, took_s = _ask(served, operation)
        except FailureGroup as group:
            faults += [f"{operation.label}: {fault}" for fault in group.exceptions]
            continue
        answered += answers
        slowest_s = max(slowest_s, took_s)
    assert faults == []
    assert asked == sum(len(methods) for methods in document["paths"].values()) - 1
    assert any(status < 300 for status in answered)
    print(
        f"\n{asked} operations, {answered.total()} requests, "
        f"{sum(count for status, count in answered.items() if status >= 400)} refused,"
        f" slowest {slowest_s * 1000:.0f} ms, {dict(sorted(answered.items()))}"
    )


def _ask(served: Served, operation: Any) -> tuple[Counter[int], float]:
    """Ask one operation in many ways; how it answered, and how long the slowest answer took."""
    answered: Counter[int] = Counter()
    slowest = [0.0]
    strategy = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, client=st.sampled_from(served.mostly_those_who_may), known=st.booleans(), data=st.data())
    def ask(case: Any, client: Client, known: bool, data: st.DataObject) -> None:
        if known:
            for name, ids in served.own.items():
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = data.draw(st.sampled_from(ids))
        client.restore(served.office)
        served.office.app.extensions[limits.EXTENSION].reset()
        began = time.perf_counter()
        response = case.call(headers=client.headers, cookies=client.cookies, timeout=30)
        slowest[0] = max(slowest[0], time.perf_counter() - began)
        answered[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    ask()
    return answered, slowest[0]
