"""The shipped proxies have the limits of the services behind them, and are known to these as proxies."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import pytest
import yaml

from services.webhook_receiver.app import MAX_BODY_BYTES
from shared.errors import ConfigurationError
from shared.runtime import http_limits
from shared.runtime.http_connections import door_admission_from, networks_of
from shared.runtime.settings import load
from tests.support.paths import ROOT

CADDY = (ROOT / "deploy/compose/Caddyfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())
INGRESS = yaml.safe_load((ROOT / "deploy/kubernetes/ingress.yaml").read_text())
CONTROLLER: dict[str, str] = yaml.safe_load((ROOT / "deploy/kubernetes/ingress-nginx/controller.yaml").read_text())[
    "data"
]
IN_KUBERNETES: dict[str, str] = yaml.safe_load((ROOT / "deploy/kubernetes/config.yaml").read_text())["data"]
PREFIX = "nginx.ingress.kubernetes.io/"


def in_caddy(name: str, text: str = CADDY) -> list[str]:
    """The values of a directive, wherever it stands."""
    return re.findall(rf"^\s*{name} (\S+)$", text, re.MULTILINE)


def caddy_servers() -> dict[str, str]:
    """Address, or "" for all others → the options of these servers of Caddy's."""
    return {
        address.strip(): options
        for address, options in re.findall(r"^\tservers( :[0-9]+)? {\n(.*?)^\t}$", CADDY, re.MULTILINE | re.DOTALL)
    }


def test_each_of_caddys_ports_has_our_deadlines_and_sizes() -> None:
    servers = caddy_servers()
    assert servers.keys() == {"", ":80"}
    assert re.search(r"^http:// {\n}$", CADDY, re.MULTILINE), "options of :80 count for a site that stands here alone"
    for options in servers.values():
        assert in_caddy("read_header", options) == [f"{http_limits.HEADERS_DEADLINE_S:g}s"]
        assert in_caddy("idle", options) == [f"{http_limits.IDLE_S:g}s"]
        assert in_caddy("max_header_size", options) == [f"{http_limits.HEADERS_BYTES // http_limits.KIB}KiB"]
    assert in_caddy("protocols", servers[":80"]) == ["h1"], "2.10 waits without end for a byte that says which protocol"


def test_caddy_has_our_deadline_and_size_of_bodies_wherever_one_may_be_sent() -> None:
    bodies = re.findall(r"^\t\trequest_body( @\w+)? {$", CADDY, re.MULTILINE)

    assert bodies == ["", " @changes"], "of hooks all, of pages those that change something: a deadline ends streams"
    assert "\t@changes not method GET HEAD\n" in CADDY
    assert in_caddy("read_timeout") == [f"{http_limits.BODY_DEADLINE_S:g}s"] * len(bodies)
    assert in_caddy("max_size") == [f"{MAX_BODY_BYTES // http_limits.MIB}MiB"] * len(bodies)


def test_the_ingress_has_our_bounds_and_keeps_unfinished_bodies() -> None:
    annotations = INGRESS["metadata"]["annotations"]

    assert annotations[f"{PREFIX}proxy-body-size"] == f"{MAX_BODY_BYTES // http_limits.MIB}m"
    assert annotations[f"{PREFIX}limit-connections"] == str(http_limits.CONNECTIONS_PER_ADDRESS)
    assert annotations[f"{PREFIX}proxy-request-buffering"] == "on"


def test_the_ingress_controller_has_our_deadlines_and_sizes() -> None:
    assert CONTROLLER["client-header-timeout"] == f"{http_limits.HEADERS_DEADLINE_S:g}"
    assert CONTROLLER["client-body-timeout"] == f"{http_limits.BODY_DEADLINE_S:g}"
    assert CONTROLLER["keep-alive"] == f"{http_limits.IDLE_S:g}"
    assert CONTROLLER["proxy-body-size"] == f"{MAX_BODY_BYTES // http_limits.MIB}m"
    count, _, size = CONTROLLER["large-client-header-buffers"].partition(" ")
    assert size == f"{http_limits.REQUEST_LINE_BYTES // http_limits.KIB}k", "a request line has to fit into one"
    assert int(count) * http_limits.REQUEST_LINE_BYTES == http_limits.HEADERS_BYTES
    assert CONTROLLER["client-header-buffer-size"] == f"{http_limits.CHUNK_LINE_BYTES // http_limits.KIB}k"
    assert CONTROLLER["use-forwarded-headers"] == "false", "what clients write there is not passed on"


def test_in_compose_the_one_trusted_address_is_the_proxys_and_can_become_nobody_elses() -> None:
    proxy, inside = COMPOSE["services"]["proxy"], COMPOSE["networks"]["inside"]
    [pool] = inside["ipam"]["config"]
    [trusted] = networks_of(COMPOSE["x-environment"]["ROOMSYNC_TRUSTED_PROXIES"])

    assert str(trusted) == f"{proxy['networks']['inside']['ipv4_address']}/32"
    assert trusted.subnet_of(ipaddress.ip_network(pool["subnet"]))
    assert ipaddress.ip_network(pool["ip_range"]).subnet_of(ipaddress.ip_network(pool["subnet"]))
    assert not trusted.overlaps(ipaddress.ip_network(pool["ip_range"])), "other containers get their addresses there"
    for name in ("portal", "webhook-receiver"):
        shared = set(COMPOSE["services"][name]["networks"]) & set(proxy["networks"])
        assert shared == {"inside"}, "the proxy would come from its address in the other network as well"


def test_in_kubernetes_no_network_is_guessed_and_the_door_stays_shut_until_one_is_set() -> None:
    environ = {**IN_KUBERNETES, "ROOMSYNC_HOOK_KEYS": "unused"}

    with pytest.raises(ConfigurationError, match="ROOMSYNC_TRUSTED_PROXIES is missing"):
        door_admission_from(load(environ))
    assert door_admission_from(load({**environ, "ROOMSYNC_TRUSTED_PROXIES": "10.42.7.0/24"})).trusted
