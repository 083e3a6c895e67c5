"""Both OpenID providers: the code flow with PKCE, tokens that verify, and everything that is refused."""

from __future__ import annotations

import base64

import httpx
import pytest
from joserfc import jwk, jwt

from simulator.world import ManualClock, World
from tests.unit.simulator.identity import signing_in
from tests.unit.simulator.identity.signing_in import Flow, hidden_fields, query_of

ADA, BO = "ada@contoso.example", "bo@gadget.example"
PROVIDERS = ["microsoft", "google"]


def flow_of(provider: str, http: httpx.Client) -> tuple[Flow, str]:
    if provider == "microsoft":
        return signing_in.microsoft(http), ADA
    return signing_in.google(http), BO


def consented(world: World, who: str) -> None:
    world.identity.set_consent(who, granted=True)


def verified(http: httpx.Client, discovery: str, id_token: str) -> dict[str, object]:
    document = http.get(discovery).json()
    keys = jwk.KeySet.import_key_set(http.get(document["jwks_uri"]).json())
    token = jwt.decode(id_token, keys, algorithms=["RS256"])
    return {**token.claims, "_issuer": document["issuer"]}


@pytest.mark.proves("E12", "M3")
def test_microsofts_code_flow_gives_an_id_token_that_its_published_keys_verify(
    http: httpx.Client, world: World
) -> None:
    consented(world, ADA)
    ada = world.directory.user(ADA)
    tokens = signing_in.microsoft(http).sign_in(ADA)
    claims = verified(
        http, f"/microsoft/login/{ada.tenant_id}/v2.0/.well-known/openid-configuration", tokens["id_token"]
    )
    assert claims["iss"] == claims["_issuer"] == f"http://127.0.0.1:8103/microsoft/login/{ada.tenant_id}/v2.0"
    assert (claims["oid"], claims["tid"], claims["aud"], claims["nonce"]) == (
        ada.id,
        ada.tenant_id,
        "roomsync",
        "n0nce",
    )
    assert (claims["name"], claims["preferred_username"], claims["email"]) == ("Ada", ADA, ADA)
    assert claims["exp"] == world.now_ms() // 1000 + 3600
    assert "offline_access" not in tokens["scope"].split()


@pytest.mark.proves("E12", "M3")
def test_googles_code_flow_gives_an_id_token_that_its_published_keys_verify(http: httpx.Client, world: World) -> None:
    consented(world, BO)
    bo = world.directory.user(BO)
    tokens = signing_in.google(http).sign_in(BO)
    claims = verified(http, "/google/.well-known/openid-configuration", tokens["id_token"])
    assert claims["iss"] == claims["_issuer"] == "http://127.0.0.1:8103/google"
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (bo.id, BO, True)
    assert (claims["hd"], claims["name"], claims["nonce"]) == ("gadget.example", "Bo", "n0nce")
    assert "https://www.googleapis.com/auth/userinfo.email" in tokens["scope"].split()


def test_hosted_domain_is_that_of_the_persons_own_address(http: httpx.Client, world: World) -> None:
    address = "di@second.example"
    with world.lock:
        world.directory.add_user(world.directory.user(BO).tenant_id, "Di", address)
    consented(world, address)
    tokens = signing_in.google(http).sign_in(address)
    assert verified(http, "/google/.well-known/openid-configuration", tokens["id_token"])["hd"] == "second.example"


