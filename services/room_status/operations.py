"""What the command line may use of room_status: replaying a range, the rows that the view must show, and one owner in-process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.room_status.deciding.decision import KeysOf, decide
from services.room_status.deciding.fold import RULES_VERSION, rules_with
from services.room_status.deciding.input_records import read_copy_observation as read_observation
from services.room_status.replaying import recollection
from services.room_status.replaying.recollection import PastLostError
from services.room_status.replaying.replay import (
    Comparison,
    PublicEvent,
    Redone,
    compare,
    compare_outcomes,
    identity,
    outcome_identity,
)
from services.room_status.view.expected_rows import end_of, is_behind, rows_at
from services.room_status.worker import RoomStatusOwner
from shared.ports.log import Record

__all__ = [
    "RULES_VERSION",
    "Comparison",
    "KeysOf",
    "PastLostError",
    "PublicEvent",
    "Redone",
    "RoomStatusOwner",
    "changes_nothing",
    "compare",
    "compare_outcomes",
    "end_of",
    "identity",
    "is_behind",
    "outcome_identity",
    "read_observation",
    "recollection",
    "rows_at",
    "rules_with",
]


def changes_nothing(
    observations: Sequence[Record], memory: Mapping[bytes, bytes], *, partition: int, keys_of: KeysOf
) -> bool:
    """
    Whether room_status would commit nothing for these observations.

    Args:
        observations: Records of `observations` that follow on `memory`.
        memory: Meeting key → its sealed state, as `meeting-state` has it.
        partition: Where both stand.
        keys_of: Returns the keys of a tenant; raises KeyDestroyedError.
    """
    return decide(observations, memory, partition=partition, keys_of=keys_of, told=frozenset()).empty
