"""
What Entra's token endpoint says of a grant.

Source: the names and meanings of https://learn.microsoft.com/entra/identity-platform/reference-error-codes (read
2026-11-28); the OAuth words of RFC 6749 §5.2. Entra may change its numbers: one that is not listed decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.providers.token_refusal import Mender, TokenCode, TokenCodes, TokenRefusal

_LATER, _OURS, _SUSPENDED, _FINAL = TokenRefusal
_PERSON, _ADMINISTRATOR, _OPERATOR = Mender

TABLE: Mapping[str, TokenCode] = {
    # Busy, ours to wait for.
    "AADSTS50033": TokenCode(_LATER, _OPERATOR, "RetryableError"),
    "AADSTS50196": TokenCode(_LATER, _OPERATOR, "LoopDetected: too many of the same request in too short a period"),
    "AADSTS90006": TokenCode(_LATER, _OPERATOR, "ExternalServerRetryableError"),
    "AADSTS90012": TokenCode(_LATER, _OPERATOR, "RequestTimeout"),
    "AADSTS90024": TokenCode(_LATER, _OPERATOR, "RequestBudgetExceededError"),
    "AADSTS90033": TokenCode(_LATER, _OPERATOR, "MsodsServiceUnavailable"),
    "AADSTS90055": TokenCode(_LATER, _OPERATOR, "TenantThrottlingError"),
    "AADSTS90090": TokenCode(_LATER, _OPERATOR, "GraphRetryableError"),
    # Our own registration.
    "AADSTS7000215": TokenCode(_OURS, _OPERATOR, "the client secret is wrong"),
    "AADSTS7000216": TokenCode(_OURS, _OPERATOR, "a client secret or assertion is needed"),
    "AADSTS7000218": TokenCode(_OURS, _OPERATOR, "a client secret or assertion is needed"),
    "AADSTS7000222": TokenCode(_OURS, _OPERATOR, "the client secret has expired"),
    # A policy, or the state of a directory: what stands before the grant today may be gone tomorrow.
    "AADSTS50020": TokenCode(_SUSPENDED, _ADMINISTRATOR, "UserUnauthorized"),
    "AADSTS50034": TokenCode(_SUSPENDED, _ADMINISTRATOR, "UserAccountNotFound"),
    "AADSTS50053": TokenCode(_SUSPENDED, _ADMINISTRATOR, "IdsLocked, or an address with malicious activity"),
    "AADSTS50055": TokenCode(_SUSPENDED, _PERSON, "InvalidPasswordExpiredPassword"),
    "AADSTS50057": TokenCode(_SUSPENDED, _ADMINISTRATOR, "UserDisabled: an administrator can enable the account again"),
    "AADSTS50074": TokenCode(_SUSPENDED, _PERSON, "UserStrongAuthClientAuthNRequiredInterrupt"),
    "AADSTS50076": TokenCode(_SUSPENDED, _PERSON, "UserStrongAuthClientAuthNRequired: a change of policy or place"),
    "AADSTS50078": TokenCode(_SUSPENDED, _PERSON, "UserStrongAuthExpired"),
    "AADSTS50079": TokenCode(_SUSPENDED, _PERSON, "UserStrongAuthEnrollmentRequired"),
    "AADSTS50097": TokenCode(_SUSPENDED, _ADMINISTRATOR, "DeviceAuthenticationRequired"),
    "AADSTS50105": TokenCode(_SUSPENDED, _ADMINISTRATOR, "EntitlementGrantsNotFound: not assigned to the application"),
    "AADSTS50131": TokenCode(_SUSPENDED, _ADMINISTRATOR, "ConditionalAccessFailed"),
    "AADSTS50144": TokenCode(_SUSPENDED, _PERSON, "InvalidPasswordExpiredOnPremPassword"),
    "AADSTS50158": TokenCode(_SUSPENDED, _ADMINISTRATOR, "ExternalSecurityChallenge"),
    "AADSTS53000": TokenCode(_SUSPENDED, _ADMINISTRATOR, "DeviceNotCompliant"),
    "AADSTS53001": TokenCode(_SUSPENDED, _ADMINISTRATOR, "DeviceNotDomainJoined"),
    "AADSTS53002": TokenCode(_SUSPENDED, _ADMINISTRATOR, "ApplicationUsedIsNotAnApprovedApp"),
    "AADSTS53003": TokenCode(_SUSPENDED, _ADMINISTRATOR, "BlockedByConditionalAccess"),
    "AADSTS65004": TokenCode(_SUSPENDED, _PERSON, "UserDeclinedConsent"),
    "AADSTS70001": TokenCode(_SUSPENDED, _ADMINISTRATOR, "UnauthorizedClient: the application is disabled"),
    "AADSTS70043": TokenCode(_SUSPENDED, _PERSON, "BadTokenDueToSignInFrequency: a Conditional Access policy"),
    "AADSTS700011": TokenCode(_SUSPENDED, _ADMINISTRATOR, "UnauthorizedClientAppNotFoundInOrgIdTenant"),
    "AADSTS700016": TokenCode(
        _SUSPENDED, _ADMINISTRATOR, "UnauthorizedClient_DoesNotMatchRequest: or our id is mistyped"
    ),
    "AADSTS7000112": TokenCode(_SUSPENDED, _ADMINISTRATOR, "UnauthorizedClientApplicationDisabled"),
    "AADSTS90002": TokenCode(_SUSPENDED, _OPERATOR, "InvalidTenantName"),
    "AADSTS90094": TokenCode(_SUSPENDED, _ADMINISTRATOR, "AdminConsentRequired"),
    # The end of this grant, by name.
    "AADSTS50089": TokenCode(_FINAL, _PERSON, "refresh tokens expire over time or are revoked by the user or an admin"),
    "AADSTS50173": TokenCode(_FINAL, _PERSON, "FreshTokenNeeded: the grant was revoked"),
    "AADSTS65001": TokenCode(_FINAL, _PERSON, "DelegationDoesNotExist: the consent was taken back"),
    "AADSTS70000": TokenCode(_FINAL, _PERSON, "InvalidGrant: the refresh token is not valid"),
    "AADSTS70008": TokenCode(_FINAL, _PERSON, "ExpiredOrRevokedGrant"),
    "AADSTS700082": TokenCode(_FINAL, _PERSON, "ExpiredOrRevokedGrantInactiveToken"),
    "AADSTS700084": TokenCode(_FINAL, _PERSON, "a single page application's token, whose fixed lifetime is over"),
    # OAuth's words, where no number that we know stands beside them: none of them says which end it is.
    "temporarily_unavailable": TokenCode(_LATER, _OPERATOR, "busy"),
    "server_error": TokenCode(_LATER, _OPERATOR, "busy"),
    "slow_down": TokenCode(_LATER, _OPERATOR, "busy"),
    "invalid_client": TokenCode(_OURS, _OPERATOR, "our client is refused"),
    "invalid_request": TokenCode(_OURS, _OPERATOR, "our request is refused"),
    "invalid_scope": TokenCode(_OURS, _OPERATOR, "our scopes are refused"),
    "unsupported_grant_type": TokenCode(_OURS, _OPERATOR, "our request is refused"),
    "invalid_grant": TokenCode(_SUSPENDED, _PERSON, "something about the grant"),
    "interaction_required": TokenCode(_SUSPENDED, _PERSON, "another step of signing in is needed"),
    "login_required": TokenCode(_SUSPENDED, _PERSON, "signing in is needed"),
    "consent_required": TokenCode(_SUSPENDED, _PERSON, "consent is needed"),
    "access_denied": TokenCode(_SUSPENDED, _PERSON, "refused"),
    "unauthorized_client": TokenCode(_SUSPENDED, _ADMINISTRATOR, "the application is not in the directory"),
}


def _codes(answer: Mapping[str, Any]) -> Sequence[str]:
    """`error_codes` is a list of numbers, of which the first is the one in the description."""
    numbers = answer.get("error_codes")
    exact = [f"AADSTS{number}" for number in numbers if isinstance(number, int)] if isinstance(numbers, list) else []
    return (*exact, str(answer.get("error") or ""))


CODES = TokenCodes(TABLE, _codes)
