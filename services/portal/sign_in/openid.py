"""OpenID Connect at both providers: where a person is sent, and who it is that comes back. Authlib does the protocol (ADR 19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from services.portal.sign_in.attempts import Purpose, SignIn
from services.portal.sign_in.bounded_adapter import bound
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.domain.identity import Provider
from shared.errors import RetryableError
from shared.grants.oauth import Granted, identity_scopes, missing_scopes, refresh_life_s, scopes_for
from shared.ports.clock import Clock
from shared.providers.catalogue import profile_of, registration
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger
from shared.runtime.settings import Settings

IDENTITY_ALONE = frozenset({Purpose.SIGN_IN, Purpose.ENTER})
"""Purposes for which nothing but who somebody is is asked."""
NO_CALENDAR = IDENTITY_ALONE | {Purpose.PROVE, Purpose.DOMAINS}
"""Purposes that ask for no calendar, and for no permission that lasts."""
LEEWAY_S = 120
_ALGORITHMS = ["RS256"]  # what both providers sign with; naming it keeps "none" and HS256 out
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""Microsoft's tenant of personal accounts: nobody's organisation."""
DIRECTORY_ADMINISTRATORS = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
    }
)
"""Entra's role templates that may consent for everybody; https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"""
_GUEST_MARK = "#ext#"
_MAX_NAME_CHARS = 100
_limited = LimitedLog(get_logger())
_TENANT_ID = re.compile(r"[0-9a-fA-F-]{36}")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A provider's addresses, out of the settings."""

    authorize: str
    token: str
    discovery: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, as their provider vouches."""

    provider: Provider
    subject: str
    """Entra's object id, Google's `sub`."""
    directory: str
    """Entra's tenant id, Google's hosted domain."""
    address: str
    name: str = ""
    """As their provider shows it: for people to recognise them by, never for rights."""
    administers: bool = False
    """Whether the provider vouches that they administer the whole directory; Google's id_token never says so."""


def endpoints(settings: Settings, provider: Provider) -> Endpoints:
    """The addresses of `provider`, for any organisation."""
    ours = registration(provider, settings)
    return Endpoints(
        authorize=ours.authorize_url,
        token=ours.token_url(""),
        discovery=ours.discovery_url,
        client_id=ours.client_id,
        client_secret=ours.client_secret,
    )


def asked_for(provider: Provider, purpose: Purpose, *, writes: bool = True) -> tuple[str, ...]:
    """The permissions that a sign-in of this purpose asks for: pages list these very words. `writes` False: only to read."""
    if purpose in IDENTITY_ALONE:
        return identity_scopes(provider)
    if purpose in NO_CALENDAR:
        scopes = profile_of(provider).scopes
        domains = scopes.domains if purpose is Purpose.DOMAINS else ""
        return (*identity_scopes(provider), *filter(None, [scopes.administration, domains]))
    return scopes_for(provider, writes=writes, room_import=purpose in {Purpose.TEST_ROOMS, Purpose.ROOMS})


