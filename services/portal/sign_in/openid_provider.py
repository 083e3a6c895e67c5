"""OpenID Connect: where a person is sent, and the code that they bring back. Authlib does the protocol (ADR 19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from services.portal.sign_in.openid import NO_CALENDAR, Identity, asked_for, endpoints, identity_of
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.domain.identity import Provider
from shared.errors import RetryableError
from shared.grants.oauth import Granted, missing_scopes, refresh_life_s
from shared.ports.clock import Clock
from shared.providers.catalogue import profile_of
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger
from shared.runtime.settings import Settings

LEEWAY_S = 120
_ALGORITHMS = ["RS256"]  # what both providers sign with; naming it keeps "none" and HS256 out
_TENANT_ID = re.compile(r"[0-9a-fA-F-]{36}")
_limited = LimitedLog(get_logger())


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
