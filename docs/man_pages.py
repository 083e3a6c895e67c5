"""`python docs/man_pages.py DIRECTORY`: writes a man page of the `roomsync` command and of each of its subcommands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click_man.man import ManPage

from cli.main import roomsync
from shared.runtime.version import product_version

BUILD = Path(__file__).parents[1] / "build" / "man"


def main(place: Path) -> int:
    """Write `roomsync.1`, `roomsync-tenants.1`, `roomsync-tenants-list.1` and so on into `place`."""
    place.mkdir(parents=True, exist_ok=True)
    for context in list_contexts(click.Context(roomsync, info_name="roomsync")):
        name = context.command_path.replace(" ", "-")
        (place / f"{name}.1").write_text(str(man_page(context)) + "\n")
    return 0


def list_contexts(context: click.Context) -> Iterator[click.Context]:
    """The command and all below it; its subcommands are imported when they are asked for, so that they are asked for here."""
    yield context
    if not isinstance(context.command, click.Group):
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        if command is not None and not command.hidden:
            yield from list_contexts(click.Context(command, info_name=name, parent=context))


def man_page(context: click.Context) -> ManPage:
    """The page of one command, out of what its `--help` says."""
    command = context.command
    page = ManPage(context.command_path)
    page.version = product_version()
    page.short_help = command.get_short_help_str(200)
    page.description = command.help or ""
    page.synopsis = " ".join(command.collect_usage_pieces(context))
    page.options = [each for option in command.get_params(context) if (each := option.get_help_record(context))]
    if isinstance(command, click.Group):
        found = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        page.commands = [(name, each.get_short_help_str(200)) for name, each in found if each and not each.hidden]
    return page


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else BUILD))
