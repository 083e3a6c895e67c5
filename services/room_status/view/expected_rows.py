"""What the view must show, read from the topics: for holding it against what it does show, and for filling it."""

from __future__ import annotations

from services.room_status.deciding.decision import KeysOf
from services.room_status.deciding.memory import Memory
from services.room_status.deciding.rows import rows_of
from services.room_status.replaying import recollection
from shared.contracts.topics import MEETING_STATE, POSITION_KEY
from shared.ports.log import Log
from shared.ports.view import Row


def rows_at(log: Log, partition: int, offset: int, keys_of: KeysOf) -> list[Row]:
    """
    The rows of a partition as of the commit that ended at `offset` of `meeting-state`.

    A record that no row can be made of is left out, as its owner leaves it out. Raises LogUnavailableError.
    """
    memory = Memory(recollection.states_until(log, partition, offset))
    return [row for row in rows_of(memory, keys_of) if isinstance(row, Row)]


def is_behind(log: Log, partition: int, offset: int, end: int) -> bool:
    """Whether a view that has come to `offset` lacks a state that was recorded up to `end`. Raises LogUnavailableError."""
    return any(
        record.key != POSITION_KEY for record in recollection.states_between(log, partition, offset + 1, end + 1)
    )


def end_of(log: Log, partition: int) -> int:
    """The offset of the last state of a partition, as an owner that takes over reckons it. Raises LogUnavailableError."""
    return log.span(MEETING_STATE.name, partition).end - 1
