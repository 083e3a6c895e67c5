"""`roomsync trigger`: sends or prints notifications that carry valid proof."""

from __future__ import annotations

import itertools
import json
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import assert_never

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING, UNREACHABLE
from cli.common.mailboxes import find_connected_mailboxes
from cli.common.service_addresses import read_service_addresses
from cli.trigger.notifications import Push, make_google_push, make_graph_push, make_synthetic_mailboxes
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys
from shared.providers.catalogue import PROFILES
from shared.runtime.clock import clock_from
from shared.runtime.settings import Settings, load
from shared.runtime.wiring import master_keys

_SYNTHETIC_MAILBOXES = 10
_TIMEOUT_S = 10
_RECEIVER = "webhook-receiver"
_PROVIDERS = {
    name: provider
    for provider, profile in PROFILES.items()
    for name in (profile.hooks.path.rpartition("/")[2], provider.value)
}
"""By the provider's name, and by the last part of the receiver's path, which names the protocol."""


@click.command()
@click.argument("kind", type=click.Choice(sorted(_PROVIDERS)), metavar="graph|google")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many requests.")
@click.option("--print", "only_print", is_flag=True, help='Send nothing; print a line {"path","headers","body"} each.')
@click.option("--synthetic", is_flag=True, help="For made-up mailboxes instead of those connected.")
@click.option(
    "--url", default="", help="The receiver. Default: ROOMSYNC_HOOKS_URL, else the one that runs here, else its port."
)
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def command(kind: str, count: int, only_print: bool, synthetic: bool, url: str, as_json: bool) -> int:
    """
    Send notifications as the provider would, so that mailboxes are looked at again now. `microsoft` is another name of `graph`.

    Exit codes: 0 all acknowledged, 1 some were not, 3 the receiver cannot be reached.
    """
    settings = load()
    mailboxes = make_synthetic_mailboxes(_SYNTHETIC_MAILBOXES) if synthetic else _find_mailboxes(_PROVIDERS[kind])
    pushes = _make_pushes(_PROVIDERS[kind], settings, mailboxes, count)
    if only_print:
        for push in pushes:
            click.echo(push.as_json())
        return 0
    base = (url or _receiver_url(settings)).rstrip("/")
    try:
        answers = Counter(_send(base, push) for push in pushes)
    except OSError as error:
        click.echo(
            f"the receiver at {base} does not answer ({error}); start it with `roomsync run webhook-receiver`", err=True
        )
        return UNREACHABLE
    return _print_result(answers, as_json=as_json)


def _find_mailboxes(provider: Provider) -> list[Mailbox]:
    with connect_engine() as (engine, _):
        found = find_connected_mailboxes(engine.registry, provider)
    if not found:
        message = f"nobody is connected at {provider}; connect a calendar on the portal, or use --synthetic"
        raise click.ClickException(message)
    return found


def _make_pushes(provider: Provider, settings: Settings, mailboxes: list[Mailbox], count: int) -> Iterator[Push]:
    keys: HookKeys = master_keys(settings).hook_keys()
    clock = clock_from(settings.test_clock)
    first_number = time.time_ns() // 1_000_000_000  # message numbers of a channel grow, with gaps
    for number, mailbox in zip(range(count), itertools.cycle(mailboxes), strict=False):
        match provider:
            case Provider.MICROSOFT:
                yield make_graph_push(keys, mailbox, _make_guid, clock.now_ms())
            case Provider.GOOGLE:
                yield make_google_push(keys, mailbox, _make_guid, first_number + number)
            case _:
                assert_never(provider)


def _send(base: str, push: Push) -> int:
    request = urllib.request.Request(base + push.path, push.body.encode(), push.headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # the operator names the address
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def _print_result(answers: Counter[int], *, as_json: bool) -> int:
    good = sum(count for status, count in answers.items() if status in (200, 202))
    result = {
        "sent": answers.total(),
        "accepted": good,
        "answers": {str(status): count for status, count in sorted(answers.items())},
    }
    click.echo(
        json.dumps(result) if as_json else f"sent {result['sent']}, accepted {good}, answers {result['answers']}"
    )
    return 0 if good == answers.total() else FINDING


def _receiver_url(settings: Settings) -> str:
    """Return the address that is set, else the one that the supervisor of this data directory wrote down, else the port's."""
    if settings.hooks_url or settings.public_url:
        return settings.hooks_url or settings.public_url
    if running := read_service_addresses(settings.home).get(_RECEIVER):
        return running
    if not settings.receiver_port:
        message = "ROOMSYNC_RECEIVER_PORT=0 names no address: pass --url (the receiver prints its own at `ready`)"
        raise click.UsageError(message)
    return f"http://127.0.0.1:{settings.receiver_port}"


def _make_guid() -> str:
    return str(uuid.uuid4())
