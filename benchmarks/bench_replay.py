"""
`roomsync replay` beside Quix Streams over the same observations, in pairs, on real brokers: `python -m benchmarks.bench_replay`.

Ours is the whole command, its start included: it opens each observation, decides it again upon the states of before, and compares
what that gives with `room-rejections` and `room-outcomes`, byte for byte. Quix folds each observation's bytes, which it cannot
open, into a state by key, and writes one record for each, exactly once, committing every 5 s as it does by default; from the
first record that it takes to the last, so without its start. Each meeting is looked at five times, by two people: a room accepts
it, another one declines. Processor time is of the whole process, both times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.end_to_end.office import environ_of
from benchmarks.quix import FOLD, PINNED, quix_python
from cli.demo.processes import run_command
from deploy.local.processes import ServerError
from deploy.local.servers import local_servers
from services.room_status.operations import RoomStatusOwner, recollection, rules_with
from shared.contracts import copy_observation
from shared.contracts.copy_observation import CopyDate, CopyObservation
from shared.contracts.meeting_state import meeting_key
from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION
from shared.crypto.master import new_key
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, CopyRole
from shared.domain.identity import partition_of
from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.domain.keys import TenantKeys
from shared.engines.distributed.clients import Clients
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings, load
from shared.runtime.wiring import open_engine

WANTED = 3.0
CHUNK = 500
MAILBOXES, ROOMS = 200, 400
STEPS = (
    (CopyRole.ORGANIZER, Answer.NONE, Answer.NONE),
    (CopyRole.GUEST, Answer.NONE, Answer.NONE),
    (CopyRole.ORGANIZER, Answer.ACCEPTED, Answer.NONE),
    (CopyRole.GUEST, Answer.ACCEPTED, Answer.NONE),
    (CopyRole.ORGANIZER, Answer.ACCEPTED, Answer.DECLINED),
)
"""The looks at one meeting: whose copy, and what its two rooms have answered. The last one is always recorded, with the position
behind it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One way through all observations."""

    seconds: float
    cpu_s: float


def main() -> int:
    """Print each pair, and the ratio in observations a second with its spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meetings", type=int, default=4_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    python = quix_python()
    with contextlib.ExitStack() as stack:
        try:
            servers = stack.enter_context(local_servers(arguments.brokers))
        except ServerError as error:
            raise SystemExit(str(error)) from None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environ = environ_of(home, servers, new_key(), arguments.partitions)
        run_command(["topics", "--apply"], environ)
        since = to_rfc3339(int(time.time() * 1000))
        count = _observe(environ, arguments.meetings)
        print(
            f"{count:,} observations on {arguments.brokers} brokers, {arguments.partitions} partitions; beside it {PINNED}"
        )
        print(
            "| pair | ours s | ours CPU µs an observation | Quix s | Quix CPU µs | ours by Quix's, observations a second |"
        )
        print("| --- | --- | --- | --- | --- | --- |", flush=True)
        ratios = []
        for number in range(arguments.pairs):
            ours, theirs = _pair(python, environ, since, count, ours_first=number % 2 == 0)
            line = f"| {number + 1} | {ours.seconds:.2f} | {ours.cpu_s / count * 1e6:.0f} |"
            if theirs is None:
                print(f"{line} | | |", flush=True)
                continue
            ratios.append(theirs.seconds / ours.seconds)
            cpu = theirs.cpu_s / count * 1e6
            print(f"{line} {theirs.seconds:.2f} | {cpu:.0f} | {ratios[-1]:.2f} |", flush=True)
    if ratios:
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"ours by Quix's: {spread}; wanted: {WANTED:g}")
    return 0


def _pair(
    python: Path | None, environ: Mapping[str, str], since: str, count: int, *, ours_first: bool
) -> tuple[Run, Run | None]:
    if ours_first:
        ours = _ours(environ, since, count)
        return ours, _quix(python, environ, count)
    theirs = _quix(python, environ, count)
    return _ours(environ, since, count), theirs


def _ours(environ: Mapping[str, str], since: str, count: int) -> Run:
    began = time.perf_counter()
    command = [sys.executable, "-m", "cli.main", "replay", "--from", since, "--json"]
    out, cpu_s = _run(command, environ)
    seconds, found = time.perf_counter() - began, json.loads(out)
    if not found["equal"] or found["observations"] != count:
        message = f"the replay is not what was decided: {out[:500]!r}"
        raise SystemExit(message)
    return Run(seconds, cpu_s)


