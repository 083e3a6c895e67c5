"""One authorization request served: picker, consent page, redirect with a code, or redirect with the refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response

from simulator.identity import google, microsoft, pages, scopes
from simulator.identity.authorization import AuthorizationStep, AuthorizeProblem, read
from simulator.identity.model import AuthorizeRequest, Provider, SimulatedAccount
from simulator.identity.provider import IdentityProvider

_ERRORS: dict[str, Callable[[str], dict[str, str]]] = {
    "microsoft": microsoft.authorize_error,
    "google": google.authorize_error,
}
_OWN_FIELDS = {"decision", "granted"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What the person pressed on the consent page, and which scopes they left ticked."""

    decision: str = ""
    granted: frozenset[str] = frozenset()


def serve(
    identity: IdentityProvider, provider: Provider, params: Mapping[str, str], answered: Answered, tenant: str = ""
) -> Response:
    """
    Answer one GET or POST of an authorize endpoint.

    Args:
        identity: the provider behind both sides.
        provider: whose endpoint this is.
        params: the request's parameters; carried through the forms unchanged.
        answered: empty on a GET.
        tenant: id or domain of the tenant that may sign in; empty for all.
    """
    asked = {name: value for name, value in params.items() if name not in _OWN_FIELDS}
    try:
        application = identity.find_application(provider, asked.get("client_id", ""))
        request = read(provider, asked, identity.policies(provider), application, tenant)
        account = _account(identity, request)
        if account is None:
            return _pick(identity, request, asked)
        return _decided(identity, request, account, asked, answered)
    except AuthorizeProblem as problem:
        return refused(provider, problem)


def _account(identity: IdentityProvider, request: AuthorizeRequest) -> SimulatedAccount | None:
    return identity.account(request.provider, request.login_hint, request.tenant) if request.login_hint else None


def _pick(identity: IdentityProvider, request: AuthorizeRequest, asked: Mapping[str, str]) -> Response:
    if "none" in request.prompt:
        raise _message(request, "login-required")
    notice = f"There is no account {request.login_hint} here." if request.login_hint else ""
    accounts = identity.accounts(request.provider, request.tenant)
    return Response(pages.picker(request.provider, asked, accounts, notice))


def _decided(
    identity: IdentityProvider,
    request: AuthorizeRequest,
    account: SimulatedAccount,
    asked: Mapping[str, str],
    answered: Answered,
) -> Response:
    decision = identity.decide(request, account)
    if decision.refused == "other-organisation":
        raise AuthorizeProblem(decision.refused)  # said on the provider's own page alone
    if decision.refused:
        raise _message(request, decision.refused)
    if decision.step is AuthorizationStep.APPROVED:
        return _with_code(identity, request, account, None)
    if decision.step is AuthorizationStep.APPROVAL and answered.decision != "deny":
        return Response(pages.approval(request.provider, asked, account))
    if answered.decision == "deny":
        raise _message(request, "denied")
    if answered.decision == "approve":
        return _with_code(identity, request, account, _chosen(request, answered))
    return Response(pages.consent(request.provider, asked, account, request.scopes))


def _chosen(request: AuthorizeRequest, answered: Answered) -> frozenset[str]:
    """Google's page has a box per scope beyond signing in; Microsoft's is all or nothing."""
    if request.provider == "microsoft":
        return request.scopes
    optional = scopes.consequential(request.provider, request.scopes)
    return (request.scopes - optional) | (optional & answered.granted)


def _with_code(
    identity: IdentityProvider, request: AuthorizeRequest, account: SimulatedAccount, chosen: frozenset[str] | None
) -> Response:
    code = identity.approve(request, account, chosen)
    extra = {"code": code.value}
    if request.provider == "google":
        extra |= {"scope": scopes.written(code.scopes), "authuser": "0", "hd": account.domain}
    return _back(request.redirect_uri, request.state, extra)


def refused(provider: Provider, problem: AuthorizeProblem) -> Response:
    """The redirect that tells the client, or the page that tells the person alone."""
    said = _ERRORS[provider](problem.reason)
    if problem.redirect_uri:
        return _back(problem.redirect_uri, problem.state, said)
    if provider == "google":
        shown = urlencode({"authError": google.auth_error(said["error"], said.get("error_description", ""))})
        return Response(
            status=302, headers={"Location": f"/google/signin/oauth/error?{shown}&flowName=GeneralOAuthFlow"}
        )
    return Response(pages.refusal(provider, said["error"], said.get("error_description", "")), 400)


def _message(request: AuthorizeRequest, reason: str) -> AuthorizeProblem:
    return AuthorizeProblem(reason, redirect_uri=request.redirect_uri, state=request.state)


def _back(redirect_uri: str, state: str | None, params: Mapping[str, str]) -> Response:
    query = urlencode({**params, **({"state": state} if state is not None else {})})
    joint = "&" if "?" in redirect_uri else "?"
    return Response(status=302, headers={"Location": f"{redirect_uri}{joint}{query}"})
