"""`roomsync check-subscriber`: runs a subscriber and feeds it what a topic may bring: a repeat, a bad record, a day offline."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Callable

import click

from cli.check_subscriber.checks import CHECKS, CheckFinding
from cli.check_subscriber.feeds import KafkaFeed, StdinFeed, SubscriberFeed
from cli.check_subscriber.trial import SubscriberTrial
from cli.common.exit_codes import FINDING
from shared.errors import ConfigurationError
from shared.runtime.settings import Settings, load


@click.command()
@click.option(
    "--cmd",
    "line",
    required=True,
    help="The command that starts the subscriber. {bootstrap}, {topic} and {group} are filled in; they stand in its environment,"
    " too: ROOMSYNC_CHECK_BOOTSTRAP, _TOPIC and _GROUP.",
)
@click.option("--stdin", is_flag=True, help="It reads events from its standard input, one a line: no Kafka is needed.")
@click.option("--wait-s", default=30.0, show_default=True, help="How long it may take to handle an event.")
@click.option(
    "--settle-s", default=2.0, show_default=True, help="How long it runs on before it is stopped for a while."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check.")
def command(line: str, stdin: bool, wait_s: float, settle_s: float, as_json: bool) -> int:
    """
    Check that a subscriber handles each decline once, whatever comes.

    It has to print a line for each event that it has handled, which begins with the event's id. Each check starts it anew on a
    topic and a consumer group of its own, which are made for it and deleted again.

    Exit codes: 0 all checks passed, 1 one has failed, 2 the command cannot be started, 3 Kafka is away.
    """
    command = shlex.split(line)
    if not command:
        message = "--cmd is empty: give the command that starts the subscriber"
        raise click.UsageError(message)
    open_feed = StdinFeed if stdin else _kafka_feeds(load())
    failed = False
    for name, check in CHECKS.items():
        with open_feed() as feed, SubscriberTrial(command, feed, wait_s=wait_s, settle_s=settle_s) as trial:
            finding = check(trial)
        failed = failed or not finding.ok
        click.echo(_as_json(name, finding) if as_json else _as_text(name, finding))
    return FINDING if failed else 0


def _kafka_feeds(settings: Settings) -> Callable[[], SubscriberFeed]:
    if settings.engine != "kafka":
        message = (
            "a subscriber reads from Kafka, and ROOMSYNC_ENGINE is not kafka: set it and ROOMSYNC_KAFKA_BOOTSTRAP,"
            " or give --stdin if yours reads events from its standard input"
        )
        raise ConfigurationError(message)
    return lambda: KafkaFeed(settings, f"{settings.topic_prefix}check-{uuid.uuid4().hex[:8]}.")


def _as_json(name: str, finding: CheckFinding) -> str:
    return json.dumps({"check": name, "ok": finding.ok, "expected": finding.expected, "found": finding.found})


def _as_text(name: str, finding: CheckFinding) -> str:
    if finding.ok:
        return f"PASS {name}: {finding.expected}"
    return f"FAIL {name}: expected {finding.expected}; {finding.found}"
