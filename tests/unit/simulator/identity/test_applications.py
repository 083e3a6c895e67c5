"""Registered applications: their addresses, their directory, who is assigned, which secret and APIs they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulator.identity.applications import Applications
from simulator.world import World
from tests.unit.simulator.identity import signing_in
from tests.unit.simulator.identity.signing_in import REDIRECT, query_of

pytestmark = pytest.mark.proves("B18")
ADA, ABE, BO, CY = "ada@contoso.example", "abe@contoso.example", "bo@gadget.example", "cy@gadget.example"
APPLICATIONS = "/sim/v1/applications"


def register(http: httpx.Client, provider: str, tenant: str, **fields: Any) -> tuple[str, str]:
    """A client id and its first secret."""
    sent = {"provider": provider, "tenant": tenant, "redirectUris": [REDIRECT], **fields}
    made = http.post(APPLICATIONS, json=sent)
    assert made.status_code == 201, made.text
    client_id = made.json()["clientId"]
    return client_id, http.post(f"{APPLICATIONS}/{client_id}/secrets").json()["secret"]


def test_registrations_are_read_and_changed_under_the_worlds_lock(
    http: httpx.Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, bool] = {}

    def watched(name: str) -> Callable[..., Any]:
        does: Callable[..., Any] = getattr(Applications, name)

        def does_watched(*values: Any) -> Any:
            asked[name] = asked.get(name, True) and world.lock._is_owned()  # type: ignore[attr-defined]
            return does(*values)

        return does_watched

    for name in ("register", "find", "get", "add_secret", "remove", "all"):
        monkeypatch.setattr(Applications, name, watched(name))
    client_id, secret = register(http, "microsoft", world.directory.user(ADA).tenant_id)
    http.patch(f"{APPLICATIONS}/{client_id}", json={"assigned": [ADA]})
    signing_in.microsoft(http).authorize(ADA, client_id=client_id)
    signing_in.microsoft(http).token(code="none", client_id=client_id, client_secret=secret)
    assert [one["clientId"] for one in http.get(APPLICATIONS).json()["applications"]][-1] == client_id
    assert http.delete(f"{APPLICATIONS}/{client_id}").status_code == 200
    assert asked == dict.fromkeys(("register", "find", "get", "add_secret", "remove", "all"), True)


def test_registered_application_signs_in_with_its_own_secret_alone(http: httpx.Client, world: World) -> None:
    tenant = world.directory.user(ADA).tenant_id
    client_id, secret = register(http, "microsoft", tenant)
    world.identity.grant_tenant(tenant, client_id=client_id)
    flow = signing_in.microsoft(http)
    code = query_of(flow.authorize(ADA, client_id=client_id))["code"]
    refused = flow.token(code=code, client_id=client_id, client_secret="simulated-secret")
    assert refused.json()["error_codes"] == [7000215]
    assert flow.token(code=code, client_id=client_id, client_secret=secret).status_code == 200


def test_address_that_is_not_registered_is_shown_on_the_providers_page(http: httpx.Client, world: World) -> None:
    tenant = world.directory.user(ADA).tenant_id
    client_id, _ = register(http, "microsoft", tenant, redirectUris=["http://127.0.0.1:1/auth/callback"])
    page = signing_in.microsoft(http).authorize(ADA, client_id=client_id)
    assert (page.status_code, "redirect URI" in page.text) == (400, True)
    consent = http.get(
        f"/microsoft/login/{tenant}/v2.0/adminconsent", params={"client_id": client_id, "redirect_uri": REDIRECT}
    )
    assert (consent.status_code, "redirect URI" in consent.text) == (400, True)


def test_single_tenant_application_is_refused_at_the_address_for_all(http: httpx.Client, world: World) -> None:
    tenant = world.directory.user(ADA).tenant_id
    client_id, _ = register(http, "microsoft", tenant, onlyHome=True)
    page = signing_in.microsoft(http).authorize(ADA, client_id=client_id)
    assert (page.status_code, "multi-tenant" in page.text) == (400, True)
    assert signing_in.microsoft(http, tenant).authorize(ADA, client_id=client_id).status_code == 200


def test_who_is_not_assigned_is_refused_whatever_was_consented(http: httpx.Client, world: World) -> None:
    tenant = world.directory.user(ADA).tenant_id
    client_id, _ = register(http, "microsoft", tenant, assignmentRequired=True)
    world.identity.grant_tenant(tenant, client_id=client_id)
    http.patch(f"{APPLICATIONS}/{client_id}", json={"assigned": [ADA]})
    flow = signing_in.microsoft(http)
    assert "code" in query_of(flow.authorize(ADA, client_id=client_id))
    assert "AADSTS50105" in query_of(flow.authorize(ABE, client_id=client_id))["error_description"]


def test_consent_for_everybody_is_given_to_one_application(http: httpx.Client, world: World) -> None:
    tenant = world.directory.user(ADA).tenant_id
    client_id, _ = register(http, "microsoft", tenant)
    at = f"/microsoft/login/{tenant}/v2.0/adminconsent"
    asked = {"client_id": client_id, "redirect_uri": REDIRECT, "login_hint": ADA}
    http.post(at, params={**asked, "scope": signing_in.MICROSOFT_SCOPES}, data={"decision": "approve"})
    flow = signing_in.microsoft(http)
    assert "code" in query_of(flow.authorize(ABE, client_id=client_id))
    assert "Need admin approval" in flow.authorize(ABE).text


def test_application_of_one_organisation_refuses_people_of_another(http: httpx.Client, world: World) -> None:
    client_id, _ = register(http, "google", "elsewhere.example", onlyHome=True)
    page = http.get(signing_in.google(http).authorize(BO, client_id=client_id).headers["Location"])
    assert (page.status_code, "org_internal" in page.text) == (400, True)


def test_consent_for_everybody_admits_nobody_to_an_application_of_another_organisation(
    http: httpx.Client, world: World
) -> None:
    client_id, _ = register(http, "google", "elsewhere.example", onlyHome=True)
    world.identity.grant_tenant(world.directory.user(BO).tenant_id, client_id=client_id)
    page = http.get(signing_in.google(http).authorize(BO, client_id=client_id).headers["Location"])
    assert (page.status_code, "org_internal" in page.text) == (400, True)


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_application_that_became_one_organisations_refreshes_for_nobody_else(
    provider: str, http: httpx.Client, world: World
) -> None:
    who = {"microsoft": ADA, "google": BO}[provider]
    client_id, secret = register(http, provider, "elsewhere.example")
    own = {"client_id": client_id, "client_secret": secret}
    world.identity.set_consent(who, True, client_id=client_id)
    flow = signing_in.microsoft(http) if provider == "microsoft" else signing_in.google(http)
    code = query_of(flow.authorize(who, client_id=client_id))["code"]
    refresh = flow.token(code=code, **own).json()["refresh_token"]
    asked = {"grant_type": "refresh_token", "refresh_token": refresh, "code": None, **own}
    assert flow.token(**asked).status_code == 200
    http.patch(f"{APPLICATIONS}/{client_id}", json={"onlyHome": True})
    refused = flow.token(**asked)
    assert refused.status_code == 400
    assert ("AADSTS50020" if provider == "microsoft" else "org_internal") in refused.text


def test_trusted_application_passes_where_administrators_restrict_others(http: httpx.Client, world: World) -> None:
    client_id, _ = register(http, "google", "gadget.example")
    world.faults.put({"oauth": {"google": {"adminApprovalRequired": True}}})
    flow = signing_in.google(http)
    assert query_of(flow.authorize(BO, client_id=client_id))["error"] == "admin_policy_enforced"
    http.patch(f"{APPLICATIONS}/{client_id}", json={"trusted": True})
    assert flow.authorize(BO, client_id=client_id).status_code == 200


def test_apis_are_those_that_the_project_has_enabled(http: httpx.Client, world: World) -> None:
    client_id, _ = register(http, "google", "gadget.example")
    assert not world.identity.has_enabled(client_id, "calendar-json.googleapis.com")
    http.patch(f"{APPLICATIONS}/{client_id}", json={"apis": ["calendar-json.googleapis.com"]})
    assert world.identity.has_enabled(client_id, "calendar-json.googleapis.com")
    assert not world.identity.has_enabled(client_id, "admin.googleapis.com")


def test_removed_application_takes_every_grant_and_token_with_it(http: httpx.Client, world: World) -> None:
    client_id, secret = register(http, "google", "gadget.example", redirectUris=[REDIRECT])
    world.identity.set_consent(BO, granted=True, client_id=client_id)
    flow = signing_in.google(http)
    code = query_of(flow.authorize(BO, client_id=client_id))["code"]
    token = flow.token(code=code, client_id=client_id, client_secret=secret).json()["access_token"]
    assert http.delete(f"{APPLICATIONS}/{client_id}").status_code == 200
    assert world.identity.consents(BO) == []
    assert world.identity.bearer({"Authorization": f"Bearer {token}"}) is None
    page = http.get(flow.authorize(BO, client_id=client_id).headers["Location"])
    assert "OAuth client was not found" in page.text
    assert http.delete(f"{APPLICATIONS}/{client_id}").status_code == 404


def test_wrong_field_is_refused_with_the_known_ones(http: httpx.Client) -> None:
    answer = http.post(APPLICATIONS, json={"provider": "google", "colour": "red"})
    assert (answer.status_code, "redirectUris" in answer.json()["error"]) == (400, True)
