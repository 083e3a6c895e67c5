"""The `roomsync` command: one module per subcommand, imported when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from cli.common.colours import choose_colour
from cli.common.environment_file import read_environment_file
from cli.common.exit_codes import FINDING, INTERRUPTED, UNREACHABLE, USAGE
from shared.errors import ConfigurationError, LogUnavailableError, RoomsyncError, StoreUnavailableError
from shared.runtime.version import product_version

COMMANDS = {
    "demo": "the main job, end to end, on this machine",
    "run": "run services: all, or by name",
    "simulator": "Outlook and Google Calendar with rooms that decide",
    "tenants": "switch an organisation on or off, enter its rooms",
    "status": "one screen: what is wrong, which page to open, how everything stands",
    "tail": "read a topic",
    "trigger": "send notifications that carry valid proof",
    "reconcile": "have mailboxes looked at again",
    "dead-letters": "what could not be handled: see it, redrive it, drop it",
    "topics": "the table of topics; create and check them",
    "replay": "decide a range again and compare with the published declines",
    "rebuild": "fill the view again from the topics, and prove it",
    "registry": "back up, restore, and move what exists nowhere else",
    "keys": "make and rotate master keys",
    "tokens": "make and withdraw service tokens of an organisation",
    "report": "what became of each organisation's rooms over some days",
    "scenario": "play a provider's raw answers from a file, and say what follows",
    "check-subscriber": "feed a subscriber what a topic may bring, and say what it gets wrong",
    "probe": "try what is believed about a provider on its real service",
    "doctor": "check what a newcomer gets wrong",
}


class _Lazy(click.Group):
    """Subcommands load when they are called: `--help` needs no provider SDK."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"cli.{cmd_name.replace('-', '_')}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(product_version(), prog_name="roomsync")
def roomsync() -> None:
    """An honest state for every meeting room, one event when a room says no, and a prompt to rebook."""


def main() -> int:
    """Run the command line. Exit codes: 0 done, 1 a finding, 2 usage, 3 a dependency cannot be reached, 130 Ctrl-C."""
    try:
        read_environment_file(Path.cwd(), os.environ)
        return int(roomsync(standalone_mode=False, color=choose_colour(os.environ)) or 0)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        print(
            "roomsync: interrupted; what was asked or written by then stands, and the same may be run again",
            file=sys.stderr,
        )
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RoomsyncError as error:
        away = isinstance(error, LogUnavailableError | StoreUnavailableError)
        print(f"roomsync: {error}" + ("\nTry `roomsync doctor`." if away else ""), file=sys.stderr)
        return UNREACHABLE if away else USAGE if isinstance(error, ConfigurationError) else FINDING


if __name__ == "__main__":
    sys.exit(main())
