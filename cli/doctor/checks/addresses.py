"""Addresses: ours as others reach it, and the providers'."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.domain.hosts import is_loopback
from shared.providers.catalogue import configured_providers, profile_of
from shared.runtime.redaction import mask_text
from shared.runtime.settings import Settings

_TIMEOUT_S = 5.0


def check_addresses(settings: Settings) -> Iterator[CheckResult]:
    """Our own addresses first, then those of the providers that are configured."""
    yield _check_public_url(settings)
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
