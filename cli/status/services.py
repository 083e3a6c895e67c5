"""Asks the services for version, readiness and gauges, at the addresses that are known."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from cli.common.service_addresses import read_service_addresses
from cli.status.facts import ServiceHealth
from shared.runtime.settings import Settings

_TIMEOUT_S = 2.0
_WITH_BREAKER = "webhook-receiver"  # it shows its gauge once a lane has been open


def choose_addresses(settings: Settings, urls: Iterable[str]) -> dict[str, bool]:
    """
    Return base address → whether a service has to answer there: those named, those of the supervisor's file, or fixed ports.

    On the embedded engine everything runs on this machine: nobody at a fixed port is nobody at all.
    """
    named = {url.rstrip("/"): True for url in urls}
    if named:
        return named
    if standing := read_service_addresses(settings.home):
        return dict.fromkeys(standing.values(), True)
    ports = (settings.receiver_port, settings.portal_port, settings.health_port, settings.notifier_port)
    return {f"http://127.0.0.1:{port}": settings.engine == "embedded" for port in ports if port}


def ask_services(addresses: Mapping[str, bool]) -> Sequence[ServiceHealth]:
    """Ask all services at once: one that hangs costs a few seconds, not the screen."""
    if not addresses:
        return ()
    with ThreadPoolExecutor(len(addresses)) as pool:
        return list(pool.map(_ask_service, addresses, addresses.values()))


def _ask_service(url: str, named: bool) -> ServiceHealth:  # mapped over both
    try:
        version = json.loads(_get(f"{url}/version"))
        gauges = _parse_gauges(_get(f"{url}/metrics").decode())
    except (OSError, ValueError):
        return ServiceHealth(url, named, answers=False)
    ready, checks = _read_readiness(url)
    return ServiceHealth(
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


def _read_readiness(url: str) -> tuple[bool, Mapping[str, str]]:
    """Return whether the service is ready, and its checks. One whose store hangs answers late."""
    try:
        answer = json.loads(_get(f"{url}/readyz"))
    except (OSError, ValueError) as error:
        return False, {"readyz": f"no answer ({error})"}
    return bool(answer.get("ok")), {str(name): str(word) for name, word in dict(answer.get("checks", {})).items()}


def _get(url: str) -> bytes:
    """Return the body, also of a 503: it names what is wrong."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # the operator names the address
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return bytes(error.read())


def _parse_gauges(text: str) -> dict[str, Any]:
    """Return gauge → sum over its labels, for gauges that have samples."""
    return {
        family.name: int(sum(sample.value for sample in family.samples))
        for family in text_string_to_metric_families(text)
        if family.type == "gauge" and family.samples
    }
