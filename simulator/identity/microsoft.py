"""Microsoft's words: discovery document, id_token claims, token responses and AADSTS errors. Pure."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from simulator.identity import scopes
from simulator.identity.keys import encode
from simulator.identity.model import Issued, TokenProblem

TENANTS = {"organizations", "common"}
_TEMPLATE = "{tenantid}"
_OTHER_ORGANISATION = "User account from another identity provider does not exist in the tenant of the application."

REASONS: dict[str, tuple[int, str, int, str]] = {
    "unknown-client": (400, "unauthorized_client", 700016, "Application was not found in the directory."),
    "no-secret": (
        401,
        "invalid_client",
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    "wrong-secret": (401, "invalid_client", 7000215, "Invalid client secret provided."),
    "secret-expired": (401, "invalid_client", 7000222, "The provided client secret keys for app are expired."),
    "bad-code": (400, "invalid_grant", 70000, "The provided value for the input parameter 'code' is not valid."),
    "spent-code": (400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed."),
    "late-code": (400, "invalid_grant", 70008, "The provided authorization code or refresh token has expired."),
    "redirect-mismatch": (
        400,
        "invalid_grant",
        50011,
        "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
    ),
    "no-verifier": (400, "invalid_grant", 50148, "The Code_Verifier is required and was not supplied."),
    "wrong-verifier": (
        400,
        "invalid_grant",
        501481,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    "bad-refresh": (
        400,
        "invalid_grant",
        70000,
        "The provided value for the input parameter 'refresh_token' is not valid.",
    ),
    "refresh-expired": (400, "invalid_grant", 700082, "The refresh token has expired due to inactivity."),
    "sessions-revoked": (400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked."),
    "no-consent": (
        400,
        "invalid_grant",
        65001,
        "The user or administrator has not consented to use the application.",
    ),
    "revoked": (400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked."),
    "not-assigned": (400, "invalid_grant", 50105, "The signed in user is not assigned to a role for the application."),
    "other-organisation": (400, "invalid_grant", 50020, _OTHER_ORGANISATION),
    "admin-approval": (400, "invalid_grant", 90094, "Admin consent is required for the permissions requested."),
    "scope": (400, "invalid_grant", 65001, "The user or administrator has not consented to use the application."),
    "grant-type": (400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."),
    "transient": (503, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again."),
    "user-disabled": (400, "invalid_grant", 50057, "The user account is disabled."),
    "conditional-access": (
        400,
        "invalid_grant",
        53003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    "strong-authentication": (
        400,
        "invalid_grant",
        50076,
        "Due to a configuration change made by your administrator, you must use multi-factor authentication.",
    ),
    "app-disabled": (400, "unauthorized_client", 7000112, "The application is disabled."),
}
AUTHORIZE_REASONS: dict[str, tuple[str, int, str]] = {
    "unknown-client": ("unauthorized_client", 700016, "Application was not found in the directory."),
    "redirect-mismatch": (
        "invalid_request",
        50011,
        "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
    ),
    "one-tenant": (
        "invalid_request",
        50194,
        "The application is not configured as a multi-tenant application. Use a tenant-specific endpoint.",
    ),
    "other-organisation": ("invalid_request", 50020, _OTHER_ORGANISATION),
    "response-type": ("unsupported_response_type", 700054, "The response_type is not enabled for the application."),
    "no-scope": ("invalid_request", 900144, "The request must contain the following parameter: 'scope'."),
    "unknown-scope": (
        "invalid_client",
        650053,
        "The application asked for a scope that doesn't exist on the resource.",
    ),
    "challenge-method": ("invalid_request", 501491, "Invalid size of Code_Challenge parameter, or method not S256."),
    "not-assigned": (
        "access_denied",
        50105,
        "Your administrator has configured the application to block users unless they are specifically granted access.",
    ),
    "admin-approval": (
        "consent_required",
        90094,
        "Admin consent is required for the permissions requested by the application.",
    ),
    "app-blocked": ("access_denied", 53003, "Access has been blocked by Conditional Access policies."),
    "denied": ("access_denied", 65004, "The resource owner or authorization server denied the request."),
    "consent-required": (
        "interaction_required",
        65001,
        "The user or administrator has not consented to the application.",
    ),
    "login-required": ("login_required", 50058, "A silent sign-in request was sent but no user is signed in."),
    "unknown-tenant": (
        "invalid_request",
        90002,
        "Tenant not found. Check to make sure you have the correct tenant ID.",
    ),
}


def discovery(login_url: str, tenant: str) -> dict[str, Any]:
    """The OpenID configuration as seen through one path segment; a shared one has a template for an issuer."""
    here = f"{login_url}/{tenant}"
    return {
        "issuer": f"{login_url}/{_TEMPLATE if tenant in TENANTS else tenant}/v2.0",
        "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
        "token_endpoint": f"{here}/oauth2/v2.0/token",
        "end_session_endpoint": f"{here}/oauth2/v2.0/logout",
        "jwks_uri": f"{here}/discovery/v2.0/keys",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "nonce",
            "name",
            "tid",
            "oid",
            "preferred_username",
            "email",
        ],
        "tenant_region_scope": None,
    }


def claims(login_url: str, issued: Issued, now_s: int) -> dict[str, Any]:
    """What the id_token says. `sub` differs per application, `oid` does not."""
    account = issued.account
    client_id = issued.access.client_id
    found: dict[str, Any] = {
        "ver": "2.0",
        "iss": f"{login_url}/{account.tenant_id}/v2.0",
        "aud": client_id,
        "sub": encode(hashlib.sha256(f"{account.user_id}:{client_id}".encode()).digest()),
        "oid": account.user_id,
        "tid": account.tenant_id,
        "iat": now_s,
        "nbf": now_s,
        "exp": now_s + issued.life_s,
    }
    if "profile" in issued.scopes:
        found |= {"name": account.name, "preferred_username": account.address}
    if "email" in issued.scopes:
        found["email"] = account.mail
    return found | ({"nonce": issued.nonce} if issued.nonce else {})


def response(issued: Issued, id_token: str | None) -> dict[str, Any]:
    """The token endpoint's success. `offline_access` is never listed among the scopes."""
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": scopes.written(issued.scopes - {scopes.OFFLINE}),
        "expires_in": issued.life_s,
        "ext_expires_in": issued.life_s,
        "access_token": issued.access.value,
    }
    if issued.refresh:
        body["refresh_token"] = issued.refresh.value
    return body | ({"id_token": id_token} if id_token else {})


