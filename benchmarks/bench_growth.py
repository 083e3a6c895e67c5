"""
How records and writes grow with a meeting: `python -m benchmarks.bench_growth [--without-kafka]`.

First the deciding alone: what one person's answer at Google writes when so many of 500 people are connected, and how large the
record of a running series is after years. Then a series of 60 dates with 500 connected people on three brokers: room_status is
the real one, its observations are those that so many looks would have put on the topic.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local.processes import ServerError
from deploy.local.servers import local_servers
from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import decide
from services.room_status.deciding.memory import Memory
from services.room_status.replaying.recollection import states_between
from services.room_status.worker import RoomStatusOwner
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.people import Snapshots, follow_people
from services.sync_worker.deciding.references import Merge, References, changed_meetings, merge, observe
from services.sync_worker.memory import reference_change, snapshot_changes
from shared.contracts import copy_observation
from shared.contracts.copy_observation import CopyDate, CopyObservation
from shared.contracts.meeting_state import meeting_key
from shared.contracts.topics import MEETING_STATE, OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS, ROOM_STATUS_STATION
from shared.crypto.master import new_key
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, AttendeeKind, CopyRole, SeenAttendee
from shared.domain.identity import Mailbox, partition_of
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, Look, SeenEvent, Window
from shared.engines.distributed import ensure_topics
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, Record
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine

NOW_MS = int(time.time() * 1000) // HOUR_MS * HOUR_MS
KEYS = TenantKeys("t-0000000000000001", b"d" * 32, b"h" * 32, b"c" * 32)
MAILBOX = Mailbox(KEYS.tenant, "m-1")
DATES, PEOPLE, ROOMS = 60, 500, 3
WINDOW_MS = 62 * DAY_MS
WINDOW = Window(NOW_MS - DAY_MS, NOW_MS + WINDOW_MS)
ANSWERED_S = 60.0
QUIET_S = 1.5
ANSWERS = 20


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-kafka", action="store_true")
    arguments = parser.parse_args()
    print("| what | figure |\n| --- | --- |")
    for connected in (10, 50, 100, 500):
        observed, kept, largest = _one_answer(connected)
        print(
            f"| a person's answer to every date at Google, {connected} connected: observations, references and people, "
            f"largest record of the meeting | {observed:,} B, {kept:,} B, {largest:,} B |",
            flush=True,
        )
    first, changed = _written_for_a_date()
    print(f"| the same, to one date: references and people | {changed:,} B |")
    print(
        f"| that series' first look, its organiser's copy: references, people, largest record of these | "
        f"{sum(first[0]):,} B in {len(first[0])} records, {sum(first[1]):,} B in {len(first[1])}, {max(first[1]):,} B |",
        flush=True,
    )
    for years in (0, 1, 3):
        print(
            f"| record of a daily series with one room after {years} years | {_running_series(years):,} B |", flush=True
        )
    if not arguments.without_kafka:
        try:
            for line in _on_three_brokers():
                print(line, flush=True)
        except ServerError as error:
            raise SystemExit(str(error)) from None
    return 0


def _one_answer(connected: int) -> tuple[int, int, int]:
    """One of 500 people answers, and everybody's look brings 60 changed dates: observations, references, largest record."""
    memory = Memory({})
    _decided(memory, KEYS, [_look(KEYS, number, Answer.NONE, NOW_MS + number) for number in range(connected)])
    organiser, guest = _written_for_an_answer(organizes=True), _written_for_an_answer(organizes=False)
    observed, kept = (one + (connected - 1) * other for one, other in zip(organiser, guest, strict=True))
    return observed, kept, max(map(len, memory.values()))


def _written_for_an_answer(*, organizes: bool) -> tuple[int, int]:
    """What the look of one mailbox writes: bytes of observations, bytes of references and people."""
    held = _Copy()
    held.look(_dates(Answer.NONE, organizes=organizes))
    before = held.references
    merged, written = held.look(_dates(Answer.ACCEPTED, organizes=organizes))
    changed = changed_meetings(before, merged.references, merged.meetings, keys=KEYS)
    looks = observe(
        merged.references, changed, provider="google", mailbox=MAILBOX.id, keys=KEYS, now_ms=NOW_MS, baseline=False,
        window=WINDOW,
    )  # fmt: skip
    return sum(len(_record(KEYS, look, 0).value or b"") for look in looks), sum(map(sum, written))


def _written_for_a_date() -> tuple[tuple[list[int], list[int]], int]:
    """What the organiser's copy writes: sizes of references and people at its first look, and bytes for one answer to one date."""
    held = _Copy()
    _, first = held.look(_dates(Answer.NONE, organizes=True))
    _, written = held.look(_dates(Answer.ACCEPTED, organizes=True)[30:31])
    return first, sum(map(sum, written))


