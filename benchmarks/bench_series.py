"""
A series of 60 dates with three rooms and 500 connected people on three brokers: `python -m benchmarks.bench_series`.

room_status is the real one. The organiser's looks are settled and committed as the sync worker does; the observations of the 499
others are those that so many looks would have put on the topic. Bytes on the brokers are what their log segments grow by, on all
three.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from benchmarks.series import DATES, NOW_MS, PEOPLE, ROOMS, dates_seen, observation_record, observed_series
from cli.common.records import read_all
from deploy.local.processes import ServerError
from deploy.local.servers import local_servers
from services.room_status.worker import RoomStatusOwner
from services.sync_worker.deciding.job import Job, Outcome
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.mailbox import Pace
from services.sync_worker.deciding.pieces import cut_into_commits
from services.sync_worker.deciding.settlement import settle
from services.sync_worker.memory import TrackedMailbox
from shared.contracts.calendar_state import MailboxState
from shared.contracts.topics import (
    CALENDAR_STATE,
    MEETING_STATE,
    OBSERVATIONS,
    ROOM_REJECTIONS,
    ROOM_STATUS,
    ROOM_STATUS_STATION,
    SYNC_WORKER,
)
from shared.crypto.master import new_key
from shared.domain.attendees import Answer
from shared.domain.identity import Mailbox, partition_of
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.domain.keys import TenantKeys
from shared.domain.sighting import Look, SeenEvent
from shared.engines.distributed import ensure_topics
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine

ANSWERED_S = 60.0
QUIET_S = 1.5
ANSWERS = 20
PACE = Pace(reconcile_ms=15 * MINUTE_MS, pending_silent_ms=HOUR_MS, grace_ms=0)
EVERYWHERE = [(date, room) for date in range(DATES) for room in range(ROOMS)]
COUNTED = (CALENDAR_STATE.name, OBSERVATIONS.name, MEETING_STATE.name, ROOM_REJECTIONS.name, ROOM_STATUS.name)


def main() -> int:
    """Measure, and print a table."""
    print("| what | figure |\n| --- | --- |")
    try:
        for line in _on_three_brokers():
            print(line, flush=True)
    except ServerError as error:
        raise SystemExit(str(error)) from None
    return 0


class Organiser:
    """The mailbox whose person organises the series, and the sync worker that owns it."""

    def __init__(self, engine: Engine, keys: TenantKeys) -> None:
        self._engine, self._keys = engine, keys
        self.mailbox = Mailbox(keys.tenant, f"m-{keys.person('0')[2:]}")
        self._claim = engine.log.claim(SYNC_WORKER, 0)
        self._rooms = ListedRooms({f"room-{number}@x.test": keys.room(str(number)) for number in range(ROOMS)})
        self._held = TrackedMailbox(MailboxState(provider="google"))

    def look(self, seen: Sequence[SeenEvent]) -> None:
        """A look finds the series so, and is committed."""
        now_ms = int(time.time() * 1000)
        job = Job(self.mailbox, self._held.state, frozenset(), now_ms, references=self._held.references)
        look = Look(tuple(seen), "cursor", full=not self._held.state.baseline_done)
        settled = settle(
            self._held, Outcome(job, self._held.state, look=look), keys=self._keys, rooms=self._rooms, pace=PACE,
            partitions=self._engine.log.partitions, now_ms=now_ms, kept={},
        )  # fmt: skip
        for piece in cut_into_commits({self.mailbox: settled.parts}):
            self._claim.commit(piece.observations, piece.changes, {})
        self._held.state, self._held.references = settled.state or self._held.state, settled.references
        self._held.snapshots = settled.snapshots or {}


def _on_three_brokers() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roomsync-bench-")))
        data = home / "brokers"
        servers = stack.enter_context(local_servers(3, data))
        settings = load(
            {**servers, "ROOMSYNC_ENGINE": "kafka", "ROOMSYNC_HOME": str(home), "ROOMSYNC_MASTER_KEY": new_key(),
             "ROOMSYNC_PARTITIONS": "1", "ROOMSYNC_LOG_LEVEL": "error"}
        )  # fmt: skip
        ensure_topics(servers["ROOMSYNC_KAFKA_BOOTSTRAP"], prefix="", partitions=1, replication=3)
        engine = stack.enter_context(contextlib.closing(open_engine(settings)))
        tenant = enrol(engine.registry, engine.keyring, provider="google", directory="contoso.test", name="Contoso")
        keys = engine.keyring.keys(tenant)
        with _running(engine):
            organiser, began_s = Organiser(engine, keys), time.perf_counter()
            organiser.look(dates_seen(Answer.NONE, organizes=True))
            for first in range(1, PEOPLE, 50):
                _connect(engine, keys, range(first, min(first + 50, PEOPLE)))
            took_s = _await_quiet(engine) - began_s
            yield f"| three brokers: {PEOPLE} people connect to {DATES} dates with {ROOMS} rooms each | {took_s:.1f} s |"
            yield from _a_person_answers(engine, organiser, data)
            yield from _rooms_answer(engine, organiser, data, "one room of one date", [(DATES // 2, 1)])
            yield from _rooms_answer(engine, organiser, data, "every room of every date", EVERYWHERE)
            for topic in (MEETING_STATE.name, CALENDAR_STATE.name):
                yield f"| the same: largest record of `{topic}` | {_largest(engine, topic):,} B |"


def _a_person_answers(engine: Engine, organiser: Organiser, data: Path) -> Iterator[str]:
    before = _on_disk(engine, data)
    for number in range(ANSWERS):
        organiser.look(dates_seen(Answer.DECLINED if number % 2 else Answer.ACCEPTED, organizes=True))
    yield f"| one person answers to all {DATES} dates: {_growth(before, _on_disk(engine, data))}"


def _rooms_answer(
    engine: Engine, organiser: Organiser, data: Path, who: str, declined: list[tuple[int, int]]
) -> Iterator[str]:
    before = _on_disk(engine, data)
    took_ms = [_answered(engine, organiser, declined, says_no=number % 2 == 0) for number in range(ANSWERS)]
    growth = _growth(before, _on_disk(engine, data))
    took_ms = sorted(took_ms[::2])
    figure = f"p50 {took_ms[len(took_ms) // 2]:.0f} ms, at most {took_ms[-1]:.0f} ms ({len(took_ms)} times)"
    yield f"| {who} says no: {len(declined)} declines readable after the organiser's look | {figure} |"
    yield f"| {who} answers: {growth}"


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


def _connect(engine: Engine, keys: TenantKeys, people: Collection[int]) -> None:
    looks = [observed_series(keys, number, Answer.ACCEPTED, NOW_MS + number) for number in people]
    records = [observation_record(keys, look, look.observed_at_ms) for look in looks]
    engine.log.append(
        [NewRecord(OBSERVATIONS.name, partition_of(each.key, 1), each.key, each.value or b"") for each in records]
    )


def _answered(engine: Engine, organiser: Organiser, declined: list[tuple[int, int]], *, says_no: bool) -> float:
    """The organiser's look shows the answers: milliseconds until the last public state of them can be read."""
    topic = ROOM_REJECTIONS.name if says_no else ROOM_STATUS.name
    wanted = engine.log.span(topic, 0).end + len(declined)
    seen = dates_seen(Answer.NONE, organizes=True, declined=declined if says_no else ())
    began_s = time.perf_counter()
    organiser.look(seen)
    _await_until(lambda: engine.log.span(topic, 0).end >= wanted, f"{topic}: the answer never arrived")
    return (time.perf_counter() - began_s) * 1e3


