"""Addresses: ours as others reach it, and the providers'."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from cli.doctor.checks.check_result import CheckResult, CheckState
from cli.doctor.checks.ports import find_service_at
from shared.domain.hosts import is_loopback
from shared.providers.catalogue import PROFILES, configured_providers, profile_of
from shared.runtime.redaction import mask_text
from shared.runtime.settings import Settings

_TIMEOUT_S = 5.0
_HANDSHAKES = [profile.hooks.path for profile in PROFILES.values() if not profile.hooks.opens_with_message]
"""Where the receiver is asked for a token back before a subscription is made."""


def check_addresses(settings: Settings) -> Iterator[CheckResult]:
    """Our own addresses first, then those of the providers that are configured."""
    yield _check_public_url(settings)
    if settings.hooks_url or settings.public_url:
        yield _check_reaches_receiver(settings)
    for provider in configured_providers(settings):
        for name in profile_of(provider).address_settings:
            yield _check_answers(f"ROOMSYNC_{name.upper()}", getattr(settings, name))


def _check_public_url(settings: Settings) -> CheckResult:
    url = settings.hooks_url or settings.public_url
    if not url:
        return CheckResult(
            "public address",
            CheckState.NOTE,
            "none: only this machine's simulator can push to it",
            "for real providers set ROOMSYNC_PUBLIC_URL to an https address that reaches this machine",
        )
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return CheckResult(
            "public address", CheckState.UNUSABLE, f"{url} is no address", "set ROOMSYNC_PUBLIC_URL=https://host"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return CheckResult(
            "public address",
            CheckState.WRONG,
            f"{url} is not https",
            "providers push to https only: put a proxy with a certificate in front",
        )
    return CheckResult("public address", CheckState.OK, mask_text(url))


def _check_reaches_receiver(settings: Settings) -> CheckResult:
    """
    Whether our own receiver is what answers at the public address, asked as a provider asks before it subscribes.

    The receiver gives back a token that it is sent, as plain text, and does nothing else with it:
    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
    """
    name, url = "hooks", f"{settings.receiver_url}{_HANDSHAKES[0]}"
    if find_service_at(settings.receiver_port) is None:
        return CheckResult(
            name, CheckState.NOTE, "not tried: no receiver runs on this machine", "ask again after `roomsync run all`"
        )
    token = secrets.token_hex(8)
    try:
        request = urllib.request.Request(f"{url}?validationToken={token}", data=b"")  # noqa: S310  # the operator's own setting
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # as above
            found = bool(answer.read(len(token) + 1) == token.encode())
        trouble = "" if found else "something else answers there"
    except (OSError, ValueError) as error:
        trouble = mask_text(str(error))
    if not trouble:
        return CheckResult(name, CheckState.OK, f"{mask_text(settings.receiver_url)} reaches the receiver")
    return CheckResult(
        name,
        CheckState.WRONG,
        f"{mask_text(url)} does not reach the receiver ({trouble})",
        f"lead the tunnel or proxy to port {settings.receiver_port} for everything below /hooks/",
    )


def _check_answers(setting: str, url: str) -> CheckResult:
    """Any answer will do: without a token it is a refusal."""
    try:
        urllib.request.urlopen(url, timeout=_TIMEOUT_S).close()  # noqa: S310  # the operator's own setting
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, ValueError) as error:
        return CheckResult(
            setting,
            CheckState.AWAY,
            f"{url} does not answer ({mask_text(str(error))})",
            "check the setting, DNS, proxy and firewall",
        )
    return CheckResult(setting, CheckState.OK, f"{url} answers")
