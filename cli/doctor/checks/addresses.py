"""Addresses: ours as others reach it, and the providers'."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from cli.doctor.checks.finding import Finding, State
from shared.providers.catalogue import configured, profile_of
from shared.runtime.redaction import masked
from shared.runtime.settings import Settings

_TIMEOUT_S = 5.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def findings(settings: Settings) -> Iterator[Finding]:
    """Our own addresses first, then those of the providers that are configured."""
    yield _public(settings)
    for provider in configured(settings):
        for name in profile_of(provider).address_settings:
            yield _answers(f"ROOMSYNC_{name.upper()}", getattr(settings, name))


def _public(settings: Settings) -> Finding:
    url = settings.hooks_url or settings.public_url
    if not url:
        return Finding(
            "public address",
            State.NOTE,
            "none: only this machine's simulator can push to it",
            "for real providers set ROOMSYNC_PUBLIC_URL to an https address that reaches this machine",
        )
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return Finding("public address", State.UNUSABLE, f"{url} is no address", "set ROOMSYNC_PUBLIC_URL=https://host")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return Finding(
            "public address",
            State.WRONG,
            f"{url} is not https",
            "providers push to https only: put a proxy with a certificate in front",
        )
    return Finding("public address", State.OK, masked(url))


def _answers(setting: str, url: str) -> Finding:
    """Any answer will do: without a token it is a refusal."""
    try:
        urllib.request.urlopen(url, timeout=_TIMEOUT_S).close()  # noqa: S310  # the operator's own setting
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, ValueError) as error:
        return Finding(
            setting,
            State.AWAY,
            f"{url} does not answer ({masked(str(error))})",
            "check the setting, DNS, proxy and firewall",
        )
    return Finding(setting, State.OK, f"{url} answers")