def test_the_shared_discovery_document_has_a_template_for_an_issuer(http: httpx.Client) -> None:
    document = http.get("/microsoft/login/organizations/v2.0/.well-known/openid-configuration").json()
    assert document["issuer"].endswith("/microsoft/login/{tenantid}/v2.0")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_person_without_a_hint_picks_an_account_and_approves(provider: str, http: httpx.Client, world: World) -> None:
    world.faults.put({"oauth": {"usersMayConsent": True}})
    flow, who = flow_of(provider, http)
    picker = flow.authorize(None)
    assert f'name="login_hint" value="{who}"' in picker.text
    assert "<script" not in picker.text
    chosen = flow.authorize(who)
    assert 'value="approve"' in chosen.text
    assert 'value="deny"' in chosen.text
    assert hidden_fields(chosen.text)["nonce"] == "n0nce"
    granted = {"granted": [scope for scope in flow.scope.split() if "/auth/" in scope]}
    back = query_of(flow.press(flow.authorize_url(who), "approve", **granted))
    assert back["state"] == "st&te"
    assert flow.token(code=back["code"]).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_person_who_denies_is_sent_back_with_access_denied(provider: str, http: httpx.Client) -> None:
    flow, who = flow_of(provider, http)
    assert query_of(flow.press(flow.authorize_url(who), "deny"))["error"] == "access_denied"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_verifier_is_refused(provider: str, http: httpx.Client, world: World) -> None:
    flow, who = flow_of(provider, http)
    consented(world, who)
    code = query_of(flow.authorize(who))["code"]
    for verifier in ("w" * 50, None):
        refused = flow.token(code=code, code_verifier=verifier)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_code_works_once(provider: str, http: httpx.Client, world: World) -> None:
    flow, who = flow_of(provider, http)
    consented(world, who)
    code = query_of(flow.authorize(who))["code"]
    assert flow.token(code=code).status_code == 200
    assert flow.token(code=code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_code_is_refused_after_its_minute(provider: str, http: httpx.Client, world: World) -> None:
    flow, who = flow_of(provider, http)
    consented(world, who)
    code = query_of(flow.authorize(who))["code"]
    world.set_clock(world.now_ms() + 60_001)
    assert flow.token(code=code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_another_redirect_address_or_secret_is_refused(provider: str, http: httpx.Client, world: World) -> None:
    flow, who = flow_of(provider, http)
    consented(world, who)
    code = query_of(flow.authorize(who))["code"]
    assert flow.token(code=code, redirect_uri="http://127.0.0.1:1/else").status_code == 400
    assert flow.token(code=code, client_secret="wrong").json()["error"] == "invalid_client"
    assert flow.token(code=code).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_secret_may_come_by_http_basic(provider: str, http: httpx.Client, world: World) -> None:
    flow, who = flow_of(provider, http)
    consented(world, who)
    basic = "Basic " + base64.b64encode(b"roomsync:simulated-secret").decode()
    http.headers["Authorization"] = basic
    code = query_of(flow.authorize(who))["code"]
    assert flow.token(code=code, client_id=None, client_secret=None).status_code == 200


def test_a_redirect_address_that_is_not_loopback_gets_a_page_and_no_redirect(http: httpx.Client) -> None:
    refused = signing_in.google(http).authorize(BO, redirect_uri="https://evil.example/callback")
    assert refused.headers["Location"].startswith(
        "/google/signin/oauth/error?authError=ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2g"
    )
    page = http.get(refused.headers["Location"])
    assert page.status_code == 400
    assert "redirect_uri_mismatch" in page.text


def test_error_page_without_a_message_says_that_the_request_is_wrong(http: httpx.Client) -> None:
    for word in ("", "AAAA", "%%%", "ChVyZWRp"):
        page = http.get("/google/signin/oauth/error", params={"authError": word})
        assert (page.status_code, "<script" in page.text) == (400, False)


def test_the_picker_escapes_what_the_client_sent(http: httpx.Client) -> None:
    page = signing_in.google(http).authorize(None, state='"><script>alert(1)</script>')
    assert "<script" not in page.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_access_token_lives_an_hour_of_the_worlds_clock(provider: str, http: httpx.Client, world: World) -> None:
    flow, who = flow_of(provider, http)
    consented(world, who)
    bearer = {"Authorization": "Bearer " + flow.sign_in(who)["access_token"]}
    principal = world.identity.bearer(bearer)
    assert principal is not None
    assert principal.user_id == world.directory.user(who).id
    assert principal.client_id == "roomsync"
    world.set_clock(world.now_ms() + 3_600_000)
    assert world.identity.bearer(bearer) is None
    assert world.identity.bearer({"Authorization": "Bearer invented"}) is None
    assert world.identity.bearer({}) is None


def test_microsoft_rotates_refresh_tokens_and_the_old_one_stays_valid(http: httpx.Client, world: World) -> None:
    consented(world, ADA)
    flow = signing_in.microsoft(http)
    first = flow.sign_in(ADA)["refresh_token"]
    second = flow.refresh(first).json()["refresh_token"]
    assert second != first
    assert flow.refresh(first).status_code == flow.refresh(second).status_code == 200


def test_without_offline_access_microsoft_gives_no_refresh_token(http: httpx.Client, world: World) -> None:
    consented(world, ADA)
    tokens = signing_in.microsoft(http).sign_in(ADA, scope="openid profile User.Read")
    assert "refresh_token" not in tokens


def test_google_gives_a_refresh_token_at_the_first_consent_and_when_asked_again(
    http: httpx.Client, world: World
) -> None:
    consented(world, BO)
    flow = signing_in.google(http)
    assert "refresh_token" in flow.sign_in(BO, prompt=None)
    assert "refresh_token" not in flow.sign_in(BO, prompt=None)
    assert "refresh_token" in flow.sign_in(BO)
    assert "refresh_token" not in flow.sign_in(BO, access_type=None)


def test_googles_hundred_and_first_refresh_token_kills_the_oldest(http: httpx.Client, world: World) -> None:
    consented(world, BO)
    flow = signing_in.google(http)
    tokens = [flow.sign_in(BO)["refresh_token"] for _ in range(101)]
    assert flow.refresh(tokens[0]).json()["error"] == "invalid_grant"
    assert flow.refresh(tokens[1]).status_code == 200


@pytest.mark.proves("S10")
def test_a_withdrawn_consent_kills_refresh_and_access_tokens(http: httpx.Client, world: World) -> None:
    for provider, words in (("microsoft", "AADSTS65001"), ("google", "Token has been expired or revoked.")):
        flow, who = flow_of(provider, http)
        consented(world, who)
        tokens = flow.sign_in(who)
        world.identity.set_consent(who, granted=False)
        refused = flow.refresh(tokens["refresh_token"])
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert refused.json()["error_description"].startswith(words)
        assert world.identity.bearer({"Authorization": f"Bearer {tokens['access_token']}"}) is None


@pytest.mark.proves("S10")
def test_revoking_at_google_ends_the_grant(http: httpx.Client, world: World) -> None:
    consented(world, BO)
    flow = signing_in.google(http)
    tokens = flow.sign_in(BO)
    assert http.post("/google/revoke", data={"token": tokens["refresh_token"]}).status_code == 200
    assert http.post("/google/revoke", data={"token": tokens["refresh_token"]}).status_code == 400
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_unused_refresh_token_expires(http: httpx.Client, world: World) -> None:
    consented(world, ADA)
    flow = signing_in.microsoft(http)
    token = flow.sign_in(ADA)["refresh_token"]
    world.set_clock(world.now_ms() + 91 * 86_400_000)
    refused = flow.refresh(token).json()
    assert refused["error_codes"] == [700082]
    assert refused["error_description"].startswith("AADSTS700082:")


def test_admin_approval_withholds_calendars_but_not_signing_in(http: httpx.Client, world: World) -> None:
    consented(world, ADA)
    consented(world, BO)
    world.faults.put({"oauth": {"adminApprovalRequired": True}})
    refused = query_of(signing_in.microsoft(http).authorize(ADA))
    assert refused["error"] == "consent_required"
    assert refused["error_description"].startswith("AADSTS90094")
    assert "code" in query_of(signing_in.microsoft(http).authorize(ADA, scope="openid profile email User.Read"))
    assert query_of(signing_in.google(http).authorize(BO))["error"] == "admin_policy_enforced"


def test_admin_approval_leaves_what_was_granted_before_at_microsoft_and_nothing_at_google(
    http: httpx.Client, world: World
) -> None:
    consented(world, ADA)
    consented(world, BO)
    microsoft, google = signing_in.microsoft(http), signing_in.google(http)
    ada, bo = microsoft.sign_in(ADA)["refresh_token"], google.sign_in(BO)["refresh_token"]
    world.faults.put({"oauth": {"adminApprovalRequired": True}})
    assert microsoft.refresh(ada).status_code == 200
    assert "code" in query_of(microsoft.authorize(ADA))
    assert google.refresh(bo).json()["error"] == "admin_policy_enforced"


@pytest.mark.proves("B27")
def test_whom_the_default_policy_keeps_from_consenting_sees_a_page_and_comes_back_like_one_who_declined(
    http: httpx.Client, world: World
) -> None:
    flow = signing_in.microsoft(http)
    page = flow.authorize(ADA)
    assert "Need admin approval" in page.text
    assert "AADSTS" not in page.text
    withheld = query_of(flow.press(flow.authorize_url(ADA), "deny"))
    assert "Need admin approval" in flow.press(flow.authorize_url(ADA), "approve").text
    assert 'value="approve"' in flow.authorize(ADA, scope="openid profile email User.Read").text

    world.faults.put({"oauth": {"usersMayConsent": True}})
    declined = query_of(flow.press(flow.authorize_url(ADA), "deny"))
    assert withheld == declined == {"error": "access_denied", "error_subcode": "cancel", "state": "st&te"}
    assert 'value="approve"' in flow.authorize(ADA).text


@pytest.mark.proves("B27")
def test_tenant_wide_consent_covers_what_it_names_and_can_be_taken_back(http: httpx.Client, world: World) -> None:
    tenant = world.directory.user(ADA).tenant_id
    flow = signing_in.microsoft(http)
    with_rooms = f"{signing_in.MICROSOFT_SCOPES} Place.Read.All"
    world.identity.grant_tenant(tenant, ["Calendars.ReadWrite"])
    assert "code" in query_of(flow.authorize(ADA))
    assert "Need admin approval" in flow.authorize(ADA, scope=with_rooms).text
    world.identity.grant_tenant(tenant, ["https://graph.microsoft.com/Place.Read.All"])
    assert "code" in query_of(flow.authorize(ADA, scope=with_rooms))
    world.identity.grant_tenant(tenant, granted=False)
    assert "code" in query_of(flow.authorize(ADA))  # what they were given themselves goes on
    assert "Need admin approval" in flow.authorize("abe@contoso.example").text


@pytest.mark.proves("B27")
def test_administrator_who_declines_says_admin_consent_all_the_same_and_names_no_tenant(http: httpx.Client) -> None:
    url = f"/microsoft/login/organizations/v2.0/adminconsent?client_id=roomsync&redirect_uri={signing_in.REDIRECT}"
    back = query_of(http.post(f"{url}&state=s&scope=Calendars.Read&login_hint={ADA}", data={"decision": "deny"}))
    assert (back["error"], back["admin_consent"], "tenant" in back) == ("access_denied", "True", False)


def test_an_administrators_consent_approves_for_everybody(http: httpx.Client, world: World) -> None:
    world.faults.put({"oauth": {"adminApprovalRequired": True}})
    url = f"/microsoft/login/organizations/v2.0/adminconsent?client_id=roomsync&redirect_uri={signing_in.REDIRECT}"
    back = query_of(
        http.post(f"{url}&state=s&scope=Calendars.ReadWrite&login_hint={ADA}", data={"decision": "approve"})
    )
    assert (back["admin_consent"], back["tenant"]) == ("True", world.directory.user(ADA).tenant_id)
    assert "code" in query_of(signing_in.microsoft(http).authorize(ADA))


def test_each_policy_shows_as_its_own_refusal(http: httpx.Client, world: World) -> None:
    consented(world, ADA)
    flow = signing_in.microsoft(http)
    world.faults.put({"oauth": {"userNotAssigned": [ADA]}})
    assert query_of(flow.authorize(ADA))["error_description"].startswith("AADSTS50105")
    world.faults.put({"oauth": {"redirectMismatch": True}})
    assert "AADSTS50011" in flow.authorize(ADA).text
    world.faults.put({"oauth": {"secretExpired": True}})
    code = query_of(flow.authorize(ADA))["code"]
    refused = flow.token(code=code)
    assert (refused.status_code, refused.json()["error_codes"]) == (401, [7000222])
    world.faults.put({"oauth": {"refreshRefused": {ADA: "AADSTS50173"}}})
    token = flow.token(code=code).json()["refresh_token"]
    assert flow.refresh(token).json()["error_codes"] == [50173]


def test_the_token_endpoint_is_down_n_times_with_html(http: httpx.Client, world: World) -> None:
    consented(world, BO)
    flow = signing_in.google(http)
    world.faults.put({"oauth": {"tokenEndpoint503": 2}})
    code = query_of(flow.authorize(BO))["code"]
    answers = [flow.token(code=code) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("way", ["fault", "unticked"])
def test_google_may_grant_only_some_scopes(way: str, http: httpx.Client, world: World) -> None:
    flow = signing_in.google(http)
    if way == "fault":
        consented(world, BO)
        world.faults.put({"oauth": {"scopeSubset": []}})
        tokens = flow.sign_in(BO)
    else:
        tokens = flow.token(code=query_of(flow.press(flow.authorize_url(BO), "approve"))["code"]).json()
    assert "calendar" not in tokens["scope"]
    assert "openid" in tokens["scope"].split()


def test_prompt_none_never_shows_a_page(http: httpx.Client) -> None:
    assert query_of(signing_in.google(http).authorize(BO, prompt="none"))["error"] == "interaction_required"
    assert query_of(signing_in.microsoft(http).authorize(None, prompt="none"))["error"] == "login_required"


def test_a_tenants_own_endpoint_knows_only_its_people(http: httpx.Client, world: World) -> None:
    with world.lock:
        other = world.directory.add_tenant("microsoft", "Other", "other.example")
    page = signing_in.microsoft(http, other.id).authorize(ADA)
    assert page.status_code == 200
    assert "There is no account" in page.text


def test_the_clock_of_these_tests_stands_still(world: World) -> None:
    assert isinstance(world.clock, ManualClock)
