"""
What the fold's sealed memory says: how often each ask was announced as declined, a JSON list a line; and which declines are open.

An open one is a list of tenant and decline, the others have six elements.

`python -m tests.chaos.announced_counts`, with the deployment's settings in the environment. It opens seals with the product's
keys, which nobody else can; comparing is the checker's part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.contracts.day_tally import is_tally
from shared.contracts.meeting_state import open_decline, parts_of
from shared.contracts.topics import MEETING_STATE, POSITION_KEY
from shared.crypto.meetings import open_meeting
from shared.errors import KeyDestroyedError
from shared.ports.engine import Engine
from shared.ports.log import Record
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine


def main() -> None:
    """Print them."""
    engine = open_engine(load())
    try:
        for partition in range(engine.log.partitions):
            for key, value in _newest(engine, partition).items():
                _print(key, value, engine)
    finally:
        engine.close()


def _newest(engine: Engine, partition: int) -> Mapping[bytes, bytes]:
    newest: dict[bytes, bytes] = {}
    offset = 0
    while records := engine.log.read(MEETING_STATE.name, partition, offset):
        for record in records:
            _keep(record, newest)
        offset = records[-1].offset + 1
    return newest


def _keep(record: Record, newest: dict[bytes, bytes]) -> None:
    if record.value is None:
        newest.pop(record.key, None)
    elif record.key != POSITION_KEY:
        newest[record.key] = record.value


def _print(key: bytes, value: bytes, engine: Engine) -> None:
    tenant = key.decode().partition("/")[0]
    if parts_of(key)[1] or is_tally(key):
        return
    try:
        keys = engine.keyring.keys(tenant)
        meeting = open_meeting(key, value, keys).record
    except KeyDestroyedError:
        return
    for date in meeting.dates:
        for room in date.rooms:
            for ask, count in room.repeats.items():
                print(json.dumps([tenant, meeting.meeting, date.ref, room.room, ask, count]))
            if decline := open_decline(meeting.meeting, date.ref, room, keys):
                print(json.dumps([tenant, decline]))


if __name__ == "__main__":
    main()
