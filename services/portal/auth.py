"""Sign-in, with or without the consent to read one's calendar; sign-out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admission import admit, recognise
from services.portal.deps import Deps
from services.portal.openid import OpenIdProvider
from services.portal.problems import ProblemError
from services.portal.refusals import Cause, RefusedSignInError, Who, explained, provider_code
from services.portal.sessions import anybody, cookie_name, end_session, is_loopback, is_secure, open_session
from services.portal.signins import LIFE_MS, Purpose, SignIns
from shared.consents.oauth import scopes_for
from shared.domain.identity import Provider
from shared.runtime.logging import get_logger

BROWSER_COOKIE = "roomsync_sign_in"
CALLBACK = "/auth/callback"
_MAX_CHARS = 4_000
_log = get_logger()


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/auth`."""
    bp = Blueprint("auth", __name__, url_prefix="/auth")
    known = {provider: OpenIdProvider(deps.settings, provider, deps.clock) for provider in Provider}

    def sign_ins() -> SignIns:
        return SignIns(deps.engine.registry, deps.clock, deps.session_key)

    @bp.get("/login")
    def login() -> AnyResponse:
        provider = _configured(deps, known).get(request.args.get("provider", ""))
        back_to = _local(request.args.get("next", ""))
        if provider is None:
            return make_response(_chooser(deps, known, back_to))
        browser = request.cookies.get(cookie_name(BROWSER_COOKIE), "") or secrets.token_urlsafe(32)
        sign_in = sign_ins().begin(browser, provider.provider, back_to, _purpose())
        hint = request.args.get("login_hint", "")[:320]
        response = redirect(provider.address(sign_in, _callback(deps), hint))
        _keep_browser(response, browser)
        return response

    @bp.get("/callback")
    def callback() -> AnyResponse:
        browser = request.cookies.get(cookie_name(BROWSER_COOKIE), "")
        sign_in = sign_ins().finish(browser, request.args.get("state", "")[:200]) if browser else None
        if sign_in is None:
            raise RefusedSignInError(Cause.STATE)
        if "error" in request.args:
            raise RefusedSignInError(request.args["error"], request.args.get("error_description", "")[:_MAX_CHARS])
        code = request.args.get("code", "")[:_MAX_CHARS]
        identity, grant = known[Provider(sign_in.provider)].exchange(code, sign_in, _callback(deps))
        who = admit(deps, identity, grant) if sign_in.purpose is Purpose.CONNECT else recognise(deps, identity)
        _log.info("signed_in", tenant=who.tenant, user=who.user, provider=sign_in.provider)
        response = redirect(sign_in.back_to or "/", HTTPStatus.SEE_OTHER)
        open_session(response, who.tenant, who.user)
        return response

    @bp.post("/logout")
    def logout() -> AnyResponse:
        response = redirect("/auth/login", HTTPStatus.SEE_OTHER)
        end_session(response)
        return response

    @bp.errorhandler(RefusedSignInError)
    def refused(error: RefusedSignInError) -> Response:
        reason = explained(error.error, error.description)
        code = provider_code(error.error, error.description)
        _log.info("sign_in_refused", reason=reason.code, provider_error=code)
        page = render_template(
            "refused.html",
            reason=reason,
            provider_code=code if code.replace("_", "-") != reason.code else "",
            contact=error.contact if reason.who is Who.ADMINISTRATOR else "",
            person=None,
        )
        return make_response(page, HTTPStatus.FORBIDDEN)

    return bp


def _configured(deps: Deps, known: Mapping[Provider, OpenIdProvider]) -> dict[str, OpenIdProvider]:
    ids = {
        Provider.MICROSOFT: deps.settings.microsoft_client_id,
        Provider.GOOGLE: deps.settings.google_client_id,
    }
    return {provider.value: client for provider, client in known.items() if ids[provider]}


def _chooser(deps: Deps, known: Mapping[Provider, OpenIdProvider], back_to: str) -> str:
    configured = [Provider(name) for name in _configured(deps, known)]
    return render_template(
        "sign_in.html",
        providers=configured,
        scopes={provider: scopes_for(provider) for provider in configured},
        back_to=back_to,
        hint=request.args.get("login_hint", "")[:320],
        person=anybody(),
    )


def _purpose() -> Purpose:
    """`for=sign-in` asks who somebody is; without it signing in is also the consent to read their calendar."""
    return Purpose.SIGN_IN if request.args.get("for") == Purpose.SIGN_IN else Purpose.CONNECT


def _callback(deps: Deps) -> str:
    """
    The address that is registered at the providers.

    Without PUBLIC_URL it is this machine's own, and only that: a Host header from elsewhere builds no address.
    """
    if deps.settings.public_url:
        return f"{deps.settings.public_url}{CALLBACK}"
    if not is_loopback(urlsplit(request.host_url).hostname or ""):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "public-url",
            "This service does not know its own public address.",
            next_step="Set ROOMSYNC_PUBLIC_URL to the address people use.",
        )
    return f"{request.host_url.rstrip('/')}{CALLBACK}"


def _local(path: str) -> str:
    """A path of ours to come back to; anything that could lead elsewhere is dropped."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\", "/auth/")) and path.isprintable()
    return path[:500] if safe and "\\" not in path else ""


def _keep_browser(response: AnyResponse, browser: str) -> None:
    response.set_cookie(
        cookie_name(BROWSER_COOKIE),
        browser,
        max_age=LIFE_MS // 1000,
        secure=is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )
