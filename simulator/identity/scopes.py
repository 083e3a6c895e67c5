"""Scope names of both providers: read into sets, made canonical, and told apart into basic and consequential ones."""

from __future__ import annotations

import re
from collections.abc import Iterable

from simulator.identity.model import Provider

GRAPH_PREFIX = "https://graph.microsoft.com/"
GOOGLE_PREFIX = "https://www.googleapis.com/auth/"
OFFLINE = "offline_access"
OPENID = frozenset({"openid", "profile", "email"})
_BASIC = {
    "microsoft": OPENID | {OFFLINE, "User.Read"},
    "google": frozenset({"openid", f"{GOOGLE_PREFIX}userinfo.email", f"{GOOGLE_PREFIX}userinfo.profile"}),
}
_GOOGLE_LONG = {"email": f"{GOOGLE_PREFIX}userinfo.email", "profile": f"{GOOGLE_PREFIX}userinfo.profile"}
_MICROSOFT_FORM = re.compile(r"[A-Z][A-Za-z]+(\.[A-Za-z]+){1,3}|\.default")


def read(provider: Provider, text: str) -> frozenset[str]:
    """The scopes of a space-separated parameter, canonical."""
    return canonical(provider, text.split())


def canonical(provider: Provider, names: Iterable[str]) -> frozenset[str]:
    """
    One spelling per scope.

    Google answers `email` and `profile` by their long names (`.../auth/userinfo.email`), and so do we; Graph scopes
    lose their resource prefix.
    """
    if provider == "google":
        return frozenset(_google(name) for name in names)
    return frozenset(name.removeprefix(GRAPH_PREFIX) for name in names)


def is_known(provider: Provider, name: str) -> bool:
    """Whether a canonical scope name has a form that the provider would accept."""
    if name in _BASIC[provider]:
        return True
    if provider == "google":
        return name.startswith(GOOGLE_PREFIX)
    return bool(_MICROSOFT_FORM.fullmatch(name))


def consequential(provider: Provider, names: frozenset[str]) -> frozenset[str]:
    """The scopes beyond signing in: those that an administrator's policy may withhold."""
    return names - _BASIC[provider]


def narrowed(provider: Provider, names: frozenset[str], subset: frozenset[str] | None) -> frozenset[str]:
    """What is left when only `subset` is granted; None grants all, and signing in is always granted."""
    if subset is None:
        return names
    return names & (canonical(provider, subset) | _BASIC[provider])


def written(names: Iterable[str]) -> str:
    """As a `scope` parameter, in a stable order."""
    return " ".join(sorted(names))


def _google(name: str) -> str:
    if name in _GOOGLE_LONG:
        return _GOOGLE_LONG[name]
    if name == "openid" or "://" in name:
        return name
    return GOOGLE_PREFIX + name
