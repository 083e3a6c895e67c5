"""Sign-in, which is also the consent: where people are sent, who is let in, and what a browser then holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import requests

from services.portal.frame.sessions import LIFE_MS
from services.portal.sign_in import routes
from services.portal.sign_in.attempts import LIFE_MS as SIGN_IN_LIFE_MS
from shared.contracts import envelope
from shared.contracts.command import Command, Connect
from shared.contracts.rows import ConsentState, IntegrationState
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.grants.oauth import identity_scopes, scopes_for
from shared.organisations.enrolment import tenant_of
from shared.registry import tables
from shared.runtime.log_limit import LimitedLog
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.proves("E12", "S7")
def test_person_is_sent_to_the_providers_own_endpoint_with_state_pkce_and_exactly_the_scopes(
    provider: str, office: Office
) -> None:
    answer = office.browser().client.get(f"/auth/login?provider={provider}")

    parts = urlsplit(answer.headers["Location"])
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert answer.status_code == 302
    ends = {"microsoft": "/microsoft/login/organizations/oauth2/v2.0/authorize", "google": "/google/o/oauth2/v2/auth"}
    assert parts.path == ends[provider]
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 43
    assert query["nonce"]
    assert query["scope"].split() == list(identity_scopes(Provider(provider)))
    assert not {"access_type", "prompt"} & set(query)


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.proves("E12", "S7")
def test_who_connects_is_sent_with_exactly_the_scopes_that_will_be_used(
    provider: str, office: Office, domain: str
) -> None:
    browser = office.browser()
    assert browser.enter(f"ada@{domain}" if provider == "microsoft" else f"ada@g.{domain}", provider).status_code == 303
    browser.csrf = browser.client.get("/v1/me").json["csrf"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(browser.connecting()).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert query["scope"].split() == list(scopes_for(Provider(provider)))
    offline = {name: query.get(name) for name in ("access_type", "prompt")}
    assert offline == (
        {"access_type": "offline", "prompt": "consent"} if provider == "google" else dict.fromkeys(offline)
    )


@pytest.mark.proves("S7")
def test_scopes_are_the_least_that_the_ledger_allows() -> None:
    assert set(scopes_for(Provider.MICROSOFT)) == {
        "openid",
        "profile",
        "offline_access",
        "User.Read",
        "Calendars.ReadWrite",
    }
    google = "https://www.googleapis.com/auth/"
    assert set(scopes_for(Provider.GOOGLE)) == {
        "openid",
        "email",
        f"{google}calendar.events.owned",
        f"{google}calendar.freebusy",
    }


def test_without_a_provider_there_is_a_page_with_both_and_their_permissions(office: Office) -> None:
    page = office.browser().client.get("/auth/login").text

    assert "Sign in with Microsoft 365" in page
    assert "Sign in with Google Workspace" in page
    assert all(scope in page for provider in Provider for scope in scopes_for(provider))


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_signing_in_keeps_the_grant_sealed_and_asks_for_the_calendar_to_be_connected(
    provider: str, office: Office, domain: str
) -> None:
    address = f"ada@{domain}" if provider == "microsoft" else f"ada@g.{domain}"
    ada = office.signed_in(address, provider)

    consent = tables.consents(office.engine.registry).get(ada.tenant, ada.mailbox)
    assert consent is not None
    assert consent.state is ConsentState.CONNECTING
    mailbox = Mailbox(ada.tenant, ada.mailbox)
    assert office.deps.broker.access(mailbox).address == address
    [(partition, key, value)] = office.commands()
    assert (partition, key) == (partition_of(mailbox.key, 2), mailbox.key)
    assert isinstance(envelope.payload_of(envelope.decode(value), Command), Connect)
    files = b"".join(path.read_bytes() for path in office.home.iterdir())
    assert address.encode() not in files
    assert office.deps.broker.access(mailbox).token.encode() not in files


def test_ids_fit_a_client_state_and_stay_the_same_at_the_next_sign_in(
    office: Office, ada: Browser, domain: str
) -> None:
    again = office.signed_in(f"ada@{domain}")

    assert (again.tenant, again.user, again.mailbox) == (ada.tenant, ada.user, ada.mailbox)
    assert all(len(name) <= 30 and "." not in name for name in (ada.tenant, ada.user, ada.mailbox))


def test_organisation_that_is_new_is_switched_on_where_enrolment_is_open(office: Office, ada: Browser) -> None:
    row = tables.tenants(office.engine.registry).get(ada.tenant, "tenant")

    assert row is not None
    assert row.integration is IntegrationState.ENABLED
    assert tenant_of(office.engine.registry, "microsoft", row.directory) == ada.tenant


def test_organisation_that_is_new_is_turned_away_where_an_administrator_switches_on(
    tmp_path: Path, simulator: Simulator, domain: str
) -> None:
    with an_office(tmp_path / "closed", simulator, enrolment="closed") as closed:
        answer = closed.browser().sign_in(f"ada@{domain}")

        assert answer.status_code == 403
        assert "not switched on for your organisation" in answer.text
        assert "Ask your subscription administrator" in answer.text
        assert list(closed.engine.registry.scan("directories", "-")) == []
        assert closed.commands() == []


@pytest.mark.parametrize("state", [IntegrationState.OFF, IntegrationState.TESTING, IntegrationState.DISABLED])
def test_nobody_is_let_in_while_the_integration_is_not_enabled(
    state: IntegrationState, office: Office, ada: Browser, domain: str
) -> None:
    table = tables.tenants(office.engine.registry)
    row = table.get(ada.tenant, "tenant")
    assert row is not None
    office_contact = "it@example.test"
    table.put(ada.tenant, "tenant", msgspec.structs.replace(row, integration=state, contact=office_contact))

    answer = office.browser().sign_in(f"ada@{domain}")
    api = ada.client.get("/v1/me/rooms")

    assert answer.status_code == 403
    assert office_contact in answer.text
    assert (api.status_code, api.json["code"]) == (409, "not-enabled")
    assert office_contact in api.json["next"]


@pytest.mark.proves("E12")
def test_wrong_state_is_refused(office: Office, domain: str) -> None:
    browser = office.browser()
    start = browser.client.get(f"/auth/login?provider=microsoft&login_hint=ada@{domain}")
    back = office.simulator.follow(start.headers["Location"])
    state = parse_qs(urlsplit(back).query)["state"][0]

    answer = browser.come_back(back.replace(state, "x" * len(state)))

    assert answer.status_code == 403
    assert "sign-in-expired" in answer.text
    assert office.commands() == []


@pytest.mark.proves("E12")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_provider_that_answers_with_json_without_end_is_busy(
    provider: str, office: Office, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = office.browser()
    address = f"ada@{domain}" if provider == "microsoft" else f"ada@g.{domain}"
    start = browser.client.get(f"/auth/login?provider={provider}&login_hint={address}")
    back = office.simulator.follow(start.headers["Location"])
    deep = requests.Response()
    deep.status_code, deep.headers["Content-Type"], deep._content = 200, "application/json", b"[" * 100_000
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: deep)

    assert browser.come_back(back).status_code == 503


class Lines:
    """A logger whose lines are counted."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **_: object) -> None:
        self.events.append(event)


