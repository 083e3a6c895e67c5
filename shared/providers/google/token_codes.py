"""
What Google's token endpoint says of a grant.

Source: "Using OAuth 2.0 to Access Google APIs", refresh token expiration, and "OAuth 2.0 for Web Server Applications",
errors (https://developers.google.com/identity/protocols/oauth2/web-server, read 2026-11-28). `invalid_grant` stands for
every cause alike, so its end is taken from the sentence that Google's own client documentation gives for it
(https://developers.google.com/google-ads/api/docs/get-started/common-errors); any other sentence decides nothing for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.providers.token_refusal import Mender, TokenCode, TokenCodes, TokenRefusal

_LATER, _OURS, _SUSPENDED, _FINAL = TokenRefusal
_PERSON, _ADMINISTRATOR, _OPERATOR = Mender
_ENDED = "token has been expired or revoked"
_ENDED_CODE = "invalid_grant/expired-or-revoked"

TABLE: Mapping[str, TokenCode] = {
    _ENDED_CODE: TokenCode(_FINAL, _PERSON, "the refresh token has expired, or was revoked"),
    "invalid_rapt": TokenCode(_SUSPENDED, _PERSON, "a session policy wants the person to sign in again"),
    "invalid_grant": TokenCode(_SUSPENDED, _PERSON, "something about the grant"),
    "admin_policy_enforced": TokenCode(
        _SUSPENDED, _ADMINISTRATOR, "an administrator restricts the service or the client"
    ),
    "org_internal": TokenCode(_SUSPENDED, _ADMINISTRATOR, "the client is for another organisation only"),
    "access_denied": TokenCode(_SUSPENDED, _PERSON, "refused"),
    "consent_required": TokenCode(_SUSPENDED, _PERSON, "consent is needed"),
    "interaction_required": TokenCode(_SUSPENDED, _PERSON, "another step of signing in is needed"),
    "login_required": TokenCode(_SUSPENDED, _PERSON, "signing in is needed"),
    "account_selection_required": TokenCode(_SUSPENDED, _PERSON, "an account has to be chosen"),
    "unauthorized_client": TokenCode(_SUSPENDED, _ADMINISTRATOR, "the client may not use this grant"),
    "deleted_client": TokenCode(_OURS, _OPERATOR, "our client was deleted; it can be restored for 30 days"),
    "disabled_client": TokenCode(_OURS, _OPERATOR, "our client is disabled"),
    "invalid_client": TokenCode(_OURS, _OPERATOR, "our client is refused"),
    "invalid_request": TokenCode(_OURS, _OPERATOR, "our request is refused"),
    "invalid_scope": TokenCode(_OURS, _OPERATOR, "our scopes are refused"),
    "unsupported_grant_type": TokenCode(_OURS, _OPERATOR, "our request is refused"),
    "redirect_uri_mismatch": TokenCode(_OURS, _OPERATOR, "our address is refused"),
    "temporarily_unavailable": TokenCode(_LATER, _OPERATOR, "busy"),
    "server_error": TokenCode(_LATER, _OPERATOR, "busy"),
    "internal_failure": TokenCode(_LATER, _OPERATOR, "busy"),
    "slow_down": TokenCode(_LATER, _OPERATOR, "busy"),
}


def _codes(answer: Mapping[str, Any]) -> Sequence[str]:
    """`error_subtype` is given for session policies only; it says more than the sentence."""
    word, subtype = str(answer.get("error") or ""), answer.get("error_subtype")
    if isinstance(subtype, str) and subtype:
        return (subtype, word)
    ended = word == "invalid_grant" and str(answer.get("error_description") or "").lower().startswith(_ENDED)
    return (_ENDED_CODE, word) if ended else (word,)


CODES = TokenCodes(TABLE, _codes)
