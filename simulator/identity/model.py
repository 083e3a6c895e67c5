"""The nouns of signing in: who holds a token, what a person granted, and the codes and tokens handed out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NoReturn

from simulator import world

Provider = Literal["microsoft", "google"]
CODE_LIFE_MS = 60_000


@dataclass(frozen=True, slots=True)
class SimulatedAccount:
    """A person who can sign in. `tenant_id` is an Entra directory id, or the domain at Google."""

    user_id: str
    tenant_id: str
    provider: Provider
    name: str
    address: str
    """What they sign in with: the user principal name, or Google's address."""
    domain: str
    mail: str
    """Their main address."""


@dataclass(frozen=True, slots=True)
class TokenPrincipal(world.Principal):
    """Whose access token a request carries, and for what; the tenant and provider are those of the person."""

    tenant_id: str
    provider: Provider


@dataclass(slots=True)
class ClientGrant:
    """
    What one person allows one client.

    `scopes` None means whatever is asked; `automatic` means the person would press Approve on every consent page;
    `used` are the scopes that tokens were really issued for.
    """

    user_id: str
    client_id: str
    scopes: frozenset[str] | None = frozenset()
    automatic: bool = False
    offline_given: bool = False
    used: frozenset[str] = frozenset()

    def covers(self, scopes: frozenset[str]) -> bool:
        """Whether nothing has to be asked for these scopes."""
        return self.scopes is None or scopes <= self.scopes


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """An authorization request that passed every check that needs no person."""

    provider: Provider
    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    state: str | None = None
    nonce: str | None = None
    challenge: str | None = None
    prompt: frozenset[str] = frozenset()
    offline: bool = False
    login_hint: str = ""
    tenant: str = ""


@dataclass(slots=True)
class AuthorizationCode:
    """A single-use authorization code; `spent` codes are kept so that a second use can be told from an invention."""

    value: str
    account: SimulatedAccount
    request: AuthorizeRequest
    scopes: frozenset[str]
    issued_ms: int
    with_refresh: bool
    spent: bool = False


@dataclass(slots=True)
class Token:
    """An access or refresh token; `dead` holds the reason it no longer works."""

    value: str
    kind: Literal["access", "refresh"]
    user_id: str
    tenant_id: str
    provider: Provider
    client_id: str
    scopes: frozenset[str]
    issued_ms: int
    expires_ms: int
    dead: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """What the token endpoint hands out at once."""

    access: Token
    refresh: Token | None
    account: SimulatedAccount
    scopes: frozenset[str]
    nonce: str | None = None
    life_s: int = 3600


@dataclass(eq=False)
class TokenProblem(Exception):  # noqa: N818  # a refusal that becomes an answer, in our words
    """
    Why the token endpoint refuses.

    `reason` is one of our words (see `microsoft.REASONS` and `google.REASONS`), which each provider turns into its own.
    """

    reason: str
    detail: str = field(default="")


def refuse(reason: str, detail: str = "") -> NoReturn:
    """Raise the TokenProblem of this name."""
    raise TokenProblem(reason, detail)
