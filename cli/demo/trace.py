"""Prints the records that appear on the topics while the demo runs, opened and shortened: they hold no content."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from cli.common.engine import mute_logger
from cli.common.records import read_from
from cli.demo.processes import PrintLine
from shared.contracts import envelope as envelopes
from shared.contracts.topics import BY_NAME, POSITION_KEY, TOPICS
from shared.contracts.versions import newest_version
from shared.crypto.records import open_envelope
from shared.errors import KeyDestroyedError, MalformedRecordError, NewerRecordError, RoomsyncError
from shared.ports.engine import Engine
from shared.ports.log import Record
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine

_POLL_S = 0.1
_LONGEST = 24
"""Ids, hashes and cursors are cut to this length: enough to see which are the same."""


class TopicTrace:
    """Reads every topic of a deployment from where it was last left, and prints each new record as a line."""

    def __init__(self, engine: Engine, print_line: PrintLine) -> None:
        """Start at the beginning of every topic."""
        self._engine = engine
        self._print_line = print_line
        self._next: dict[tuple[str, int], int] = {}

    def print_new(self) -> None:
        """Print what was committed since the last call, oldest first. Raises LogUnavailableError."""
        found = sorted(self._read_new(), key=attrgetter("appended_at_ms"))
        for record in found:
            self._next[record.topic, record.partition] = record.offset + 1
            if record.key != POSITION_KEY:
                self._print_line(self.as_text(record))

    def as_text(self, record: Record) -> str:
        """Return a record as one line: topic, partition and offset, type of its payload, payload."""
        place = f"{record.topic} {record.partition}:{record.offset}"
        kind, payload = self._read_payload(record)
        return f"{place}  {kind}  {payload}"

    def _read_new(self) -> Iterator[Record]:
        for topic in TOPICS:
            for partition in range(self._engine.log.partitions):
                offset = self._next.get((topic.name, partition), 0)
                yield from read_from(self._engine.log, topic.name, partition, offset)

    def _read_payload(self, record: Record) -> tuple[str, str]:
        """Return type and payload. Public records are CloudEvents or states in plain JSON, all others envelopes."""
        if record.value is None:
            return "tombstone", as_json({"key": record.key.decode(errors="replace")})
        if BY_NAME[record.topic].public:
            return "public", as_json(msgspec.json.decode(record.value))
        try:
            envelope = envelopes.decode(record.value)
        except MalformedRecordError as error:
            return "unreadable", str(error)
        try:
            if envelope.sealed is None:
                return envelope.type, as_json(msgspec.json.decode(envelope.payload))
            keys = self._engine.keyring.keys(envelope.tenant)
            newest = newest_version(envelope.type)
            opened: Any = open_envelope(envelope, keys, msgspec.Raw, key=record.key, newest=newest)  # type: ignore[type-var]  # of any type
            return envelope.type, as_json(msgspec.json.decode(opened))
        except (KeyDestroyedError, MalformedRecordError, NewerRecordError, msgspec.DecodeError) as error:
            return envelope.type, str(error)


def as_json(payload: Any) -> str:
    """Return a payload as JSON, shortened."""
    return json.dumps(shorten(payload), ensure_ascii=False)


def shorten(value: Any) -> Any:
    """Cut long strings in a JSON value, and leave out fields that are empty."""
    if isinstance(value, dict):
        return {shorten(key): shorten(each) for key, each in value.items() if each not in ("", None, [], {})}
    if isinstance(value, list):
        return [shorten(each) for each in value]
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[: _LONGEST // 2] + "…"
    return value


@contextlib.contextmanager
def trace_topics(environ: Mapping[str, str], print_line: PrintLine) -> Iterator[None]:
    """
    Print new records in a thread of its own until the block ends, and then those that came last.

    Args:
        environ: The settings of the running deployment.
        print_line: Called with one line a record.
    """
    stop = threading.Event()
    engine = open_engine(load(environ))
    trace = TopicTrace(engine, print_line)

    def follow() -> None:
        while not stop.wait(_POLL_S):
            with contextlib.suppress(RoomsyncError):  # a store that is away for a moment is read at the next turn
                trace.print_new()

    thread = threading.Thread(target=follow, name="trace", daemon=True)
    with mute_logger("kafka"):
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            trace.print_new()
            engine.close()
