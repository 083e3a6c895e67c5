"""`roomsync simulator`: starts the provider simulator, a program of its own."""

from __future__ import annotations

import os
import sys

import click

from shared.runtime.settings import load


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=None,
    help="Port on 127.0.0.1; 0 takes a free one. Default: ROOMSYNC_SIMULATOR_PORT.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed and the same calls give the same history."
)
def command(port: int | None, seed: int) -> None:
    """Outlook and Google Calendar in one process, with rooms that decide. Its page is at the address it prints."""
    chosen = load().simulator_port if port is None else port
    argv = [sys.executable, "-m", "simulator.main", "--port", str(chosen), "--seed", str(seed)]
    os.execv(sys.executable, argv)  # noqa: S606  # the product imports nothing of the simulator: it becomes it
