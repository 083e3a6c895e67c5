"""`roomsync doctor`: checks everything that newcomers get wrong, and says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from cli.common.exit_codes import FINDING, UNREACHABLE, USAGE
from cli.doctor.checks import Finding, State, addresses, engine, machine, ports, secrets, tools
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
    for finding in examined():
        click.echo(json.dumps(finding.as_dict()) if as_json else finding.as_text())
        found.append(finding)
    return exit_code(found)


def examined() -> Iterator[Finding]:
    """Every finding, in the order in which one would mend them."""
    yield from machine.findings()
    try:
        settings = load()
    except ConfigurationError as error:
        yield from (Finding("settings", State.UNUSABLE, fault) for fault in str(error).splitlines())
        return
    yield Finding("settings", State.OK, f"engine {settings.engine}, home {settings.home}")
    yield from _of(settings)


def exit_code(found: list[Finding]) -> int:
    """The worst of it, by the codes that every command shares."""
    states = {finding.state for finding in found}
    if State.UNUSABLE in states:
        return USAGE
    if State.AWAY in states:
        return UNREACHABLE
    return FINDING if State.WRONG in states else 0


def _of(settings: Settings) -> Iterator[Finding]:
    yield from machine.home_findings(settings)
    yield from secrets.findings(settings)
    yield from ports.findings(settings)
    yield from engine.findings(settings)
    yield from addresses.findings(settings)
    yield from tools.findings()
