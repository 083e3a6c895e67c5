"""`roomsync tail`: prints the committed records of a topic, a line each."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from cli.common.engine import connect_engine
from shared.contracts.topics import BY_NAME
from shared.domain.instants import from_rfc3339, to_rfc3339
from shared.ports.log import Log, Record

BEGINNING = "beginning"
_POLL_S = 0.05
_PAGE = 500


@click.command()
@click.argument("topic", type=click.Choice(sorted(BY_NAME)), metavar="TOPIC")
@click.option(
    "--from", "start", default=None, metavar="beginning|ISO",
    help="Where to begin. Default: the beginning; with --follow, now.",
)  # fmt: skip
@click.option("--follow", is_flag=True, help="Go on with what is appended, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(topic: str, start: str | None, follow: bool, as_json: bool) -> int:
    """
    Print the committed records of TOPIC: topic, partition, offset, key, headers, value.

    Values of private topics are envelopes; what is sealed in them stays sealed.
    """
    at_ms = None if start in (None, BEGINNING) else _parse_instant(str(start))
    with connect_engine() as (engine, _):
        log = engine.log
        offsets = find_first_offsets(log, topic, at_ms, at_end=follow and start is None)
        try:
            for record in read_records(log, topic, offsets, follow=follow):
                print(json.dumps(as_dict(record), ensure_ascii=False) if as_json else as_text(record), flush=follow)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return 0
        except BrokenPipeError:
            # Whoever read has seen enough. The interpreter must not try to flush into the closed pipe on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def find_first_offsets(log: Log, topic: str, at_ms: int | None, *, at_end: bool = False) -> dict[int, int]:
    """Return partition → the offset to begin at: at an instant, at the end, or at the beginning."""
    offsets = {}
    for partition in range(log.partitions):
        span = log.span(topic, partition)
        if at_ms is not None:
            offsets[partition] = max(span.begin, log.at_time(topic, partition, at_ms))
        else:
            offsets[partition] = span.end if at_end else span.begin
    return offsets


def read_records(log: Log, topic: str, offsets: dict[int, int], *, follow: bool) -> Iterator[Record]:
    """Yield committed records from `offsets` on, partition by partition; endless when following."""
    offsets = dict(offsets)
    while True:
        found = False
        for partition, offset in offsets.items():
            for record in log.read(topic, partition, offset, limit=_PAGE):
                found = True
                offsets[partition] = record.offset + 1
                yield record
        if not found:
            if not follow:
                return
            time.sleep(_POLL_S)


def as_dict(record: Record) -> dict[str, Any]:
    """Return a record as JSON: JSON values as they are, other bytes as base64."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": _decode_bytes(record.key, parse=False),
        "headers": {name: _decode_bytes(value, parse=False) for name, value in record.headers},
        "value": None if record.value is None else _decode_bytes(record.value, parse=True),
    }


def as_text(record: Record) -> str:
    """Return a record as one line: partition and offset, time, key, value."""
    value = "(deleted)" if record.value is None else record.value.decode(errors="replace")
    when = to_rfc3339(record.appended_at_ms)
    return f"{record.partition}:{record.offset}  {when}  {record.key.decode(errors='replace')}  {value}"


def _decode_bytes(raw: bytes, *, parse: bool) -> Any:
    try:
        return json.loads(raw) if parse else raw.decode()
    except ValueError:
        return base64.b64encode(raw).decode()


def _parse_instant(text: str) -> int:
    try:
        return from_rfc3339(text)
    except ValueError as error:
        message = f"--from {text!r}: must be `beginning` or an instant such as 2026-11-20T09:30:00Z"
        raise click.UsageError(message) from error
