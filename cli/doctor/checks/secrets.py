"""Keys and client secrets: there or not, never what they are."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.checks.finding import Finding, State
from shared.crypto.master import parse
from shared.errors import ConfigurationError
from shared.providers.catalogue import PROFILES
from shared.providers.profile import Profile
from shared.runtime.settings import Settings
from shared.runtime.wiring import MASTER_KEY_FILE


def findings(settings: Settings) -> Iterator[Finding]:
    """The master key, and each provider's client."""
    yield _master_key(settings)
    for profile in PROFILES.values():
        yield _client(settings, profile)


def _master_key(settings: Settings) -> Finding:
    path = settings.home / MASTER_KEY_FILE
    if settings.master_key:
        return _parsed("ROOMSYNC_MASTER_KEY", settings.master_key)
    if path.exists():
        return _parsed(str(path), path.read_text())
    if settings.public_url and not settings.loopback:
        return Finding(
            "master key",
            State.UNUSABLE,
            "ROOMSYNC_MASTER_KEY is missing",
            "make one with `roomsync keys new` and keep it outside the data directory",
        )
    return Finding("master key", State.OK, f"one will be made in {path} at the first start")


def _parsed(where: str, text: str) -> Finding:
    try:
        ring = parse(text)
    except ConfigurationError as error:
        return Finding("master key", State.UNUSABLE, f"{where}: {error}", "make one with `roomsync keys new`")
    return Finding("master key", State.OK, f"{where}: {ring.current} signs, {len(ring.ring)} in the ring")


def _client(settings: Settings, profile: Profile) -> Finding:
    provider, where, ours = profile.provider, profile.registering, profile.registration(settings)
    client_id, client_secret = ours.client_id, ours.client_secret
    prefix = f"ROOMSYNC_{provider.upper()}_CLIENT"
    if client_id and client_secret:
        return Finding(f"{provider} client", State.OK, "id and secret are set")
    if client_id or client_secret:
        missing = "SECRET" if client_id else "ID"
        return Finding(f"{provider} client", State.WRONG, f"{prefix}_{missing} is missing", f"set it; {where}")
    return Finding(
        f"{provider} client",
        State.NOTE,
        "not configured",
        f"to use it, {where} and set {prefix}_ID and {prefix}_SECRET",
    )
