"""The tokens and codes handed out so far: made, found, aged and killed. Guarded by its owner's lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from simulator.identity.model import (
    CODE_LIFE_MS,
    AuthorizationCode,
    AuthorizeRequest,
    Provider,
    SimulatedAccount,
    Token,
)
from simulator.world.ids import URL_SAFE, Ids

DAY_MS = 86_400_000
REFRESH_LIFE_MS = {"microsoft": 90 * DAY_MS, "google": 183 * DAY_MS}
"""Microsoft: 90 days each; Google: six months without use, so a use pushes it on."""
TESTING_LIFE_MS = 7 * DAY_MS
MOST_GOOGLE_REFRESH_TOKENS = 100
_PREFIX = {
    ("microsoft", "access"): "EwB-sim-",
    ("microsoft", "refresh"): "M.C-sim-",
    ("google", "access"): "ya29.sim-",
    ("google", "refresh"): "1//sim-",
}


class Tokens:
    """Opaque strings derived from the world's seed; nothing can be read out of them."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._codes: dict[str, AuthorizationCode] = {}
        self._tokens: dict[str, Token] = {}

    def code(
        self,
        account: SimulatedAccount,
        request: AuthorizeRequest,
        scopes: frozenset[str],
        now_ms: int,
        *,
        with_refresh: bool,
    ) -> AuthorizationCode:
        """A fresh authorization code."""
        value = self._string("0.A" if account.provider == "microsoft" else "4/0A", 48)
        code = AuthorizationCode(value, account, request, scopes, now_ms, with_refresh)
        self._codes[value] = code
        return code

    def find_code(self, value: str) -> AuthorizationCode | None:
        """A code by its value, spent or not."""
        return self._codes.get(value)

    @staticmethod
    def is_late(code: AuthorizationCode, now_ms: int) -> bool:
        """Whether the code's minute is over."""
        return now_ms - code.issued_ms > CODE_LIFE_MS

    def access(
        self, account: SimulatedAccount, client_id: str, scopes: frozenset[str], now_ms: int, life_s: int
    ) -> Token:
        """A fresh access token."""
        return self._token("access", account, client_id, scopes, (now_ms, now_ms + life_s * 1000))

    def refresh(
        self, account: SimulatedAccount, client_id: str, scopes: frozenset[str], now_ms: int, *, testing: bool = False
    ) -> Token:
        """A fresh refresh token; at Google the 101st of a person and client kills the oldest without a word."""
        life_ms = TESTING_LIFE_MS if testing else REFRESH_LIFE_MS[account.provider]
        token = self._token("refresh", account, client_id, scopes, (now_ms, now_ms + life_ms))
        if account.provider == "google":
            alive = [one for one in self.of(account.user_id, client_id) if one.kind == "refresh" and not one.dead]
            for oldest in alive[:-MOST_GOOGLE_REFRESH_TOKENS]:
                oldest.dead = "revoked"
        return token

    def find(self, value: str) -> Token | None:
        """A token by its value, dead or alive."""
        return self._tokens.get(value)

    def of(self, user_id: str, client_id: str | None = None) -> Iterator[Token]:
        """One person's tokens, oldest first, of one client or of all."""
        return (
            token
            for token in self._tokens.values()
            if token.user_id == user_id and client_id in {None, token.client_id}
        )

    def kill(self, user_id: str, reason: str, client_id: str | None = None) -> None:
        """End all of one person's tokens."""
        for token in self.of(user_id, client_id):
            token.dead = token.dead or reason

    def _token(
        self,
        kind: Literal["access", "refresh"],
        account: SimulatedAccount,
        client_id: str,
        scopes: frozenset[str],
        span_ms: tuple[int, int],
    ) -> Token:
        provider: Provider = account.provider
        token = Token(
            value=self._string(_PREFIX[provider, kind], 64),
            kind=kind,
            user_id=account.user_id,
            tenant_id=account.tenant_id,
            provider=provider,
            client_id=client_id,
            scopes=scopes,
            issued_ms=span_ms[0],
            expires_ms=span_ms[1],
        )
        self._tokens[token.value] = token
        return token

    def _string(self, prefix: str, length: int) -> str:
        return prefix + self._ids.token(length, URL_SAFE, "identity", prefix, self._ids.count(f"identity {prefix}"))
