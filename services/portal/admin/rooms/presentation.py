"""Rooms as administrators see them: information, health and schedule, for pages and programs alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from services.portal.admin.rooms.deciding.day_strip import DayStrip, lay_out_day
from services.portal.admin.rooms.deciding.remedy import remedies_for
from services.portal.admin.rooms.deciding.room_shapes import ListedRoom, RoomDate, describe_room
from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.portal.meetings.answer_history import Memories, memories
from services.portal.meetings.deciding.choices import is_offered
from services.portal.meetings.deciding.forecast import forecast
from services.portal.meetings.deciding.health import Health, health_of, span_words
from services.portal.meetings.deciding.shapes import forecast_shape
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.room_tallies import read_room_tallies
from shared.contracts.meeting_state import RoomRecord, RoomState
from shared.contracts.rows import ENTERED, RoomProof, RoomRow
from shared.domain.identity import Provider
from shared.domain.instants import HOUR_MS, SECOND_MS, to_rfc3339
from shared.domain.sighting import Availability
from shared.errors import ConsentRevokedError, KeyDestroyedError, RefusedError, RetryableError, StoreUnavailableError
from shared.language.deciding.sentences import join_sentences, say
from shared.registry import tables
from shared.runtime.logging import get_logger

MAX_ASKED = 200
"""Rooms asked about with one page: ten calls at Microsoft, four at Google."""
CONFIRM_ADVICE = say(
    "Your calendar system's directory has not said that this address is a meeting room, so nothing of it is shown and it is"
    " offered to nobody. Import your directory's rooms, or have somebody do it who administers the calendar system. Where nobody"
    " may, ask whoever operates roomsync to enter the room: `roomsync tenants enter-rooms`."
)
SINCE_ADVICE = say(
    "Earlier this room was taken for one because a meeting named it so; but whoever writes the meeting writes that word, for a"
    " colleague's address as well."
)
"""Before the advice, for rooms that were once written down as named by a meeting."""
EARLIER_ADVICE = say(
    "Version 0.1.0 followed this room without asking whether your directory knows it. It is followed on; import your directory's"
    " rooms, so that no colleague's address stands in the list as a room."
)
_SHOWN_STATES = {RoomState.PENDING, RoomState.ACCEPTED, RoomState.DECLINED}
_log = get_logger()


class RoomPresenter:
    """Reads on behalf of one administrator; what free/busy says is asked as themselves."""

    def __init__(self, deps: Deps, reader: LiveReader, person: Person) -> None:
        self._deps = deps
        self._reader = reader
        self._person = person

    def rooms(self, rows: dict[str, RoomRow]) -> list[ListedRoom]:
        """One line a room, in the order given."""
        remembered = self._remembered
        said = self._read_availability(rows)
        return [self._line(room_id, row, remembered, said) for room_id, row in rows.items()]

    def schedule(self, room_id: str, row: RoomRow) -> list[RoomDate]:
        """The room's upcoming dates: times and states, never whose or what. Empty unless it is connected and confirmed."""
        if not is_offered(row):
            return []
        now_ms, waits = self._deps.clock.now_ms(), self._waits(room_id)
        return [
            _date(memory, waits, now_ms)
            for memory in self._remembered.get(room_id, ())
            if memory.end_ms > now_ms and memory.state in _SHOWN_STATES
        ]

    def day_strip(self, room_id: str, row: RoomRow, day: date, zone: ZoneInfo) -> DayStrip:
        """The room's times of one day, as the connected people's meetings show them; none unless it is connected and confirmed."""
        known = self._remembered.get(room_id, ()) if is_offered(row) else ()
        return lay_out_day(day, zone, known, self._deps.clock.now_ms())

    def _waits(self, room_id: str) -> Mapping[str, int]:
        engine = self._deps.engine
        try:
            found = read_room_tallies(engine.view, engine.keyring.keys(self._person.tenant), room_id)
        except (StoreUnavailableError, KeyDestroyedError):
            return {}
        return found[room_id].waits if room_id in found else {}

    def _line(self, room_id: str, row: RoomRow, remembered: Memories, said: dict[str, Availability]) -> ListedRoom:
        known = remembered.get(room_id, ()) if row.confirmed else ()
        health = self._health(known, said.get(row.address))
        return {
            **describe_room(room_id, row),
            "paired": row.paired,
            "confirmed": row.proof,
            "confirm": _confirm_advice(row),
            "health": {
                "visible": health.visible,
                "bookable": health.bookable,
                "answers": health.answers,
                "accepted": health.accepted,
                "declined": health.declined,
                "waiting": health.waiting,
                "usualAnswer": span_words(health.usual_answer_ms) if health.usual_answer_ms else None,
                "fixes": list(health.fixes),
            },
            "remedies": list(remedies_for(Provider(self._person.provider), row.address, health)),
        }

    def _health(self, known: tuple[RoomRecord, ...], said: Availability | None) -> Health:
        silent_ms = int(self._deps.settings.pending_silent_s * SECOND_MS)
        return health_of(known, said, now_ms=self._deps.clock.now_ms(), silent_ms=silent_ms)

    @cached_property
    def _remembered(self) -> Memories:
        """Read once for a page: it is all meetings of the organisation."""
        try:
            return memories(self._deps, self._person.tenant)
        except (StoreUnavailableError, KeyDestroyedError):
            # The view is being rebuilt, or it has just been switched off: the list itself stands in the registry.
            return {}

    def _read_availability(self, rows: dict[str, RoomRow]) -> dict[str, Availability]:
        """What free/busy says of connected, confirmed rooms, if this administrator's own calendar is connected."""
        wanted = [row.address for row in rows.values() if is_offered(row)][:MAX_ASKED]
        connected = tables.consents(self._deps.engine.registry).get(self._person.tenant, self._person.mailbox.id)
        if not wanted or connected is None:
            return {}
        now_ms = self._deps.clock.now_ms()
        try:
            return dict(
                self._reader.availability(self._person.mailbox, self._person.provider, wanted, now_ms, now_ms + HOUR_MS)
            )
        except (RetryableError, RefusedError, ConsentRevokedError) as error:
            _log.info("room_health_not_asked", mailbox=self._person.mailbox.id, kind=type(error).__name__)
            return {}


def _date(memory: RoomRecord, waits: Mapping[str, int], now_ms: int) -> RoomDate:
    pending = memory.state is RoomState.PENDING
    expected = forecast(waits, now_ms - memory.asked_at_ms) if pending else None
    return {
        "start": to_rfc3339(memory.start_ms),
        "end": to_rfc3339(memory.end_ms),
        "state": memory.state,
        "since": to_rfc3339(memory.since_ms),
        "forecast": forecast_shape(expected),
        "words": expected.words if expected else "",
    }


def _confirm_advice(row: RoomRow) -> str | None:
    """What to do so that the room counts as one by somebody's word; None where it does."""
    if row.confirmed:
        return EARLIER_ADVICE if row.proof is RoomProof.EARLIER else None
    return join_sentences("" if row.resource == ENTERED else SINCE_ADVICE, CONFIRM_ADVICE)
