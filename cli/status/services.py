"""What the services say of themselves, where it is known at which address they do."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from cli.common.service_addresses import noted
from cli.status.facts import Service
from shared.runtime.settings import Settings

_TIMEOUT_S = 2.0
_WITH_BREAKER = "webhook-receiver"  # it shows its gauge once a lane has been open


def addresses(settings: Settings, urls: Iterable[str]) -> dict[str, bool]:
    """
    Base address → whether a service is to answer there. Without names: those this machine's supervisor noted, else its fixed ports.

    On the embedded engine everything runs on this machine: nobody at a fixed port is nobody at all.
    """
    named = {url.rstrip("/"): True for url in urls}
    if named:
        return named
    if standing := noted(settings.home):
        return dict.fromkeys(standing.values(), True)
    ports = (settings.receiver_port, settings.portal_port, settings.health_port)
    return {f"http://127.0.0.1:{port}": settings.engine == "embedded" for port in ports if port}


def asked(addresses: Mapping[str, bool]) -> Sequence[Service]:
    """All at once: one that hangs costs a few seconds, not the screen."""
    if not addresses:
        return ()
    with ThreadPoolExecutor(len(addresses)) as pool:
        return list(pool.map(_ask, addresses, addresses.values()))


def _ask(url: str, named: bool) -> Service:  # mapped over both
    try:
        version = json.loads(_get(f"{url}/version"))
        gauges = _gauges(_get(f"{url}/metrics").decode())
    except (OSError, ValueError):
        return Service(url, named, answers=False)
    ready, checks = _readiness(url)
    return Service(
        url,
        named,
        answers=True,
        name=str(version.get("service", "")),
        version=str(version.get("version", "")),
        ready=ready,
        checks=checks,
        open_lanes=gauges.get("roomsync_breaker_open", 0 if version.get("service") == _WITH_BREAKER else None),
        claims=gauges.get("roomsync_claims"),
    )


def _readiness(url: str) -> tuple[bool, Mapping[str, str]]:
    """A service whose store hangs takes long to say so."""
    try:
        said = json.loads(_get(f"{url}/readyz"))
    except (OSError, ValueError) as error:
        return False, {"readyz": f"no answer ({error})"}
    return bool(said.get("ok")), {str(name): str(word) for name, word in dict(said.get("checks", {})).items()}


def _get(url: str) -> bytes:
    """The body, also of a 503: that is how a service says what is wrong."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # the operator names the address
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return bytes(error.read())


def _gauges(text: str) -> dict[str, Any]:
    """Name → sum over its labels, of those that have samples."""
    return {
        family.name: int(sum(sample.value for sample in family.samples))
        for family in text_string_to_metric_families(text)
        if family.type == "gauge" and family.samples
    }
