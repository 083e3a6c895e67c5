"""Sign-in; the way back from a provider, with or without a consent; sign-out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.provider_calls import waiting_for
from services.portal.frame.sessions import (
    BROWSER_COOKIE,
    anybody,
    cookie_name,
    end_session,
    needs_no_session,
    open_session,
)
from services.portal.my_calendar.language import remember_browser
from services.portal.notifications.current_browser import CurrentBrowser
from services.portal.notifications.preferences import LadderPreferences
from services.portal.sign_in.admission import Admitted, admit, connect, recognise, require_directory
from services.portal.sign_in.attempts import Purpose, SignIn, SignIns
from services.portal.sign_in.departure import callback_address, keep_browser
from services.portal.sign_in.openid import Identity, asked_for
from services.portal.sign_in.openid_providers import OpenIdProviders
from services.portal.sign_in.refusals import (
    APPROVABLE,
    WHO_WORDS,
    Cause,
    RefusedSignInError,
    Who,
    explain_refusal,
    provider_code,
)
from services.portal.sign_in.tenant_consent import TenantConsents, is_consent_state
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.roles import Right, may
from shared.errors import RetryableError
from shared.grants.oauth import Granted
from shared.providers.catalogue import configured_providers
from shared.registry import tables
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

if TYPE_CHECKING:
    from services.portal.sign_in.openid_provider import OpenIdProvider

_MAX_CHARS = 4_000
_log = get_logger()
_limited = LimitedLog(_log)


class SignInPurpose(Protocol):
    """Something else that a signed-in person is sent to their provider for; it begins on a page of its own."""

    page: str
    """The path of that page."""

    def come_back(self, identity: Identity, grant: Granted) -> str:
        """Go on with what they allowed; returns the path to show. Raises ProblemError, RefusedSignInError."""
        ...

    def turned_away(self, error: RefusedSignInError) -> str:
        """The provider, or we, said no; returns the path to show. Raises ProblemError."""
        ...


def blueprint(deps: Deps, errands: Mapping[Purpose, SignInPurpose] | None = None) -> Blueprint:
    """The routes below `/auth`; `errands` are for purposes beyond signing in and connecting."""
    bp = Blueprint("auth", __name__, url_prefix="/auth")
    sent_for = errands or {}
    known = OpenIdProviders(deps)
    consents = TenantConsents(deps)

    def sign_ins() -> SignIns:
        return SignIns(deps.engine.registry, deps.clock, deps.session_key)

    def redeemed(sign_in: SignIn) -> tuple[Identity, Granted]:
        if "error" in request.args:
            raise _refusal_of(request.args, sign_in.provider)
        code = request.args.get("code", "")[:_MAX_CHARS]
        return known[Provider(sign_in.provider)].exchange(code, sign_in, callback_address(deps))

    @bp.get("/login")
    def login() -> AnyResponse:
        provider = next(
            (each for each in configured_providers(deps.settings) if each == request.args.get("provider")), None
        )
        back_to = _local(request.args.get("next", ""))
        if provider is None:
            return make_response(_chooser(deps, back_to))
        return _sent_to(deps, known[provider], back_to, sent_for)

    @bp.get("/callback")
    def callback() -> AnyResponse:
        if is_consent_state(request.args.get("state", "")):
            return consents.come_back(request.args)
        browser, state = request.cookies.get(cookie_name(BROWSER_COOKIE), ""), request.args.get("state", "")[:200]
        provider = sign_ins().provider_of(browser, state) if browser else None
        if provider is None:
            raise RefusedSignInError(Cause.STATE)
        with waiting_for(provider):  # before the attempt is used up: whoever is refused reloads the page
            return _come_back(deps, sign_ins().finish(browser, state), sent_for, redeemed)

    @bp.post("/logout")
    @needs_no_session  # whoever presses the button of a page that they left open means the browser
    def logout() -> AnyResponse:
        return _signed_out(deps)

    bp.register_error_handler(RefusedSignInError, lambda error: refused_page(deps, error))
    return bp


def _signed_out(deps: Deps) -> AnyResponse:
    """End what this browser has: the notices that it shows, and its session, if that has not ended by itself."""
    response = redirect("/auth/login", HTTPStatus.SEE_OTHER)
    CurrentBrowser(deps).end_notices(response)
    if anybody() is not None:
        end_session(response)
    return response


def _sent_to(deps: Deps, client: OpenIdProvider, back_to: str, errands: Mapping[Purpose, SignInPurpose]) -> AnyResponse:
    """To the provider, to say who they are; to the page of an errand, which begins it: who follows a link has decided nothing."""
    purpose = _purpose(errands)
    if purpose in errands:
        return redirect(errands[purpose].page, HTTPStatus.SEE_OTHER)
    browser = request.cookies.get(cookie_name(BROWSER_COOKIE), "") or secrets.token_urlsafe(32)
    sign_ins = SignIns(deps.engine.registry, deps.clock, deps.session_key)
    sign_in = sign_ins.begin(browser, client.provider, back_to, purpose)
    hint = request.args.get("login_hint", "")[:320]
    response = redirect(client.address(sign_in, callback_address(deps), hint))
    keep_browser(response, browser)
    return response


def _come_back(
    deps: Deps,
    sign_in: SignIn | None,
    errands: Mapping[Purpose, SignInPurpose],
    redeemed: Callable[[SignIn], tuple[Identity, Granted]],
) -> AnyResponse:
    if sign_in is None:
        raise RefusedSignInError(Cause.STATE)
    errand = errands.get(sign_in.purpose)
    if errand is not None:
        _check_session(sign_in)
        return redirect(_ran(errand, lambda: redeemed(sign_in)), HTTPStatus.SEE_OTHER)
    return _finished(deps, sign_in, lambda: redeemed(sign_in))


def _finished(deps: Deps, sign_in: SignIn, redeemed: Callable[[], tuple[Identity, Granted]]) -> AnyResponse:
    if sign_in.purpose is Purpose.CONNECT:
        _check_session(sign_in)
        connect(deps, *redeemed(), sign_in.user)
        return redirect(sign_in.back_to or "/", HTTPStatus.SEE_OTHER)
    identity, _ = redeemed()
    who = admit(deps, identity) if sign_in.purpose is Purpose.ENTER else recognise(deps, identity)
    _log.info("signed_in", tenant=who.tenant, user=who.user, provider=sign_in.provider)
    response = redirect(sign_in.back_to or _first_page(deps, who), HTTPStatus.SEE_OTHER)
    CurrentBrowser(deps).welcome(response, who.tenant, who.user)
    open_session(response, who.tenant, who.user)
    require_directory(deps, who.tenant, identity)
    LadderPreferences(deps).remember_zone(who.tenant, who.user)
    remember_browser(deps, who.tenant, who.user)
    return response


def _check_session(sign_in: SignIn) -> None:
    """What was begun in a session ends in it: nobody else's grant comes in, nor into a session begun meanwhile."""
    person = anybody()
    if person is None or (person.user, person.session) != (sign_in.user, sign_in.session):
        raise RefusedSignInError(Cause.STATE)


