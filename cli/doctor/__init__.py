"""`roomsync doctor`: checks settings, machine and dependencies, and says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from cli.common.exit_codes import FINDING, UNREACHABLE, USAGE
from cli.doctor.checks import CheckResult, CheckState, addresses, engine, machine, ports, secrets, tools, writing
from shared.errors import ConfigurationError
from shared.runtime.logging import configure
from shared.runtime.settings import Settings, load


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(as_json: bool) -> int:
    """
    Check this machine, the settings and everything roomsync talks to. Changes nothing.

    Exit codes: 0 all well, 1 something is wrong, 2 the settings contradict each other, 3 a dependency cannot be reached.
    """
    configure("cli", "error")  # what fails is said below, once
    found = []
    for finding in run_checks():
        click.echo(json.dumps(finding.as_dict()) if as_json else finding.as_text())
        found.append(finding)
    return choose_exit_code(found)


def run_checks() -> Iterator[CheckResult]:
    """Every finding, in the order in which one would mend them."""
    yield from machine.check_machine()
    try:
        settings = load()
    except ConfigurationError as error:
        yield from (CheckResult("settings", CheckState.UNUSABLE, fault) for fault in error.faults)
        return
    yield CheckResult("settings", CheckState.OK, f"engine {settings.engine}, home {settings.home}")
    yield from _check_settings(settings)


def choose_exit_code(found: list[CheckResult]) -> int:
    """The worst of it, by the codes that every command shares."""
    states = {finding.state for finding in found}
    if CheckState.UNUSABLE in states:
        return USAGE
    if CheckState.AWAY in states:
        return UNREACHABLE
    return FINDING if CheckState.WRONG in states else 0


def _check_settings(settings: Settings) -> Iterator[CheckResult]:
    yield from machine.check_home(settings)
    yield from secrets.check_secrets(settings)
    yield from writing.check_writing(settings)
    yield from ports.check_ports(settings)
    yield from engine.check_engine(settings)
    yield from addresses.check_addresses(settings)
    yield from tools.check_tools()
