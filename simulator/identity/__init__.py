"""Signing in at both simulated providers: OpenID Connect, consents, tokens, and everything that can be refused."""

from simulator.identity.blueprint import blueprint, register
from simulator.identity.model import Principal
from simulator.identity.provider import CLIENT_SECRET, Identity

__all__ = ["CLIENT_SECRET", "Identity", "Principal", "blueprint", "register"]
