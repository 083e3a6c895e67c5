"""Keys and client secrets: there or not, never what they are."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.crypto.master import parse
from shared.errors import ConfigurationError
from shared.providers.catalogue import PROFILES
from shared.providers.profile import Profile
from shared.runtime.settings import Settings
from shared.runtime.wiring import MASTER_KEY_FILE


def check_secrets(settings: Settings) -> Iterator[CheckResult]:
    """The master key, and each provider's client."""
    yield _check_master_key(settings)
    for profile in PROFILES.values():
        yield _check_client(settings, profile)


def _check_master_key(settings: Settings) -> CheckResult:
    path = settings.home / MASTER_KEY_FILE
    if settings.master_key:
        return _check_parses("ROOMSYNC_MASTER_KEY", settings.master_key)
    if path.exists():
        return _check_parses(str(path), path.read_text())
    if settings.public_url and not settings.loopback:
        return CheckResult(
            "master key",
            CheckState.UNUSABLE,
            "ROOMSYNC_MASTER_KEY is missing",
            "make one with `roomsync keys new` and keep it outside the data directory",
        )
    return CheckResult("master key", CheckState.OK, f"one will be made in {path} at the first start")


def _check_parses(where: str, text: str) -> CheckResult:
    try:
        ring = parse(text)
    except ConfigurationError as error:
        return CheckResult("master key", CheckState.UNUSABLE, f"{where}: {error}", "make one with `roomsync keys new`")
    return CheckResult("master key", CheckState.OK, f"{where}: {ring.current} signs, {len(ring.ring)} in the ring")


def _check_client(settings: Settings, profile: Profile) -> CheckResult:
    provider, where, ours = profile.provider, profile.registering, profile.registration(settings)
    client_id, client_secret = ours.client_id, ours.client_secret
    prefix = f"ROOMSYNC_{provider.upper()}_CLIENT"
    if client_id and client_secret:
        return CheckResult(f"{provider} client", CheckState.OK, "id and secret are set")
    if client_id or client_secret:
        missing = "SECRET" if client_id else "ID"
        return CheckResult(f"{provider} client", CheckState.WRONG, f"{prefix}_{missing} is missing", f"set it; {where}")
    return CheckResult(
        f"{provider} client",
        CheckState.NOTE,
        "not configured",
        f"to use it, {where} and set {prefix}_ID and {prefix}_SECRET",
    )
