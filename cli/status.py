"""`roomsync status`: how far each service has come, when the providers last spoke, how people's grants stand."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

import click
import msgspec

from cli.mailboxes import grants
from cli.opened import opened_engine
from shared.contracts import envelope as envelopes
from shared.contracts.change_notification import ChangeNotification
from shared.contracts.envelope import read_json
from shared.contracts.topics import (
    NOTIFICATIONS_GOOGLE,
    NOTIFICATIONS_GRAPH,
    POSITION_KEY,
    ROOM_STATUS_STATION,
    SYNC_WORKER,
    Station,
)
from shared.domain.identity import Provider
from shared.domain.instants import SECOND_MS, to_rfc3339
from shared.errors import MalformedRecordError
from shared.ports.clock import Clock
from shared.ports.log import Log, Record
from shared.ports.registry import Registry
from shared.runtime.clock import clock_from

_LOOK_BACK = 64  # a position is the last thing of every commit: it stands at most a few markers before the end
_PAGE = 500
_TOPICS = {Provider.MICROSOFT: NOTIFICATIONS_GRAPH, Provider.GOOGLE: NOTIFICATIONS_GOOGLE}


class _Position(msgspec.Struct):
    """What this command reads of a state topic's position record."""

    inputs: dict[str, int] = {}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(as_json: bool) -> int:
    """Lag per service and partition, the last push per provider, mailboxes by the state of their consent."""
    with opened_engine() as (engine, settings):
        clock = clock_from(settings.test_clock)
        found = {
            "stations": [station_status(engine.log, station, clock) for station in (SYNC_WORKER, ROOM_STATUS_STATION)],
            "lastPush": {provider: last_push(engine.log, topic.name) for provider, topic in _TOPICS.items()},
            "mailboxes": mailbox_counts(engine.registry),
        }
    if as_json:
        click.echo(json.dumps(found))
    else:
        _show(found)
    return 0


def station_status(log: Log, station: Station, clock: Clock) -> dict[str, Any]:
    """
    How far a service is behind its input.

    `lagRecords` counts offsets (gaps included: an upper bound), `lagSeconds` is the age of the oldest input not passed.
    """
    lags = [_partition_lag(log, station, partition, clock) for partition in range(log.partitions)]
    return {
        "service": station.service,
        "lagRecords": sum(records for records, _ in lags),
        "lagSeconds": max(seconds for _, seconds in lags),
        "partitions": [
            {"partition": number, "lagRecords": records, "lagSeconds": seconds}
            for number, (records, seconds) in enumerate(lags)
        ],
    }


def last_push(log: Log, topic: str) -> str | None:
    """When the newest hint on `topic` was received (RFC 3339); None when none is kept."""
    newest = 0
    for partition in range(log.partitions):
        record = _last(log, topic, partition)
        if record is not None and record.value is not None:
            newest = max(newest, _received_at_ms(record))
    return to_rfc3339(newest) if newest else None


def mailbox_counts(registry: Registry) -> dict[str, dict[str, int]]:
    """Provider → consent state → how many."""
    counts: dict[str, Counter[str]] = {}
    for grant in grants(registry):
        counts.setdefault(grant.consent.provider, Counter())[str(grant.consent.state)] += 1
    return {provider: dict(counter) for provider, counter in counts.items()}


def _partition_lag(log: Log, station: Station, partition: int, clock: Clock) -> tuple[int, float]:
    position = _position(log, station, partition)
    records, seconds = 0, 0.0
    for topic in station.inputs:
        span = log.span(topic, partition, committed=station.reads_committed)
        at = max(position.get(topic, span.begin), span.begin)
        waiting = log.read(topic, partition, at, limit=1, committed=station.reads_committed) if at < span.end else ()
        if waiting:
            records += span.end - at
            seconds = max(seconds, (clock.now_ms() - waiting[0].appended_at_ms) / SECOND_MS)
    return records, round(max(seconds, 0.0), 1)


def _position(log: Log, station: Station, partition: int) -> Mapping[str, int]:
    span = log.span(station.state, partition)
    for start in (max(span.begin, span.end - _LOOK_BACK), span.begin):
        found: bytes | None = None
        for record in _all(log, station.state, partition, start):
            if record.key == POSITION_KEY:
                found = record.value
        if found is not None:
            return read_json(found, _Position).inputs
    return {}


def _last(log: Log, topic: str, partition: int) -> Record | None:
    span = log.span(topic, partition)
    for start in (max(span.begin, span.end - _LOOK_BACK), span.begin):
        newest = deque(_all(log, topic, partition, start), maxlen=1)
        if newest:
            return newest[0]
    return None


def _all(log: Log, topic: str, partition: int, offset: int) -> Iterator[Record]:
    while page := log.read(topic, partition, offset, limit=_PAGE):
        yield from page
        offset = page[-1].offset + 1


def _received_at_ms(record: Record) -> int:
    try:
        return envelopes.payload_of(envelopes.decode(record.value or b""), ChangeNotification).received_at_ms
    except MalformedRecordError:
        return record.appended_at_ms


def _show(found: Mapping[str, Any]) -> None:
    for station in found["stations"]:
        click.echo(f"{station['service']:12} {station['lagRecords']} records behind, oldest {station['lagSeconds']} s")
    for provider, when in found["lastPush"].items():
        click.echo(f"{provider:12} last push {when or 'none in the last five days'}")
    for provider, counts in found["mailboxes"].items():
        click.echo(
            f"{provider:12} mailboxes " + ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        )
    if not found["mailboxes"]:
        click.echo("nobody has connected a calendar yet")
