"""
What a tracked meeting costs in memory, and how long a partition takes to come back: `python -m benchmarks.bench_memory`.

Resident memory of a fresh process per measurement, before and after; Redis by its own `used_memory`. Meetings have two rooms
and six people, as most do, and ids as long and as little to be compressed as Graph's immutable ones.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import redis

from deploy.local.processes import ServerError
from deploy.local.redis import RedisUse, redis_server
from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import decide
from services.room_status.deciding.expiry import Expiry
from services.room_status.deciding.memory import Memory
from services.sync_worker.memory import restore_mailboxes
from shared.contracts import copy_observation
from shared.contracts.calendar_state import MAILBOX_TYPE, REFERENCE_TYPE, EventReference, MailboxState
from shared.contracts.copy_observation import CopyDate, CopyObservation
from shared.contracts.meeting_state import meeting_key
from shared.contracts.topics import OBSERVATIONS, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, CopyRole
from shared.domain.instants import HOUR_MS
from shared.domain.keys import TenantKeys
from shared.engines.distributed.view import RedisView
from shared.engines.embedded import open_engine
from shared.ports.log import Record, StateChange
from shared.ports.view import Applied
from shared.runtime.clock import SystemClock
from shared.runtime.memory import release_freed_memory

REFERENCES, MAILBOXES, MEETINGS, CHUNK = 100_000, 200, 20_000, 2_000
NOW_MS = 1_790_000_000_000
KEYS = TenantKeys("t-0000000000000001", b"d" * 32, b"h" * 32, b"c" * 32)
ROOMS = {KEYS.room(f"room-{number}@x.test"): Answer.ACCEPTED for number in range(2)}
PEOPLE = {KEYS.person(f"guest-{number}@x.test"): Answer.ACCEPTED for number in range(6)}

Figures = Mapping[str, float]


class _Keys:
    """A keyring that has only these."""

    def keys(self, tenant: str) -> TenantKeys:
        del tenant
        return KEYS


def main() -> int:
    """Measure each in a process of its own, and print a table."""
    print("| what | figure |\n| --- | --- |")
    for measure in (sync_worker, room_status, redis_view):
        for what, figure in _apart(measure).items():
            print(f"| {what} | {figure:,.2f} |" if figure < 100 else f"| {what} | {figure:,.0f} |", flush=True)
    return 0


def sync_worker() -> Figures:
    """A partition's claim of 100,000 references, restored from a file, then opened as the worker holds it."""
    with tempfile.TemporaryDirectory(prefix="roomsync-bench-") as home:
        master = parse(new_key())
        settings: dict[str, Any] = {"partitions": 1, "prefix": "", "master": master, "clock": SystemClock()}
        _in_another_process(_fill, Path(home), settings)
        engine = open_engine(Path(home), **settings)
        engine.log.span("calendar-state", 0)
        before, began = _resident(), time.perf_counter()
        claim = engine.log.claim(SYNC_WORKER, 0)
        claimed_s, sealed = time.perf_counter() - began, _resident() - before
        began = time.perf_counter()
        held = restore_mailboxes(claim.state, _Keys())  # type: ignore[arg-type]  # only `keys` is asked for
        opened_s, most = time.perf_counter() - began, _resident() - before
        claim.state = {}
        release_freed_memory()
        at_rest = _resident() - before
        assert sum(len(each.references) for each in held.held.values()) == REFERENCES
        claim.close()
        engine.close()
    return {
        "sync_worker: bytes per reference as restored, sealed": sealed / REFERENCES,
        "sync_worker: bytes per reference while it is read": most / REFERENCES,
        "sync_worker: bytes per reference at rest": at_rest / REFERENCES,
        f"sync_worker: seconds to restore {REFERENCES:,} references, embedded log": claimed_s,
        f"sync_worker: seconds to open and read {REFERENCES:,} references": opened_s,
    }


