"""Metrics exist to be set, and alerts and panels to be about metrics that exist."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.runtime import metrics
from tests.support.paths import ROOT

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/alerts/roomsync.rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/dashboards/roomsync.json").read_text())
RUNBOOKS = {
    "broker-outage", "redis-lost", "bad-deploy", "provider-outage", "dead-letters-growing", "drift", "mail-not-accepted",
    "many-rooms-at-once", "told-late", "webhook-paused",
}  # fmt: skip
TARGETS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]


def attributes_used() -> set[str]:
    """Every `metrics.NAME` in the product."""
    used: set[str] = set()
    for folder in ("services", "shared"):
        for path in (ROOT / folder).rglob("*.py"):
            used |= {
                node.attr
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics"
            }
    return used


def unknown(expression: str) -> set[str]:
    """Names and labels in a query that no metric has."""
    known = {line.name: line for line in metrics.describe_metrics()}
    found = set()
    for name, selector in re.findall(r"(roomsync_[a-z_]+)(\{[^}]*\})?", expression):
        bare = name if name in known else re.sub(r"_(bucket|count|sum)$", "", name)
        if bare not in known:
            found.add(name)
            continue
        found |= {
            f"{name}: {label}"
            for label in re.findall(r"([a-z_]+)\s*(?:=|!)", selector)
            if label not in known[bare].labels and (label, name) != ("le", f"{bare}_bucket")
        }
    return found


def test_every_metric_is_set_somewhere() -> None:
    named = {name for name, value in vars(metrics).items() if value in metrics._ALL}

    assert len(named) == len(metrics._ALL)
    assert named - attributes_used() == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_names_its_runbook(rule: dict[str, Any]) -> None:
    assert "roomsync_" in rule["expr"]
    assert unknown(rule["expr"]) == set()
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    runbook = Path(rule["annotations"]["runbook"])
    assert (str(runbook.parent), runbook.suffix) == ("docs/runbooks", ".md")
    assert runbook.stem in RUNBOOKS
    if (ROOT / "docs/runbooks").exists():
        assert (ROOT / runbook).exists()


def test_every_runbook_has_an_alert_that_leads_to_it() -> None:
    assert {Path(rule["annotations"]["runbook"]).stem for rule in RULES} == RUNBOOKS


@pytest.mark.parametrize(("title", "expression"), TARGETS)
def test_a_panel_asks_for_metrics_that_exist(title: str, expression: str) -> None:
    assert unknown(expression) == set(), title


def test_the_dashboard_shows_every_metric() -> None:
    text = " ".join(expression for _, expression in TARGETS)

    assert [line.name for line in metrics.describe_metrics() if line.name not in text] == []


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in RULES), *(each for _, each in TARGETS)])
def test_a_query_is_balanced(expression: str) -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)
    assert expression.count('"') % 2 == 0
