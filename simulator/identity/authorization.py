"""Reading an authorization request and deciding whether the person must be asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from simulator.identity import scopes
from simulator.identity.applications import Application
from simulator.identity.model import AuthorizeRequest, ClientGrant, Provider, SimulatedAccount
from simulator.identity.policies import Policies

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class AuthorizeProblem(Exception):  # noqa: N818  # a refusal that becomes a page or a redirect
    """
    Why an authorization request is refused.

    `reason` is one of our words; `redirect_uri` is set when the client may be told by a redirect, otherwise the person
    sees an error page.
    """

    def __init__(self, reason: str, *, redirect_uri: str = "", state: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.redirect_uri = redirect_uri
        self.state = state


class AuthorizationStep(Enum):
    """What comes after the account is known."""

    APPROVED = "approved"
    ASK = "ask"
    APPROVAL = "approval"
    """The organisation's policy lets an administrator alone consent: the person is shown that, and is asked nothing."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Go on, ask, or refuse with one of our words."""

    step: AuthorizationStep | None
    refused: str = ""


def read(
    provider: Provider,
    params: Mapping[str, str],
    policies: Policies,
    application: Application | None,
    tenant: str = "",
) -> AuthorizeRequest:
    """
    Check everything that needs no person.

    Args:
        provider: whose endpoint this is.
        params: query or form, single values.
        policies: the switches in force.
        application: the one that `client_id` names, if it is registered.
        tenant: Microsoft's path segment; empty at Google.

    Raises:
        AuthorizeProblem: says whether the client may be told.
    """
    redirect_uri = params.get("redirect_uri", "")
    client_id = check_client(application, redirect_uri, policies, tenant).client_id
    wanted = scopes.read(provider, params.get("scope", ""))
    reason = _fault(provider, params, wanted)
    if reason:
        raise AuthorizeProblem(reason, redirect_uri=redirect_uri, state=params.get("state"))
    return AuthorizeRequest(
        provider=provider,
        client_id=client_id,
        redirect_uri=redirect_uri,
        scopes=wanted,
        state=params.get("state"),
        nonce=params.get("nonce"),
        challenge=params.get("code_challenge"),
        prompt=frozenset(params.get("prompt", "").split()),
        offline=scopes.OFFLINE in wanted if provider == "microsoft" else params.get("access_type") == "offline",
        login_hint=params.get("login_hint", "").lower(),
        tenant=tenant,
    )


def check_client(application: Application | None, redirect_uri: str, policies: Policies, tenant: str) -> Application:
    """
    The application that asks; whoever is at the page sees what is wrong with it, and is sent nowhere.

    Raises:
        AuthorizeProblem: it is not registered, not for this address, or not at this tenant's endpoint.
    """
    reason = ""
    if application is None:
        reason = "unknown-client"
    elif policies.redirect_mismatch or not _is_registered(application, redirect_uri, policies):
        reason = "redirect-mismatch"
    elif application.provider == "microsoft" and application.only_home and not tenant:
        reason = "one-tenant"
    if application is None or reason:
        raise AuthorizeProblem(reason)
    return application


def _is_registered(application: Application, redirect_uri: str, policies: Policies) -> bool:
    """Exactly one of the registered addresses, of the application or of the switch; else any loopback address."""
    registered = policies.redirect_uris or application.redirect_uris
    if registered is not None:
        return redirect_uri in registered
    parts = urlsplit(redirect_uri)
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK and not parts.fragment


def decide(
    request: AuthorizeRequest,
    account: SimulatedAccount,
    grant: ClientGrant | None,
    policies: Policies,
    application: Application,
) -> Decision:
    """
    Whether this person's answer is known, must be asked for, or does not matter.

    An administrator's policy leaves alone what was really used before at Microsoft ("existing grants continue"), and
    nothing at Google. Microsoft's managed default policy leaves alone every grant that exists, and new ones to administrators.
    """
    refused = _refusal_despite_consent(request, account, grant, policies, application)
    if refused:
        return Decision(None, refused)
    known = grant is not None and grant.covers(request.scopes)
    if known and grant is not None and (grant.automatic or "consent" not in request.prompt):
        return Decision(AuthorizationStep.APPROVED)
    if "none" in request.prompt:
        return Decision(None, "consent-required")
    return Decision(AuthorizationStep.APPROVAL if _is_withheld(request, grant, policies) else AuthorizationStep.ASK)


def _refusal_despite_consent(
    request: AuthorizeRequest,
    account: SimulatedAccount,
    grant: ClientGrant | None,
    policies: Policies,
    application: Application,
) -> str:
    if reason := refusal_of(account, policies, application):
        return reason
    if policies.app_blocked and scopes.consequential(request.provider, request.scopes):
        return "app-blocked"
    if policies.admin_approval_required and not application.trusted and _needs_approval(request, grant):
        return "admin-approval"
    return ""


def refusal_of(account: SimulatedAccount, policies: Policies, application: Application) -> str:
    """Say why the application is not for this person, whatever was consented to and by whom; "" where it is."""
    if not policies.assigned(account) or not application.admits(account):
        return "not-assigned"
    if application.only_home and account.tenant_id != application.home:
        return "other-organisation"
    return ""


def _is_withheld(request: AuthorizeRequest, grant: ClientGrant | None, policies: Policies) -> bool:
    """Whether the managed default policy keeps the person from consenting (`microsoft-user-default-recommended`)."""
    if request.provider != "microsoft" or policies.users_may_consent:
        return False
    given = (grant.scopes if grant else None) or frozenset()
    return bool(scopes.consequential(request.provider, request.scopes) - given)


def _needs_approval(request: AuthorizeRequest, grant: ClientGrant | None) -> bool:
    asked = scopes.consequential(request.provider, request.scopes)
    if request.provider == "microsoft" and grant is not None:
        asked -= grant.used
    return bool(asked)


def _fault(provider: Provider, params: Mapping[str, str], wanted: frozenset[str]) -> str:
    if params.get("response_type") != "code":
        return "response-type"
    if not wanted:
        return "no-scope"
    if not all(scopes.is_known(provider, name) for name in wanted):
        return "unknown-scope"
    if "code_challenge" in params and params.get("code_challenge_method") != "S256":
        return "challenge-method"
    return ""
