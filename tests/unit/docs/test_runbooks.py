"""What runbooks and the operator's guide name exists: commands, options, metrics, alerts, settings."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from cli.main import COMMANDS, roomsync
from shared.runtime import metrics
from shared.runtime.settings import PREFIX, Settings
from tests.support.paths import ROOT

PAGES = [*sorted((ROOT / "docs/runbooks").glob("*.md")), ROOT / "docs/operate.md"]
ALERTS = {
    rule["alert"]: Path(rule["annotations"]["runbook"]).stem
    for group in yaml.safe_load((ROOT / "deploy/alerts/roomsync.rules.yml").read_text())["groups"]
    for rule in group["rules"]
}


def named(name: str, found: dict[str, object]) -> click.Command:
    """The command of that name, imported."""
    assert name in COMMANDS, f"no command {name}"
    command = roomsync.get_command(click.Context(roomsync), name)
    assert command is not None
    found[name] = command
    return command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_names_commands_and_options_that_exist(page: Path) -> None:
    for line in re.findall(r"`(?:\.venv/bin/)?roomsync ([a-z][^`]*)`", page.read_text()):
        words = line.split()
        command = named(words[0], {})
        if isinstance(command, click.Group) and len(words) > 1:
            assert words[1] in command.commands, f"no command {words[0]} {words[1]}"
            command = command.commands[words[1]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_names_metrics_alerts_and_settings_that_exist(page: Path) -> None:
    text = page.read_text()
    settings = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    assert set(re.findall(r"roomsync_[a-z_]+", text)) <= {line.name for line in metrics.describe_metrics()}
    assert set(re.findall(r"Roomsync[A-Z][A-Za-z]+", text)) <= set(ALERTS)
    assert set(re.findall(r"ROOMSYNC_[A-Z_]+", text)) <= settings


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "operate"], ids=lambda page: page.stem)
def test_runbook_names_the_alerts_that_lead_to_it(page: Path) -> None:
    [line] = [line for line in page.read_text().splitlines() if line.startswith("**Alerts:**")]
    assert set(re.findall(r"Roomsync\w+", line)) == {alert for alert, stem in ALERTS.items() if stem == page.stem}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_nothing_is_promised_for_later(page: Path) -> None:
    assert not re.search(r"(?i)not (yet )?built|not yet|will be added|todo", page.read_text())
