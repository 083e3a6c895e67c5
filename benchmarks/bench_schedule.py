"""What a sync worker's schedule costs: an idle round beside 100,000 mailboxes at rest, and a push among 10,000 due appointments."""

from __future__ import annotations

import argparse
import time

from services.sync_worker.deciding.schedule import Priority, Schedule
from shared.domain.identity import Mailbox

IDLE_ROUNDS = 10_000


def idle_round_us(mailboxes: int) -> float:
    """Microseconds of a round in which nothing is due, of a schedule with so many appointments."""
    schedule = Schedule()
    for number in range(mailboxes):
        schedule.appoint(Mailbox("t", f"m-{number}"), 1_000_000 + number)
    began_s = time.perf_counter()
    for now_ms in range(IDLE_ROUNDS):
        schedule.release(now_ms)
        schedule.take()
    return (time.perf_counter() - began_s) / IDLE_ROUNDS * 1e6


def push_us(due: int) -> float:
    """Microseconds from a push to its being taken, with so many appointments ready before it."""
    schedule = Schedule()
    for number in range(due):
        schedule.appoint(Mailbox("t", f"m-{number}"), number)
    schedule.release(due)
    began_s = time.perf_counter()
    schedule.make_ready(Mailbox("t", f"m-{due - 1}"), Priority.PUSH, due)
    taken = schedule.take()
    took_us = (time.perf_counter() - began_s) * 1e6
    if taken != Mailbox("t", f"m-{due - 1}"):
        message = f"the push was overtaken by {taken}"
        raise SystemExit(message)
    return took_us


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=10_000)
    asked = parser.parse_args()
    print(f"an idle round beside {asked.mailboxes} mailboxes: {idle_round_us(asked.mailboxes):.2f} µs")
    print(f"a push among {asked.due} due appointments: {push_us(asked.due):.1f} µs until it is taken")


if __name__ == "__main__":
    main()
