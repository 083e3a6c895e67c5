"""
A whole sync worker beside many mailboxes: `python -m benchmarks.bench_mailboxes`.

Its own owner, schedule, threads and log (embedded); only the looks are made up, and take as long as a provider's answer. First its
processor time while nothing is due, then how long a push waits for its look while appointments are due by the thousand.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.sync_worker.deciding.job import Job, Outcome
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.mailbox import Pace, window_at
from services.sync_worker.deciding.schedule import Priority
from services.sync_worker.looking.pool import PriorityPool
from services.sync_worker.main import LOOKS_AT_ONCE
from services.sync_worker.worker import SyncOwner
from shared.contracts import change_notification
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import MAILBOX_TYPE, DueReason, LiveSubscription, MailboxState
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.contracts.envelope import Envelope
from shared.contracts.topics import NOTIFICATIONS_GRAPH, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS, SECOND_MS
from shared.domain.sighting import Look
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, StateChange
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load

CHUNK = 2_000
PACE = Pace(reconcile_ms=900 * SECOND_MS, pending_silent_ms=600 * SECOND_MS, grace_ms=0)
ANSWER_S = 0.05
"""How long a look takes: a provider answers in 50 to 300 ms."""


class SlowLooker:
    """Looks that show nothing, and the instants at which those of pushed mailboxes began."""

    def __init__(self) -> None:
        self.began_s: dict[str, float] = {}

    def run(self, job: Job) -> Outcome:
        """Take as long as a provider."""
        if job.priority is Priority.PUSH:
            self.began_s[job.mailbox.id] = time.perf_counter()
        time.sleep(ANSWER_S)
        return Outcome(job, job.state, Look((), job.state.cursor, full=False))


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mailboxes", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--pushes", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    with _owner(asked.mailboxes, 0) as (owner, _, _, _):
        print(f"a worker with {asked.mailboxes:,} mailboxes at rest: {_idle_share(owner, asked.seconds):.1%} of a core")
    with _owner(asked.due, asked.due) as (owner, engine, tenant, looker):
        waited = _pushed(owner, engine, tenant, looker, asked.pushes, asked.due)
    p50, p99 = statistics.median(waited), waited[int(len(waited) * 0.99) - 1]
    print(
        f"a push among {asked.due:,} due appointments: its look began after p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"at most {waited[-1]:.0f} ms ({len(waited)} pushes)"
    )


def _idle_share(owner: SyncOwner, seconds: float) -> float:
    _stepped_for(owner, 5.0)  # what is done once after a start
    began_s, used_s = time.perf_counter(), time.process_time()
    _stepped_for(owner, seconds)
    return (time.process_time() - used_s) / (time.perf_counter() - began_s)


def _stepped_for(owner: SyncOwner, seconds: float) -> None:
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        owner.step()


def _pushed(
    owner: SyncOwner, engine: Engine, tenant: str, looker: SlowLooker, pushes: int, mailboxes: int
) -> list[float]:
    """Milliseconds from a push's standing in the log to its look, in order of size."""
    sent_s: dict[str, float] = {}
    stop = threading.Event()

    def send() -> None:
        for number in range(pushes):
            mailbox = Mailbox(tenant, f"m-{(number * 37 + mailboxes // 2) % mailboxes}")
            engine.log.append([_push(mailbox)])
            sent_s[mailbox.id] = time.perf_counter()
            time.sleep(0.1)
        stop.set()

    sender = threading.Thread(target=send)
    sender.start()
    until_s = time.perf_counter() + pushes * 0.1 + 60.0
    while time.perf_counter() < until_s and not (stop.is_set() and sent_s.keys() <= looker.began_s.keys()):
        owner.step()
    sender.join()
    return sorted((looker.began_s[each] - at_s) * 1e3 for each, at_s in sent_s.items())


def _push(mailbox: Mailbox) -> NewRecord:
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


@contextlib.contextmanager
def _owner(mailboxes: int, due: int) -> Iterator[tuple[SyncOwner, Engine, str, SlowLooker]]:
    """The owner of one partition with so many mailboxes, of which so many are due."""
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roomsync-bench-")))
        engine = open_engine(home, partitions=1, prefix="", master=parse(new_key()), clock=clock)
        stack.callback(engine.close)
        tenant = enrol(
            engine.registry, engine.keyring, provider="microsoft", directory=uuid.uuid4().hex, name="Contoso"
        )
        _fill(engine, tenant, mailboxes, due)
        settings = load({"ROOMSYNC_HOME": str(home), "ROOMSYNC_ENGINE": "embedded"})
        broker = stack.enter_context(
            contextlib.closing(ConsentBroker(engine.registry, engine.keyring, settings, clock))
        )
        pool = PriorityPool(LOOKS_AT_ONCE)
        stack.callback(pool.shutdown)
        looker = SlowLooker()
        owner = SyncOwner(
            engine.log.claim(SYNC_WORKER, 0),
            engine,
            clock,
            looker=looker,  # type: ignore[arg-type]  # `run` is all that is asked of it
            broker=broker,
            pool=pool,
            rooms_of=_no_rooms,
            pace_of=lambda _: PACE,
        )
        stack.callback(owner.close)
        yield owner, engine, tenant, looker


def _no_rooms(tenant: str) -> ListedRooms:
    del tenant
    return ListedRooms.of(())


def _fill(engine: Engine, tenant: str, mailboxes: int, due: int) -> None:
    keys, now_ms = engine.keyring.keys(tenant), int(time.time() * 1000)
    claim = engine.log.claim(SYNC_WORKER, 0)
    for start in range(0, mailboxes, CHUNK):
        changes = []
        for number in range(start, min(start + CHUNK, mailboxes)):
            mailbox = Mailbox(tenant, f"m-{number}")
            state = MailboxState(
                provider="microsoft",
                cursor="c" * 200,
                window_start_ms=window_at(now_ms, mailbox.id).start_ms,
                baseline_done=False,
                subscription=LiveSubscription(
                    id=uuid.uuid4().hex, key_id="k1", made_at_ms=now_ms, expires_at_ms=now_ms + 7 * DAY_MS
                ),
                due={DueReason.RECONCILE: now_ms if number < due else now_ms + HOUR_MS + number},
                looked_at_ms=now_ms,
            )
            value = sealed_envelope(keys, state, key=mailbox.key, type=MAILBOX_TYPE, id=mailbox.id)
            changes.append(StateChange(mailbox.key, value))
        claim.commit([], changes, {})
    claim.close()


if __name__ == "__main__":
    main()
