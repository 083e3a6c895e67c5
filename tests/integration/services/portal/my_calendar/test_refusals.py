"""What people are told who may not connect, or come back as somebody else or with nothing: no less and no more than is true."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from shared.contracts.command import Connect
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Mailbox, Provider
from shared.domain.roles import Role
from shared.domain.sighting import DirectoryRoom
from shared.grants.oauth import identity_scopes
from shared.registry import tables
from tests.integration.services.portal.my_calendar.test_profile import count_commands, identified, organisation, pressed
from tests.integration.services.portal.office import Browser, Office


@pytest.mark.proves("S4")
def test_whoever_has_an_account_of_the_other_calendar_system_gets_words_and_no_button(
    office: Office, domain: str
) -> None:
    ada = identified(office, f"ada@{domain}")
    organisation(office, ada, provider="google")

    for path in ("/", "/profile"):
        page = ada.client.get(path).text
        assert "uses the other calendar system here" in page
        assert "sign in with your account of that calendar system" in page
        assert 'role="switch"' not in page
        assert "/profile/connect" not in page
        assert "/auth/login?provider" not in page
    assert ada.client.get("/v1/me/calendar").json["mayConnect"] is False
    answer = ada.post("/v1/me/calendar/connect")
    assert (answer.status_code, answer.json["code"]) == (409, "other-calendar")
    assert ada.client.get("/v1/me/welcome").json == {"due": False}


@pytest.mark.proves("S4")
def test_rooms_offer_to_connect_whoever_may(office: Office, domain: str) -> None:
    ada = identified(office, f"ada@{domain}")
    ada.client.post("/welcome/later", data={"csrf": ada.csrf})

    page = ada.client.get("/").text
    assert '<form method="post" action="/profile/connect">' in page
    assert "Connect your calendar</button>" in page


@pytest.mark.proves("E11", "E12")
def test_whoever_comes_back_as_somebody_else_connects_nobody_and_stays_who_they_are(
    office: Office, domain: str
) -> None:
    """Ada pressed the switch, and chose Ben's account at the provider."""
    ada = identified(office, f"ada@{domain}")
    gone = pressed(ada)
    back = office.simulator.follow(gone.replace("login_hint=ada", "login_hint=ben"))

    answer = ada.come_back(back)

    assert (answer.status_code, "other-person" in answer.text) == (403, True)
    assert list(tables.consents(office.engine.registry).scan(ada.tenant)) == []
    assert [user for user, _ in tables.users(office.engine.registry).scan(ada.tenant)] == [ada.user]
    assert count_commands(office, Connect) == 0
    assert ada.client.get("/v1/me").json["user"] == ada.user


@pytest.mark.proves("E17")
def test_page_of_somebody_else_connects_nobody(office: Office, domain: str) -> None:
    """A provider that remembers the consent asks nothing: without this, following a link would be connecting."""
    ada = identified(office, f"ada@{domain}")
    elsewhere = {"Sec-Fetch-Site": "cross-site"}

    led = ada.client.get("/profile/connect", headers=elsewhere)
    assert (led.status_code, led.headers["Location"]) == (303, "/profile")
    for errand in ("", "&for=rooms", "&for=test"):
        gone = ada.client.get(f"/auth/login?provider=microsoft&login_hint=ada@{domain}{errand}", headers=elsewhere)
        asked = parse_qs(urlsplit(gone.headers["Location"]).query)["scope"][0].split()
        assert asked == list(identity_scopes(Provider.MICROSOFT))
        assert ada.come_back(office.simulator.follow(gone.headers["Location"])).status_code == 303
    assert list(tables.consents(office.engine.registry).scan(ada.tenant)) == []
    assert ada.client.post("/profile/connect", headers=elsewhere).status_code == 403
    assert list(tables.consents(office.engine.registry).scan(ada.tenant)) == []
    ada.csrf = ada.client.get("/v1/me").json["csrf"]
    assert pressed(ada) != "/profile"


@pytest.mark.proves("E17")
def test_no_address_that_somebody_follows_connects_a_calendar(office: Office, domain: str) -> None:
    """From a mail no browser says where it was led from, and a provider that remembers the consent asks nothing."""
    ada = identified(office, f"ada@{domain}")
    led = (
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Referer": "http://localhost/profile"},
    )
    for headers in led:
        assert ada.client.get("/profile/connect", headers=headers).headers["Location"] == "/profile"
        for errand in ("", "&for=connect", "&for=enter", "&next=/profile/connect"):
            gone = ada.client.get(f"/auth/login?provider=microsoft&login_hint=ada@{domain}{errand}", headers=headers)
            asked = parse_qs(urlsplit(gone.headers["Location"]).query)["scope"][0].split()
            assert asked == list(identity_scopes(Provider.MICROSOFT))
            ada.come_back(office.simulator.follow(gone.headers["Location"]))
    assert list(tables.consents(office.engine.registry).scan(ada.tenant)) == []
    assert count_commands(office, Connect) == 0


