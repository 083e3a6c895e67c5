"""Taking a room: the one that declined is swapped for the chosen one, in the person's own calendar, once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from shared.contracts.command import TakeRoom
from shared.contracts.rows import TakeState
from shared.crypto.commands import event_of
from shared.domain.attendees import Answer
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS
from shared.domain.keys import TenantKeys
from shared.domain.sighting import Access, LiveAttendee, LiveMeeting, RoomContact
from shared.errors import EventGoneError, MalformedRecordError, PreconditionFailedError, RefusedError
from shared.ports.calendar import CalendarProvider
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger

TRIES = 3
AS_IT_WAS = "your meeting is as it was"
"""Said only where it is certain: not of one that is gone, nor where a write went out and another's came in between."""
KEEP_MS = DAY_MS  # as long as an idempotency key is remembered

logger = get_logger()


class TakeRooms:
    """Executes takes. Running one again is harmless: a room that is already there counts as done."""

    def __init__(self, registry: Registry, keyring: Keyring) -> None:
        """Rooms and takes are rows of the registry."""
        self._rooms = tables.rooms(registry)
        self._takes = tables.takes(registry)
        self._keyring = keyring

    def run(self, mailbox: Mailbox, provider: CalendarProvider, access: Access, takes: Iterable[TakeRoom]) -> None:
        """
        Swap what is still to be swapped and write each outcome to its row.

        Raises:
            RetryableError: the provider is busy; the takes stay asked, and are run again with the next look.
        """
        for take in takes:
            row = self._takes.get(mailbox.tenant, take.take_id)
            if row is None or row.state is not TakeState.ASKED:
                continue
            reason = self._executed(mailbox.tenant, provider, access, take)
            state = TakeState.FAILED if reason else TakeState.DONE
            settled = msgspec.structs.replace(row, state=state, reason=reason)
            self._takes.put(mailbox.tenant, take.take_id, settled, not_after_ms=row.at_ms + KEEP_MS)
            logger.info("take_settled", tenant=mailbox.tenant, take=take.take_id, state=state, reason=reason)

    def _executed(self, tenant: str, provider: CalendarProvider, access: Access, take: TakeRoom) -> str:
        """As `_swap`."""
        keys = self._keyring.keys(tenant)
        try:
            event_id = event_of(keys, take)
        except MalformedRecordError:
            return f"the wish cannot be read any more; {AS_IT_WAS}"
        return self._swap(keys, provider, access, take, event_id)

    def _swap(self, keys: TenantKeys, provider: CalendarProvider, access: Access, take: TakeRoom, event_id: str) -> str:
        """Why it could not be done, in words for the page; "" when it was."""
        room = self._rooms.get(keys.tenant, take.room_id)
        if room is None:
            return f"the room is no longer in the list of rooms; {AS_IT_WAS}"
        for tried in range(TRIES):
            try:
                declined = _declined(keys, provider.read(access, event_id), take)
                if declined is not None and declined.answer == Answer.ACCEPTED:
                    return f"the room that had declined has accepted after all; {AS_IT_WAS}"
                crash_point("sync-worker.room-swapping")
                address = declined.address if declined is not None else ""
                provider.swap_room(access, event_id, address, RoomContact(room.address, room.name))
                crash_point("sync-worker.room-swapped")
            except PreconditionFailedError:
                continue  # somebody changed the meeting between our reading and writing: read it again
            except EventGoneError:
                return "the meeting is no longer there"
            except RefusedError as error:
                return f"{'' if tried else f'{AS_IT_WAS}, since '}the calendar refused: {error}"
            return ""
        return "the meeting kept changing while we tried; look at it in your calendar before you try once more"


def _declined(keys: TenantKeys, meeting: LiveMeeting, take: TakeRoom) -> LiveAttendee | None:
    """The declined room as the meeting itself shows it: it may be in nobody's list. None when it left already."""
    return next((each for each in meeting.attendees if keys.room(each.address) == take.declined_room_id), None)
