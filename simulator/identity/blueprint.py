"""The HTTP face of signing in: authorize, token, keys and discovery of both providers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus, urlencode

from flask import Blueprint, Flask, Response, g, jsonify, redirect, request

from simulator.identity import application_routes, google, microsoft, pages, scopes
from simulator.identity.authorization import AuthorizeProblem, check_client
from simulator.identity.authorize_flow import Answered, refused, serve
from simulator.identity.model import Issued, Provider, TokenProblem
from simulator.identity.provider import IdentityProvider
from simulator.world import World

_UNAVAILABLE = (
    "<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"
)


def register(app: Flask, world: World) -> None:
    """Mount signing in on an application and hand it to the world."""
    app.register_blueprint(blueprint(world))


def blueprint(world: World) -> Blueprint:
    """The routes of both providers; also sets `world.identity`."""
    identity = IdentityProvider(world)
    world.identity = identity
    routes = Blueprint("identity", __name__)
    application_routes.add(routes, world, identity)
    _microsoft(routes, identity)
    _google(routes, identity)
    return routes


def _microsoft(routes: Blueprint, identity: IdentityProvider) -> None:
    base = "/microsoft/login"

    def discovery(tenant: str) -> Response:
        return jsonify(microsoft.discovery(_root(base), tenant))

    def keys(tenant: str = "") -> Response:  # noqa: ARG001 (one key set for every tenant)
        return jsonify(identity.key.jwks())

    def authorize(tenant: str) -> Response:
        return serve(identity, "microsoft", _params(), _answered(), _one_tenant(tenant))

    def token(tenant: str) -> Response:  # noqa: ARG001 (the grant knows its tenant)
        return _token(identity, "microsoft", _root(base))

    def logout(tenant: str) -> Any:  # noqa: ARG001 (there is no session to end)
        return redirect(request.args.get("post_logout_redirect_uri") or _root(""), 302)

    def admin_consent(tenant: str) -> Response:
        return _admin_consent(identity, _one_tenant(tenant))

    table: tuple[tuple[str, Any, list[str]], ...] = (
        ("/<tenant>/v2.0/.well-known/openid-configuration", discovery, ["GET"]),
        ("/<tenant>/discovery/v2.0/keys", keys, ["GET"]),
        ("/discovery/v2.0/keys", keys, ["GET"]),
        ("/<tenant>/oauth2/v2.0/authorize", authorize, ["GET", "POST"]),
        ("/<tenant>/oauth2/v2.0/token", token, ["POST"]),
        ("/<tenant>/oauth2/v2.0/logout", logout, ["GET"]),
        ("/<tenant>/v2.0/adminconsent", admin_consent, ["GET", "POST"]),
    )
    for number, (rule, view, methods) in enumerate(table):
        routes.add_url_rule(base + rule, f"microsoft-{number}", view, methods=methods)


def _google(routes: Blueprint, identity: IdentityProvider) -> None:
    base = "/google"

    def discovery() -> Response:
        return jsonify(google.discovery(_root(base)))

    def keys() -> Response:
        return jsonify(identity.key.jwks())

    def authorize() -> Response:
        return serve(identity, "google", _params(), _answered())

    def token() -> Response:
        return _token(identity, "google", _root(base))

    def revoke() -> Response:
        if identity.revoke(_params().get("token", "")):
            return jsonify({})
        return _json(400, {"error": "invalid_token", "error_description": "Token expired or revoked"})

    def userinfo() -> Response:
        principal = identity.bearer(dict(request.headers))
        account = identity.account("google", principal.user_id) if principal else None
        if principal is None or account is None:
            return _json(401, {"error": "invalid_request", "error_description": "Invalid Credentials"})
        g.principal = principal
        return jsonify({**google.person(account, principal.scopes), **identity.contradicted_claims(account)})

    table: tuple[tuple[str, Any, list[str]], ...] = (
        ("/.well-known/openid-configuration", discovery, ["GET"]),
        ("/oauth2/v3/certs", keys, ["GET"]),
        ("/o/oauth2/v2/auth", authorize, ["GET", "POST"]),
        ("/o/oauth2/auth", authorize, ["GET", "POST"]),
        ("/signin/oauth/error", _google_error_page, ["GET"]),
        ("/token", token, ["POST"]),
        ("/revoke", revoke, ["POST"]),
        ("/v1/userinfo", userinfo, ["GET"]),
    )
    for number, (rule, view, methods) in enumerate(table):
        routes.add_url_rule(base + rule, f"google-{number}", view, methods=methods)


def _google_error_page() -> Response:
    """The page on which Google refuses a client; it says what its address holds."""
    try:
        name, text = google.read_auth_error(request.args.get("authError", ""))
    except (ValueError, IndexError):
        name, text = "invalid_request", ""
    return Response(pages.refusal("google", name, text), 400)


def _token(identity: IdentityProvider, provider: Provider, base_url: str) -> Response:
    if identity.is_unavailable(provider):
        return Response(_UNAVAILABLE, 503, content_type="text/html; charset=utf-8")
    try:
        issued = _issued(identity, provider, request.form)
    except TokenProblem as problem:
        told = microsoft.refusal(problem, identity.now_ms) if provider == "microsoft" else google.refusal(problem)
        return _json(*told)
    signed = None
    if "openid" in issued.scopes:
        make = microsoft.claims if provider == "microsoft" else google.claims
        said = identity.policies(provider).claims.get(issued.account.address.lower(), {})
        signed = identity.key.sign({**make(base_url, issued, identity.now_ms // 1000), **said})
    if provider == "microsoft":
        return _json(200, microsoft.response(issued, signed))
    return _json(200, google.response(issued, signed, testing=identity.policies(provider).testing_mode))


def _issued(identity: IdentityProvider, provider: Provider, form: Mapping[str, str]) -> Issued:
    client_id, secret = _client(form)
    identity.check_client(provider, client_id, secret)
    kind = form.get("grant_type")
    if kind == "authorization_code":
        return identity.redeem(
            provider, form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
    if kind == "refresh_token":
        wanted = scopes.read(provider, form.get("scope", ""))
        return identity.refresh(provider, form.get("refresh_token", ""), wanted)
    reason = "grant-type"
    raise TokenProblem(reason)


def _client(form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret, by HTTP Basic (each part form-encoded, RFC 6749 2.3.1) or in the body."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _admin_consent(identity: IdentityProvider, tenant: str) -> Response:
    params = {name: value for name, value in _params().items() if name != "decision"}
    application = identity.find_application("microsoft", params.get("client_id", ""))
    try:
        check_client(application, params.get("redirect_uri", ""), identity.policies("microsoft"), tenant)
    except AuthorizeProblem as problem:
        return refused("microsoft", problem)
    account = identity.account("microsoft", params.get("login_hint", ""), tenant)
    if account is None:
        return Response(pages.picker("microsoft", params, identity.accounts("microsoft", tenant)))
    decision = request.form.get("decision")
    if decision is None:
        wanted = scopes.read("microsoft", params.get("scope", ""))
        return Response(pages.consent("microsoft", params, account, wanted, for_tenant=True))
    asked = scopes.read("microsoft", params.get("scope", "")) if decision == "approve" else None
    if asked is not None:
        identity.grant_tenant(account.tenant_id, asked, client_id=params["client_id"])
    told = microsoft.consent_answer(account.tenant_id, asked)
    query = urlencode({**told, "state": params.get("state", "")})
    return Response(status=302, headers={"Location": f"{params.get('redirect_uri', '')}?{query}"})


def _one_tenant(segment: str) -> str:
    return "" if segment in microsoft.TENANTS else segment


def _params() -> dict[str, str]:
    return {**request.args.to_dict(), **request.form.to_dict()}


def _answered() -> Answered:
    return Answered(request.form.get("decision", ""), frozenset(request.form.getlist("granted")))


def _root(path: str) -> str:
    return request.host_url.rstrip("/") + path


def _json(status: int, body: Mapping[str, Any]) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer
