"""No token, key, code, cookie or client secret of a whole journey stands in the log, at its most talkative."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from services.portal.sign_in.attempts import SignIn
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.openid_provider import OpenIdProvider
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import mint
from shared.grants.oauth import Granted, Outcome, TokenRequest
from shared.grants.token_endpoint import TokenEndpoint
from shared.registry import tables
from shared.runtime.logging import configure
from tests.integration.services.portal.admin.administration import a_building
from tests.integration.services.portal.admin.integration.testflow.test_flow import BUSY, Site, a_site
from tests.integration.services.portal.office import Simulator
from tests.support.emptiness import found

PAGES = (
    "/",
    "/day",
    "/month",
    "/book",
    "/profile",
    "/v1/me",
    "/v1/me/agenda",
    "/v1/me/rooms",
    "/admin/rooms",
    "/admin/people",
)
_SHORTEST = 8
"""Characters of a secret that is worth searching for: a scope's or a tenant's word is none."""


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that this process logs, the libraries' own lines included."""
    before, handlers, level = structlog.get_config(), logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    configure("portal", "debug", stream=stream)
    yield stream
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is handed over at token endpoints, both ways."""
    known: set[str] = set()
    exchange, ask = OpenIdProvider.exchange, TokenEndpoint.ask

    def note(outcome: object) -> None:
        if isinstance(outcome, Granted):
            known.update((outcome.access_token, outcome.refresh_token))

    def noted_exchange(self: OpenIdProvider, code: str, sign_in: SignIn, uri: str) -> tuple[Identity, Granted]:
        known.update((code, sign_in.state, sign_in.nonce, sign_in.verifier))
        identity, grant = exchange(self, code, sign_in, uri)
        note(grant)
        return identity, grant

    def noted_ask(self: TokenEndpoint, request: TokenRequest) -> Outcome:
        known.update(
            value for name, value in request.form.items() if "token" in name or "secret" in name or name == "code"
        )
        outcome = ask(self, request)
        note(outcome)
        return outcome

    monkeypatch.setattr(OpenIdProvider, "exchange", noted_exchange)
    monkeypatch.setattr(TokenEndpoint, "ask", noted_ask)
    return known


def journey(site: Site) -> None:
    """Tested, connected, every page looked at, disconnected; signed in wrongly; and with a provider that breaks down."""
    chief, provider = site.chief, site.provider
    assert site.test()["state"] == "enabled"
    assert chief.connect().status_code == 303
    for path in PAGES:
        chief.client.get(path)
    chief.post("/admin/rooms/import", provider=provider)
    chief.client.get("/auth/callback?state=wrong&code=a-code-that-nobody-gave-out")
    site.simulator.faults(throttle=BUSY)
    chief.client.get("/v1/me/agenda")
    site.simulator.faults(reset=True)
    chief.call("POST", "/v1/me/calendar/disconnect")


def of_the_browser(site: Site) -> set[str]:
    """Cookies and the token of changes."""
    cookies = {cookie.value for cookie in site.chief.client._cookies.values()}
    return {*cookies, site.chief.csrf, *(value.partition(".")[2] for value in cookies)}


def in_base64(key: bytes) -> str:
    """As settings write a key."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def of_the_deployment(site: Site) -> set[str]:
    """The master key and what is derived from it, client secrets, and the proofs of both kinds that providers are given."""
    deps = site.building.deps
    settings, users = deps.settings, tables.users(site.building.engine.registry).scan(site.tenant)
    assert deps.hook_keys is not None
    proofs = {
        mint(deps.hook_keys, Mailbox(site.tenant, row.mailbox), provider) for _, row in users for provider in Provider
    }
    master = site.building.engine.keyring._master
    assert master is not None
    keys = [*master.ring.values(), *master.row_keys().values(), *master.link_keys(), *deps.hook_keys.ring.values()]
    printed = {form(key) for key in (*keys, deps.session_key) for form in (bytes.hex, in_base64, str)}
    return {*printed, *proofs, settings.microsoft_client_secret, settings.google_client_secret, settings.service_token}


@pytest.mark.proves("E33")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_no_secret_of_a_journey_stands_in_a_debug_line(
    tmp_path: Path, simulator_url: str, lines: io.StringIO, secrets: set[str], provider: str
) -> None:
    with a_building(tmp_path / "home", Simulator(simulator_url)) as building:
        site = a_site(building, provider)
        journey(site)
        searched = secrets | of_the_browser(site) | of_the_deployment(site)
    kept = lines.getvalue()
    searched = {secret for secret in searched if len(secret) >= _SHORTEST}
    print(f"\n{provider}: {len(searched)} secrets in {len(kept.splitlines())} lines")
    assert len(searched) > 15
    assert len(kept.splitlines()) > 50, "the libraries' own lines are among them"
    assert found([("log", kept.encode())], searched) == []
