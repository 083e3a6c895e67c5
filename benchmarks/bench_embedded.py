"""
What the embedded engine costs: commits by eight processes at once, bytes per record, restoring 100,000 references.

    python benchmarks/bench_embedded.py [--processes 8] [--commits 400] [--references 100000] [--dir PATH]

Prints one JSON line per measurement. The figures of docs/adr/0006-embedded-engine.md were made with it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from multiprocessing.queues import Queue
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.engines.embedded import EmbeddedEngine, open_engine
from shared.ports.log import NewRecord, StateChange
from shared.runtime.clock import SystemClock

DECISION_BYTES, STATE_BYTES, REFERENCE_BYTES, KEY_BYTES = 600, 900, 420, 60
WARM_UP = 20


def engine_at(home: str, partitions: int) -> EmbeddedEngine:
    """The engine under measurement, with a throw-away master key."""
    return open_engine(Path(home), partitions=partitions, prefix="", master=parse(new_key()), clock=SystemClock())


def commit_in_a_loop(home: str, partitions: int, partition: int, commits: int, pause_s: float, out: Queue) -> None:
    """One worker: a decision, a state and the position in each commit. Puts milliseconds per commit."""
    engine = engine_at(home, partitions)
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    decision = NewRecord(ROOM_REJECTIONS.name, partition, os.urandom(KEY_BYTES), os.urandom(DECISION_BYTES))
    state = StateChange(decision.key, os.urandom(STATE_BYTES))
    taken: list[float] = []
    for number in range(commits + WARM_UP):
        start = time.perf_counter()
        claim.commit([decision], [state], {OBSERVATIONS.name: number})
        taken.append((time.perf_counter() - start) * 1000)
        time.sleep(pause_s)
    engine.close()
    out.put(taken[WARM_UP:])


def measure_commits(home: str, processes: int, commits: int, pause_s: float) -> dict[str, object]:
    """All processes at once on one file; with a pause between commits, or flat out."""
    engine_at(home, processes).log.close()
    out: Queue = multiprocessing.get_context("spawn").Queue()
    workers = [
        multiprocessing.get_context("spawn").Process(
            target=commit_in_a_loop, args=(home, processes, number, commits, pause_s, out)
        )
        for number in range(processes)
    ]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    taken = [milliseconds for _ in workers for milliseconds in out.get()]
    for worker in workers:
        worker.join()
    cuts = statistics.quantiles(taken, n=1000)
    return {
        "measured": "commit", "processes": processes, "pause_ms": pause_s * 1000, "commits": len(taken),
        "p50_ms": round(cuts[499], 2), "p99_ms": round(cuts[989], 2), "max_ms": round(max(taken), 2),
        "seconds": round(time.perf_counter() - start, 1),
    }  # fmt: skip


def measure_bytes(home: str, count: int) -> dict[str, object]:
    """Bytes in the file per record, beyond key and value."""
    engine = engine_at(home, 4)
    records = [
        NewRecord(OBSERVATIONS.name, number % 4, os.urandom(KEY_BYTES), os.urandom(REFERENCE_BYTES))
        for number in range(count)
    ]
    path = Path(home) / "log.db"
    _ = engine.log
    engine.close()
    before = path.stat().st_size
    engine = engine_at(home, 4)
    for start in range(0, count, 50):
        engine.log.append(records[start : start + 50])
    engine.log._database.forget()  # noqa: SLF001  # the file is measured, not the write-ahead log
    per_record = (path.stat().st_size - before) / count
    engine.close()
    return {
        "measured": "bytes", "records": count, "content_bytes": KEY_BYTES + REFERENCE_BYTES,
        "file_bytes_per_record": round(per_record, 1), "overhead_bytes": round(per_record - KEY_BYTES - REFERENCE_BYTES, 1),
    }  # fmt: skip


def measure_restore(home: str, references: int) -> dict[str, object]:
    """Claiming a partition whose state is `references` keys."""
    engine = engine_at(home, 1)
    claim = engine.log.claim(SYNC_WORKER, 0)
    for start in range(0, references, 500):
        changes = [
            StateChange(f"tenant/mailbox/{number:044d}".encode(), os.urandom(REFERENCE_BYTES))
            for number in range(start, min(start + 500, references))
        ]
        claim.commit([], changes, {})
    engine.close()
    engine = engine_at(home, 1)
    begin = time.perf_counter()
    restored = engine.log.claim(SYNC_WORKER, 0)
    seconds = time.perf_counter() - begin
    engine.close()
    return {"measured": "restore", "references": len(restored.state), "seconds": round(seconds, 3)}


def main() -> None:
    """Measure everything in fresh directories."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--processes", type=int, default=8)
    options.add_argument("--commits", type=int, default=400)
    options.add_argument("--references", type=int, default=100_000)
    options.add_argument("--dir", default=None, help="on the disk to be measured; default: the system's temporary one")
    chosen = options.parse_args()
    print(json.dumps({"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "cpus": os.cpu_count()}))
    with tempfile.TemporaryDirectory(dir=chosen.dir) as place:
        for pause_s in (0.1, 0.0):
            home = f"{place}/commits-{pause_s}"
            print(json.dumps(measure_commits(home, chosen.processes, chosen.commits, pause_s)), flush=True)
        print(json.dumps(measure_bytes(f"{place}/bytes", chosen.references // 5)), flush=True)
        print(json.dumps(measure_restore(f"{place}/restore", chosen.references)), flush=True)


if __name__ == "__main__":
    main()
