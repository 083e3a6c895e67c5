"""
What the claim protocol costs on real brokers: `python -m benchmarks.bench_transactions [--brokers 3] [--count 300]`.

Starts its own brokers (or takes `--bootstrap`), measures one-record commits, appends and a restore, and prints a table.
Latencies are wall-clock milliseconds, CPU is this process's own milliseconds per operation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from deploy.local.kafka import brokers
from deploy.local.processes import ServerError
from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.crypto.master import new_key, parse
from shared.engines.distributed import DistributedEngine, delete_topics, ensure_topics, open_engine
from shared.ports.log import NewRecord, StateChange
from shared.runtime.clock import SystemClock

PARTITIONS = 3
RESTORED = 100_000
CHUNK = 2_000
REFERENCE = b"x" * 300  # a sealed event reference of two rooms and six people, in its envelope
OBSERVATION = b"y" * 900


@dataclass(frozen=True)
class Measured:
    """One line of the table."""

    what: str
    p50_ms: float
    p99_ms: float
    cpu_ms: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="", help="brokers to use; default: start some")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--count", type=int, default=300, help="operations per measurement")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        try:
            bootstrap = arguments.bootstrap or stack.enter_context(brokers(arguments.brokers)).bootstrap
        except ServerError as error:
            raise SystemExit(str(error)) from None
        replication = 3 if bootstrap.count(",") >= 2 else 1
        engine = stack.enter_context(_engine(bootstrap, replication))
        results = _measured(engine, arguments.count)
    if arguments.json:
        print(json.dumps([asdict(one) for one in results]))
        return
    print(f"{replication} replica(s), {arguments.count} operations each\n")
    print("| what | p50 ms | p99 ms | CPU ms |\n| --- | --- | --- | --- |")
    for one in results:
        print(f"| {one.what} | {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.cpu_ms:.1f} |")


@contextlib.contextmanager
def _engine(bootstrap: str, replication: int) -> Iterator[DistributedEngine]:
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    ensure_topics(bootstrap, prefix=prefix, partitions=PARTITIONS, replication=replication)
    nowhere = "redis://127.0.0.1:1/0"
    engine = open_engine(
        bootstrap=bootstrap,
        view_redis_url=nowhere,
        registry_redis_url=nowhere,
        partitions=PARTITIONS,
        replication=replication,
        prefix=prefix,
        master=parse(new_key()),
        clock=SystemClock(),
    )
    try:
        yield engine
    finally:
        engine.close()
        delete_topics(bootstrap, prefix=prefix)


def _measured(engine: DistributedEngine, count: int) -> list[Measured]:
    log = engine.log
    hint = [NewRecord(OBSERVATIONS.name, 0, b"mailbox", OBSERVATION)]
    results = [_timed("append of one record", count, lambda: log.append(hint))]
    decision = [NewRecord(ROOM_REJECTIONS.name, 0, b"meeting", OBSERVATION)]
    state = [StateChange(b"meeting", OBSERVATION)]
    claim = log.claim(ROOM_STATUS_STATION, 0)
    results.append(_timed("commit, state only, back to back", count, lambda: claim.commit([], state, {})))
    results.append(
        _timed("commit, one decision and its state, back to back", count, lambda: claim.commit(decision, state, {}))
    )

    def paced() -> None:
        time.sleep(0.02)

    results.append(_timed("the same, 20 ms apart", count, lambda: claim.commit(decision, state, {}), before=paced))
    many = [StateChange(b"m-%d" % number, OBSERVATION) for number in range(500)]
    results.append(_timed("commit, 500 states", max(20, count // 10), lambda: claim.commit([], many, {})))
    claim.close()
    filled = log.claim(ROOM_STATUS_STATION, 1)
    for start in range(0, RESTORED, CHUNK):
        filled.commit([], [StateChange(b"ref-%d" % number, REFERENCE) for number in range(start, start + CHUNK)], {})
    filled.close()
    results.append(_timed("claim of an empty partition", 5, lambda: log.claim(ROOM_STATUS_STATION, 2).close()))
    results.append(
        _timed(f"claim, restoring {RESTORED:,} references", 3, lambda: log.claim(ROOM_STATUS_STATION, 1).close())
    )
    return results


def _timed(what: str, count: int, work: Callable[[], object], before: Callable[[], None] = lambda: None) -> Measured:
    work()  # connections, metadata
    taken = []
    cpu = time.process_time()
    for _ in range(count):
        before()
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / count
    taken.sort()
    return Measured(what, taken[len(taken) // 2], taken[min(len(taken) - 1, int(len(taken) * 0.99))], cpu)


if __name__ == "__main__":
    main()
