"""Signing in at both simulated providers: OpenID Connect, consents, tokens, and everything that can be refused."""

from simulator.identity.blueprint import blueprint, register
from simulator.identity.model import TokenPrincipal
from simulator.identity.provider import CLIENT_SECRET, IdentityProvider

__all__ = ["CLIENT_SECRET", "IdentityProvider", "TokenPrincipal", "blueprint", "register"]
