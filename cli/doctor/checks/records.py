"""The sealed records that state is restored from: which stand under a key they were not written under, or are bound to none."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from functools import cache

import msgspec

from cli.common.records import read_newest
from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.contracts import envelope as envelopes
from shared.contracts.topics import TOPICS, Cleanup
from shared.crypto.records import open_envelope
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError, RoomsyncError
from shared.ports.engine import Engine

_NAMED = 10
"""How many refused records are named; the others are counted."""


class _RecordState(StrEnum):
    """What a record is to whoever reads it under its key."""

    BOUND = "bound"
    UNBOUND = "unbound"
    REFUSED = "refused"


def check_records(engine: Engine) -> Iterator[CheckResult]:
    """The newest record of every key of the sealed topics that are kept for good."""
    with contextlib.suppress(RoomsyncError):  # that it cannot be reached has been said
        keys_of = cache(engine.keyring.keys)
        for topic in (topic.name for topic in TOPICS if topic.sealed and topic.cleanup is Cleanup.COMPACT):
            found = Counter[_RecordState]()
            refusing = False
            for key, value in read_newest(engine.log, topic):
                with contextlib.suppress(KeyDestroyedError):
                    keys = keys_of(key.decode(errors="replace").partition("/")[0])
                    refusing = keys.refuse_unbound
                    state = _judge(key, value, keys)
                    found[state] += 1
                    if state is _RecordState.REFUSED and found[state] <= _NAMED:
                        yield _refused(topic, ascii(key.decode(errors="replace")))
            if (others := found[_RecordState.REFUSED] - _NAMED) > 0:
                yield _refused(topic, f"{others} more")
            if unbound := found[_RecordState.UNBOUND]:
                yield _unbound(topic, unbound, refusing=refusing)


def _judge(key: bytes, value: bytes, keys: TenantKeys) -> _RecordState:
    """Raises KeyDestroyedError."""
    for state, refuse in ((_RecordState.BOUND, True), (_RecordState.UNBOUND, False)):
        with contextlib.suppress(MalformedRecordError):
            envelope = envelopes.decode(value)
            policy = replace(keys, refuse_unbound=refuse)
            open_envelope(envelope, policy, _Anything, key=key, newest=envelope.v)
            return state
    return _RecordState.REFUSED


class _Anything(msgspec.Struct):
    """A payload of any type."""


def _refused(topic: str, which: str) -> CheckResult:
    return CheckResult(
        "sealed records",
        CheckState.WRONG,
        f"{topic}: {which}: written under another key, or damaged; nobody believes it",
        "find out who writes to the log; `roomsync reconcile` looks at the calendars again",
    )


def _unbound(topic: str, count: int, *, refusing: bool) -> CheckResult:
    text = f"{topic}: {count} records of an earlier version are bound to no key; each is bound when it next changes"
    if not refusing:
        return CheckResult("sealed records", CheckState.NOTE, text)
    return CheckResult(
        "sealed records",
        CheckState.WRONG,
        f"{text}; they are refused",
        "set ROOMSYNC_UNBOUND_ROWS=read until none is left",
    )