class OpenIdProvider:
    """One provider's sign-in. Thread-safe; keeps the provider's keys in memory until one is unknown."""

    def __init__(self, settings: Settings, provider: Provider, clock: Clock) -> None:
        """Nothing is asked of the provider yet."""
        self.provider = provider
        self._at = endpoints(settings, provider)
        self._timeout_s = settings.call_timeout_s
        self._writes = settings.may_write
        self._clock = clock
        self._known: tuple[str, KeySet] | None = None

    def address(self, sign_in: SignIn, redirect_uri: str, login_hint: str = "") -> str:
        """Where the browser goes: authorisation code, PKCE S256, and the very scopes that will be used."""
        extra = {} if sign_in.purpose in NO_CALENDAR else dict(profile_of(self.provider).authorization)
        if login_hint:
            extra["login_hint"] = login_hint
        with self._session(redirect_uri, sign_in.purpose) as session:
            url, _ = session.create_authorization_url(
                self._at.authorize,
                state=sign_in.state,
                code_verifier=sign_in.verifier,
                nonce=sign_in.nonce,
                **extra,
            )
        return str(url)

    def exchange(self, code: str, sign_in: SignIn, redirect_uri: str) -> tuple[Identity, Granted]:
        """
        Redeem the code and check who it speaks for.

        Raises:
            RefusedSignInError: the provider refused, vouched for nobody we may trust, or gave less than was asked.
            RetryableError: the provider is busy or away.
        """
        token = self._redeem(code, sign_in, redirect_uri)
        claims = self._verified(str(token.get("id_token", "")), sign_in.nonce, str(token.get("access_token", "")))
        grant = Granted(
            access_token=str(token["access_token"]),
            expires_in_s=float(token.get("expires_in") or 0),
            refresh_token=str(token.get("refresh_token") or ""),
            scopes=tuple(str(token.get("scope") or "").split()),
            refresh_expires_in_s=refresh_life_s(token),
        )
        needs_calendar = sign_in.purpose not in NO_CALENDAR
        if needs_calendar and missing_scopes(self.provider, grant.scopes, writes=self._writes):
            raise RefusedSignInError(Cause.SCOPE_MISSING)  # people may untick single permissions at Google
        return identity_of(self.provider, claims), grant

    def _session(self, redirect_uri: str, purpose: Purpose) -> OAuth2Session:
        session = OAuth2Session(
            self._at.client_id,
            self._at.client_secret,
            scope=" ".join(asked_for(self.provider, purpose, writes=self._writes)),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_post",  # noqa: S106  # a method's name; both providers take it
        )
        bound(session)
        return session

    def _redeem(self, code: str, sign_in: SignIn, redirect_uri: str) -> Mapping[str, Any]:
        try:
            with self._session(redirect_uri, sign_in.purpose) as session:
                token: Mapping[str, Any] = session.fetch_token(
                    self._at.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=sign_in.verifier,
                    timeout=self._timeout_s,
                    allow_redirects=False,
                )
        except OAuthError as error:
            raise RefusedSignInError(str(error.error), str(error.description or "")) from error
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise self._busy(error, left_undone="answer the sign-in") from error
        if "access_token" not in token:
            raise RefusedSignInError(Cause.NO_ACCESS_TOKEN)
        return token

    def _verified(self, id_token: str, nonce: str, access_token: str) -> Mapping[str, Any]:
        try:
            token = self._decoded(id_token)
            issuer = self._issuer(token.claims)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "values": issuer},
                    "aud": {"essential": True, "value": self._at.client_id},
                    "nonce": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._at.client_id, "access_token": access_token},
            )
            claims.validate(now=self._clock.now_ms() // 1000, leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError) as error:
            _limited.warning(
                "id_token_refused", provider=self.provider.value, kind=type(error).__name__, error=str(error)
            )
            raise RefusedSignInError(Cause.ID_TOKEN) from error
        return dict(claims)

    def _decoded(self, id_token: str) -> jwt.Token:
        _, keys = self._keys()
        try:
            return jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            self._known = None  # the provider has turned its keys over
            _, keys = self._keys()
            return jwt.decode(id_token, keys, algorithms=_ALGORITHMS)

    def _issuer(self, claims: Mapping[str, Any]) -> list[str]:
        """Microsoft's issuer names the organisation; Google's is also written without its scheme."""
        issuer, _ = self._keys()
        match self.provider:
            case Provider.GOOGLE:
                return [issuer, issuer.removeprefix("https://")]
            case Provider.MICROSOFT:
                tenant = str(claims.get("tid", ""))
                if not _TENANT_ID.fullmatch(tenant):
                    raise RefusedSignInError(Cause.NO_DIRECTORY)
                return [issuer.replace("{tenantid}", tenant)]
            case _:
                assert_never(self.provider)

    def _keys(self) -> tuple[str, KeySet]:
        known = self._known
        if known is None:  # asked for without a lock: else one slow answer would be waited for in turn by everybody
            metadata = self._get(self._at.discovery)
            known = str(metadata["issuer"]), KeySet.import_key_set(self._get(str(metadata["jwks_uri"])))
            self._known = known
        return known

    def _get(self, url: str) -> Any:
        try:
            with requests.Session() as session:
                bound(session)
                response = session.get(url, timeout=self._timeout_s, allow_redirects=False)
                response.raise_for_status()
                return response.json()
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise self._busy(error, left_undone="show its signing keys") from error

    def _busy(self, error: Exception, *, left_undone: str) -> RetryableError:
        answer = error.response if isinstance(error, requests.RequestException) else None
        message = f"{self.provider} did not {left_undone} ({type(error).__name__}); try again"
        return RetryableError(message, provider_status=0 if answer is None else answer.status_code)


def identity_of(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    """
    Read an id_token's verified claims. A claim of another type than its provider documents says nothing.

    Raises:
        RefusedSignInError: a personal account, a guest of the directory, or no address that the provider vouches for.
    """
    match provider:
        case Provider.MICROSOFT:
            found = _microsoft_identity(claims)
        case Provider.GOOGLE:
            found = _google_identity(claims)
        case _:
            assert_never(provider)
    if not found.directory or not found.subject or found.directory == PERSONAL_ACCOUNTS:
        raise RefusedSignInError(Cause.NO_DIRECTORY)
    if "@" not in found.address:
        raise RefusedSignInError(Cause.NO_ADDRESS)
    return found


def _microsoft_identity(claims: Mapping[str, Any]) -> Identity:
    """
    `email` is not read: Entra neither verifies nor keeps it. A user principal name's domain is one that the directory owns.

    Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference and optional-claims-reference
    (`acct`: 0 for members, 1 for guests; `idp`: another issuer's for accounts of elsewhere; `wids`: directory roles).
    """
    name = _text(claims, "preferred_username").lower()
    home = _text(claims, "idp") or _text(claims, "iss")
    if claims.get("acct", 0) != 0 or home != _text(claims, "iss") or _GUEST_MARK in name:
        raise RefusedSignInError(Cause.GUEST)
    roles = claims.get("wids")
    administers = isinstance(roles, list) and any(role in DIRECTORY_ADMINISTRATORS for role in roles)
    return Identity(
        provider=Provider.MICROSOFT,
        subject=_text(claims, "oid"),
        directory=_text(claims, "tid").lower(),
        address=name,
        name=_shown_name(claims),
        administers=administers,
    )


def _google_identity(claims: Mapping[str, Any]) -> Identity:
    address = _text(claims, "email") if claims.get("email_verified") is True else ""
    return Identity(
        provider=Provider.GOOGLE,
        subject=_text(claims, "sub"),
        directory=_text(claims, "hd").lower(),
        address=address.lower(),
        name=_shown_name(claims),
    )


def _shown_name(claims: Mapping[str, Any]) -> str:
    """A line of at most 100 characters that can be printed; the rest of what somebody calls themselves is not kept."""
    return "".join(sign for sign in _text(claims, "name")[:_MAX_NAME_CHARS] if sign.isprintable())


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
