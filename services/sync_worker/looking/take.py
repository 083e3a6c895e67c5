"""Taking a room: the one that declined is swapped for the chosen one, in the person's own calendar, once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import msgspec

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.listed_rooms import ListedRooms, plain_address
from services.sync_worker.deciding.opened_answers import NOTHING_OPENED, OpenedAnswers
from services.sync_worker.looking.series_swap import AS_IT_WAS, swap_series
from services.sync_worker.looking.swaps import Swaps
from shared.contracts.calendar_state import EventReference
from shared.contracts.command import TakeRoom
from shared.contracts.rows import TakeState
from shared.crypto.commands import event_of
from shared.domain.attendees import Answer
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.sighting import Access, LiveAttendee, LiveMeeting, RoomContact
from shared.errors import (
    EventGoneError,
    MalformedRecordError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    TokenRefusedError,
)
from shared.meetings.series_refusals import IsRoom, room_of
from shared.ports.calendar import CalendarProvider
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger

TRIES = 3
PATIENCE_MS = 10 * MINUTE_MS
"""How long after it was asked for a take is tried again, while the provider is busy with it and looks succeed."""
KEEP_MS = DAY_MS  # as long as an idempotency key is remembered

logger = get_logger()


@dataclass(frozen=True, slots=True)
class TakesDone:
    """What became of the takes of a look."""

    waiting: frozenset[str]
    """The takes that still wait: the provider is busy. They keep no look away, and are tried for ten minutes."""
    opened: OpenedAnswers
    """Answers of other rooms that the provider opened when these were taken."""


class TakeRooms:
    """Executes takes. Running one again is harmless: a room that is already there counts as done."""

    def __init__(self, registry: Registry, keyring: Keyring) -> None:
        """Rooms and takes are rows of the registry."""
        self._rooms = tables.rooms(registry)
        self._takes = tables.takes(registry)
        self._keyring = keyring

    def run(self, job: Job, provider: CalendarProvider, access: Access, now_ms: int) -> TakesDone:
        """
        Swap what is still to be swapped and write each outcome to its row.

        Args:
            job: With the takes, and what is known of the mailbox's events.
            provider: The person's calendar system.
            access: To their calendar.
            now_ms: Epoch milliseconds.

        Raises:
            TokenRefusedError: nothing was changed by the take that was tried.
        """
        if not job.takes:  # nearly every look: it need not read the organisation's rooms
            return TakesDone(frozenset(), NOTHING_OPENED)
        waiting, swaps = set(), Swaps(provider, access, job.references, self._listed(job.mailbox.tenant))
        for take in job.takes:
            row = self._takes.get(job.mailbox.tenant, take.take_id)
            if row is None or row.state is TakeState.FAILED:
                continue
            try:
                if row.state is TakeState.DONE:  # by a look that failed afterwards, or whose owner died
                    self._compared(job, swaps, take)
                    continue
                reason = self._executed(job, swaps, take, now_ms)
            except TokenRefusedError:
                raise
            except RetryableError as error:
                if now_ms - take.at_ms < PATIENCE_MS:
                    waiting.add(take.take_id)
                    logger.info("take_postponed", tenant=job.mailbox.tenant, take=take.take_id, error=str(error))
                    continue
                reason = "the calendar could not be reached in time; look at the meeting there before you try once more"
            for take_id in (*(take.series or ()), take.take_id):  # the one that is looked at comes last
                self._settle(job.mailbox.tenant, take_id, reason)
        return TakesDone(frozenset(waiting), swaps.opened)

    def _settle(self, tenant: str, take_id: str, reason: str) -> None:
        row = self._takes.get(tenant, take_id)
        if row is None or row.state is not TakeState.ASKED:
            return
        state = TakeState.FAILED if reason else TakeState.DONE
        settled = msgspec.structs.replace(row, state=state, reason=reason)
        self._takes.put(tenant, take_id, settled, not_after_ms=row.at_ms + KEEP_MS)
        logger.info("take_settled", tenant=tenant, take=take_id, state=state, reason=reason)

    def _executed(self, job: Job, swaps: Swaps, take: TakeRoom, now_ms: int) -> str:
        """As `_swap`, of a take whose event may be sealed."""
        try:
            take = self._unsealed(job, take)
        except MalformedRecordError:
            return f"the wish cannot be read any more; {AS_IT_WAS}"
        return self._swap(job, swaps, take, now_ms)

    def _compared(self, job: Job, swaps: Swaps, take: TakeRoom) -> None:
        """Of a take that is done: find what its change has opened, by what is known of the event."""
        with contextlib.suppress(MalformedRecordError, EventGoneError, RefusedError):
            take = self._unsealed(job, take)
            swaps.compare(take, swaps.provider.read(swaps.access, take.event_id))

    def _unsealed(self, job: Job, take: TakeRoom) -> TakeRoom:
        """Raises MalformedRecordError: the event cannot be unsealed any more."""
        return msgspec.structs.replace(take, event_id=event_of(self._keyring.keys(job.mailbox.tenant), take))

    def _swap(self, job: Job, swaps: Swaps, take: TakeRoom, now_ms: int) -> str:
        """Why it could not be done, in words for the page; "" when it was."""
        tenant = job.mailbox.tenant
        room = self._rooms.get(tenant, take.room_id)
        if room is None:
            return f"the room is no longer in the list of rooms; {AS_IT_WAS}"
        contact = RoomContact(room.address, room.name)
        for tried in range(TRIES):
            try:
                return self._swap_once(job, swaps, take, contact, now_ms)
            except PreconditionFailedError:
                continue  # somebody changed the meeting between our reading and writing: read it again
            except EventGoneError:
                return "the meeting is no longer there"
            except RefusedError as error:
                return f"{'' if tried else f'{AS_IT_WAS}, since '}the calendar refused: {error}"
        return "the meeting kept changing while we tried; look at it in your calendar before you try once more"

    def _swap_once(self, job: Job, swaps: Swaps, take: TakeRoom, room: RoomContact, now_ms: int) -> str:
        """As `_swap`. Raises what the provider's calls raise."""
        meeting = swaps.provider.read(swaps.access, take.event_id)
        if reason := self._refusal(job, meeting, take, now_ms):
            return reason
        is_declined = self._is_room(job.mailbox.tenant, take.declined_room_id)
        swaps.compare(take, meeting)
        if take.series is not None:
            return swap_series(swaps, take.event_id, is_declined, room, now_ms)
        declined = room_of(meeting, is_declined)
        crash_point("sync-worker.room-swapping")
        swaps.swap(take.event_id, declined, room)
        crash_point("sync-worker.room-swapped")
        return ""

    def _refusal(self, job: Job, meeting: LiveMeeting, take: TakeRoom, now_ms: int) -> str:
        """Why the meeting as it is now is not the one that the person saw; "" while it is."""
        if meeting.cancelled:
            return "the meeting is no longer there: it was cancelled"
        if _end_of(meeting, job.references.get(take.event_id)) <= now_ms:
            return f"the meeting is over; {AS_IT_WAS}"
        if take.end_ms and (meeting.start_ms, meeting.end_ms) != (take.start_ms, take.end_ms):
            return f"the meeting was moved since you asked, and its rooms are asked for the new time; {AS_IT_WAS}"
        declined = self._room_of(job.mailbox.tenant, meeting, take.declined_room_id)
        if declined is not None and declined.answer == Answer.ACCEPTED:
            return f"the room that had declined has accepted after all; {AS_IT_WAS}"
        if self._asked_since(job, meeting, take):
            return f"another room has been asked since; {AS_IT_WAS}"
        return ""

    def _asked_since(self, job: Job, meeting: LiveMeeting, take: TakeRoom) -> bool:
        """Whether the meeting has a room that it had not when it was last looked at, nor the wished one."""
        known = job.references.get(take.event_id)
        if known is None or known.rooms is None:
            return False
        listed = self._listed(job.mailbox.tenant)
        asked = {
            listed.by_address[plain_address(each.address)]
            for each in meeting.attendees
            if plain_address(each.address) in listed.by_address and each.answer != Answer.DECLINED
        }
        return bool(asked - known.rooms.keys() - {take.room_id, take.declined_room_id})

    def _listed(self, tenant: str) -> ListedRooms:
        return ListedRooms.of(self._rooms.scan(tenant))

    def _room_of(self, tenant: str, meeting: LiveMeeting, room_id: str) -> LiveAttendee | None:
        """A room as the meeting itself shows it: it may be in nobody's list. None when it left already."""
        return room_of(meeting, self._is_room(tenant, room_id))

    def _is_room(self, tenant: str, room_id: str) -> IsRoom:
        """Whether an address is that of the room, which may be in nobody's list."""
        keys, listed = self._keyring.keys(tenant), self._listed(tenant).by_address
        return lambda address: listed.get(plain_address(address), keys.room(address)) == room_id


def _end_of(meeting: LiveMeeting, known: EventReference | None) -> int:
    """When it is over. Of days whose zone the provider does not say, the last look took another's word for it."""
    looked_up = known.ends_ms if known is not None and known.end_ms == meeting.end_ms else 0
    return meeting.ends_ms or looked_up or meeting.end_ms