def room_status() -> Figures:
    """
    The fold's memory and its appointments: of each meeting its record and those of its two copies, sealed.

    Of the process with a tenth of as many meetings in it, so that what it needs for any number of them is not divided among them.
    """
    memory, expiry = Memory({}), Expiry(())
    _fold(memory, expiry, range(0, MEETINGS // 10, CHUNK))
    release_freed_memory()
    before = _resident()
    _fold(memory, expiry, range(MEETINGS // 10, MEETINGS // 10 + MEETINGS, CHUNK))
    release_freed_memory()
    return {"room_status: bytes per meeting with two copies, at rest": (_resident() - before) / MEETINGS}


def _fold(memory: Memory, expiry: Expiry, starts: Iterable[int]) -> None:
    for start in starts:
        for batch in _decided(memory, start):
            memory.apply(batch.changes)
            for meeting, at_ms in batch.due.items():
                expiry.appoint(meeting, at_ms)


def redis_view() -> Figures:
    """The rows of a meeting and of its two copies."""
    try:
        with redis_server(RedisUse.VIEWS) as server, redis.Redis.from_url(server.url) as asked:
            view = RedisView(server.url, prefix="", clock=SystemClock())
            before, applied = asked.info("memory")["used_memory"], 0
            for start in range(0, MEETINGS, CHUNK):
                for batch in _decided(Memory({}), start):
                    applied += 1
                    view.apply(0, Applied("bench", applied), list(batch.rows.values()))
            used = asked.info("memory")["used_memory"] - before
            view.close()
    except ServerError as error:
        print(f"no Redis: {error}", file=sys.stderr)
        return {}
    return {"Redis view: bytes per meeting, two owners": used / MEETINGS}


def _fill(home: Path, settings: dict[str, Any]) -> None:
    engine = open_engine(home, **settings)
    claim = engine.log.claim(SYNC_WORKER, 0)
    mailboxes = [f"{KEYS.tenant}/m-{number:026d}" for number in range(MAILBOXES)]
    state = MailboxState(provider="microsoft")
    values = {
        name.encode(): sealed_envelope(KEYS, state, key=name.encode(), type=MAILBOX_TYPE, id="m") for name in mailboxes
    }
    claim.commit([], [StateChange(key, value) for key, value in values.items()], {})
    for start in range(0, REFERENCES, CHUNK):
        changes = [
            _reference(f"{mailboxes[number % MAILBOXES]}/{number:026d}".encode(), number)
            for number in range(start, start + CHUNK)
        ]
        claim.commit([], changes, {})
    claim.close()
    engine.close()


def _event_id(number: int) -> str:
    """68 characters, as in https://learn.microsoft.com/graph/outlook-immutable-id; the first 36 are those of every such id."""
    own = base64.urlsafe_b64encode(hashlib.sha256(str(number).encode()).digest()[:24]).decode()
    return f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{own}"


def _reference(key: bytes, number: int) -> StateChange:
    start_ms = NOW_MS + number * HOUR_MS
    reference = EventReference(
        event_id=_event_id(number), uid=KEYS.meeting("microsoft", str(number)), kind="single", start_ms=start_ms,
        end_ms=start_ms + HOUR_MS, organizer=next(iter(PEOPLE)), is_organizer=True, rooms=ROOMS, seats=len(PEOPLE),
        version=f"CQAAABYAAA{number}",
    )  # fmt: skip
    return StateChange(key, sealed_envelope(KEYS, reference, key=key, type=REFERENCE_TYPE, id=f"r-{number}"))


def _decided(memory: Memory, first: int) -> Iterator[Batch]:
    """What the looks of two people at each of a few meetings lead to, a piece at a time."""
    records = [_look(number, person) for number in range(first, first + CHUNK) for person in range(2)]
    while records:
        batch = decide(records, memory, partition=0, keys_of=lambda _: KEYS, told=frozenset())
        records = records[batch.handled :]
        yield batch


def _look(number: int, person: int) -> Record:
    """The organiser's, or (person 1) a guest's, look at a meeting of one date with two rooms."""
    meeting, start_ms = KEYS.meeting("microsoft", str(number)), NOW_MS + number * HOUR_MS
    date = CopyDate(
        ref=KEYS.occurrence(meeting, ""), event_id=_event_id(number), start_ms=start_ms, end_ms=start_ms + HOUR_MS,
        rooms=ROOMS, seats=len(PEOPLE),
    )  # fmt: skip
    seen = CopyObservation(
        provider="microsoft", mailbox=f"m-{(number + person) % MAILBOXES:026d}", meeting=meeting,
        organizer=next(iter(PEOPLE)), role=CopyRole.GUEST if person else CopyRole.ORGANIZER, observed_at_ms=NOW_MS + person,
        window_start_ms=NOW_MS, window_end_ms=start_ms + 2 * HOUR_MS, dates=(date,),
    )  # fmt: skip
    key = meeting_key(KEYS.tenant, meeting)
    value = sealed_envelope(
        KEYS, seen, key=key, type=copy_observation.TYPE, id=f"o-{number}", version=copy_observation.VERSION
    )
    return Record(OBSERVATIONS.name, 0, 2 * number + person, key, value, (), 0)


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _apart(measure: Callable[[], Figures]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="roomsync-bench-") as place:
        out = Path(place) / "figures"
        _in_another_process(_write, measure, out)
        found: dict[str, float] = json.loads(out.read_text())
        return found


def _write(measure: Callable[[], Figures], out: Path) -> None:
    out.write_text(json.dumps(dict(measure())))


def _in_another_process(work: Callable[..., None], *arguments: Any) -> None:
    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(child.exitcode)


if __name__ == "__main__":
    sys.exit(main())
