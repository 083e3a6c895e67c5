"""`roomsync status`: shows on one screen what is wrong, which runbook to open, and the state of every part."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable

import click

from cli.common.engine import mute_logger, require_deployment
from cli.common.exit_codes import FINDING, UNREACHABLE
from cli.status.facts import Facts
from cli.status.findings import Finding, list_findings
from cli.status.gather import find_hung_threads, gather_facts
from cli.status.screen import as_dict, as_text
from shared.runtime.clock import clock_from
from shared.runtime.logging import configure
from shared.runtime.settings import Settings, load
from shared.runtime.wiring import open_engine

WATCH_S = 2.0
_CLOSE_S = 2.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--service", "urls", multiple=True, metavar="URL",
    help="A service to ask for its health, as its `ready` line names it. Repeatable. Default: those at fixed ports.",
)  # fmt: skip
@click.option(
    "--timeout-s", type=click.FloatRange(min=1), default=10.0, show_default=True,
    help="What has not answered by then is shown as such.",
)  # fmt: skip
@click.option("--watch", is_flag=True, help=f"Look again every {WATCH_S:g} seconds, until interrupted.")
def command(as_json: bool, urls: tuple[str, ...], timeout_s: float, watch: bool) -> int:
    """
    How the whole deployment stands: findings first, each with the runbook to open. Changes nothing.

    Exit codes: 0 all well, 1 there are findings, 2 no such deployment, 3 a store cannot be reached (the rest is shown all
    the same). With --watch, those of the last look.
    """
    settings = load()
    require_deployment(settings)
    if strange := [url for url in urls if not url.startswith(("http://", "https://"))]:
        message = f"--service {strange[0]}: say the whole address, as its `ready` line does: http://{strange[0]}"
        raise click.UsageError(message)
    configure("cli", "error")  # what fails is said below, once
    code = 0
    with contextlib.suppress(KeyboardInterrupt) if watch else contextlib.nullcontext():
        while True:
            facts = _look(settings, urls, timeout_s)
            found = list_findings(facts)
            code = choose_exit_code(facts, found)
            if watch and not as_json:
                click.clear()  # on a terminal alone
            click.echo(json.dumps(as_dict(facts, found)) if as_json else _colour(as_text(facts, found), code))
            if not watch:
                break
            time.sleep(WATCH_S)
    return code


def _colour(screen: str, code: int) -> str:
    """The first line in the colour of what it says; click takes it away again where none is wanted."""
    first, line_break, rest = screen.partition("\n")
    return click.style(first, fg="red" if code else "green", bold=True) + line_break + rest


def _look(settings: Settings, urls: tuple[str, ...], timeout_s: float) -> Facts:
    with mute_logger("kafka"):  # a client that cannot connect says so at every try
        engine = open_engine(settings)
        try:
            return gather_facts(engine, settings, clock_from(settings.test_clock), urls, timeout_s=timeout_s)
        finally:
            if not find_hung_threads():
                _run_within(_CLOSE_S, engine.close)


def choose_exit_code(facts: Facts, found: list[Finding]) -> int:
    """Return the exit code. 3 outweighs 1: what could not be read may be worse than what was found."""
    if facts.unreachable:
        return UNREACHABLE
    return FINDING if found else 0


def _run_within(seconds: float, action: Callable[[], None]) -> None:
    """Run an action for at most so many seconds: a store that hangs must not keep the screen from appearing."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(seconds)
