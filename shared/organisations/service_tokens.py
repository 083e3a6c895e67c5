"""Tokens with which back-end services read what belongs to one organisation: made, proved, withdrawn; only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from shared.contracts.rows import ServiceToken, ServiceTokensRow
from shared.errors import RefusedError
from shared.ports.registry import Registry
from shared.registry import tables

MOST_TOKENS = 2
"""Of one organisation: the one in use, and the one that takes its place."""
MAX_TOKEN_CHARS = 200
_ROW = "tokens"
_SECRET_BYTES = 32
_NAME_CHARS = 12


def make_token(registry: Registry, tenant: str, now_ms: int) -> tuple[str, str]:
    """
    Make a token that reads the organisation's declines.

    Returns:
        Its name, by which it is withdrawn, and the token, which nobody can read again.

    Raises:
        RefusedError: two live already.
    """
    token = f"{tenant}.{secrets.token_urlsafe(_SECRET_BYTES)}"
    made = ServiceToken(hash=_hash(token), made_at_ms=now_ms)

    def with_it(row: ServiceTokensRow | None) -> ServiceTokensRow:
        live = row.tokens if row else ()
        if len(live) >= MOST_TOKENS:
            message = (
                f"{tenant} has {MOST_TOKENS} tokens: withdraw the one that is no longer used (roomsync tokens list)"
            )
            raise RefusedError(message)
        return ServiceTokensRow(tokens=(*live, made))

    tables.service_tokens(registry).change(tenant, _ROW, with_it)
    return name_of(made), token


def live_tokens(registry: Registry, tenant: str) -> tuple[ServiceToken, ...]:
    """The organisation's tokens, oldest first."""
    row = tables.service_tokens(registry).get(tenant, _ROW)
    return row.tokens if row else ()


def withdraw_token(registry: Registry, tenant: str, name: str) -> bool:
    """Withdraw a token: it is refused from the next request on. Returns whether there was one of that name."""
    found = False

    def without(row: ServiceTokensRow | None) -> ServiceTokensRow | None:
        nonlocal found
        left = tuple(each for each in row.tokens if name_of(each) != name) if row else ()
        found = row is not None and len(left) < len(row.tokens)
        return ServiceTokensRow(tokens=left) if found else None

    tables.service_tokens(registry).change(tenant, _ROW, without)
    return found


def prove_token(registry: Registry, token: str) -> tuple[str, str] | None:
    """
    The organisation whose back-end services hold the token, and the token's name; None when it is none of ours, or withdrawn.

    Raises:
        StoreUnavailableError: nobody can say at the moment.
    """
    tenant, _, secret = token.partition(".")
    if not tenant or not secret or len(token) > MAX_TOKEN_CHARS:
        return None
    sent = _hash(token)
    proven = [each for each in live_tokens(registry, tenant) if hmac.compare_digest(sent, each.hash)]
    return (tenant, name_of(proven[0])) if proven else None


def name_of(token: ServiceToken) -> str:
    """What a token is called: the beginning of its hash."""
    return token.hash.hex()[:_NAME_CHARS]


def _hash(token: str) -> bytes:
    """Of 256 random bits: nothing can be guessed from it, so that it needs neither salt nor a slow function."""
    return hashlib.sha256(f"service-token/{token}".encode()).digest()
