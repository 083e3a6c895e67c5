"""
The scopes we ask for, and what an answer of a token endpoint means. Pure.

Sources: Entra's error code reference and refresh token page; Google's OAuth 2.0 guide (read 2026-11-20).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.domain.identity import Provider
from shared.providers.catalogue import CalendarSettings, ProviderSettings, profile_of, registration

OAuthSettings = CalendarSettings

_BUSY_STATUSES = {408, 429}
_SERVER_ERRORS = 500
_OK = 200
_LONGEST_LIFE_S = 2 * 86_400.0  # with continuous access evaluation an access token may live about a day

# Entra's numbers refine the OAuth word; where both are known the number says who can mend it.
_BUSY_CODES = {90006, 90024, 90033}
_FAULT_CODES = {7000215, 7000222, 7000216, 7000218}
_LOST_CODES = {
    50057, 50076, 50079, 50173, 53000, 53001, 53002, 53003, 65001, 65004, 70001, 70008, 70043, 90094, 700011, 700016,
    700082, 700084,
}  # fmt: skip
_BUSY_WORDS = {"temporarily_unavailable", "server_error", "slow_down"}
_FAULT_WORDS = {"invalid_client", "invalid_request", "invalid_scope", "unsupported_grant_type", "redirect_uri_mismatch"}
_LOST_WORDS = {
    "invalid_grant", "consent_required", "interaction_required", "login_required", "access_denied",
    "unauthorized_client", "admin_policy_enforced", "org_internal", "account_selection_required",
}  # fmt: skip


def identity_scopes(provider: Provider) -> tuple[str, ...]:
    """What signing in alone asks for: who somebody is, and nothing of their calendar."""
    return profile_of(provider).scopes.identity


def scopes_for(provider: Provider, *, writes: bool = True, room_import: bool = False) -> tuple[str, ...]:
    """
    The one list of what we ask for, delegated, least privilege.

    Args:
        provider: Whose words to use.
        writes: False asks for reading only (an observe-only pilot).
        room_import: An administrator imports the organisation's rooms, once.
    """
    scopes = profile_of(provider).scopes
    asked = (*scopes.basis, *(scopes.writing if writes else scopes.reading))
    return (*asked, scopes.room_import) if room_import else asked


def missing_scopes(provider: Provider, granted: Collection[str], *, writes: bool = True) -> tuple[str, ...]:
    """
    Which calendar rights were asked for and not given: some providers let a person untick each of them.

    An empty `granted` means that the answer named none, which is as asked.
    """
    scopes = profile_of(provider).scopes
    given = {scope.rpartition("/")[2].lower() for scope in granted}
    asked = scopes.writing if writes else scopes.reading
    return tuple(scope for scope in asked if scope.rpartition("/")[2].lower() not in given) if given else ()


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form to post to a token endpoint."""

    url: str
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Granted:
    """Tokens. `refresh_token` is "" when the endpoint sent none: the one at hand stays good."""

    access_token: str
    expires_in_s: float
    refresh_token: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """The grant is gone, or a policy stands before it: only a person can bring it back."""

    code: str
    """The provider's own: `AADSTS65001`, `invalid_grant`, `admin_policy_enforced`."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Nothing is wrong with the grant: later."""

    reason: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class OurFault:
    """Our own registration is wrong: no person can mend it by signing in."""

    code: str


Outcome = Granted | Lost | Busy | OurFault


def refresh_request(provider: Provider, settings: ProviderSettings, refresh_token: str, directory: str) -> TokenRequest:
    """
    The form that turns a refresh token into an access token.

    Args:
        provider: Whose endpoint.
        settings: Client id, secret and addresses.
        refresh_token: The newest one.
        directory: The provider's id of the organisation; "" asks wherever any organisation may.
    """
    ours = registration(provider, settings)
    # No scope: the answer then covers exactly what was granted, also for grants older than today's list.
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": ours.client_id,
        "client_secret": ours.client_secret,
    }
    return TokenRequest(ours.token_url(directory), form)


def classify(status: int, body: bytes, retry_after_s: float | None = None) -> Outcome:
    """
    What an answer of either token endpoint means.

    A word that we do not know counts as busy: it must neither drop a person's grant nor hide (the consent shows as failing).

    Args:
        status: The HTTP status.
        body: As sent; a gateway's HTML page is busy, whatever its status.
        retry_after_s: The answer's own appointment, in seconds.
    """
    if status in _BUSY_STATUSES or status >= _SERVER_ERRORS:
        return Busy(f"token endpoint answered {status}", retry_after_s)
    answer = _object(body)
    if answer is None:
        return Busy(f"token endpoint answered {status} without JSON", retry_after_s)
    if status == _OK:
        return _granted(answer)
    return _refused(answer, status, retry_after_s)


def _granted(answer: Mapping[str, Any]) -> Outcome:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        return Busy("token endpoint answered 200 without an access token")
    refresh, scope = answer.get("refresh_token"), answer.get("scope")
    return Granted(
        access_token=token,
        expires_in_s=_seconds(answer.get("expires_in")),
        refresh_token=refresh if isinstance(refresh, str) else "",
        scopes=tuple(scope.split()) if isinstance(scope, str) else (),
    )


def _refused(answer: Mapping[str, Any], status: int, retry_after_s: float | None) -> Outcome:
    word = str(answer.get("error") or "")
    numbers = _entra_codes(answer)
    code = f"AADSTS{numbers[0]}" if numbers else word
    if word in _BUSY_WORDS or _BUSY_CODES.intersection(numbers):
        return Busy(code, retry_after_s)
    if _FAULT_CODES.intersection(numbers):
        return OurFault(code)
    if _LOST_CODES.intersection(numbers) or word in _LOST_WORDS:
        return Lost(code)
    if word in _FAULT_WORDS:
        return OurFault(code)
    return Busy(f"token endpoint answered {status} {code or '(no error)'}", retry_after_s)


def _entra_codes(answer: Mapping[str, Any]) -> list[int]:
    codes = answer.get("error_codes")
    return [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _seconds(value: object) -> float:
    """`expires_in` is a number, by some proxies a string; without one the token is used once and refreshed again."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_LIFE_S) if math.isfinite(seconds) else 0.0
