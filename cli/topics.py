"""`roomsync topics`: the one table of topics; on Kafka, how the cluster differs from it, and making it so."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from cli.common.lines import print_table
from shared.contracts.topics import TOPICS, Cleanup, Topic
from shared.domain.instants import DAY_MS
from shared.runtime.settings import Settings, load
from shared.runtime.wiring import kafka_security


@click.command()
@click.option(
    "--apply", is_flag=True, help="Make what is missing and mend settings. Never another number of partitions."
)
@click.option("--dry-run", is_flag=True, help="The default: look, change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: the topics, then the findings.")
def command(apply: bool, dry_run: bool, as_json: bool) -> int:
    """
    Print the table of topics and check it against the log.

    Exit codes: 0 all is as the table says, 1 it is not, 2 the number of partitions is another, 3 the log is away.
    """
    settings = load()
    if sys.stdout.isatty() and not as_json:
        print_table([_as_row(topic, settings) for topic in TOPICS], as_json=False)
    else:
        for topic in TOPICS:
            click.echo(json.dumps(as_dict(topic, settings)) if as_json else as_text(topic, settings))
    findings = check_table(settings, apply=apply and not dry_run)
    for finding in findings:
        click.echo(json.dumps({"finding": finding}) if as_json else f"wrong: {finding}")
    if findings and not as_json:
        click.echo("mend what can be mended with `roomsync topics --apply`", err=True)
    return FINDING if findings else 0


def check_table(settings: Settings, *, apply: bool) -> list[str]:
    """
    Compare the topics of the log with the table; return one line a difference, with `apply` those that remain.

    Raises:
        ConfigurationError: another number of partitions. Topics are neither grown nor shrunk: keys would change owners.
        LogUnavailableError: the log is away.
    """
    if settings.engine == "kafka":
        return _check_kafka(settings, apply=apply)
    with connect_engine(fresh=True) as (engine, _):
        engine.log.probe()  # opening makes the topics, and refuses another number of partitions
    return []


def _check_kafka(settings: Settings, *, apply: bool) -> list[str]:
    from shared.engines.distributed.topics import check_topics, ensure_topics  # noqa: PLC0415  # keeps Kafka's client unloaded

    act = ensure_topics if apply else check_topics
    findings = act(
        settings.kafka_bootstrap,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        replication=settings.kafka_replication,
        security=kafka_security(settings),
    )
    return [str(finding) for finding in findings]


def as_dict(topic: Topic, settings: Settings) -> dict[str, Any]:
    """A topic as JSON."""
    return {
        "topic": settings.topic_prefix + topic.name,
        "key": topic.key,
        "cleanup": topic.cleanup,
        "retentionMs": topic.retention_ms if topic.cleanup is Cleanup.DELETE else None,
        "compactionLagMs": topic.compaction_lag_ms if topic.cleanup is Cleanup.COMPACT else None,
        "partitions": settings.partitions,
        "public": topic.public,
        "what": topic.what,
    }


def _as_row(topic: Topic, settings: Settings) -> dict[str, object]:
    return {
        "topic": settings.topic_prefix + topic.name,
        "partitions": settings.partitions,
        "kept": _kept(topic),
        "public": "public" if topic.public else None,
        "key": topic.key,
        "what": topic.what,
    }


def _kept(topic: Topic) -> str:
    return f"{topic.retention_ms // DAY_MS} days" if topic.cleanup is Cleanup.DELETE else "compacted"


def as_text(topic: Topic, settings: Settings) -> str:
    """A topic in one line."""
    kept = _kept(topic)
    public = "public" if topic.public else ""
    return f"{settings.topic_prefix + topic.name:22} {settings.partitions:>3} x {kept:10} {public:7} by {topic.key}: {topic.what}"
