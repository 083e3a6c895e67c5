"""The shipped proxies have the limits of the services behind them, and are known to these as proxies."""

from __future__ import annotations

import re

import yaml

from services.webhook_receiver.app import MAX_BODY_BYTES
from shared.runtime import http_limits
from shared.runtime.http_connections import networks_of
from tests.support.paths import ROOT

CADDY = (ROOT / "deploy/compose/Caddyfile").read_text()
INGRESS = yaml.safe_load((ROOT / "deploy/kubernetes/ingress.yaml").read_text())
PREFIX = "nginx.ingress.kubernetes.io/"


def in_caddy(name: str) -> list[str]:
    """The values of a directive, wherever it stands."""
    return re.findall(rf"^\s*{name} (\S+)$", CADDY, re.MULTILINE)


def test_caddy_has_our_deadlines_and_sizes() -> None:
    assert in_caddy("read_header") == [f"{http_limits.HEADERS_DEADLINE_S:g}s"]
    assert in_caddy("read_timeout") == [f"{http_limits.BODY_DEADLINE_S:g}s"], "of hooks only: it would end live streams"
    assert in_caddy("idle") == [f"{http_limits.IDLE_S:g}s"]
    assert in_caddy("max_header_size") == [f"{http_limits.HEADERS_BYTES // http_limits.KIB}KB"]
    assert in_caddy("max_size") == [f"{MAX_BODY_BYTES // http_limits.MIB}MB"] * 2


def test_the_ingress_has_our_bounds_and_keeps_unfinished_bodies() -> None:
    annotations = INGRESS["metadata"]["annotations"]

    assert annotations[f"{PREFIX}proxy-body-size"] == f"{MAX_BODY_BYTES // http_limits.MIB}m"
    assert annotations[f"{PREFIX}limit-connections"] == str(http_limits.CONNECTIONS_PER_ADDRESS)
    assert annotations[f"{PREFIX}proxy-request-buffering"] == "on"


def test_the_services_know_their_proxies() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())
    config = yaml.safe_load((ROOT / "deploy/kubernetes/config.yaml").read_text())

    for listed in (
        compose["x-environment"]["ROOMSYNC_TRUSTED_PROXIES"],
        config["data"]["ROOMSYNC_TRUSTED_PROXIES"],
    ):
        assert networks_of(listed)