def _await_until(reached: Callable[[], bool], complaint: str) -> None:
    began_s = time.perf_counter()
    while not reached():
        if time.perf_counter() > began_s + ANSWERED_S:
            raise SystemExit(complaint)
        time.sleep(0.002)


def _await_quiet(engine: Engine) -> float:
    """Wait until nothing has been decided for a second; the instant of the last, by `perf_counter`."""
    end, changed_s = -1, time.perf_counter()
    while time.perf_counter() < changed_s + QUIET_S:
        if (now := engine.log.span(MEETING_STATE.name, 0).end) != end:
            end, changed_s = now, time.perf_counter()
        time.sleep(0.02)
    return changed_s


def _on_disk(engine: Engine, data: Path) -> Counter[str]:
    """Bytes of the log segments of all three brokers, by topic, once nothing moves."""
    _await_quiet(engine)
    found: Counter[str] = Counter()
    for segment in data.glob("*/data/*/*.log"):
        topic = segment.parent.name.rpartition("-")[0]
        found[topic if topic in COUNTED else "all others"] += segment.stat().st_size
    return found


def _growth(before: Counter[str], after: Counter[str]) -> str:
    """Columns of the table: bytes that all brokers wrote for one answer."""
    grown = {topic: (after[topic] - before[topic]) / ANSWERS for topic in after}
    parts = ", ".join(f"{topic} {size:,.0f} B" for topic, size in sorted(grown.items()) if size)
    return f"written on the three brokers for one answer | {sum(grown.values()):,.0f} B: {parts} |"


def _largest(engine: Engine, topic: str) -> int:
    return max(len(record.value or b"") for record in read_all(engine.log, topic, 0))


if __name__ == "__main__":
    raise SystemExit(main())
