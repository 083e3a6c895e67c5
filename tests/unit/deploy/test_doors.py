"""What the proxies let through, against what the portal and the receiver answer: every page, every hook, nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import yaml
from flask import Flask

from tests.support.applications import applications
from tests.support.paths import ROOT

HERE = ROOT / "deploy"
INSIDE = {"/livez", "/readyz", "/version", "/metrics"}
Passes = Callable[[str], bool]


def by_caddy(path: str) -> bool:
    [pages] = re.findall(r"^\t@pages path (.+)$", (HERE / "compose/Caddyfile").read_text(), re.MULTILINE)
    return any(path.startswith(one[:-1]) if one.endswith("*") else path == one for one in pages.split())


def by_ingress(path: str) -> bool:
    [rule] = yaml.safe_load((HERE / "kubernetes/ingress.yaml").read_text())["spec"]["rules"]
    ours = [one for one in rule["http"]["paths"] if one["backend"]["service"]["name"] == "portal"]
    return any(_element_by_element(path, one["path"], one["pathType"]) for one in ours)


def _element_by_element(path: str, named: str, kind: str) -> bool:
    """As Kubernetes matches: `/a` and `/a/` are the prefix of `/a` and `/a/b`, not of `/ab`."""
    return path == named if kind == "Exact" else f"{path}/".startswith(f"{named.rstrip('/')}/")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with applications(tmp_path_factory.mktemp("portal")) as found:
        yield found["portal"]


@pytest.mark.proves("E9", "E14")
@pytest.mark.parametrize("passes", [by_caddy, by_ingress])
def test_door_leads_to_every_page_of_the_portal_and_to_nothing_that_is_inside(portal: Flask, passes: Passes) -> None:
    paths = {re.sub(r"<[^>]+>", "x", rule.rule) for rule in portal.url_map.iter_rules()}
    assert {path for path in paths if not passes(path)} == INSIDE