def test_flood_of_answers_that_nobody_asked_for_writes_few_lines(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, client = Lines(), office.browser().client
    monkeypatch.setattr(routes, "_limited", LimitedLog(lines))  # type: ignore[arg-type]  # it has what is used
    for number in range(100):
        assert client.get(f"/auth/callback?state={number}").status_code == 403
    assert 1 <= lines.events.count("sign_in_refused") <= 20  # one a second


@pytest.mark.proves("E12")
def test_state_is_good_for_one_answer(office: Office, domain: str) -> None:
    browser = office.browser()
    start = browser.client.get(f"/auth/login?provider=microsoft&login_hint=ada@{domain}")
    first = browser.come_back(office.simulator.follow(start.headers["Location"]))

    again = browser.come_back(office.simulator.follow(start.headers["Location"]))

    assert (first.status_code, again.status_code) == (303, 403)
    assert "sign-in-expired" in again.text


@pytest.mark.parametrize(("waited_ms", "status"), [(SIGN_IN_LIFE_MS - 481_000, 303), (SIGN_IN_LIFE_MS, 403)])
@pytest.mark.proves("E12")
def test_state_is_good_for_ten_minutes(waited_ms: int, status: int, office: Office, domain: str) -> None:
    browser = office.browser()
    start = browser.client.get(f"/auth/login?provider=microsoft&login_hint=ada@{domain}")
    back = office.simulator.follow(start.headers["Location"])

    office.clock.advance(waited_ms)

    assert browser.come_back(back).status_code == status


@pytest.mark.proves("E12")
def test_state_is_good_in_the_browser_that_began_alone(office: Office, domain: str) -> None:
    start = office.browser().client.get(f"/auth/login?provider=microsoft&login_hint=ada@{domain}")
    back = office.simulator.follow(start.headers["Location"])
    other = office.browser()
    other.client.get("/auth/login?provider=microsoft")

    answer = other.come_back(back)

    assert answer.status_code == 403
    assert "sign-in-expired" in answer.text


@pytest.mark.proves("E13")
def test_missing_approval_names_the_cause_and_who_fixes_it_and_the_listed_permissions_are_those_asked_for(
    office: Office, domain: str
) -> None:
    office.simulator.faults(oauth={"adminApprovalRequired": True})
    browser = office.browser()
    assert browser.enter(f"ada@{domain}").status_code == 303
    browser.csrf = browser.client.get("/v1/me").json["csrf"]
    gone = browser.connecting()

    answer = browser.come_back(office.simulator.follow(gone))

    assert answer.status_code == 403
    assert "admin-approval-required" in answer.text
    assert "AADSTS90094" in answer.text
    assert "IT administrator" in answer.text
    asked = parse_qs(urlsplit(gone).query)["scope"][0].split()
    listed = browser.client.get("/auth/login").text
    assert all(f"<code>{scope}</code>" in listed for scope in asked)


@pytest.mark.parametrize(
    ("error", "description", "code", "who"),
    [
        ("access_denied", "AADSTS65004: declined", "access-denied", "You"),
        ("access_denied", "", "access-denied", "You"),
        ("admin_policy_enforced", "", "policy-blocks-app", "IT administrator"),
        ("invalid_request", "AADSTS50011: The redirect URI ...", "redirect-wrong", "Whoever runs this service"),
        ("access_denied", "AADSTS50105: not assigned", "user-not-assigned", "IT administrator"),
        ("something_new<script>", "<script>alert(1)</script>", "sign-in-refused", "Whoever runs this service"),
    ],
)
def test_each_refusal_of_the_provider_becomes_a_page_with_a_code_a_meaning_and_who_fixes_it(
    error: str, description: str, code: str, who: str, office: Office
) -> None:
    browser = office.browser()
    start = browser.client.get("/auth/login?provider=microsoft")
    state = parse_qs(urlsplit(start.headers["Location"]).query)["state"][0]

    answer = browser.client.get(
        "/auth/callback", query_string={"state": state, "error": error, "error_description": description}
    )

    assert answer.status_code == 403
    assert f"<code>{code}</code>" in answer.text
    assert who in answer.text
    assert "<script>" not in answer.text


def test_permission_that_was_left_out_is_named(office: Office, domain: str) -> None:
    office.simulator.faults(oauth={"scopeSubset": ["https://www.googleapis.com/auth/calendar.freebusy"]})

    answer = office.browser().sign_in(f"ada@g.{domain}", "google")

    assert answer.status_code == 403
    assert "scope-missing" in answer.text
    assert office.commands() == []


@pytest.mark.parametrize("path", ["//evil.test/", "https://evil.test/", "/\\evil.test", "/auth/logout", "\\evil"])
def test_way_back_never_leads_elsewhere(path: str, office: Office, domain: str) -> None:
    browser = office.browser()
    start = browser.client.get(
        "/auth/login", query_string={"provider": "microsoft", "login_hint": f"ada@{domain}", "next": path}
    )

    assert browser.come_back(office.simulator.follow(start.headers["Location"])).headers["Location"] == "/"


def test_way_back_leads_to_the_prompt_one_came_for(office: Office, domain: str) -> None:
    browser = office.browser()
    asked = browser.client.get("/prompts/d-one")
    start = browser.client.get(f"{asked.headers['Location']}&provider=microsoft&login_hint=ada@{domain}")

    back = browser.come_back(office.simulator.follow(start.headers["Location"]))

    assert back.headers["Location"] == "/prompts/d-one"


def test_cookie_is_for_this_site_alone_and_names_nobody(office: Office, ada: Browser, domain: str) -> None:
    cookie = office.browser().enter(f"ada@{domain}").headers.getlist("Set-Cookie")[-1]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert not any(name in cookie for name in (ada.user, ada.mailbox, domain))


def test_cookie_travels_over_tls_alone_where_the_address_is_public(office: Office) -> None:
    office.app.extensions["roomsync"] = dataclasses.replace(
        office.deps, settings=dataclasses.replace(office.settings, public_url="https://rooms.example.test")
    )

    cookie = office.app.test_client().get("/auth/login?provider=microsoft").headers["Set-Cookie"]

    assert cookie.startswith("__Host-")
    assert "Secure" in cookie


def test_session_that_nobody_uses_ends_after_twelve_hours(office: Office, ada: Browser) -> None:
    office.clock.advance(LIFE_MS)
    assert ada.client.get("/v1/me").status_code == 401


def test_signing_out_makes_a_kept_cookie_worthless(office: Office, ada: Browser) -> None:
    kept = ada.client.get_cookie("roomsync_session")
    assert kept is not None

    answer = ada.client.post("/auth/logout", data={"csrf": ada.csrf})

    thief = office.app.test_client()
    thief.set_cookie("roomsync_session", kept.value)
    assert answer.status_code == 303
    assert thief.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    "path", ["/auth/logout", "/v1/me/prompts/d-x/dismiss", "/v1/me/prompts/d-x/take", "/prompts/d/take"]
)
def test_every_change_needs_the_token_that_only_our_pages_hold(path: str, ada: Browser) -> None:
    without = ada.client.post(path, json={})
    wrong = ada.client.post(path, json={}, headers={"X-CSRF-Token": "x" * 43})

    assert without.status_code == wrong.status_code == 403
    assert ada.client.get("/v1/me").status_code == 200


@pytest.mark.proves("E11")
def test_nobody_is_believed_to_be_somebody_by_what_they_send(office: Office, ada: Browser) -> None:
    stranger = office.browser().client
    claims = {"user": ada.user, "tenant": ada.tenant, "mailbox": ada.mailbox}
    headers = {"X-User": ada.user, "X-Roomsync-User": ada.user, "Authorization": f"Bearer {ada.user}"}

    for path in ("/v1/me", "/v1/me/rooms", "/v1/me/prompts", "/v1/me/stream"):
        assert stranger.get(path, query_string=claims, headers=headers).status_code == 401
    stranger.set_cookie("roomsync_session", f"{ada.tenant}.{ada.user}")
    assert stranger.get("/v1/me").status_code == 401
