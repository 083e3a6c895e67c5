"""
From a hint to a decline that others can read, on three brokers at 50 hints a second, beside Quix Streams at the same rate.

Ours: POST to the receiver → hint → look → observation → fold → decline, through the receiver's, sync-worker's and room-status'
own processes. The calendars answer at once, inside the worker: the provider's time is excluded, nothing else is. Quix
Streams: record → stateful fold by key → record, exactly once, committing every 0.1 s; from before its record is produced
(no HTTP). So ours takes two stateful steps where that takes one. Both end when the same kind of `read_committed` consumer
has the outcome. The two run one after the other on the same brokers.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.end_to_end.calendars import Counts
from benchmarks.end_to_end.office import RECEIVER, Office, environ_of, services
from benchmarks.quix import FOLD, PINNED, quix_python
from cli.demo.processes import run_command
from cli.trigger.notifications import make_graph_push
from deploy.local.processes import ServerError
from deploy.local.servers import local_servers
from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS
from shared.crypto.master import new_key
from shared.engines.distributed.clients import Clients, TopicPartition

RATE = 50
PEOPLE = 50
WARM_S = 4.0
LAST_S = 20.0
"""How long the last outcome may take."""
SENDERS = 16
ACCEPTED = 202
TRIES, AGAIN_S = 50, 0.2
COMMIT_INTERVAL_S = 0.1

Send = Callable[[int], bytes]
"""Sends number n; returns the key that its outcome will have."""


@dataclass(frozen=True, slots=True)
class Load:
    """What both are put under."""

    seconds: float
    partitions: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from just before sending to the outcome's being read."""

    count: int
    lost: int
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms ({self.count} of {self.count + self.lost} arrived)"


def main() -> int:
    """Print both, and ours as a share of the other's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each is measured")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--without-quix", action="store_true")
    arguments = parser.parse_args()
    load = Load(arguments.seconds, arguments.partitions)
    with contextlib.ExitStack() as stack:
        try:
            servers = stack.enter_context(local_servers(3))
        except ServerError as error:
            raise SystemExit(str(error)) from None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = _ours(home, servers, load)
        print(f"roomsync, hint to decline: {ours}", flush=True)
        python = None if arguments.without_quix else quix_python()
        if python is None:
            return 0
        print(f"beside it: {PINNED}, exactly-once, commit_interval {COMMIT_INTERVAL_S} s", flush=True)
        theirs = _quix(python, home, servers["ROOMSYNC_KAFKA_BOOTSTRAP"], load)
        print(f"Quix Streams, record to record: {theirs}")
        print(f"ours / theirs: p50 {ours.p50_ms / theirs.p50_ms:.2f}, p99 {ours.p99_ms / theirs.p99_ms:.2f}")
    return 0


def _ours(home: Path, servers: Mapping[str, str], load: Load) -> Latency:
    environ = environ_of(home, servers, new_key(), load.partitions)
    counts_file = home / "counts"
    counts = Counts(counts_file, PEOPLE)
    run_command(["topics", "--apply"], environ)
    office = Office(environ, PEOPLE, counts)
    with contextlib.closing(office), services(environ, counts_file) as announced:
        office.connect()
        post = _poster(announced[RECEIVER][0])

        def send(number: int) -> bytes:
            person = number % PEOPLE
            key = office.decline(person)
            push = make_graph_push(
                office.hook_keys, office.mailboxes[person], lambda: f"n-{number}", int(time.time() * 1000)
            )
            post(push.path, push.body, push.headers)
            return key

        clients = Clients(servers["ROOMSYNC_KAFKA_BOOTSTRAP"])
        with _reading(clients, ROOM_REJECTIONS.name, load) as arrived:
            sent = _paced(send, load.seconds)
            latency = _latency(sent, arrived)
        print(_steps(clients, load, sent, arrived), flush=True)
        print(f"processes that had to be started again meanwhile: {sum(map(len, announced.values())) - len(announced)}")
        return latency


def _poster(receiver: str) -> Callable[[str, str, Mapping[str, str]], None]:
    parts = urlsplit(receiver)

    def post(path: str, body: str, headers: Mapping[str, str]) -> None:
        for _ in range(TRIES):
            with contextlib.closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)) as sender:
                sender.request("POST", path, body, dict(headers))
                answer = sender.getresponse()
                answer.read()
            if answer.status == ACCEPTED:
                return
            time.sleep(AGAIN_S)  # as a provider does, only sooner; it counts as our time
        message = f"the receiver went on saying {answer.status}"
        raise RuntimeError(message)

    return post


def _paced(send: Send, seconds: float) -> dict[bytes, float]:
    """Send at the rate; key of each outcome → when its sending began. What was sent first only warms up."""
    began_s = time.monotonic()
    sent: dict[bytes, float] = {}

    def one(number: int) -> None:
        time.sleep(max(0.0, began_s + number / RATE - time.monotonic()))
        at_s = time.perf_counter()
        sent[send(number)] = at_s

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(one, range(int(RATE * (WARM_S + seconds)))))
    first_s = min(sent.values()) + WARM_S
    return {key: at_s for key, at_s in sent.items() if at_s >= first_s}


@contextlib.contextmanager
def _reading(clients: Clients, topic: str, load: Load) -> Iterator[dict[bytes, float]]:
    """A `read_committed` reader in a thread; key → when it was read first."""
    consumer = clients.consumer(committed=True)
    places = [TopicPartition(topic, partition) for partition in range(load.partitions)]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    arrived: dict[bytes, float] = {}
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            for records in consumer.poll(timeout_ms=100).values():
                now_s = time.perf_counter()
                for record in records:
                    arrived.setdefault(record.key or b"", now_s)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield arrived
    finally:
        over.set()
        reader.join()
        consumer.close()


def _latency(sent: Mapping[bytes, float], arrived: Mapping[bytes, float]) -> Latency:
    deadline_s = time.monotonic() + LAST_S
    while not sent.keys() <= arrived.keys() and time.monotonic() < deadline_s:
        time.sleep(0.1)
    took = sorted((arrived[key] - at_s) * 1000 for key, at_s in sent.items() if key in arrived)
    if not took:
        message = "nothing arrived at all"
        raise RuntimeError(message)
    return Latency(len(took), len(sent) - len(took), statistics.median(took), took[int(len(took) * 0.99)])


def _steps(clients: Clients, load: Load, sent: Mapping[bytes, float], arrived: Mapping[bytes, float]) -> str:
    """Where the time goes, by the brokers' own stamps."""
    stamps = [_stamps(clients, topic, load) for topic in (OBSERVATIONS.name, ROOM_REJECTIONS.name)]
    offset_ms = (time.time() - time.perf_counter()) * 1000
    keys = [key for key in sent if all(key in each for each in (*stamps, arrived))]
    begun = [sent[key] * 1000 + offset_ms for key in keys]
    observed, declined = ([each[key] for key in keys] for each in stamps)
    read = [arrived[key] * 1000 + offset_ms for key in keys]
    names = ("POST → observation", "→ decline", "→ read")
    parts = [
        f"{name} {statistics.median(b - a for a, b in zip(before, after, strict=True)):.0f}"
        for name, before, after in zip(names, (begun, observed, declined), (observed, declined, read), strict=True)
    ]
    return f"roomsync, steps (median, ms): {', '.join(parts)}"


