"""`roomsync tail`: prints the committed records of a topic, a line each."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from cli.common.engine import connect_engine
from shared.contracts import envelope as envelopes
from shared.contracts.topics import BY_NAME
from shared.domain.identity import key_text
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, from_rfc3339, to_rfc3339
from shared.errors import MalformedRecordError
from shared.ports.log import Log, Record
from shared.runtime.clock import clock_from
from shared.runtime.settings import load

BEGINNING = "beginning"
MOST_LAST = 10_000
_POLL_S = 0.05
_PAGE = 500
_AGO = re.compile(r"-([0-9]{1,7})([smhd])")
_UNITS_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


@click.command()
@click.argument("topic", type=click.Choice(sorted(BY_NAME)), metavar="TOPIC")
@click.option(
    "--from", "start", default=None, metavar="beginning|ISO|-5m",
    help="Where to begin: an instant, or so long ago (s, m, h, d). Default: the beginning; with --follow, now.",
)  # fmt: skip
@click.option("-n", "--last", "last", type=click.IntRange(1, MOST_LAST), help="Only the last N that fit, by time.")
@click.option("--key", default="", help="Only records under this key, or under keys that go on after it with a slash.")
@click.option("--tenant", default="", help="Only records of this organisation, as `roomsync tenants list` names it.")
@click.option("--follow", is_flag=True, help="Go on with what is appended, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--pretty", is_flag=True, help="JSON objects over several lines.")
def command(
    topic: str, start: str | None, last: int | None, key: str, tenant: str, follow: bool, as_json: bool, pretty: bool
) -> int:
    """
    Print the committed records of TOPIC: topic, partition, offset, key, headers, value.

    Values of private topics are envelopes; what is sealed in them stays sealed.
    """
    wanted = RecordFilter(key, tenant)
    write = as_pretty if pretty else as_line if as_json else as_text
    now_ms = clock_from(load().test_clock).now_ms()
    at_ms = None if start in (None, BEGINNING) else parse_start(str(start), now_ms)
    with connect_engine() as (engine, _):
        log = engine.log
        offsets = find_first_offsets(log, topic, at_ms, at_end=follow and start is None and last is None)
        try:
            for record in choose_records(log, topic, offsets, wanted, last=last, follow=follow):
                print(write(record), flush=follow)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return 0
        except BrokenPipeError:
            # Whoever read has seen enough. The interpreter must not try to flush into the closed pipe on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records are wanted; empty: whatever they say."""

    key: str = ""
    tenant: str = ""

    def fits(self, record: Record) -> bool:
        """Whether a record stands under the key, and is of the organisation: by its key, or by its envelope."""
        name = key_text(record.key)
        return _is_below(name, self.key) and (_is_below(name, self.tenant) or self._is_sealed_for_tenant(record))

    def _is_sealed_for_tenant(self, record: Record) -> bool:
        try:
            return envelopes.decode(record.value or b"").tenant == self.tenant
        except MalformedRecordError:
            return False


def _is_below(name: str, wanted: str) -> bool:
    return not wanted or name == wanted or name.startswith(f"{wanted}/")


def choose_records(
    log: Log, topic: str, offsets: Mapping[int, int], wanted: RecordFilter, *, last: int | None, follow: bool
) -> Iterator[Record]:
    """Yield the wanted records from `offsets` on, or the last so many of them by time; endless when following."""
    begin = dict(offsets)
    if last is not None:
        ends = {partition: log.span(topic, partition).end for partition in begin}
        found = [
            record
            for partition, offset in begin.items()
            for record in find_last_records(log, topic, partition, (offset, ends[partition]), wanted, last)
        ]
        yield from sorted(found, key=lambda each: (each.appended_at_ms, each.partition, each.offset))[-last:]
        begin = ends
        if not follow:
            return
    yield from filter(wanted.fits, read_records(log, topic, begin, follow=follow))


def find_last_records(
    log: Log, topic: str, partition: int, within: tuple[int, int], wanted: RecordFilter, many: int
) -> list[Record]:
    """
    Return the last `many` wanted records of a partition, oldest first.

    It looks back over ever larger stretches, since offsets have gaps: what it reads grows with what it has to pass over, not with
    the topic.

    Args:
        within: The first offset, and the one after the last.
    """
    floor, end = within
    width = many
    while True:
        start = max(floor, end - width)
        kept = deque(filter(wanted.fits, _read_stretch(log, topic, partition, start, end)), maxlen=many)
        if len(kept) == many or start == floor:
            return list(kept)
        width *= 4


def _read_stretch(log: Log, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
    while start < end and (page := log.read(topic, partition, start, limit=_PAGE)):
        yield from (record for record in page if record.offset < end)
        start = page[-1].offset + 1


def parse_start(text: str, now_ms: int) -> int:
    """Return the instant that `--from` names: an instant, or `-5m` and the like, so long before `now_ms`. Raises UsageError."""
    if ago := _AGO.fullmatch(text):
        return max(0, now_ms - int(ago[1]) * _UNITS_MS[ago[2]])
    try:
        return from_rfc3339(text)
    except ValueError as error:
        message = f"--from {text!r}: must be `beginning`, an instant such as 2026-11-20T09:30:00Z, or a while ago: -30s, -5m, -2h"
        raise click.UsageError(message) from error


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


def as_line(record: Record) -> str:
    """Return a record as one line of JSON."""
    return json.dumps(as_dict(record), ensure_ascii=False)


def as_pretty(record: Record) -> str:
    """Return a record as JSON over several lines."""
    return json.dumps(as_dict(record), ensure_ascii=False, indent=2)


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
