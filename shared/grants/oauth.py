"""
The scopes we ask for, and what an answer of a token endpoint means. Pure.

What each code means stands in the providers' packages, with its source.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.domain.identity import Provider
from shared.providers.catalogue import CalendarSettings, ProviderSettings, profile_of, registration
from shared.providers.token_refusal import TokenCodes, TokenRefusal

OAuthSettings = CalendarSettings

_BUSY_STATUSES = {408, 429}
_SERVER_ERRORS = 500
_OK = 200
_LONGEST_GRANT_S = 10 * 366 * 86_400.0  # a bound, and no provider's
_LONGEST_LIFE_S = 2 * 86_400.0  # with continuous access evaluation an access token may live about a day


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
    Which calendar rights are needed and not given: some providers let a person untick each of them.

    An empty `granted` means that the answer named none, which is as asked. A right to write is a right to read as well.
    """
    if not granted:
        return ()
    scopes = profile_of(provider).scopes
    given = {scope.rpartition("/")[2].lower() for scope in granted}
    wanted = scopes.writing if writes else scopes.reading
    # Each right to write includes the right to read that stands in its place.
    return tuple(
        scope
        for scope, writing in zip(wanted, scopes.writing, strict=True)
        if not given & {scope.rpartition("/")[2].lower(), writing.rpartition("/")[2].lower()}
    )


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form to post to a token endpoint."""

    url: str
    form: Mapping[str, str]
    provider: Provider


@dataclass(frozen=True, slots=True)
class Granted:
    """Tokens. `refresh_token` is "" when the endpoint sent none: the one at hand stays good."""

    access_token: str
    expires_in_s: float
    refresh_token: str = ""
    scopes: tuple[str, ...] = ()
    refresh_expires_in_s: float = 0.0
    """How long the refresh token lasts whatever is done with it; 0: the endpoint named no end."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The token endpoint's final word: only the grant's person can give another one."""

    code: str
    """The provider's own: `AADSTS50173`, `invalid_grant`."""
    status: int = field(default=0, compare=False)
    """Of the answer, over HTTP; 0 for none. Two refusals are the same whatever status they came with."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """Something stands before the grant that can be taken away again: a policy, an approval, a disabled account."""

    code: str
    """The provider's own: `AADSTS53003`, `admin_policy_enforced`."""
    status: int = field(default=0, compare=False)
    """Of the answer, over HTTP; 0 for none. Two refusals are the same whatever status they came with."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Nothing is wrong with the grant: later."""

    reason: str
    retry_after_s: float | None = None
    status: int = field(default=0, compare=False)
    code: str = field(default="", compare=False)
    """The provider's own, if the answer named one."""


@dataclass(frozen=True, slots=True)
class OurFault:
    """Our own registration is wrong: no person can mend it by signing in."""

    code: str
    status: int = field(default=0, compare=False)


Outcome = Granted | Lost | Suspended | Busy | OurFault


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
    return TokenRequest(ours.token_url(directory), form, provider)


def classify(provider: Provider, status: int, body: bytes, retry_after_s: float | None = None) -> Outcome:
    """
    What an answer of a provider's token endpoint means, by its table of published codes.

    A word that we do not know counts as busy: it must neither drop a person's grant nor hide (the consent shows as failing).

    Args:
        provider: Whose endpoint.
        status: The HTTP status.
        body: As sent; a gateway's HTML page is busy, whatever its status.
        retry_after_s: The answer's own appointment, in seconds.
    """
    if status in _BUSY_STATUSES or status >= _SERVER_ERRORS:
        return Busy(f"token endpoint answered {status}", retry_after_s, status)
    answer = _object(body)
    if answer is None:
        return Busy(f"token endpoint answered {status} without JSON", retry_after_s, status)
    if status == _OK:
        return _granted(answer)
    return _refused(profile_of(provider).token_codes, answer, status, retry_after_s)


def _granted(answer: Mapping[str, Any]) -> Outcome:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        return Busy("token endpoint answered 200 without an access token", status=_OK)
    refresh, scope = answer.get("refresh_token"), answer.get("scope")
    return Granted(
        access_token=token,
        expires_in_s=_seconds(answer.get("expires_in")),
        refresh_token=refresh if isinstance(refresh, str) else "",
        scopes=tuple(scope.split()) if isinstance(scope, str) else (),
        refresh_expires_in_s=refresh_life_s(answer),
    )


def refresh_life_s(answer: Mapping[str, Any]) -> float:
    """
    How long the grant of a token endpoint's answer lasts whatever is done with it, in seconds; 0 where no end is named.

    Google names one where a consent is for a time, and while the consent screen is in *Testing*: seven days then
    (https://developers.google.com/identity/protocols/oauth2#expiration).
    """
    return _seconds(answer.get("refresh_token_expires_in"), longest=_LONGEST_GRANT_S)


def _refused(codes: TokenCodes, answer: Mapping[str, Any], status: int, retry_after_s: float | None) -> Outcome:
    code, refusal = codes.meaning(answer)
    match refusal:
        case TokenRefusal.FINAL:
            return Lost(code, status)
        case TokenRefusal.SUSPENDED:
            return Suspended(code, status)
        case TokenRefusal.OURS:
            return OurFault(code, status)
        case TokenRefusal.LATER:
            return Busy(f"token endpoint answered {status} {code or '(no error)'}", retry_after_s, status, code)


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _seconds(value: object, *, longest: float = _LONGEST_LIFE_S) -> float:
    """`expires_in` is a number, by some proxies a string; without one the token is used once and refreshed again."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), longest) if math.isfinite(seconds) else 0.0
