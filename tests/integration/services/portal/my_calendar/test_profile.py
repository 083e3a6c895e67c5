"""The switch in one's profile, and the welcome: what people see and do to connect their own calendar, and to take that back."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.openid import asked_for
from shared.contracts.command import Connect, Disconnect
from shared.contracts.rows import ConsentRow, ConsentState, FreshnessRow, IntegrationState, TenantRow
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import HOUR_MS, to_rfc3339
from shared.errors import LogUnavailableError
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office


def identified(office: Office, address: str, provider: str = "microsoft") -> Browser:
    """Signed in without a word about the calendar."""
    browser = office.browser()
    query = {"provider": provider, "login_hint": address, "for": "sign-in"}
    start = browser.client.get("/auth/login", query_string=query)
    answer = browser.come_back(office.simulator.follow(start.headers["Location"]))
    assert answer.status_code == 303, answer.text
    me = browser.client.get("/v1/me/calendar")
    assert me.status_code == 200, me.text
    cookie = browser.client.get_cookie("roomsync_session")
    assert cookie is not None
    tenant = cookie.value.partition(".")[0]
    [(user, row)] = tables.users(office.engine.registry).scan(tenant)
    browser.tenant, browser.user, browser.mailbox = tenant, user, row.mailbox
    browser.csrf = csrf_of(browser.client.get("/profile").text)
    return browser


def pressed(browser: Browser) -> str:
    """Where the page leads that follows when the switch is pressed."""
    page = browser.client.post("/profile/connect", data={"csrf": browser.csrf})
    assert page.status_code == 200, page.text
    [address] = re.findall(r'http-equiv="refresh" content="0; url=([^"]{1,4000})"', page.text)
    return html.unescape(address)


def csrf_of(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def organisation(office: Office, browser: Browser, **changes: Any) -> None:
    """Change the organisation's row."""
    tables.tenants(office.engine.registry).change(
        browser.tenant, "tenant", lambda row: msgspec.structs.replace(row, **changes) if row else None
    )


def grant(office: Office, browser: Browser) -> ConsentRow | None:
    return tables.consents(office.engine.registry).get(browser.tenant, browser.mailbox)


def count_commands(office: Office, kind: type) -> int:
    tag = {Connect: b'"connect"', Disconnect: b'"disconnect"'}[kind]
    return sum(tag in value for _, _, value in office.commands())


