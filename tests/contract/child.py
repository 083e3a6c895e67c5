"""What a test has done by another process: `python -m tests.contract.child DEPLOYMENT VERB ARGUMENT…`, answers as JSON lines."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable

from shared.contracts.topics import BY_NAME, COMMANDS, OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, StateChange
from tests.contract.deployments import Deployment, open_deployment

COUNTER = b"counter"


def say(**what: object) -> None:
    """One line, out at once: an acknowledgement must not wait in a buffer."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def append(engine: Engine, topic: str, partition: str, writer: str, count: str) -> None:
    """Append `count` numbered records one by one, naming each once it is acknowledged."""
    assert topic in BY_NAME
    say(ready=True)
    for number in range(int(count)):
        engine.log.append([NewRecord(topic, int(partition), writer.encode(), f"{writer}-{number}".encode())])
        say(acknowledged=number)


def read(engine: Engine, topic: str, partition: str, offset: str) -> None:
    """Say what stands there."""
    for record in engine.log.read(topic, int(partition), int(offset)):
        say(offset=record.offset, key=record.key.decode(), value=record.value.decode() if record.value else None)


def claim(engine: Engine, partition: str) -> None:
    """Take a partition from whoever has it."""
    engine.log.claim(ROOM_STATUS_STATION, int(partition))
    say(claimed=int(partition))


def join(engine: Engine) -> None:
    """Work in the group until killed, saying what is assigned whenever that changes."""
    membership = engine.log.join(ROOM_STATUS_STATION)
    said: frozenset[int] | None = None
    while True:
        if (assigned := membership.assignment()) != said:
            said = assigned
            say(assigned=sorted(assigned))
        time.sleep(0.05)


def work(engine: Engine, partition: str, life: str) -> None:
    """
    Append a command and commit a decision, again and again until killed, saying what was acknowledged.

    The counter in the state goes on where the last commit of any earlier process left it.
    """
    number = int(partition)
    claim = engine.log.claim(ROOM_STATUS_STATION, number)
    done = int(claim.state.get(COUNTER, b"0"))
    say(restored=done, position=claim.position.get(OBSERVATIONS.name, 0), tail=len(claim.tail()))
    for step in itertools.count(1):
        engine.log.append([NewRecord(COMMANDS.name, number, b"k", f"{life}-{step}".encode())])
        say(appended=f"{life}-{step}")
        done += 1
        decision = NewRecord(ROOM_REJECTIONS.name, number, b"k", str(done).encode())
        claim.commit([decision], [StateChange(COUNTER, str(done).encode())], {OBSERVATIONS.name: done})
        say(committed=done)


VERBS: dict[str, Callable[..., None]] = {
    "append": append,
    "read": read,
    "claim": claim,
    "join": join,
    "work": work,
}

if __name__ == "__main__":
    VERBS[sys.argv[2]](open_deployment(Deployment(**json.loads(sys.argv[1]))), *sys.argv[3:])
