"""Prints what can be tried on the demo's running system: the administrator's page, and commands that are ready to paste."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from cli.common.environment_file import FILE, SWITCH
from cli.demo.organisations import create_switched_off
from cli.demo.processes import PrintLine, RunningSystem, run_command
from shared.providers.catalogue import profile_of
from shared.runtime.settings import PREFIX

_SUBSCRIBER = Path(__file__).parents[2] / "docs" / "subscriber.py"


def invite_administrator(system: RunningSystem, provider: str, print_line: PrintLine) -> None:
    """Create an organisation whose integration is off, and print where its administrator switches it on."""
    who = create_switched_off(system, provider)
    address = who.host["address"]
    print_line(f"\nSwitch an organisation on: {system.portal}/auth/login?provider={provider}&for=sign-in")
    print_line(
        f"  in another browser, or a private window, sign in at {profile_of(provider).company} as {address}, who is appointed"
    )
    print_line("  administrator: test the integration, enter the rooms, see who is connected; and switch it off again")


def print_commands(system: RunningSystem, print_line: PrintLine) -> None:
    """Print commands for another terminal; `.env` in the system's directory points them at it."""
    write_environment_file(system)
    print_line("\nIn another terminal:")
    for line in list_commands(system):
        print_line(f"  {line}")


def list_commands(system: RunningSystem) -> list[str]:
    """Return shell lines that show how everything stands, what is published, and how a subscriber reads it."""
    roomsync, there = _own_command(), f"cd {shlex.quote(str(system.logs))}"
    return [
        f"({there} && {roomsync} status)",
        f"({there} && {roomsync} tail room-rejections --follow)",
        _subscriber_line(system, roomsync, there),
    ]


def write_environment_file(system: RunningSystem) -> None:
    """Write the system's settings to `.env` in its directory, which nobody else may read."""
    ours = {name: value for name, value in system.environ.items() if name.startswith(PREFIX) and name != SWITCH}
    path = system.logs / FILE
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(ours.items())))


def _subscriber_line(system: RunningSystem, roomsync: str, there: str) -> str:
    """With brokers the sample subscriber; without, the feed over HTTP with a token of the first organisation."""
    if bootstrap := system.environ.get("ROOMSYNC_KAFKA_BOOTSTRAP"):
        return shlex.join([sys.executable, str(_SUBSCRIBER), bootstrap])
    listed = run_command(["tenants", "list", "--json"], system.environ).splitlines()
    tenant = next(each["tenant"] for each in map(json.loads, listed) if each["state"] == "enabled")
    token = f"$({there} && {roomsync} tokens make --tenant {tenant})"
    return f'curl -H "Authorization: Bearer {token}" "{system.portal}/v1/room-rejections"'


def _own_command() -> str:
    """Return how this very command was started, for a shell in any directory."""
    started = Path(sys.argv[0])
    if started.name == "roomsync":
        return shlex.quote(str(started.absolute()))
    return shlex.join([sys.executable, "-m", "cli.main"])
