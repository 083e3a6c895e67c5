"""
What it costs to take a notification durably, beside receivers as others would write them, on three real brokers.

Each round starts every receiver in turn, in another order each time, and puts it under the same loads, 64 kept connections
each: a paced one of 400 and one of 800 pushes a second, as many as it takes, and, over 512 connections, three times as many as
it took; there a push counts from when a connection was free for it. What counts is a 202, which each gives only when all
in-sync replicas have the record (`benchmarks/peers`). Ratios are taken within a round, so that what else the machine does falls
on both.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.end_to_end.office import environ_of
from benchmarks.receiving.contenders import (
    OURS,
    Contender,
    MissingToolError,
    Running,
    our_receiver,
    peer_receivers,
    started,
)
from benchmarks.receiving.generator import Outcome
from benchmarks.receiving.processes import cpu_s, named, resident_mib
from cli.demo.processes import run_command
from cli.trigger.notifications import make_graph_push, make_synthetic_mailboxes
from deploy.local.processes import ServerError
from deploy.local.servers import local_servers
from shared.crypto.hook_keys import print_hook_keys
from shared.crypto.master import new_key, parse
from shared.domain.proof import HookKeys

PARTITIONS = 4
CONNECTIONS = 64
MANY_CONNECTIONS = 512
OVERLOAD = 3
MAILBOXES = 200
WARM_S, PACED_S, FULL_S, OVERLOAD_S = 3.0, 6.0, 5.0, 5.0
RATES = (400, 800)
BATCH = 100
ACCEPTED, UNAVAILABLE = 202, 503

Figures = dict[str, float]
"""What one receiver did in one round, by the names in `LINES`."""

LINES = {
    "cpu400": "CPU µs a 202, 400/s offered",
    "p50_400": "p50 ms, 400/s",
    "p99_400": "p99 ms, 400/s",
    "cpu800": "CPU µs a 202, 800/s offered",
    "p50_800": "p50 ms, 800/s",
    "p99_800": "p99 ms, 800/s",
    "most": "202s a second, as many as it takes",
    "cpu_most": "CPU µs a 202, as many as it takes",
    "brokers": "the brokers' CPU µs a 202, 800/s",
    "batch": "CPU µs an item, batches of 100",
    "memory": "resident MiB after that",
    "over_accepted": "3 times that: 202s a second",
    "over_p99": "3 times that: p99 ms of 202s",
    "over_refused": "3 times that: 503s a second",
    "over_refused_p99": "3 times that: p99 ms of 503s",
    "over_lost": "3 times that: answers of another kind or none",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What every receiver is measured with."""

    home: Path
    single: Path
    """A file of pushes of one item each."""
    batches: Path
    """A file of pushes of `BATCH` items each."""
    seconds: float
    """The share of each measurement's usual length."""

    def load(
        self,
        running: Running,
        pushes: Path,
        seconds: float,
        *,
        connections: int,
        rate: float = 0,
        more: Sequence[str] = (),
    ) -> Outcome:
        """Put it under load from another process."""
        words = [running.url, str(pushes), "--seconds", str(seconds * self.seconds), "--connections", str(connections)]
        command = [sys.executable, "-m", "benchmarks.receiving.generator", *words, "--rate", str(rate), *more]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        outcome = json.loads(printed)
        outcome["answers"] = {int(status): took for status, took in outcome["answers"].items()}
        return Outcome(**outcome)


def main() -> int:
    """Print each round, then medians, and ours by each of the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="a share of each measurement's usual length")
    parser.add_argument("--only", default="", help="a part of the names of the receivers to measure")
    arguments = parser.parse_args()
    print(f"load of the machine before: {_load()}")
    with contextlib.ExitStack() as stack:
        try:
            servers = stack.enter_context(local_servers(3))
        except ServerError as error:
            raise SystemExit(str(error)) from None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        master = new_key()
        environ = {**environ_of(home, servers, master, PARTITIONS), "PYTHONPATH": str(Path.cwd())}
        run_command(["topics", "--apply"], environ)
        keys = parse(master).hook_keys()
        environ["ROOMSYNC_HOOK_KEYS"] = print_hook_keys(keys)  # as shipped: the receiver has no master key
        bench = Bench(home, _pushes(home, keys, 1), _pushes(home, keys, BATCH), arguments.scale)
        contenders = [
            one
            for one in _contenders(environ, servers["ROOMSYNC_KAFKA_BOOTSTRAP"], keys)
            if arguments.only.lower() in one.name.lower()
        ]
        rounds = [_round(bench, contenders, number) for number in range(arguments.rounds)]
    _summarise(rounds)
    return 0


def _contenders(environ: Mapping[str, str], bootstrap: str, keys: HookKeys) -> Iterator[Contender]:
    yield our_receiver(environ)
    for peer in peer_receivers(bootstrap, keys):
        if isinstance(peer, MissingToolError):
            print(f"SKIPPED: {peer}")
        else:
            yield peer


def _pushes(home: Path, keys: HookKeys, items: int) -> Path:
    """Write pushes of so many items each, all of them of different mailboxes."""
    path = home / f"pushes-{items}"
    numbers = iter(range(10**9))
    made = [
        make_graph_push(keys, mailbox, lambda: f"00000000-0000-4000-8000-{next(numbers):012d}", 1_700_000_000_000)
        for mailbox in make_synthetic_mailboxes(max(MAILBOXES, items))
    ]
    with path.open("w") as file:
        for first in range(0, len(made), items):
            some = made[first : first + items]
            body = json.dumps({"value": [item for one in some for item in json.loads(one.body)["value"]]})
            file.write(json.dumps({"path": some[0].path, "headers": some[0].headers, "body": body}) + "\n")
    return path


def _round(bench: Bench, contenders: Sequence[Contender], number: int) -> dict[str, Figures]:
    """Measure all of them, in an order of this round's own."""
    shift = number % len(contenders)
    measured: dict[str, Figures] = {}
    for contender in (*contenders[shift:], *contenders[:shift]):
        measured[contender.name] = _measure(bench, contender)
        shown = ", ".join(f"{name} {value:.0f}" for name, value in measured[contender.name].items())
        print(f"round {number + 1}, load {_load()}, {contender.name}: {shown}", flush=True)
    return measured


