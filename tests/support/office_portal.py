"""The portal of the small office: the same engine that both workers run on, and people who are signed in without a provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from flask.testing import FlaskClient

from services.portal.deps import Deps
from services.portal.frame import sessions
from shared.contracts.rows import IntegrationState, SessionRow
from shared.domain.identity import Provider
from shared.domain.keys import pseudonym
from shared.registry import tables
from shared.runtime.settings import Settings
from tests.support.described_answers import described_portal
from tests.support.office import Office

SESSION_KEY = b"s" * 32
CSRF = "csrf-of-the-test"


@dataclass
class Visitor:
    """Somebody of the office in their browser."""

    client: FlaskClient
    user: str

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json if answer.is_json else answer.text

    def change(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.open(path, method=method, json=body, headers={"X-CSRF-Token": CSRF, **named})
        assert answer.status_code < 300, answer.text
        return answer.json if answer.is_json else answer.text


class OfficePortal:
    """The portal in front of an office whose integration is enabled."""

    def __init__(self, office: Office, **changed: Any) -> None:
        """`changed` are settings other than the defaults."""
        self.office = office
        tables.tenants(office.engine.registry).change(
            office.tenant,
            "tenant",
            lambda row: msgspec.structs.replace(row, integration=IntegrationState.ENABLED) if row else None,
        )
        self.app = described_portal(
            Deps(
                settings=Settings(**changed),
                engine=office.engine,
                clock=office.clock,
                broker=office.broker,
                providers={Provider.MICROSOFT: office.calendar, Provider.GOOGLE: office.calendar},
                session_key=SESSION_KEY,
            )
        )

    def visit(self, name: str = "ada", *roles: str) -> Visitor:
        """Somebody who has connected, signed in, with `roles`."""
        user, registry = f"u-{name}", self.office.engine.registry
        cookie = f"{self.office.tenant}.cookie-of-{name}-{len(roles)}"
        session = pseudonym(SESSION_KEY, "session", cookie)
        now_ms = self.office.clock.now_ms()
        row = SessionRow(user=user, csrf=CSRF, opened_at_ms=now_ms, prolonged_at_ms=now_ms)
        tables.sessions(registry).put(self.office.tenant, session, row, not_after_ms=now_ms + sessions.LIFE_MS)
        tables.users(registry).change(
            self.office.tenant,
            user,
            lambda row: msgspec.structs.replace(row, roles=roles, sessions=(session,)) if row else None,
        )
        client = self.app.test_client()
        client.set_cookie("roomsync_session", cookie)
        return Visitor(client, user)
