from __future__ import annotations

import json

import pytest

from shared.domain.identity import Provider
from shared.grants.grant import who_mends
from shared.grants.oauth import Busy, Granted, Lost, OurFault, classify, missing_scopes, refresh_request, scopes_for
from shared.runtime.settings import Settings

GOOGLE = "https://www.googleapis.com/auth/"


def _entra(error: str, number: int) -> bytes:
    return json.dumps(
        {
            "error": error,
            "error_description": f"AADSTS{number}: words that may change. Trace ID: …",
            "error_codes": [number],
            "trace_id": "t",
            "correlation_id": "c",
        }
    ).encode()


@pytest.mark.proves("S7")
def test_the_scopes_are_exactly_the_ruled_ones() -> None:
    assert scopes_for(Provider.MICROSOFT) == ("openid", "profile", "offline_access", "User.Read", "Calendars.ReadWrite")
    assert scopes_for(Provider.GOOGLE) == (
        "openid",
        "email",
        f"{GOOGLE}calendar.events.owned",
        f"{GOOGLE}calendar.freebusy",
    )


@pytest.mark.proves("B19")
def test_an_observe_only_pilot_asks_for_reading_alone() -> None:
    assert scopes_for(Provider.MICROSOFT, writes=False)[-1] == "Calendars.Read"
    assert f"{GOOGLE}calendar.events.owned.readonly" in scopes_for(Provider.GOOGLE, writes=False)
    assert f"{GOOGLE}calendar.events.owned" not in scopes_for(Provider.GOOGLE, writes=False)


def test_importing_rooms_adds_one_scope() -> None:
    assert scopes_for(Provider.MICROSOFT, room_import=True)[-1] == "Place.Read.All"
    assert scopes_for(Provider.GOOGLE, room_import=True)[-1] == f"{GOOGLE}admin.directory.resource.calendar.readonly"


@pytest.mark.parametrize(
    ("provider", "granted", "missing"),
    [
        (Provider.MICROSOFT, ("https://graph.microsoft.com/Calendars.ReadWrite", "openid"), ()),
        (Provider.MICROSOFT, ("calendars.readwrite",), ()),
        (Provider.MICROSOFT, ("User.Read",), ("Calendars.ReadWrite",)),
        (Provider.GOOGLE, ("openid", f"{GOOGLE}calendar.freebusy"), (f"{GOOGLE}calendar.events.owned",)),
        (Provider.GOOGLE, (), ()),
    ],
)
def test_what_a_person_unticked_is_named(
    provider: Provider, granted: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    assert missing_scopes(provider, granted) == missing


@pytest.mark.parametrize(
    ("body", "code", "mender"),
    [
        (_entra("invalid_grant", 50173), "AADSTS50173", "person"),
        (_entra("invalid_grant", 700082), "AADSTS700082", "person"),
        (_entra("invalid_grant", 70043), "AADSTS70043", "person"),
        (_entra("invalid_grant", 65001), "AADSTS65001", "person"),
        (_entra("consent_required", 90094), "AADSTS90094", "administrator"),
        (_entra("access_denied", 65004), "AADSTS65004", "person"),
        (_entra("interaction_required", 50076), "AADSTS50076", "person"),
        (_entra("unauthorized_client", 700016), "AADSTS700016", "administrator"),
        (_entra("invalid_client", 70001), "AADSTS70001", "administrator"),
        (
            b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}',
            "invalid_grant",
            "person",
        ),
        (b'{"error": "invalid_grant", "error_subtype": "invalid_rapt"}', "invalid_grant", "person"),
        (b'{"error": "admin_policy_enforced"}', "admin_policy_enforced", "administrator"),
        (b'{"error": "unauthorized_client"}', "unauthorized_client", "administrator"),
    ],
)
def test_a_grant_that_is_gone_names_who_can_mend_it(body: bytes, code: str, mender: str) -> None:
    assert classify(400, body) == Lost(code)
    assert who_mends(code) == mender


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"<html><title>Service Unavailable</title></html>"),
        (500, b'{"error": "invalid_grant"}'),
        (429, b'{"error": "invalid_grant"}'),
        (400, b"<html>a gateway's page</html>"),
        (400, b'{"error": "temporarily_unavailable"}'),
        (400, _entra("invalid_grant", 90033)),
        (400, _entra("invalid_request", 90024)),
        (400, b'{"error": "a_word_of_next_year"}'),
        (400, b"[]"),
        (302, b""),
        (200, b"{}"),
        (200, b"<html>captive portal</html>"),
        (200, b'{"access_token": 7}'),
    ],
)
def test_what_may_pass_is_not_taken_for_a_lost_grant(status: int, body: bytes) -> None:
    assert isinstance(classify(status, body, 3.5), Busy)


@pytest.mark.parametrize(
    "body",
    [
        _entra("invalid_client", 7000215),
        _entra("invalid_client", 7000222),
        b'{"error": "invalid_client"}',
        b'{"error": "invalid_scope"}',
    ],
)
def test_a_wrong_registration_is_our_fault(body: bytes) -> None:
    assert isinstance(classify(401, body), OurFault)


@pytest.mark.parametrize(
    ("sent", "seconds"), [(3599, 3599.0), ("3599", 3599.0), (None, 0.0), ("soon", 0.0), (-1, 0.0), ("inf", 0.0)]
)
def test_tokens_are_read_leniently(sent: object, seconds: float) -> None:
    body = json.dumps({"access_token": "a", "expires_in": sent, "refresh_token": "r", "scope": "x y"}).encode()
    assert classify(200, body) == Granted("a", seconds, "r", ("x", "y"))


def test_google_has_one_endpoint_and_microsoft_one_per_directory() -> None:
    settings = Settings(
        microsoft_login_url="http://127.0.0.1:1", google_token_url="http://127.0.0.1:1/token", google_client_id="g"
    )
    assert (
        refresh_request(Provider.MICROSOFT, settings, "r", "").url
        == "http://127.0.0.1:1/organizations/oauth2/v2.0/token"
    )
    assert refresh_request(Provider.MICROSOFT, settings, "r", "a/b").url == "http://127.0.0.1:1/a%2Fb/oauth2/v2.0/token"
    google = refresh_request(Provider.GOOGLE, settings, "r", "initech.example")
    assert google.url == "http://127.0.0.1:1/token"
    assert google.form["client_id"] == "g"