class _Copy:
    """What one mailbox keeps, look by look."""

    def __init__(self) -> None:
        self.references: References = {}
        self.snapshots: Snapshots = {}

    def look(self, seen: Sequence[SeenEvent]) -> tuple[Merge, tuple[list[int], list[int]]]:
        """What a look makes of it, and the sizes of the references and of the pieces of people that it writes."""
        merged = _merged(self.references, seen)
        people = follow_people(self.snapshots, self.references, merged, KEYS)
        references = [reference_change(MAILBOX, one, merged.references[one], KEYS) for one in merged.changed]
        pieces = [
            each for name, one in people.changed.items() for each in snapshot_changes(MAILBOX, name, one, KEYS)
        ]  # fmt: skip
        self.references, self.snapshots = merged.references, people.snapshots
        return merged, ([len(one.value or b"") for one in references], [len(one.value or b"") for one in pieces])


def _merged(known: References, seen: Sequence[SeenEvent]) -> Merge:
    rooms = ListedRooms({f"room-{number}@x.test": KEYS.room(str(number)) for number in range(ROOMS)})
    return merge(known, Look(tuple(seen), "c", full=False), window=WINDOW, provider="google", keys=KEYS, rooms=rooms)


def _dates(answer: Answer, *, organizes: bool) -> list[SeenEvent]:
    """A date a day for 500 people, of whom the first has given this answer."""
    people = [
        SeenAttendee(f"{n}@x.test", AttendeeKind.PERSON, answer if n == 0 else Answer.NONE) for n in range(PEOPLE)
    ]
    rooms = [SeenAttendee(f"room-{number}@x.test", AttendeeKind.ROOM, Answer.ACCEPTED) for number in range(ROOMS)]
    return [
        SeenEvent(
            event_id=f"stand-up_{day:08}T090000Z", uid="stand-up", kind=EventKind.OCCURRENCE, master_id="stand-up",
            slot=str(day), start_ms=NOW_MS + day * DAY_MS, end_ms=NOW_MS + day * DAY_MS + HOUR_MS, cancelled=False,
            is_organizer=organizes, organizer="0@x.test", shows_guests=True, attendees=(*rooms, *people), version=answer,
        )
        for day in range(DATES)
    ]  # fmt: skip


def _running_series(years: int) -> int:
    """A date a day, looked at every month: the meeting's record at the end."""
    memory = Memory({})
    for month in range(years * 12 + 1):
        now_ms = NOW_MS + month * 30 * DAY_MS
        _decided(memory, KEYS, [_look(KEYS, 0, Answer.ACCEPTED, now_ms, rooms=1, first_day=month * 30)])
    return len(memory[meeting_key(KEYS.tenant, KEYS.meeting("google", "stand-up"))])


def _decided(memory: Memory, keys: TenantKeys, looks: Sequence[CopyObservation]) -> list[Batch]:
    records, batches = [_record(keys, look, offset) for offset, look in enumerate(looks)], []
    while records:
        batch = decide(records, memory, partition=0, keys_of=lambda _: keys, told=frozenset())
        memory.apply(batch.changes)
        records = records[batch.handled :]
        batches.append(batch)
    return batches


def _record(keys: TenantKeys, look: CopyObservation, offset: int) -> Record:
    key = meeting_key(keys.tenant, look.meeting)
    value = sealed_envelope(
        keys,
        look,
        key=key,
        type=copy_observation.TYPE,
        id=f"o-{offset}",
        version=copy_observation.VERSION,
        compress=True,
    )
    return Record(OBSERVATIONS.name, 0, offset, key, value, (), 0)


def _look(
    keys: TenantKeys, number: int, answer: Answer, at_ms: int, *, rooms: int = ROOMS, first_day: int = 0
) -> CopyObservation:
    """A look of one of many people at a meeting on every day; person 0 organises it."""
    meeting = keys.meeting("google", "stand-up")
    return CopyObservation(
        provider="google",
        mailbox=f"m-{keys.person(str(number))[2:]}",
        meeting=meeting,
        organizer=keys.person("0"),
        role=CopyRole.GUEST if number else CopyRole.ORGANIZER,
        observed_at_ms=at_ms,
        window_start_ms=at_ms - DAY_MS,
        window_end_ms=at_ms + WINDOW_MS,
        dates=tuple(
            CopyDate(
                ref=keys.occurrence(meeting, str(day)),
                event_id=f"{keys.person('event')}_{day:08}T090000Z",
                start_ms=NOW_MS + (day + 1) * DAY_MS,
                end_ms=NOW_MS + (day + 1) * DAY_MS + HOUR_MS,
                rooms={keys.room(str(room)): answer for room in range(rooms)},
                seats=PEOPLE,
                sequence=1,
            )
            for day in range(first_day, first_day + DATES)
        ),
    )