@pytest.mark.proves("E17")
@pytest.mark.parametrize(
    ("errand", "page"),
    [
        ("rooms", "/admin/rooms"),
        ("test", "/admin/integration/test/permissions"),
        ("prove", "/admin/integration/test/permissions"),
    ],
)
def test_no_address_that_an_administrator_follows_asks_a_permission(
    office: Office, domain: str, errand: str, page: str
) -> None:
    ada = identified(office, f"ada@{domain}")
    promote(office, ada)
    before = len(list(office.engine.registry.scan("sign-ins", "-")))
    for headers in ({}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}):
        gone = ada.client.get(f"/auth/login?provider=microsoft&for={errand}", headers=headers)
        assert (gone.status_code, gone.headers["Location"]) == (303, page)
    assert len(list(office.engine.registry.scan("sign-ins", "-"))) == before
    for path in ("/admin/rooms/import", "/admin/integration/test/depart", "/admin/integration/directory"):
        assert ada.client.post(path, data={"provider": "microsoft"}).status_code == 403, "without its token"


@pytest.mark.proves("E17")
@pytest.mark.parametrize("how", ["anew", "as-somebody-else", "signed-out"])
def test_import_ends_in_the_session_that_began_it(office: Office, domain: str, how: str) -> None:
    """Another administrator's permission would be used for what this one began, or theirs by another."""
    ada = identified(office, f"ada@{domain}")
    promote(office, ada)
    ada.csrf = ada.client.get("/v1/me").json["csrf"]
    asked = ada.post("/v1/admin/rooms/import").json["location"]
    if how == "signed-out":
        assert ada.client.post("/auth/logout", data={"csrf": ada.csrf}).status_code == 303
    else:
        ada.enter(f"{'ada' if how == 'anew' else 'ben'}@{domain}")
        promote(office, ada)
    office.calendar.rooms = [DirectoryRoom("aare@rooms.example", "Aare", 6, "", "")]

    answer = ada.come_back(office.simulator.follow(asked))

    assert (answer.status_code, "sign-in-expired" in answer.text) == (403, True)
    assert list(tables.rooms(office.engine.registry).scan(ada.tenant)) == []


def promote(office: Office, browser: Browser) -> None:
    me = tables.users(office.engine.registry)
    for user, _ in list(me.scan(browser.tenant)):
        me.change(
            browser.tenant,
            user,
            lambda row: msgspec.structs.replace(row, roles=(Role.SUBSCRIPTION_ADMIN.value,)) if row else None,
        )


@pytest.mark.proves("E12", "E17")
def test_connecting_ends_in_the_session_that_began_it(office: Office, domain: str) -> None:
    """Somebody signed out, or in anew, between the switch and the way back."""
    ada = identified(office, f"ada@{domain}")
    gone = pressed(ada)
    ada.client.post("/auth/logout", data={"csrf": ada.csrf})

    signed_out = ada.come_back(office.simulator.follow(gone))
    assert ada.enter(f"ada@{domain}").status_code == 303
    ada.csrf = ada.client.get("/v1/me").json["csrf"]
    gone = pressed(ada)
    assert ada.enter(f"ada@{domain}").status_code == 303
    anew = ada.come_back(office.simulator.follow(gone))

    assert (signed_out.status_code, anew.status_code) == (403, 403)
    assert "sign-in-expired" in signed_out.text
    assert list(tables.consents(office.engine.registry).scan(ada.tenant)) == []


@pytest.mark.proves("S2")
def test_whoever_declines_at_the_provider_is_not_told_that_they_are_signed_out(office: Office, domain: str) -> None:
    ada = identified(office, f"ada@{domain}")
    gone = pressed(ada)
    state = parse_qs(urlsplit(gone).query)["state"][0]

    page = ada.client.get("/auth/callback", query_string={"state": state, "error": "access_denied"}).text
    stranger = office.browser().client.get("/auth/callback?state=x").text

    assert "Nothing was changed" in page
    assert "You are not signed in" not in page
    assert 'href="/profile">To your profile' in page
    assert "You are not signed in" in stranger


