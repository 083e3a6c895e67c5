"""Google's words: discovery document, id_token claims, token responses and errors. Pure."""

from __future__ import annotations

import base64
from typing import Any

from simulator.identity import scopes
from simulator.identity.model import Issued, SimulatedAccount, TokenProblem
from simulator.identity.tokens import TESTING_LIFE_MS

_OTHER_ORGANISATION = "This client is restricted to users within its organization."
REASONS: dict[str, tuple[int, str, str]] = {
    "unknown-client": (401, "invalid_client", "The OAuth client was not found."),
    "no-secret": (400, "invalid_request", "client_secret is missing."),
    "wrong-secret": (401, "invalid_client", "The provided client secret is invalid."),
    "secret-expired": (401, "invalid_client", "The provided client secret is invalid."),
    "bad-code": (400, "invalid_grant", "Malformed auth code."),
    "spent-code": (400, "invalid_grant", "Bad Request"),
    "late-code": (400, "invalid_grant", "Bad Request"),
    "redirect-mismatch": (400, "redirect_uri_mismatch", "Bad Request"),
    "no-verifier": (400, "invalid_grant", "Missing code verifier."),
    "wrong-verifier": (400, "invalid_grant", "Invalid code verifier."),
    "bad-refresh": (400, "invalid_grant", "Bad Request"),
    "refresh-expired": (400, "invalid_grant", "Token has been expired or revoked."),
    "sessions-revoked": (400, "invalid_grant", "Token has been expired or revoked."),
    "no-consent": (400, "invalid_grant", "Token has been expired or revoked."),
    "revoked": (400, "invalid_grant", "Token has been expired or revoked."),
    "not-assigned": (400, "invalid_grant", "Account restricted"),
    "other-organisation": (400, "org_internal", _OTHER_ORGANISATION),
    "admin-approval": (400, "admin_policy_enforced", "Access to your account data is restricted by policies."),
    "scope": (400, "invalid_scope", "Bad Request"),
    "grant-type": (400, "unsupported_grant_type", "Invalid grant_type"),
}
AUTHORIZE_REASONS: dict[str, tuple[str, str]] = {
    "unknown-client": ("invalid_client", "The OAuth client was not found."),
    "redirect-mismatch": ("redirect_uri_mismatch", "The redirect URI does not match those registered for the client."),
    "other-organisation": ("org_internal", _OTHER_ORGANISATION),
    "response-type": ("unsupported_response_type", "Only the response type code is supported."),
    "no-scope": ("invalid_request", "Missing required parameter: scope"),
    "unknown-scope": ("invalid_scope", "Some requested scopes were invalid."),
    "challenge-method": ("invalid_request", "Only S256 is supported as code_challenge_method."),
    "not-assigned": ("access_denied", ""),
    "admin-approval": ("admin_policy_enforced", ""),
    "app-blocked": ("admin_policy_enforced", ""),
    "denied": ("access_denied", ""),
    "consent-required": ("interaction_required", ""),
    "login-required": ("interaction_required", ""),
    "unknown-tenant": ("invalid_request", "No such account."),
}


def discovery(base_url: str) -> dict[str, Any]:
    """The OpenID configuration; `base_url` is the issuer."""
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{base_url}/o/oauth2/v2/auth",
        "token_endpoint": f"{base_url}/token",
        "userinfo_endpoint": f"{base_url}/v1/userinfo",
        "revocation_endpoint": f"{base_url}/revoke",
        "jwks_uri": f"{base_url}/oauth2/v3/certs",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "hd", "iat", "iss", "name", "sub"],
    }


def claims(base_url: str, issued: Issued, now_s: int) -> dict[str, Any]:
    """What the id_token says."""
    found = {
        "iss": base_url,
        "azp": issued.access.client_id,
        "aud": issued.access.client_id,
        "iat": now_s,
        "exp": now_s + issued.life_s,
        **person(issued.account, issued.scopes),
    }
    return found | ({"nonce": issued.nonce} if issued.nonce else {})


def person(account: SimulatedAccount, granted: frozenset[str]) -> dict[str, Any]:
    """The claims about the person that these scopes allow."""
    domain = account.address.rpartition("@")[2]  # the person's own, be it a secondary domain of the organisation
    found: dict[str, Any] = {"sub": account.user_id, "hd": domain, "name": account.name}
    if f"{scopes.GOOGLE_PREFIX}userinfo.email" in granted:
        found |= {"email": account.address, "email_verified": True}
    return found


def response(issued: Issued, id_token: str | None, *, testing: bool) -> dict[str, Any]:
    """The token endpoint's success; `scope` is what was really granted."""
    body: dict[str, Any] = {
        "access_token": issued.access.value,
        "expires_in": issued.life_s,
        "scope": scopes.written(issued.scopes),
        "token_type": "Bearer",
    }
    if issued.refresh:
        body["refresh_token"] = issued.refresh.value
        if testing:
            body["refresh_token_expires_in"] = TESTING_LIFE_MS // 1000
    return body | ({"id_token": id_token} if id_token else {})


def refusal(problem: TokenProblem) -> tuple[int, dict[str, Any]]:
    """Status and body of the token endpoint's error."""
    if problem.reason == "as-told":
        return 400, {"error": problem.detail, "error_description": "Token has been expired or revoked."}
    status, error, text = REASONS[problem.reason]
    return status, {"error": error, "error_description": text}


def authorize_error(reason: str) -> dict[str, str]:
    """The parameters of the redirect that reports a refusal."""
    error, text = AUTHORIZE_REASONS[reason]
    return {"error": error} | ({"error_description": text} if text else {})


def auth_error(name: str, text: str) -> str:
    """What Google puts into the address of its error page: a message of two texts and a number, in Base64 without its end."""
    fields = b"".join(
        bytes([number << 3 | 2, len(part)]) + part for number, part in ((1, name.encode()), (2, text.encode()[:127]))
    )
    return base64.urlsafe_b64encode(fields + b"\x20\x90\x03").decode().rstrip("=")


def read_auth_error(word: str) -> tuple[str, str]:
    """Name and text of an `auth_error`. Raises ValueError or IndexError for anything else."""
    raw = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
    name, rest = raw[2 : 2 + raw[1]], raw[2 + raw[1] :]
    return name.decode(), rest[2 : 2 + rest[1]].decode()