def _quix(python: Path | None, environ: Mapping[str, str], count: int) -> Run | None:
    """A group of its own, so that it begins at the beginning, with a state and an output of its own."""
    if python is None:
        return None
    name = f"quix-{uuid.uuid4().hex[:6]}"
    clients = Clients(environ["ROOMSYNC_KAFKA_BOOTSTRAP"])
    shape = {
        "num_partitions": int(environ["ROOMSYNC_PARTITIONS"]),
        "replication_factor": int(environ["ROOMSYNC_KAFKA_REPLICATION"]),
    }
    with contextlib.closing(clients.admin()) as admin:
        admin.create_topics({f"{name}-out": shape}, wait_for_metadata=True)
    with tempfile.TemporaryDirectory() as state:
        command = [str(python), str(FOLD), clients.bootstrap, name, OBSERVATIONS.name, f"{name}-out", state]
        out, cpu_s = _run([*command, "--count", str(count)], environ)
    return Run(float(out.splitlines()[-1]), cpu_s)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[bytes, float]:
    """What a process printed, and its processor time."""
    process = subprocess.Popen(command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{' '.join(command)} ended with {process.returncode}: {out.decode()[-500:]}"
        raise SystemExit(message)
    return out, used.ru_utime + used.ru_stime


def _observe(environ: Mapping[str, str], meetings: int) -> int:
    """Write the observations, and have room_status decide them; how many there are."""
    settings = load(environ)
    with contextlib.closing(open_engine(settings)) as engine:
        tenant = enrol(
            engine.registry, engine.keyring, provider="microsoft", directory=uuid.uuid4().hex, name="Contoso"
        )
        keys, now_ms = engine.keyring.keys(tenant), int(time.time() * 1000)
        looks = [
            _observation(keys, number, step, now_ms, settings.partitions)
            for step in range(len(STEPS))
            for number in range(meetings)
        ]
        for chunk in _chunks(looks):
            engine.log.append(chunk)
        for partition in range(settings.partitions):
            _decide(engine, partition, settings)
    return len(looks)


def _chunks(records: Sequence[NewRecord]) -> Iterator[Sequence[NewRecord]]:
    return (records[start : start + CHUNK] for start in range(0, len(records), CHUNK))


def _decide(engine: Engine, partition: int, settings: Settings) -> None:
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    owner = RoomStatusOwner(claim, engine, SystemClock(), poll_s=0.05, rules=rules_with(settings.grace_ms))
    end = engine.log.span(OBSERVATIONS.name, partition).end
    while recollection.first_unpassed_offset(engine.log, partition) < end:
        owner.step()
    owner.close()
    claim.close()


def _observation(keys: TenantKeys, number: int, step: int, now_ms: int, partitions: int) -> NewRecord:
    role, *answers = STEPS[step]
    meeting, start_ms = keys.meeting("microsoft", str(number)), now_ms + DAY_MS + number * HOUR_MS // 60
    rooms = {keys.room(f"room-{(2 * number + nth) % ROOMS}@x.test"): answer for nth, answer in enumerate(answers)}
    person = number + (role is CopyRole.GUEST)
    date = CopyDate(
        ref=keys.occurrence(meeting, ""), event_id=f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{number:024d}", start_ms=start_ms,
        end_ms=start_ms + HOUR_MS, rooms=rooms, seats=6,
    )  # fmt: skip
    seen = CopyObservation(
        provider="microsoft", mailbox=f"m-{person % MAILBOXES:026d}", meeting=meeting, organizer=keys.person(f"{number}@x.test"),
        role=role, observed_at_ms=now_ms + step, window_start_ms=now_ms - DAY_MS, window_end_ms=start_ms + DAY_MS, dates=(date,),
    )  # fmt: skip
    key = meeting_key(keys.tenant, meeting)
    value = sealed_envelope(
        keys, seen, key=key, type=copy_observation.TYPE, id=f"o-{number}-{step}", version=copy_observation.VERSION, compress=True
    )  # fmt: skip
    return NewRecord(OBSERVATIONS.name, partition_of(key, partitions), key, value)


if __name__ == "__main__":
    sys.exit(main())