def _on_three_brokers() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roomsync-bench-")))
        servers = stack.enter_context(local_servers(3))
        settings = load(
            {**servers, "ROOMSYNC_ENGINE": "kafka", "ROOMSYNC_HOME": str(home), "ROOMSYNC_MASTER_KEY": new_key(),
             "ROOMSYNC_PARTITIONS": "1", "ROOMSYNC_LOG_LEVEL": "error"}
        )  # fmt: skip
        ensure_topics(servers["ROOMSYNC_KAFKA_BOOTSTRAP"], prefix="", partitions=1, replication=3)
        engine = stack.enter_context(contextlib.closing(open_engine(settings)))
        tenant = enrol(engine.registry, engine.keyring, provider="google", directory="contoso.test", name="Contoso")
        keys = engine.keyring.keys(tenant)
        with _running(engine):
            began_s = time.perf_counter()
            for first in range(0, PEOPLE, 50):
                people = range(first, first + 50)
                _append(engine, keys, [_look(keys, number, Answer.NONE, NOW_MS + number) for number in people])
            took_s = _await_quiet(engine) - began_s
            yield f"| three brokers: {PEOPLE} people connect to {DATES} dates with {ROOMS} rooms each | {took_s:.1f} s |"
            before, took_ms = _written(engine), []
            for number in range(ANSWERS):
                answer = Answer.ACCEPTED if number % 2 else Answer.DECLINED
                took_ms.append(_answered(engine, keys, answer, NOW_MS + PEOPLE + number))
            _await_quiet(engine)
            after = _written(engine)
        took_ms = sorted(took_ms[::2])
        records, state_bytes = (after[each] - before[each] for each in (0, 1))
        figure = f"p50 {took_ms[len(took_ms) // 2]:.0f} ms, at most {took_ms[-1]:.0f} ms ({len(took_ms)} times)"
        yield f"| the same: every room of every date says no → {DATES * ROOMS} declines readable | {figure} |"
        figure = f"{records / ANSWERS:.1f} records, {state_bytes / ANSWERS:,.0f} B"
        yield f"| the same: written to `meeting-state` for such an answer | {figure} |"
        yield f"| the same: largest record of `meeting-state` | {after[2]:,} B |"


@contextlib.contextmanager
def _running(engine: Engine) -> Iterator[None]:
    """room_status, in a thread."""
    owner = RoomStatusOwner(engine.log.claim(ROOM_STATUS_STATION, 0), engine, SystemClock(), poll_s=0.02)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            owner.step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        owner.close()


def _append(engine: Engine, keys: TenantKeys, looks: Sequence[CopyObservation]) -> None:
    records = [_record(keys, look, look.observed_at_ms) for look in looks]
    engine.log.append(
        [NewRecord(OBSERVATIONS.name, partition_of(each.key, 1), each.key, each.value or b"") for each in records]
    )


def _answered(engine: Engine, keys: TenantKeys, answer: Answer, at_ms: int) -> float:
    """The organiser's look shows the answer: milliseconds until the last public state of it can be read."""
    topic = ROOM_REJECTIONS.name if answer is Answer.DECLINED else ROOM_STATUS.name
    wanted = engine.log.span(topic, 0).end + DATES * ROOMS
    began_s = time.perf_counter()
    _append(engine, keys, [_look(keys, 0, answer, at_ms)])
    while engine.log.span(topic, 0).end < wanted:
        if time.perf_counter() > began_s + ANSWERED_S:
            message = f"{topic}: the answer never arrived"
            raise SystemExit(message)
        time.sleep(0.002)
    return (time.perf_counter() - began_s) * 1e3


def _await_quiet(engine: Engine) -> float:
    """Wait until nothing has been decided for a second; the instant of the last, by `perf_counter`."""
    end, changed_s = -1, time.perf_counter()
    while time.perf_counter() < changed_s + QUIET_S:
        if (now := engine.log.span(MEETING_STATE.name, 0).end) != end:
            end, changed_s = now, time.perf_counter()
        time.sleep(0.02)
    return changed_s


def _written(engine: Engine) -> tuple[int, int, int]:
    """Records of `meeting-state` so far, their bytes, and the largest."""
    span = engine.log.span(MEETING_STATE.name, 0)
    sizes = [len(record.value or b"") for record in states_between(engine.log, 0, span.begin, span.end)]
    return len(sizes), sum(sizes), max(sizes, default=0)


if __name__ == "__main__":
    raise SystemExit(main())
