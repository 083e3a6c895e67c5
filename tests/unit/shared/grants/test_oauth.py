from __future__ import annotations

import json

import pytest

from shared.domain.identity import Provider
from shared.grants.grant import who_mends
from shared.grants.oauth import (
    Busy,
    Granted,
    Lost,
    OurFault,
    Suspended,
    classify,
    missing_scopes,
    refresh_request,
    scopes_for,
)
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


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("provider", "granted", "to_read", "to_write"),
    [
        (Provider.MICROSOFT, ("Calendars.Read",), (), ("Calendars.ReadWrite",)),
        (Provider.MICROSOFT, ("Calendars.ReadWrite",), (), ()),
        (Provider.MICROSOFT, ("User.Read",), ("Calendars.Read",), ("Calendars.ReadWrite",)),
        (
            Provider.GOOGLE,
            (f"{GOOGLE}calendar.events.owned.readonly", f"{GOOGLE}calendar.freebusy"),
            (),
            (f"{GOOGLE}calendar.events.owned",),
        ),
        (Provider.GOOGLE, (f"{GOOGLE}calendar.events.owned", f"{GOOGLE}calendar.freebusy"), (), ()),
    ],
)
def test_a_right_to_write_is_a_right_to_read_and_not_the_other_way_round(
    provider: Provider, granted: tuple[str, ...], to_read: tuple[str, ...], to_write: tuple[str, ...]
) -> None:
    assert missing_scopes(provider, granted, writes=False) == to_read
    assert missing_scopes(provider, granted) == to_write


MICROSOFT_ENDS = (50089, 50173, 65001, 70000, 70008, 700082, 700084)
MICROSOFT_PASSES = {
    50055: "person", 50057: "administrator", 50076: "person", 50079: "person", 50105: "administrator",
    53000: "administrator", 53001: "administrator", 53002: "administrator", 53003: "administrator", 65004: "person",
    70001: "administrator", 70043: "person", 700011: "administrator", 700016: "administrator", 7000112: "administrator",
    90094: "administrator",
}  # fmt: skip
OF_GOOGLE = "Token has been expired or revoked."


@pytest.mark.parametrize("number", MICROSOFT_ENDS)
def test_microsoft_ends_a_grant_by_a_number_that_is_documented_as_its_end(number: int) -> None:
    assert classify(Provider.MICROSOFT, 400, _entra("invalid_grant", number)) == Lost(f"AADSTS{number}")
    assert who_mends(f"AADSTS{number}") == "person"


@pytest.mark.parametrize("word", ["invalid_grant", "interaction_required", "consent_required", "unauthorized_client"])
@pytest.mark.parametrize(("number", "mender"), MICROSOFT_PASSES.items())
def test_a_policy_or_a_disabled_account_suspends_a_grant_at_microsoft(number: int, mender: str, word: str) -> None:
    assert classify(Provider.MICROSOFT, 400, _entra(word, number)) == Suspended(f"AADSTS{number}")
    assert who_mends(f"AADSTS{number}") == mender


def test_oauths_word_alone_ends_no_grant_at_microsoft() -> None:
    assert classify(Provider.MICROSOFT, 400, b'{"error": "invalid_grant"}') == Suspended("invalid_grant")
    assert classify(Provider.MICROSOFT, 400, _entra("invalid_grant", 59999)) == Suspended("AADSTS59999")


def test_of_several_numbers_the_mildest_counts() -> None:
    both = json.dumps({"error": "invalid_grant", "error_codes": [50173, 53003]}).encode()
    assert classify(Provider.MICROSOFT, 400, both) == Suspended("AADSTS53003")


def test_google_ends_a_grant_with_its_sentence_alone() -> None:
    ended = json.dumps({"error": "invalid_grant", "error_description": OF_GOOGLE}).encode()
    assert classify(Provider.GOOGLE, 400, ended) == Lost("invalid_grant")
    assert who_mends("invalid_grant") == "person"


@pytest.mark.parametrize(
    ("answer", "code", "mender"),
    [
        ({"error": "invalid_grant", "error_description": "Bad Request"}, "invalid_grant", "person"),
        ({"error": "invalid_grant", "error_description": "Account has been deleted"}, "invalid_grant", "person"),
        ({"error": "invalid_grant", "error_subtype": "invalid_rapt"}, "invalid_rapt", "person"),
        ({"error": "invalid_grant", "error_description": OF_GOOGLE, "error_subtype": "invalid_rapt"}, "invalid_rapt", "person"),
        ({"error": "admin_policy_enforced"}, "admin_policy_enforced", "administrator"),
        ({"error": "unauthorized_client"}, "unauthorized_client", "administrator"),
        ({"error": "org_internal"}, "org_internal", "administrator"),
    ],
)  # fmt: skip
def test_a_policy_suspends_a_grant_at_google(answer: dict[str, str], code: str, mender: str) -> None:
    assert classify(Provider.GOOGLE, 400, json.dumps(answer).encode()) == Suspended(code)
    assert who_mends(code) == mender


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"<html><title>Service Unavailable</title></html>"),
        (500, b'{"error": "invalid_grant"}'),
        (429, b'{"error": "invalid_grant"}'),
        (400, b"<html>a gateway's page</html>"),
        (400, b'{"error": "temporarily_unavailable"}'),
        (400, b'{"error": "a_word_of_next_year"}'),
        (400, b"[]"),
        (302, b""),
        (200, b"{}"),
        (200, b"<html>captive portal</html>"),
        (200, b'{"access_token": 7}'),
    ],
)
@pytest.mark.parametrize("provider", Provider)
def test_what_may_pass_is_not_taken_for_a_lost_grant(provider: Provider, status: int, body: bytes) -> None:
    assert isinstance(classify(provider, status, body, 3.5), Busy)


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
    assert isinstance(classify(Provider.MICROSOFT, 401, body), OurFault)


@pytest.mark.parametrize("word", ["invalid_client", "invalid_scope", "deleted_client", "disabled_client"])
def test_a_wrong_registration_at_google_is_our_fault(word: str) -> None:
    assert classify(Provider.GOOGLE, 401, json.dumps({"error": word}).encode()) == OurFault(word)


@pytest.mark.parametrize(
    ("sent", "seconds"), [(3599, 3599.0), ("3599", 3599.0), (None, 0.0), ("soon", 0.0), (-1, 0.0), ("inf", 0.0)]
)
def test_tokens_are_read_leniently(sent: object, seconds: float) -> None:
    body = json.dumps({"access_token": "a", "expires_in": sent, "refresh_token": "r", "scope": "x y"}).encode()
    assert classify(Provider.GOOGLE, 200, body) == Granted("a", seconds, "r", ("x", "y"))


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


@pytest.mark.parametrize("number", [50033, 50196, 90006, 90012, 90024, 90033, 90055, 90090])
@pytest.mark.parametrize("word", ["invalid_grant", "invalid_request"])
def test_a_transient_number_is_busy_whatever_the_word(word: str, number: int) -> None:
    assert isinstance(classify(Provider.MICROSOFT, 400, _entra(word, number)), Busy)