def refusal(problem: TokenProblem, now_ms: int) -> tuple[int, dict[str, Any]]:
    """Status and body of the token endpoint's error; the description begins with the AADSTS code."""
    status, error, code, text = _reason(problem)
    trace = str(uuid.UUID(hashlib.sha256(f"{now_ms}:{code}".encode()).hexdigest()[:32]))
    stamp = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    body: dict[str, Any] = {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {trace} Timestamp: {stamp}",
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": trace,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    return status, body | ({"suberror": "consent_required"} if code == 65001 else {})  # noqa: PLR2004


def authorize_error(reason: str) -> dict[str, str]:
    """The parameters of the redirect that reports a refusal."""
    error, code, text = AUTHORIZE_REASONS[reason]
    if reason == "denied":  # no code, whether the person declined or the policy did
        return {"error": error, "error_subcode": "cancel"}
    return {"error": error, "error_description": f"AADSTS{code}: {text}"}


def consent_answer(tenant_id: str, granted: frozenset[str] | None) -> dict[str, str]:
    """
    What the page for a tenant-wide consent sends back; `granted` None: the administrator declined.

    Declining says `admin_consent=True` as well, and names no tenant (github.com/MicrosoftDocs/azure-docs/issues/114009).
    """
    if granted is None:
        error, code, text = AUTHORIZE_REASONS["denied"]
        return {"error": error, "error_description": f"AADSTS{code}: {text}", "admin_consent": "True"}
    long = (name if name in scopes.OPENID or name == scopes.OFFLINE else scopes.GRAPH_PREFIX + name for name in granted)
    return {"admin_consent": "True", "tenant": tenant_id, "scope": scopes.written(long)}


def _reason(problem: TokenProblem) -> tuple[int, str, int, str]:
    if problem.reason != "as-told":
        return REASONS[problem.reason]
    told = problem.detail.upper().removeprefix("AADSTS")
    for reason in REASONS.values():
        if told == str(reason[2]):
            return reason
    return REASONS.get(problem.detail, REASONS["sessions-revoked"])
