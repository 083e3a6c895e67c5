"""A sync worker's owner of one partition with the connected mailboxes of many organisations, on a made-up provider."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from services.sync_worker.deciding.job import Job, Outcome
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.mailbox import Pace, window_at
from services.sync_worker.deciding.schedule import Priority
from services.sync_worker.housekeeping.sweep import Sweep
from services.sync_worker.looking.room_addresses import RoomAddresses
from services.sync_worker.worker import SyncOwner
from shared.contracts import change_notification
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import MAILBOX_TYPE, DueReason, LiveSubscription, MailboxState
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.contracts.envelope import Envelope
from shared.contracts.topics import NOTIFICATIONS_GRAPH, OBSERVATIONS, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS, SECOND_MS
from shared.domain.sighting import EventKind, Look, SeenEvent
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, StateChange
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load

PACE = Pace(reconcile_ms=900 * SECOND_MS, pending_silent_ms=600 * SECOND_MS, grace_ms=0)
CHUNK = 2_000


class MadeUpLooker:
    """Each look brings one meeting that was not there before."""

    def __init__(self, answer_s: float) -> None:
        """`answer_s`: how long a look takes."""
        self._answer_s = answer_s
        self.began_s: dict[Mailbox, list[float]] = {}

    def run(self, job: Job) -> Outcome:
        """Take as long as a provider."""
        if job.priority is Priority.PUSH:
            self.began_s.setdefault(job.mailbox, []).append(time.perf_counter())
        if self._answer_s:
            time.sleep(self._answer_s)
        return Outcome(job, job.state, Look((_meeting(job.mailbox),), job.state.cursor, full=False))


@dataclass(frozen=True, slots=True)
class Worker:
    """An owner, and what it works on."""

    owner: SyncOwner
    sweep: Sweep
    engine: Engine
    looker: MadeUpLooker
    mailboxes: tuple[Mailbox, ...]
    """Of all organisations, one after the other: the first of each, then the second of each."""

    def observed(self) -> int:
        """How many observations are committed."""
        return self.engine.log.span(OBSERVATIONS.name, 0).end

    def step_until(self, done: Callable[[], bool], within_s: float = 600.0) -> None:
        """Let the owner work until it is done."""
        until_s = time.perf_counter() + within_s
        while not done():
            assert time.perf_counter() < until_s, f"not done within {within_s} s"
            self.owner.step()


@contextlib.contextmanager
def worker_of(organisations: int, mailboxes: int, pool: Executor, answer_s: float = 0.0) -> Iterator[Worker]:
    """Make so many organisations that have so many mailboxes together, all connected and looked at before."""
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roomsync-bench-")))
        engine = open_engine(home, partitions=1, prefix="", master=parse(new_key()), clock=clock)
        stack.callback(engine.close)
        tenants = [
            enrol(engine.registry, engine.keyring, provider="microsoft", directory=uuid.uuid4().hex, name="Contoso")
            for _ in range(organisations)
        ]
        boxes = tuple(
            Mailbox(tenants[number % organisations], f"m-{number // organisations}") for number in range(mailboxes)
        )
        _connect(engine, boxes)
        settings = load({"ROOMSYNC_HOME": str(home), "ROOMSYNC_ENGINE": "embedded"})
        broker = stack.enter_context(
            contextlib.closing(ConsentBroker(engine.registry, engine.keyring, settings, clock))
        )
        looker = MadeUpLooker(answer_s)
        owner = SyncOwner(
            engine.log.claim(SYNC_WORKER, 0),
            engine,
            clock,
            looker=looker,  # type: ignore[arg-type]  # `run` is all that is asked of it
            broker=broker,
            pool=pool,
            rooms_of=_with_a_room(RoomAddresses(engine.registry, clock)),
            pace_of=lambda _: PACE,
        )
        stack.callback(owner.close)
        endings = Endings(engine.registry, engine.keyring, broker, {}, clock)
        yield Worker(owner, Sweep(engine, clock, endings), engine, looker, boxes)


def hint_of(mailbox: Mailbox) -> NewRecord:
    """A push as the receiver appends it."""
    hint = ChangeNotification(
        provider="microsoft",
        kind=HintKind.CHANGED,
        subscription_id="s",
        key_id="k1",
        received_at_ms=int(time.time() * 1000),
    )
    payload = msgspec.Raw(msgspec.json.encode(hint))
    envelope = Envelope(id=uuid.uuid4().hex, type=change_notification.TYPE, tenant=mailbox.tenant, payload=payload)
    return NewRecord(NOTIFICATIONS_GRAPH.name, 0, mailbox.key, envelopes.encode(envelope))


def _with_a_room(known: RoomAddresses) -> Callable[[str], ListedRooms]:
    """Ask for the organisation's list as a worker does; then every one has the same room."""
    listed = ListedRooms({"aare@rooms.contoso.test": "r-1"})

    def rooms_of(tenant: str) -> ListedRooms:
        known.of(tenant)
        return listed

    return rooms_of


def _connect(engine: Engine, boxes: tuple[Mailbox, ...]) -> None:
    now_ms = int(time.time() * 1000)
    claim = engine.log.claim(SYNC_WORKER, 0)
    for start in range(0, len(boxes), CHUNK):
        changes = []
        for number, mailbox in enumerate(boxes[start : start + CHUNK], start):
            state = MailboxState(
                provider="microsoft",
                cursor="c" * 200,
                window_start_ms=window_at(now_ms, mailbox.id).start_ms,
                baseline_done=True,
                subscription=LiveSubscription(
                    id=uuid.uuid4().hex, key_id="k1", made_at_ms=now_ms, expires_at_ms=now_ms + 7 * DAY_MS
                ),
                due={DueReason.RECONCILE: now_ms + HOUR_MS + number},
                looked_at_ms=now_ms,
            )
            keys = engine.keyring.keys(mailbox.tenant)
            value = sealed_envelope(keys, state, key=mailbox.key, type=MAILBOX_TYPE, id=mailbox.id)
            changes.append(StateChange(mailbox.key, value))
        claim.commit([], changes, {})
    claim.close()


def _meeting(mailbox: Mailbox) -> SeenEvent:
    start_ms = int(time.time() * 1000) // DAY_MS * DAY_MS + 2 * DAY_MS
    return SeenEvent(
        event_id=uuid.uuid4().hex,
        uid=uuid.uuid4().hex,
        kind=EventKind.SINGLE,
        master_id="",
        slot="",
        start_ms=start_ms,
        end_ms=start_ms + HOUR_MS,
        cancelled=False,
        is_organizer=True,
        organizer=f"{mailbox.id}@contoso.test",
        shows_guests=True,
        attendees=(SeenAttendee("aare@rooms.contoso.test", AttendeeKind.ROOM, Answer.DECLINED),),
        version="1",
    )
