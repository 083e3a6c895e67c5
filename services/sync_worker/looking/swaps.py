"""The changes by which rooms are taken in one calendar, and the answers of other rooms that the provider opened by them."""

from __future__ import annotations

from collections.abc import Mapping

from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.references import References, rooms_of
from shared.contracts.command import TakeRoom
from shared.domain.attendees import Answer, opened_answers, weight_of
from shared.domain.sighting import Access, LiveAttendee, LiveMeeting, RoomContact
from shared.ports.calendar import CalendarProvider
from shared.runtime import metrics
from shared.runtime.logging import get_logger

logger = get_logger()


class Swaps:
    """Swaps rooms, and gathers what rooms had answered whose answers are open since."""

    def __init__(self, provider: CalendarProvider, access: Access, known: References, listed: ListedRooms) -> None:
        """
        Begin with nothing changed.

        Args:
            provider: The person's calendar system.
            access: To their calendar.
            known: What is known of its events.
            listed: The organisation's rooms.
        """
        self.provider = provider
        self.access = access
        self.opened: dict[str, dict[str, Answer]] = {}
        """Event id, of a series too → room → what it had answered."""
        self._known = known
        self._listed = listed

    def swap(self, event_id: str, declined: LiveAttendee | None, room: RoomContact) -> None:
        """Take `room` in the place of the one that declined. Raises as `CalendarProvider.swap_room`."""
        opened = self.provider.swap_room(self.access, event_id, declined.address if declined is not None else "", room)
        if opened:
            rooms = self._rooms(opened)
            guests = sum(not self._listed.room_at(address) for address in opened)
            self._note(event_id, rooms, guests)

    def compare(self, take: TakeRoom, meeting: LiveMeeting) -> None:
        """
        Find what a change that was made before has opened, where the process died or its look failed afterwards.

        Args:
            take: Names rooms and event; of a series what is found of a date holds for all.
            meeting: As it is now. One that does not show the room as taken was not changed.
        """
        known = self._known.get(take.event_id)
        now = self._rooms({each.address: Answer(each.answer) for each in meeting.attendees if each.answer in [*Answer]})
        if known is None or take.room_id not in now or take.declined_room_id in now:
            return
        opened = opened_answers(rooms_of(known, self._known), now)
        opened.pop(take.room_id, None)
        if opened:
            self._note(take.event_id, opened, 0)
            if take.series is not None and known.master_id:
                self._note(known.master_id, opened, 0)

    def _rooms(self, answers: Mapping[str, Answer]) -> dict[str, Answer]:
        """Room → its answer, of the addresses that are rooms; the greatest where several are."""
        found: dict[str, Answer] = {}
        for address, answer in answers.items():
            room = self._listed.room_at(address)
            if room:
                found[room] = max(found.get(room, answer), answer, key=weight_of)
        return found

    def _note(self, event_id: str, rooms: Mapping[str, Answer], guests: int) -> None:
        self.opened.setdefault(event_id, {}).update(rooms)
        for whose, count in (("room", len(rooms)), ("guest", guests)):
            metrics.ANSWERS_OPENED.labels(self.provider.provider, whose).inc(count)
        logger.warning("answers_opened", provider=self.provider.provider, rooms=len(rooms), guests=guests)
