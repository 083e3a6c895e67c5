"""`roomsync demo`: plays the main job through the same processes that `roomsync run` starts."""

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
from cli.demo.lifetime import end_at_hang_up, open_home
from cli.demo.processes import SERVICES, PrintLine, RunningSystem, start_system
from shared.providers.catalogue import PROFILES, profile_of

PROVIDERS = tuple(provider.value for provider in PROFILES)


@click.command()
@click.option("--once", is_flag=True, help="Play the story and end; without it the pages stay up until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Only the last line, as JSON, on stdout.")
@click.option("--provider", type=click.Choice([*PROVIDERS, "both"]), default="both", show_default=True)
@click.option("--engine", type=click.Choice(["embedded", "kafka"]), default="embedded", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated rooms' answering times.")
@click.option("--trace", is_flag=True, help="Print each record that appears on a topic, opened and shortened.")
def command(once: bool, as_json: bool, provider: str, engine: str, seed: int, trace: bool) -> int:
    """A meeting is booked in a simulated Outlook and a simulated Google Calendar; its room says no; it is rebooked."""
    if os.environ.get("ROOMSYNC_WRITES", "on") != "on":
        message = "the demo takes another room in simulated calendars: it needs ROOMSYNC_WRITES=on, or unset"
        raise click.UsageError(message)
    print_line = _print_nothing if as_json else _print_line
    once = once or as_json or not sys.stdin.isatty()
    providers = PROVIDERS if provider == "both" else (provider,)
    with end_at_hang_up(), open_home() as home, contextlib.ExitStack() as stack:
        try:
            servers = stack.enter_context(_servers(engine))
            mail = {} if once else stack.enter_context(_mail(print_line))
            services = (*SERVICES, "notifier") if mail else SERVICES
            print_line(f"starting the simulator and {len(services)} services ({engine} engine) …")
            started = start_system(
                engine=engine, seed=seed, servers=servers, services=services, overrides=mail, home=home.path
            )
            system = stack.enter_context(started)
        except (RuntimeError, OSError) as error:
            print(f"roomsync demo: {error}", file=sys.stderr)
            home.keep()
            return UNREACHABLE
        if trace:
            stack.enter_context(_trace(system, _print_error_line if as_json else _print_line))
        ok = _run_stories(system, providers, print_line)
        if not ok:
            home.keep()
        if not once:
            _keep_running(system, providers, print_line)
    print_line("Next: `roomsync run all` with your own settings, `roomsync doctor`, docs/subscribe.md, or `make test`.")
    return 0 if ok else FINDING


def _mail(print_line: PrintLine) -> contextlib.AbstractContextManager[Mapping[str, str]]:
    from cli.demo.mail_sink import print_mails  # noqa: PLC0415  # only a demo that stays up lasts long enough

    return print_mails(print_line)


def _trace(system: RunningSystem, print_line: PrintLine) -> contextlib.AbstractContextManager[None]:
    from cli.demo.trace import trace_topics  # noqa: PLC0415  # the demo itself opens no store

    return trace_topics(system.environ, lambda line: print_line(f"    · {line}"))


def _run_stories(system: RunningSystem, providers: tuple[str, ...], print_line: PrintLine) -> bool:
    from cli.demo.organisations import create_organisation  # noqa: PLC0415  # an extra of the portal
    from cli.demo.story import run_story  # noqa: PLC0415

    print_line(f"pages: {system.portal}   calendars: {system.simulator}   logs: {system.logs}")
    result: dict[str, object] = {}
    ok = True
    for provider in providers:
        print_line(f"\n{profile_of(provider).calendar}")
        try:
            tally = run_story(system, create_organisation(system, provider), lambda line: print_line(f"  {line}"))
        except RuntimeError as error:
            print(f"roomsync demo: {provider}: {error}\nThe logs are in {system.logs}", file=sys.stderr)
            result[provider], ok = {}, False
            continue
        result[provider] = asdict(tally)
        ok = ok and tally.ok
    print(json.dumps({**result, "ok": ok}), flush=True)
    return ok


def _keep_running(system: RunningSystem, providers: tuple[str, ...], print_line: PrintLine) -> None:
    """Leave it running for the person at the keyboard: prompts, an organisation to switch on, commands to paste."""
    from cli.demo.invitation import invite_administrator, print_commands  # noqa: PLC0415  # an extra of the portal
    from cli.demo.open_prompt import open_second_prompt  # noqa: PLC0415

    with contextlib.suppress(KeyboardInterrupt):
        for provider in providers:
            open_second_prompt(system, provider, print_line)
        invite_administrator(system, providers[0], print_line)
        print_commands(system, print_line)
        if "ROOMSYNC_SMTP_URL" in system.environ:
            print_line(
                "\nWhile a prompt is open and nobody acts on it, a mail is sent after a minute: it is printed here."
            )
        print_line("\nCtrl-C stops everything.")
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


def _print_line(line: str) -> None:
    print(line, flush=True)


def _print_error_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_nothing(line: str) -> None:
    del line