@pytest.mark.proves("B27")
def test_bare_refusal_is_a_decline_or_a_missing_approval_and_brings_the_link(office: Office, domain: str) -> None:
    ada = identified(office, f"ada@{domain}")
    state = parse_qs(urlsplit(pressed(ada)).query)["state"][0]
    refused = {"state": state, "error": "access_denied", "error_subcode": "cancel"}

    page = ada.client.get("/auth/callback", query_string=refused).text

    assert "<code>declined-or-approval</code>" in page
    assert "do not try again: send" in page
    assert "/v2.0/adminconsent?" in page
    assert "Try again and accept. If you were not even asked" not in page


@pytest.mark.proves("B27")
@pytest.mark.parametrize(
    ("provider", "text", "code", "who", "link"),
    [
        ("microsoft", "Need admin approval", "admin-approval-required", "IT administrator", True),
        ("microsoft", "Sorry: AADSTS90094: Admin consent", "admin-approval-required", "IT administrator", True),
        ("microsoft", "AADSTS50105", "user-not-assigned", "IT administrator", False),
        ("google", "Error 400: admin_policy_enforced", "policy-blocks-app", "IT administrator", False),
        ("google", "Error 403: org_internal", "other-organisation", "Whoever runs this service", False),
        ("google", "Error 400: redirect_uri_mismatch", "redirect-wrong", "Whoever runs this service", False),
    ],
)
def test_page_that_never_led_back_is_explained_to_whoever_reports_what_it_said(
    office: Office, domain: str, provider: str, text: str, code: str, who: str, link: bool
) -> None:
    where = domain if provider == "microsoft" else f"g.{domain}"
    ada = identified(office, f"ada@{where}", provider)
    assert 'action="/profile/connect/reported"' in ada.client.get("/profile").text

    answer = ada.client.post("/profile/connect/reported", data={"csrf": ada.csrf, "code": text})

    assert answer.status_code == 200
    assert f"<code>{code}</code>" in answer.text
    assert who in answer.text
    assert ("/v2.0/adminconsent?" in answer.text) is link
    assert "Nothing was changed" in answer.text


@pytest.mark.proves("B27")
def test_report_without_a_code_says_what_to_copy(office: Office, domain: str) -> None:
    ada = identified(office, f"ada@{domain}")

    answer = ada.client.post("/profile/connect/reported", data={"csrf": ada.csrf, "code": "<script>it broke</script>"})

    assert answer.status_code == 422
    assert "Need admin approval" in answer.text
    assert "it broke" not in answer.text
    assert ada.client.post("/profile/connect/reported", data={"code": "AADSTS90094"}).status_code == 403


@pytest.mark.proves("B27")
def test_whoever_may_not_even_sign_in_gets_a_link_whose_answer_is_thanked_for_and_kept_for_nobody(
    office: Office, domain: str
) -> None:
    browser = office.browser()
    start = browser.client.get("/auth/login?provider=microsoft")
    state = parse_qs(urlsplit(start.headers["Location"]).query)["state"][0]
    page = browser.client.get(
        "/auth/callback", query_string={"state": state, "error": "access_denied", "error_subcode": "cancel"}
    ).text
    shown = page.partition('<textarea id="consent-link"')[2].partition(">")[2].partition("</textarea>")[0]
    link = shown.replace("&amp;", "&")
    assert urlsplit(link).path.endswith("/organizations/v2.0/adminconsent")

    answer = httpx.post(f"{link}&login_hint=ada@{domain}", data={"decision": "approve"}, follow_redirects=False)
    back = office.browser().come_back(answer.headers["Location"])

    assert back.status_code == 200
    assert "Thank you" in back.text
    assert list(tables.tenant_consents(office.engine.registry).scan("-")) == []


@pytest.mark.proves("S1")
def test_whoever_connected_and_took_it_back_is_not_welcomed(office: Office, ada: Browser) -> None:
    office.deps.broker.forget(Mailbox(ada.tenant, ada.mailbox))

    assert ada.client.get("/").status_code == 200
    assert ada.client.get("/v1/me/welcome").json == {"due": False}


@pytest.mark.proves("S4")
def test_page_that_is_not_switched_on_leads_to_one_that_is_there(office: Office, ada: Browser) -> None:
    organisation(office, ada, integration=IntegrationState.OFF)

    page = ada.client.get("/")

    assert page.status_code == 409
    assert '<a class="button" href="/profile">' in page.text
    assert ada.client.get("/profile").status_code == 200