def _refusal_of(answer: Mapping[str, str], provider: str) -> RefusedSignInError:
    description, subcode = (
        answer.get("error_description", "")[:_MAX_CHARS],
        answer.get("error_subcode", "")[:_MAX_CHARS],
    )
    return RefusedSignInError(answer["error"], description, subcode=subcode, provider=provider)


def refused_page(deps: Deps, error: RefusedSignInError, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> Response:
    """Explain a refusal to the person whom it happened to: what it means, who can fix it, and the link that they need for it."""
    reason = explain_refusal(error.error, error.description, error.subcode)
    code = provider_code(error.error, error.description)
    _limited.info("sign_in_refused", reason=reason.code, provider_error=code)
    page = render_template(
        "refused.html",
        reason=reason,
        who=WHO_WORDS[reason.who],
        provider_code=code if code.replace("_", "-") != reason.code else "",
        contact=error.contact if reason.who is Who.ADMINISTRATOR else "",
        consent_link=TenantConsents(deps).link_for(anybody(), error.provider) if reason.code in APPROVABLE else "",
        person=None,
    )
    return make_response(page, status)


def _chooser(deps: Deps, back_to: str) -> str:
    offered = configured_providers(deps.settings)
    return render_template(
        "sign_in.html",
        providers=offered,
        client_id_settings=[f"ROOMSYNC_{provider.upper()}_CLIENT_ID" for provider in Provider],
        asked={provider: asked_for(provider, Purpose.SIGN_IN) for provider in offered},
        scopes={provider: asked_for(provider, Purpose.CONNECT, writes=deps.settings.may_write) for provider in offered},
        back_to=back_to,
        hint=request.args.get("login_hint", "")[:320],
        person=anybody(),
    )


def _ran(errand: SignInPurpose, redeemed: Callable[[], tuple[Identity, Granted]]) -> str:
    """An errand's end, good or bad: its own page tells, since the person stays signed in."""
    try:
        return errand.come_back(*redeemed())
    except RefusedSignInError as error:
        return errand.turned_away(error)
    except RetryableError:
        return errand.turned_away(RefusedSignInError("temporarily_unavailable"))


def _first_page(deps: Deps, who: Admitted) -> str:
    """Their rooms; for those who can switch it on, while it is off, the page where they do."""
    row = tables.tenants(deps.engine.registry).get(who.tenant, "tenant")
    user = tables.users(deps.engine.registry).get(who.tenant, who.user)
    off = row is not None and row.integration is not IntegrationState.ENABLED
    return "/admin/integration" if off and user and may(user.roles, Right.SEE_INTEGRATION) else "/"


def is_led_here() -> bool:
    """
    Whether a page of somebody else's sent the browser here, as browsers say themselves.

    A provider that remembers a consent asks nobody again: what such a page begins, its person has not decided.
    """
    return request.headers.get("Sec-Fetch-Site") == "cross-site"


def _purpose(errands: Mapping[Purpose, SignInPurpose]) -> Purpose:
    """
    Signing in asks who somebody is; `for=sign-in` whatever state the integration is in, so that it can be switched on.

    No address that can be followed asks for more: an errand's name leads to the page on which it begins. From elsewhere one
    signs in, and no more.
    """
    if is_led_here():
        return Purpose.SIGN_IN
    wanted = request.args.get("for", Purpose.ENTER)
    return Purpose(wanted) if wanted in {Purpose.SIGN_IN, *errands} else Purpose.ENTER


def _local(path: str) -> str:
    """A path of ours to come back to; anything that could lead elsewhere is dropped."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\", "/auth/")) and path.isprintable()
    return path[:500] if safe and "\\" not in path else ""