@pytest.mark.proves("S2", "E12")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_switch_leads_to_the_provider_and_back_and_says_what_the_api_says(
    office: Office, domain: str, provider: str
) -> None:
    where = domain if provider == "microsoft" else f"g.{domain}"
    ada = identified(office, f"ada@{where}", provider)
    page = ada.client.get("/profile").text
    assert 'aria-checked="false"' in page
    assert ada.client.get("/v1/me/calendar").json["on"] is False
    gone = pressed(ada)
    query = parse_qs(urlsplit(gone).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"][0].split() == list(asked_for(Provider(provider), Purpose.CONNECT))
    assert query["login_hint"] == [f"ada@{where}"]
    back = ada.come_back(office.simulator.follow(gone))
    assert back.headers["Location"] == "/profile"
    row = grant(office, ada)
    assert row
    assert row.state is ConsentState.CONNECTING
    assert count_commands(office, Connect) == 1
    shown = ada.client.get("/v1/me/calendar").json
    assert (shown["state"], shown["on"]) == ("connecting", True)
    page = ada.client.get("/profile").text
    assert 'aria-checked="true"' in page
    assert "Connecting" in page


@pytest.mark.proves("S3")
def test_permission_that_was_given_while_the_log_is_away_is_kept(
    office: Office, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that says that nothing was changed would be wrong: the provider's code is good for one try."""
    ada = identified(office, f"ada@{domain}")
    gone = pressed(ada)

    def away(_records: object) -> None:
        message = "the log is away"
        raise LogUnavailableError(message)

    with monkeypatch.context() as patch:
        patch.setattr(office.engine.log, "append", away)
        back = ada.come_back(office.simulator.follow(gone))

    assert (back.status_code, back.headers["Location"]) == (303, "/profile")
    assert ada.client.get("/v1/me/calendar").json["state"] == "connecting"


@pytest.mark.proves("S2", "E12")
def test_program_is_told_where_to_send_the_browser(office: Office, domain: str) -> None:
    ada = identified(office, f"ada@{domain}")
    answer = ada.post("/v1/me/calendar/connect")
    assert answer.status_code == 200
    back = ada.come_back(office.simulator.follow(answer.json["location"]))
    assert back.headers["Location"] == "/profile"
    assert grant(office, ada) is not None


@pytest.mark.proves("S3")
def test_page_says_connecting_then_first_sync_then_connected_with_a_time(office: Office, ada: Browser) -> None:
    mailbox = tables.users(office.engine.registry).get(ada.tenant, ada.user)
    assert mailbox
    words = []
    for changes in ({}, {"state": ConsentState.ACTIVE}, {"first_look_at_ms": office.clock.now_ms()}):
        tables.consents(office.engine.registry).change(
            ada.tenant,
            ada.mailbox,
            lambda row, changes=changes: msgspec.structs.replace(row, **changes) if row else None,
        )
        page = ada.client.get("/profile").text
        words.append(next(word for word in ("Connecting", "First sync", "Connected") if f">{word}" in page))
    assert words == ["Connecting", "First sync", "Connected"]
    assert "<time" in page


@pytest.mark.proves("B14")
def test_connected_calendar_says_when_it_was_last_heard_of_and_last_checked(office: Office, ada: Browser) -> None:
    registry = office.engine.registry
    at_ms = office.clock.now_ms()
    tables.consents(registry).change(
        ada.tenant,
        ada.mailbox,
        lambda row: msgspec.structs.replace(row, state=ConsentState.ACTIVE, first_look_at_ms=at_ms) if row else None,
    )
    assert "Not checked within two days" in ada.client.get("/profile").text
    tables.freshness(registry).put(ada.tenant, ada.mailbox, FreshnessRow(heard_at_ms=0, checked_at_ms=at_ms))
    page = ada.client.get("/profile").text
    assert f'Last checked <time datetime="{to_rfc3339(at_ms)}">' in page
    assert "has told us of no change yet" in page
    row = FreshnessRow(heard_at_ms=at_ms - HOUR_MS, checked_at_ms=at_ms)
    tables.freshness(registry).put(ada.tenant, ada.mailbox, row)
    assert (
        f'last told us of a change <time datetime="{to_rfc3339(at_ms - HOUR_MS)}">' in ada.client.get("/profile").text
    )
    shown = ada.client.get("/v1/me/calendar").json
    assert (shown["heard"], shown["checked"]) == (to_rfc3339(at_ms - HOUR_MS), to_rfc3339(at_ms))


@pytest.mark.proves("S4", "E15")
@pytest.mark.parametrize("state", [state for state in IntegrationState if state is not IntegrationState.ENABLED])
def test_while_it_is_not_enabled_there_is_no_button_and_the_api_says_whom_to_ask(
    office: Office, domain: str, state: IntegrationState
) -> None:
    ada = identified(office, f"ada@{domain}")
    organisation(office, ada, integration=state, contact="desk@contoso.test")
    page = ada.client.get("/profile").text
    assert 'role="switch"' not in page
    assert "not switched on" in page
    assert "desk@contoso.test" in page
    answer = ada.post("/v1/me/calendar/connect")
    assert (answer.status_code, answer.json["code"]) == (409, "not-enabled")
    assert "desk@contoso.test" in answer.json["next"]
    assert ada.client.post("/profile/connect", data={"csrf": ada.csrf}).status_code == 409
    assert ada.client.get("/v1/me/calendar").json["mayConnect"] is False
    assert grant(office, ada) is None


@pytest.mark.proves("E17", "E31")
def test_disconnecting_asks_the_owner_to_end_it_and_touches_nobody_else(
    office: Office, ada: Browser, ben: Browser
) -> None:
    before = grant(office, ben)
    answer = ada.client.post("/profile/disconnect", data={"csrf": ada.csrf})
    assert answer.status_code == 303
    page = ada.client.get(answer.headers["Location"]).text
    assert "Disconnecting" in page
    assert "Only you can remove it there" in page
    assert 'aria-checked="true"' not in page
    [(_, key, _)] = [each for each in office.commands() if b'"disconnect"' in each[2]]
    assert key == f"{ada.tenant}/{ada.mailbox}".encode()
    assert ada.client.get("/v1/me/calendar").json["state"] == "disconnecting"
    assert grant(office, ben) == before
    assert ben.client.get("/v1/me/calendar").json["on"] is True


@pytest.mark.proves("E17")
def test_signing_in_alone_does_not_reconnect_whoever_disconnected(office: Office, ada: Browser, domain: str) -> None:
    office.deps.broker.forget(_mailbox(ada))
    told = count_commands(office, Connect)
    again = identified(office, f"ada@{domain}")
    assert grant(office, again) is None
    assert count_commands(office, Connect) == told
    assert again.client.get("/v1/me/calendar").json["state"] == "none"


@pytest.mark.proves("S10", "E31")
@pytest.mark.parametrize(("code", "who"), [("invalid_grant", "Connect again"), ("AADSTS53003", "IT department")])
def test_page_says_that_the_provider_took_it_back_and_who_mends_it(
    office: Office, ada: Browser, code: str, who: str
) -> None:
    office.deps.broker.revoked(_mailbox(ada), code)
    page = ada.client.get("/profile").text
    assert who in page
    assert code in page
    assert 'aria-checked="false"' in page
    assert ada.post("/v1/me/calendar/disconnect").json["state"] == "none"


@pytest.mark.proves("B25")
def test_who_is_not_asked_for_since_others_are_refused_is_told_to_do_nothing(office: Office, ada: Browser) -> None:
    """Of the one who was refused it says that connecting again helps: of the others it does not."""
    table = tables.consents(office.engine.registry)
    words = {}
    for refusals in (0, 1):
        table.change(
            ada.tenant,
            ada.mailbox,
            lambda row, refusals=refusals: (  # type: ignore[misc]
                msgspec.structs.replace(row, state=ConsentState.SUSPENDED, reason="invalid_grant", refusals=refusals)
                if row
                else None
            ),
        )
        pages = [ada.client.get(path).text.partition("<main")[2] for path in ("/profile", "/")]
        assert ada.client.get("/v1/me/calendar").json["heldBack"] is (refusals == 0)
        words[refusals] = ["nothing is needed from you" in page for page in pages]
    assert words == {0: [True, True], 1: [False, False]}


@pytest.mark.proves("S1")
def test_welcome_stands_before_the_first_page_once(office: Office, domain: str) -> None:
    ada = identified(office, f"ada@{domain}")
    assert ada.client.get("/").headers["Location"] == "/welcome"
    page = ada.client.get("/welcome").text
    assert "Connect calendar" in page
    assert ada.client.post("/welcome/later", data={"csrf": ada.csrf}).headers["Location"] == "/"
    assert ada.client.get("/").status_code == 200
    assert ada.client.get("/welcome").headers["Location"] == "/profile"
    again = identified(office, f"ada@{domain}")
    assert again.client.get("/").status_code == 200
    assert again.client.get("/v1/me/welcome").json == {"due": False}


@pytest.mark.proves("S1")
@pytest.mark.parametrize("state", [IntegrationState.OFF, IntegrationState.TESTING, IntegrationState.DISABLED])
def test_welcome_is_never_shown_while_it_is_not_enabled(office: Office, domain: str, state: IntegrationState) -> None:
    ada = identified(office, f"ada@{domain}")
    organisation(office, ada, integration=state)
    assert ada.client.get("/").headers.get("Location") != "/welcome"
    assert ada.client.get("/welcome").headers["Location"] == "/profile"


@pytest.mark.proves("S1")
def test_whoever_connected_is_not_welcomed(ada: Browser) -> None:
    assert ada.client.get("/").status_code == 200


@pytest.mark.proves("E28", "E31")
def test_sleeping_grant_is_explained_and_can_be_deleted_at_once(office: Office, ada: Browser) -> None:
    until_ms = office.clock.now_ms() + HOUR_MS

    def off(row: TenantRow | None) -> TenantRow | None:
        return (
            msgspec.structs.replace(row, integration=IntegrationState.DISABLED, sleep_until_ms=until_ms)
            if row
            else None
        )

    tables.tenants(office.engine.registry).change(ada.tenant, "tenant", off)
    office.deps.broker.put_to_sleep(_mailbox(ada))
    page = ada.client.get("/profile").text
    assert "five days" in page
    assert "Delete my permission here now" in page
    ada.client.post("/profile/disconnect", data={"csrf": ada.csrf})
    assert grant(office, ada) is None


@pytest.mark.proves("E30")
def test_profile_calls_nobody_connected_from_the_moment_of_switching_off(office: Office, ada: Browser) -> None:
    assert ada.client.get("/v1/me/calendar").json["on"]
    organisation(office, ada, integration=IntegrationState.DISABLED, sleep_until_ms=office.clock.now_ms() + HOUR_MS)
    told = ada.client.get("/v1/me/calendar").json
    assert (told["state"], told["on"]) == ("sleeping", False)
    page = ada.client.get("/profile").text
    assert "Switched off for your organisation" in page
    assert "being read" not in page
    ada.client.post("/profile/disconnect", data={"csrf": ada.csrf})
    assert count_commands(office, Disconnect) == 1


def _mailbox(browser: Browser) -> Mailbox:
    return Mailbox(browser.tenant, browser.mailbox)