def _measure(bench: Bench, contender: Contender) -> Figures:
    first = json.loads(bench.single.read_text().splitlines()[0])
    figures: Figures = {}
    with started(contender, first, bench.home / "receiver.log") as running:
        bench.load(running, bench.single, WARM_S, connections=CONNECTIONS, rate=200)
        for rate in RATES:
            brokers = _brokers_s()
            cpu, outcome = _costed(bench, running, bench.single, PACED_S, rate=rate)
            count = len(outcome.answers.get(ACCEPTED, []))
            figures[f"cpu{rate}"] = cpu
            figures[f"p50_{rate}"], figures[f"p99_{rate}"] = _percentiles(outcome.answers.get(ACCEPTED, []))
            figures["brokers"] = (_brokers_s() - brokers) / max(1, count) * 1e6
        cpu, outcome = _costed(bench, running, bench.single, FULL_S)
        figures["cpu_most"] = cpu
        figures["most"] = len(outcome.answers.get(ACCEPTED, [])) / (outcome.ended - outcome.began)
        cpu, _ = _costed(bench, running, bench.batches, FULL_S / 2, connections=8)
        figures["batch"] = cpu / BATCH
        figures["memory"] = resident_mib(running.pid)
        figures |= _overloaded(bench, running, figures["most"] * OVERLOAD)
    return figures


def _costed(
    bench: Bench, running: Running, pushes: Path, seconds: float, *, rate: float = 0, connections: int = CONNECTIONS
) -> tuple[float, Outcome]:
    """Load it; microseconds of its processor time for each 202, and what came back."""
    before = cpu_s(running.pid)
    outcome = bench.load(running, pushes, seconds, connections=connections, rate=rate)
    used = cpu_s(running.pid) - before
    return used / max(1, len(outcome.answers.get(ACCEPTED, []))) * 1e6, outcome


def _overloaded(bench: Bench, running: Running, rate: float) -> Figures:
    more = ("--from-sending",)
    outcome = bench.load(running, bench.single, OVERLOAD_S, connections=MANY_CONNECTIONS, rate=rate, more=more)
    took_s = outcome.ended - outcome.began
    accepted, refused = (outcome.answers.get(status, []) for status in (ACCEPTED, UNAVAILABLE))
    others = sum(len(took) for status, took in outcome.answers.items() if status not in (ACCEPTED, UNAVAILABLE))
    return {
        "over_accepted": len(accepted) / took_s,
        "over_p99": _percentiles(accepted)[1],
        "over_refused": len(refused) / took_s,
        "over_refused_p99": _percentiles(refused)[1],
        "over_lost": others + outcome.broken + outcome.unanswered,
    }


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile in milliseconds; of nothing, zeros."""
    took = sorted(seconds)
    return (statistics.median(took) * 1000, took[int(len(took) * 0.99)] * 1000) if took else (0.0, 0.0)


def _brokers_s() -> float:
    return sum(cpu_s(pid) for pid in named(os.getpid(), "java"))


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _summarise(rounds: Sequence[Mapping[str, Figures]]) -> None:
    names = list(rounds[0])
    print(f"\nmedians of {len(rounds)} rounds; behind each peer: ours by it, median of the pairs (least to most)")
    print("| what | " + " | ".join([OURS, *(name for name in names if name != OURS)]) + " |")
    print("| --- |" + " --- |" * len(names))
    for key, meaning in LINES.items():
        cells = [_cell(rounds, OURS, key), *(_cell(rounds, name, key) for name in names if name != OURS)]
        print(f"| {meaning} | " + " | ".join(cells) + " |")


def _cell(rounds: Sequence[Mapping[str, Figures]], name: str, key: str) -> str:
    if name not in rounds[0]:
        return "-"
    shown = f"{statistics.median(one[name][key] for one in rounds):,.0f}"
    if name == OURS or OURS not in rounds[0]:
        return shown
    ratios = sorted(one[OURS][key] / one[name][key] for one in rounds if one[name][key])
    if not ratios:
        return shown
    return f"{shown}; {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


if __name__ == "__main__":
    sys.exit(main())
