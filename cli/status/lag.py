"""Measures how far services are behind and when the last push came, from the ends of a few topics."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from cli.common.records import read_all, read_from
from cli.status.facts import Lag, ServiceLag
from services.room_status.operations import changes_nothing
from shared.contracts import envelope as envelopes
from shared.contracts.change_notification import ChangeNotification
from shared.contracts.topics import OBSERVATIONS, POSITION_KEY, ROOM_STATUS_STATION, Station
from shared.domain.instants import SECOND_MS
from shared.engines.position import decode_position
from shared.errors import MalformedRecordError
from shared.ports.engine import Engine
from shared.ports.log import Log, Record

_LOOK_BACK = 64  # a position is the last thing of every commit: it stands at most a few markers before the end

_FOLD_AT_MOST = 2_000


def measure_lag(log: Log, station: Station, now_ms: int) -> ServiceLag:
    """Measure a service's lag by its committed positions: an idle service commits its own once a minute."""
    positions = [_read_position(log, station, partition) for partition in range(log.partitions)]
    return ServiceLag(
        station.service,
        {
            topic: [
                _lag(log, topic, partition, position.get(topic, 0), now_ms)
                for partition, position in enumerate(positions)
            ]
            for topic in station.inputs
        },
    )


def discount_unchanging(engine: Engine, lag: ServiceLag) -> ServiceLag:
    """
    Take from room_status's lag the observations that change nothing: for those it commits nothing, no position either.

    Whether an observation changes something is decided by room_status's own rules upon its committed state.
    """
    topic = OBSERVATIONS.name
    folded = [_discount_partition(engine, topic, number, each) for number, each in enumerate(lag.lags[topic])]
    return ServiceLag(lag.service, {**lag.lags, topic: folded})


def find_last_push_ms(log: Log, topic: str) -> int | None:
    """Return when the newest hint on `topic` was received, in epoch milliseconds; None when none is kept."""
    newest = [_read_last(log, topic, partition) for partition in range(log.partitions)]
    return max((_received_at_ms(record) for record in newest if record is not None), default=None)


def _lag(log: Log, topic: str, partition: int, position: int, now_ms: int) -> Lag:
    span = log.span(topic, partition)
    at = max(position, span.begin)
    waiting = log.read(topic, partition, at, limit=1) if at < span.end else ()
    if not waiting:
        return Lag(0, 0.0)
    return Lag(span.end - at, round(max(0.0, (now_ms - waiting[0].appended_at_ms) / SECOND_MS), 1))


def _discount_partition(engine: Engine, topic: str, partition: int, lag: Lag) -> Lag:
    if not lag.records:
        return lag
    log = engine.log
    memory: dict[bytes, bytes] = {}
    for record in read_all(log, ROOM_STATUS_STATION.state, partition):
        if record.value is None:
            memory.pop(record.key, None)
        else:
            memory[record.key] = record.value
    memory.pop(POSITION_KEY, None)
    position = _read_position(log, ROOM_STATUS_STATION, partition).get(topic, 0)
    waiting = log.read(topic, partition, position, limit=_FOLD_AT_MOST)
    if len(waiting) == _FOLD_AT_MOST:
        return lag  # more than a screen may fold: it is behind in earnest
    unchanged = changes_nothing(waiting, memory, partition=partition, keys_of=engine.keyring.keys)
    return Lag(0, 0.0) if unchanged else lag


def _read_position(log: Log, station: Station, partition: int) -> Mapping[str, int]:
    span = log.span(station.state, partition)
    for start in (max(span.begin, span.end - _LOOK_BACK), span.begin):
        found: bytes | None = None
        for record in read_from(log, station.state, partition, start):
            if record.key == POSITION_KEY:
                found = record.value
        if found is not None:
            return decode_position(found).inputs
    return {}


def _read_last(log: Log, topic: str, partition: int) -> Record | None:
    span = log.span(topic, partition)
    for start in (max(span.begin, span.end - _LOOK_BACK), span.begin):
        newest = deque(read_from(log, topic, partition, start), maxlen=1)
        if newest:
            return newest[0]
    return None


def _received_at_ms(record: Record) -> int:
    try:
        return envelopes.payload_of(envelopes.decode(record.value or b""), ChangeNotification).received_at_ms
    except MalformedRecordError:
        return record.appended_at_ms
