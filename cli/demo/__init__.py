"""`roomsync demo`: the main job, played through the same processes that `roomsync run` starts."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import click

from cli.common.exit_codes import FINDING, UNREACHABLE
from cli.demo.processes import Say, Stage, staged
from shared.providers.catalogue import profile_of

PROVIDERS = ("microsoft", "google")


@click.command()
@click.option("--once", is_flag=True, help="Play the story and end; without it the pages stay up until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Only the last line, as JSON, on stdout.")
@click.option("--provider", type=click.Choice([*PROVIDERS, "both"]), default="both", show_default=True)
@click.option("--engine", type=click.Choice(["embedded", "kafka"]), default="embedded", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated rooms' answering times.")
def command(once: bool, as_json: bool, provider: str, engine: str, seed: int) -> int:
    """A meeting is booked in a simulated Outlook and a simulated Google Calendar; its room says no; it is rebooked."""
    say = _quiet if as_json else _say
    once = once or as_json or not sys.stdin.isatty()
    providers = PROVIDERS if provider == "both" else (provider,)
    with contextlib.ExitStack() as stack:
        try:
            servers = stack.enter_context(_servers(engine))
            say(f"starting the simulator and four services ({engine} engine) …")
            stage = stack.enter_context(staged(engine=engine, seed=seed, servers=servers))
        except (RuntimeError, OSError) as error:
            print(f"roomsync demo: {error}", file=sys.stderr)
            return UNREACHABLE
        ok = _perform(stage, providers, say)
        if not once:
            _stay(stage, providers, say)
    say("Next: `roomsync run all` with your own settings, `roomsync doctor`, docs/subscribe.md, or `make test`.")
    return 0 if ok else FINDING


def _perform(stage: Stage, providers: tuple[str, ...], say: Say) -> bool:
    from cli.demo.organisations import assemble  # noqa: PLC0415  # an extra of the portal
    from cli.demo.story import play  # noqa: PLC0415

    say(f"pages: {stage.portal}   calendars: {stage.simulator}   logs: {stage.logs}")
    result: dict[str, object] = {}
    ok = True
    for provider in providers:
        say(f"\n{profile_of(provider).calendar}")
        try:
            tally = play(stage, assemble(stage, provider), lambda line: say(f"  {line}"))
        except RuntimeError as error:
            print(f"roomsync demo: {provider}: {error}\nThe logs are in {stage.logs}", file=sys.stderr)
            result[provider], ok = {}, False
            continue
        result[provider] = asdict(tally)
        ok = ok and tally.ok
    print(json.dumps({**result, "ok": ok}), flush=True)
    return ok


def _stay(stage: Stage, providers: tuple[str, ...], say: Say) -> None:
    """Leave it running for the person at the keyboard, with a fresh prompt waiting on the page."""
    from cli.demo.open_prompt import encore  # noqa: PLC0415

    with contextlib.suppress(KeyboardInterrupt):
        for provider in providers:
            encore(stage, provider, say)
        say("\nCtrl-C stops everything.")
        threading.Event().wait()


@contextlib.contextmanager
def _servers(engine: str) -> Iterator[Mapping[str, str]]:
    """Settings of Kafka and Redis: from the environment, else started here and stopped again."""
    if engine == "embedded":
        yield {}
        return
    named = {key: value for key, value in os.environ.items() if key in _SERVER_SETTINGS and value}
    if len(named) == len(_SERVER_SETTINGS):
        yield named
        return
    from deploy.local.servers import local_servers  # noqa: PLC0415  # needs a checkout, Java and Redis

    with local_servers() as started:
        yield started


_SERVER_SETTINGS = ("ROOMSYNC_KAFKA_BOOTSTRAP", "ROOMSYNC_VIEW_REDIS_URL", "ROOMSYNC_REGISTRY_REDIS_URL")


def _say(line: str) -> None:
    print(line, flush=True)


def _quiet(line: str) -> None:
    del line
