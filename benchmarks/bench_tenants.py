"""
What organisations cost that share a deployment: `python -m benchmarks.bench_tenants`.

The same work for one organisation, for a hundred and for ten thousand: processor time of a notification in the receiver, of a
push until its observation is committed by a sync worker, and of organisations at rest. Then what one that is pushed a hundred
times its share costs the others. In one process on the embedded engine; provider and log of the receiver are made up.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from benchmarks.law_picture import draw_law
from benchmarks.organisations import Worker, hint_of, worker_of
from cli.trigger.notifications import make_graph_push
from services.sync_worker.looking.pool import PriorityPool
from services.sync_worker.main import LOOKS_AT_ONCE
from services.webhook_receiver.app import HookHandler, direct_routes
from services.webhook_receiver.intake import Intake
from shared.crypto.master import new_key, parse
from shared.domain.identity import Mailbox
from shared.ports.log import Append
from shared.runtime.breaker import Breaker
from shared.runtime.clock import SystemClock
from shared.runtime.http_direct import DirectAnswer, DirectRequest

ORGANISATIONS = (1, 100, 10_000)
MAILBOXES = 10_000
SWEEPS, RESTED_S = 20, 2.0
NOISY_ORGANISATIONS = 100
NOISY_TIMES = 100
OTHERS_EVERY_S = 0.05
ANSWER_S = 0.05

Figures = dict[str, float]


class _Inline(Executor):
    """Runs a look where it is begun, so that threads take no part in what is measured."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class _AcknowledgingLog:
    """A log that has everything at once."""

    def begin_appends(self, appends: Sequence[Append]) -> None:
        for append in appends:
            append.settle(None)