def _stamps(clients: Clients, topic: str, load: Load) -> dict[bytes, float]:
    """Key → when the broker appended its first record."""
    consumer = clients.consumer(committed=True)
    places = [TopicPartition(topic, partition) for partition in range(load.partitions)]
    consumer.assign(places)
    ends = consumer.end_offsets(places, timeout_ms=5_000)
    found: dict[bytes, float] = {}
    for place in places:
        consumer.seek(place, 0)
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                found.setdefault(record.key or b"", record.timestamp)
    consumer.close()
    return found


def _quix(python: Path, home: Path, bootstrap: str, load: Load) -> Latency:
    clients = Clients(bootstrap)
    run = uuid.uuid4().hex[:6]
    source, target = f"quix-in-{run}", f"quix-out-{run}"
    _make(clients, load, source, target)
    command = [str(python), str(FOLD), bootstrap, f"quix-{run}", source, target, str(home / "quix-state")]
    command += ["--commit-interval-s", str(COMMIT_INTERVAL_S)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=home) as process:
        try:
            return _quix_measured(clients, source, target, load)
        finally:
            process.terminate()


def _quix_measured(clients: Clients, source: str, target: str, load: Load) -> Latency:
    producer = clients.appender()

    def send(number: int) -> bytes:
        key = b"m-%d" % number  # as many keys as there are meetings in ours
        producer.send(source, json.dumps({"n": number}).encode(), key=key, partition=number % load.partitions).get(10)
        return key

    try:
        with _reading(clients, target, load) as arrived:
            send(10**9)
            deadline_s = time.monotonic() + 60
            while not arrived and time.monotonic() < deadline_s:
                time.sleep(0.1)
            return _latency(_paced(send, load.seconds), arrived)
    finally:
        producer.close(timeout=2)


def _make(clients: Clients, load: Load, *topics: str) -> None:
    admin = clients.admin()
    shape = {"num_partitions": load.partitions, "replication_factor": 3}
    admin.create_topics(dict.fromkeys(topics, shape), wait_for_metadata=True)
    admin.close()


if __name__ == "__main__":
    sys.exit(main())
