"""
The rows of the view: a meeting's record for everybody who holds a copy of it, and each copy's record for its own mailbox.

A row's value is the record as it stands on `meeting-state`. Pure but for keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from services.room_status.deciding.memory import Memory
from services.room_status.deciding.packed_records import is_ended
from shared.contracts import envelope as envelopes
from shared.contracts import meeting_state_version_1
from shared.contracts.day_tally import is_tally, tally_owner
from shared.contracts.meeting_state import parts_of
from shared.contracts.room_tally import is_room_tally, read_room, room_tally_owners
from shared.crypto.meetings import open_meeting
from shared.domain.identity import tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.view import Row


def meeting_row(key: bytes, value: bytes | None, mailboxes: Iterable[str]) -> Row:
    """A meeting's row."""
    tenant = tenant_of_key(key)
    return Row(key.decode(), tuple(f"{tenant}/{mailbox}" for mailbox in sorted(mailboxes)), value)


def copy_row(key: bytes, value: bytes | None) -> Row:
    """A copy's row."""
    if value is None or is_ended(value):
        return Row(key.decode(), (), None)
    meeting, mailbox = parts_of(key)
    owner = f"{meeting.decode().partition('/')[0]}/{mailbox}"
    return Row(key.decode(), (owner,), value)


def tally_row(key: bytes, value: bytes | None) -> Row:
    """The row of an organisation's counts of a day, or of a room."""
    tenant = tenant_of_key(key)
    owners = room_tally_owners(tenant, read_room(key)) if is_room_tally(key) else (tally_owner(tenant),)
    return Row(key.decode(), owners if value is not None else (), value)


def rows_of(
    memory: Memory, keys_of: Callable[[str], TenantKeys]
) -> Iterator[Row | KeyDestroyedError | MalformedRecordError]:
    """
    Yield every row of a partition, and in the place of one that cannot be read, why.

    A row whose key was destroyed is one of them until its owner forgets the record: it stands on `meeting-state` and in the view.

    Args:
        memory: The records of the partition.
        keys_of: Returns the keys of a tenant, for records of version 1, in which mailboxes are sealed. Raises KeyDestroyedError.
    """
    for key, value in memory.items():
        try:
            row = _row(key, value, memory, keys_of)
            if row.value is not None:
                yield row
        except (KeyDestroyedError, MalformedRecordError) as error:
            yield error


def _row(key: bytes, value: bytes, memory: Memory, keys_of: Callable[[str], TenantKeys]) -> Row:
    envelope = envelopes.decode(value)
    if is_tally(key):
        return tally_row(key, value)
    if parts_of(key)[1]:
        return copy_row(key, value)
    if envelope.type == meeting_state_version_1.TYPE:
        keys = keys_of(tenant_of_key(key))
        return meeting_row(key, value, open_meeting(key, value, keys).copies)
    return meeting_row(key, value, memory.mailboxes(key))