def main() -> int:
    """Print medians and the ratios to one organisation, which are made of measurements one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pushes", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--organisations", type=int, nargs="+", default=ORGANISATIONS)
    parser.add_argument("--picture", type=Path, help="an SVG to write: the costs against the number of organisations")
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        workers = {count: stack.enter_context(worker_of(count, MAILBOXES, _Inline())) for count in asked.organisations}
        for worker in workers.values():
            _measure(worker, asked.pushes // 10)  # what is done once after a start
        rounds = [_round(workers, asked.pushes, number) for number in range(asked.rounds)]
    _summarise(rounds)
    if asked.picture:
        asked.picture.write_text(draw_law("What organisations cost, medians", "organisations", _laws(rounds)))
    _noisy(asked.rounds, asked.seconds)
    return 0


def _round(workers: Mapping[int, Worker], pushes: int, number: int) -> dict[int, Figures]:
    """Measure all of them, every other time in the opposite order."""
    order = list(workers.items())[:: -1 if number % 2 else 1]
    measured = {count: _measure(worker, pushes) for count, worker in order}
    return {count: measured[count] for count in workers}


def _measure(worker: Worker, pushes: int) -> Figures:
    mailboxes = list(itertools.islice(itertools.cycle(worker.mailboxes), pushes))
    return {
        "us a notification in the receiver": _received(mailboxes) / pushes * 1e6,
        "us a push to its observation, all at once": _observed(worker, mailboxes, pushes) / pushes * 1e6,
        "us a push to its observation, one at a time": _observed(worker, mailboxes[: pushes // 10], 1)
        / (pushes // 10)
        * 1e6,
        "ms a second of housekeeping at rest": _swept(worker) / 2.0 * 1e3,
        "ms a second of a sync worker at rest": _rested(worker) * 1e3,
    }


def _received(mailboxes: Sequence[Mailbox]) -> float:
    """Seconds of processor time from requests to acknowledgements."""
    keys, clock = parse(new_key()).hook_keys(), SystemClock()
    pushes = [make_graph_push(keys, mailbox, lambda: str(uuid.uuid4()), clock.now_ms()) for mailbox in mailboxes]
    asked = [
        DirectRequest("", {name.lower(): value for name, value in push.headers.items()}, push.body.encode())
        for push in pushes
    ]
    with contextlib.closing(Breaker("bench", lambda: None)) as breaker:
        intake = Intake(_AcknowledgingLog, 4, clock, breaker)  # type: ignore[arg-type]  # appending is all that is asked
        with contextlib.closing(intake):
            handle = direct_routes(HookHandler(intake, keys, clock))[pushes[0].path]
            began_s = time.process_time()
            for first in range(0, len(asked), 50):
                _answered(handle, asked[first : first + 50])
            return time.process_time() - began_s


def _answered(handle: Callable[..., None], group: Sequence[DirectRequest]) -> None:
    left, done = [len(group)], threading.Event()

    def respond(answer: DirectAnswer) -> None:
        assert answer.status == 202, answer
        left[0] -= 1
        if not left[0]:
            done.set()

    for request in group:
        handle(request, respond)
    assert done.wait(10)


def _observed(worker: Worker, mailboxes: Sequence[Mailbox], at_once: int) -> float:
    """Seconds of processor time from the log to the committed observations, so many pushes together."""
    began_s = time.process_time()
    for first in range(0, len(mailboxes), at_once):
        group = mailboxes[first : first + at_once]
        wanted = worker.observed() + len(group)
        worker.engine.log.append([hint_of(mailbox) for mailbox in group])
        worker.step_until(lambda wanted=wanted: worker.observed() >= wanted)  # type: ignore[misc]
    return time.process_time() - began_s


def _swept(worker: Worker) -> float:
    """Seconds of processor time of a round of the housekeeping, of which there is one in two seconds."""
    began_s = time.process_time()
    for _ in range(SWEEPS):
        worker.sweep.once()
    return (time.process_time() - began_s) / SWEEPS


def _rested(worker: Worker) -> float:
    """Seconds of processor time in a second in which nothing is due."""
    began_s, used_s = time.perf_counter(), time.process_time()
    while time.perf_counter() < began_s + RESTED_S:
        worker.owner.step()
    return (time.process_time() - used_s) / (time.perf_counter() - began_s)


def _summarise(rounds: Sequence[Mapping[int, Figures]]) -> None:
    counts = list(rounds[0])
    print("| what | " + " | ".join(f"{count:,}" for count in counts) + " |\n| --- |" + " --- |" * len(counts))
    for name in rounds[0][counts[0]]:
        cells = [_cell(rounds, name, count, counts[0]) for count in counts]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _laws(rounds: Sequence[Mapping[int, Figures]]) -> dict[str, list[tuple[float, float]]]:
    counts = list(rounds[0])
    return {
        name: [(count, statistics.median(one[count][name] for one in rounds)) for count in counts]
        for name in rounds[0][counts[0]]
    }


def _cell(rounds: Sequence[Mapping[int, Figures]], name: str, count: int, first: int) -> str:
    shown = f"{statistics.median(one[count][name] for one in rounds):.3g}"
    if count == first:
        return shown
    ratios = sorted(one[count][name] / one[first][name] for one in rounds)
    return f"{shown}; {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _noisy(rounds: int, seconds: float) -> None:
    """Print what one organisation's pushes do to those of the others."""
    pool = PriorityPool(LOOKS_AT_ONCE)
    with contextlib.ExitStack() as stack:
        stack.callback(pool.shutdown)
        worker = stack.enter_context(worker_of(NOISY_ORGANISATIONS, MAILBOXES, pool, ANSWER_S))
        noisy = [one for one in worker.mailboxes if one.tenant == worker.mailboxes[0].tenant]
        others = [one for one in worker.mailboxes if one.tenant != noisy[0].tenant]
        pairs = [(_waited(worker, others, (), seconds), _waited(worker, others, noisy, seconds)) for _ in range(rounds)]
    for index, what in enumerate(("p50", "p99")):
        ratios = sorted(beside[index] / alone[index] for alone, beside in pairs)
        alone, beside = (statistics.median(pair[side][index] for pair in pairs) for side in (0, 1))
        print(
            f"a push of others until its look, beside one with {NOISY_TIMES} times its share: {what} {alone:.1f} ms alone, "
            f"{beside:.1f} ms beside it, {statistics.median(ratios):.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def _waited(worker: Worker, others: Sequence[Mailbox], noisy: Sequence[Mailbox], seconds: float) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds, of what the others' pushes wait until their looks begin."""
    worker.looker.began_s.clear()
    count = int(seconds / OTHERS_EVERY_S)
    pushed = [others[number * 37 % len(others)] for number in range(count)]  # no mailbox twice
    sent_s: dict[Mailbox, float] = {}
    # the others send one each OTHERS_EVERY_S together: one of them a share, the noisy one NOISY_TIMES as many
    beside = round(NOISY_TIMES / (NOISY_ORGANISATIONS - 1)) if noisy else 0
    noise = itertools.cycle(noisy)

    def send() -> None:
        for mailbox in pushed:
            worker.engine.log.append([hint_of(next(noise)) for _ in range(beside)] + [hint_of(mailbox)])
            sent_s[mailbox] = time.perf_counter()
            time.sleep(OTHERS_EVERY_S)

    sender = threading.Thread(target=send)
    sender.start()
    worker.step_until(lambda: len(sent_s) == count and sent_s.keys() <= worker.looker.began_s.keys())
    sender.join()
    waited = sorted((worker.looker.began_s[one][0] - at_s) * 1e3 for one, at_s in sent_s.items())
    return max(0.01, statistics.median(waited)), max(0.01, waited[int(len(waited) * 0.99)])


if __name__ == "__main__":
    sys.exit(main())
