"""From the room's "no" in the calendar to the prompt in the person's stream: both providers, grace excluded."""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import UTC, datetime, timedelta

import httpx

from cli.demo.organisations import Organisation, book_meeting, create_organisation
from cli.demo.person import PortalSession
from cli.demo.processes import RunningSystem, start_system

ROOM = "Aare 4.12"


def measure(stage: RunningSystem, who: Organisation, rounds: int) -> list[float]:
    """Milliseconds per round: the simulator's clock at the room's answer to the arrival of the event here."""
    person = PortalSession(stage.portal)
    person.sign_in(who.provider, who.host["address"])
    while person.get("/v1/me")["connection"]["state"] != "connected":
        time.sleep(0.1)
    first = (datetime.now(UTC) + timedelta(days=1)).replace(hour=6, minute=0, second=0, microsecond=0)
    waits = []
    for count in range(rounds):
        at = first + timedelta(days=count // 10, hours=count % 10)
        book_meeting(stage, who, host="Ben", title="Taken", room=ROOM, at=at, guests=[])
        _answered(stage, count * 2 + 1)
        book_meeting(stage, who, host="Ada", title="Wanted", room=ROOM, at=at, guests=[])
        person.wait_for("prompt")
        seen_ms = time.time() * 1000
        waits.append(seen_ms - _answered(stage, count * 2 + 2))
    person.close()
    return waits


def _answered(stage: RunningSystem, count: int) -> float:
    """The instant of the room's `count`-th answer, once there is one."""
    while True:
        facts = httpx.get(f"{stage.simulator}/sim/v1/history").json()
        facts = facts["history"] if isinstance(facts, dict) else facts
        answers = [fact["atMs"] for fact in facts if fact["kind"] == "room-answered"]
        if len(answers) >= count:
            return float(answers[count - 1])
        time.sleep(0.05)


def main() -> None:
    """Print p50 and p99 per provider."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--engine", choices=["embedded", "kafka"], default="embedded")
    arguments = parser.parse_args()
    for provider in ("microsoft", "google"):
        with start_system(
            engine=arguments.engine, seed=1, servers={}, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}
        ) as stage:
            waits = sorted(measure(stage, create_organisation(stage, provider), arguments.rounds))
        p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
        print(
            f"{provider}: {len(waits)} declines, room's answer to prompt: p50 {statistics.median(waits):.0f} ms, p99 {p99:.0f} ms"
        )


if __name__ == "__main__":
    main()
