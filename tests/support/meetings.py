"""A meeting as room_status remembers it, carried from one observation to the next without sealing anything."""

from __future__ import annotations

from services.room_status.deciding.fold import Change
from shared.crypto.meetings import StoredMeeting


def after(meeting: StoredMeeting, mailbox: str, change: Change) -> StoredMeeting:
    """The meeting once a change is committed."""
    copies = {name: copy for name, copy in meeting.copies.items() if name != mailbox}
    if change.copy is not None:
        copies[mailbox] = change.copy
    return StoredMeeting(change.record, copies)
