"""Graph's calendar view → a person's agenda, in our words; content, read for a page and kept nowhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.envelope import read_json
from shared.domain.attendees import Answer
from shared.domain.equipment import equipment_of
from shared.domain.sighting import AgendaItem, DirectoryRoom
from shared.providers.microsoft import wire
from shared.providers.microsoft.parse import answer_of, live_attendee, slot_of
from shared.providers.microsoft.times import times_of

FIELDS = (
    "id", "type", "seriesMasterId", "originalStart", "originalStartTimeZone", "iCalUId", "subject", "start", "end",
    "isAllDay", "isCancelled", "isOrganizer", "isDraft", "sensitivity", "responseStatus", "attendees",
    "transactionId",
)  # fmt: skip
_OPEN = {None, "", "normal"}


def series_of(events: list[wire.AgendaEvent]) -> set[str]:
    """The series that dates belong to: a date's own `iCalUId` is not what other copies of the meeting call it."""
    return {event.series_master_id for event in events if event.series_master_id}


def agenda_item(event: wire.AgendaEvent, uids: Mapping[str, str], all_day: Mapping[str, bool]) -> AgendaItem:
    """
    One date.

    Args:
        event: As the calendar view shows it.
        uids: The masters' `iCalUId` by their event id; a series that is not in it has no uid here.
        all_day: Masters' event ids → whether the series is all-day, where it is known.

    Raises:
        MalformedRecordError: it has no start or no end.
    """
    times = times_of(event)
    series = event.series_master_id or ""
    return AgendaItem(
        event_id=event.id,
        uid=uids.get(series, "") if series else event.i_cal_uid or "",
        slot=slot_of(event, all_day),
        title=event.subject or "",
        start_ms=times.start_ms,
        end_ms=times.end_ms,
        all_day=bool(event.is_all_day),
        private=(event.sensitivity or "").lower() not in _OPEN,
        declined=answer_of(event.response_status.response if event.response_status else None) is Answer.DECLINED,
        is_organizer=bool(event.is_organizer),
        attendees=tuple(live_attendee(attendee) for attendee in event.attendees or ()),
    )


def parse_places(body: bytes) -> list[DirectoryRoom]:
    """One page of rooms; those without an address cannot be invited and are left out. Raises MalformedRecordError."""
    return [
        DirectoryRoom(
            address=place.email_address.lower(),
            name=place.display_name or place.email_address,
            capacity=place.capacity or 0,
            building=place.building or "",
            floor=place.floor_label or ("" if place.floor_number is None else str(place.floor_number)),
            directory_id=place.id or "",
            equipment=equipment_of(
                (place.display_device_name, place.video_device_name, place.audio_device_name, *(place.tags or ()))
            ),
            accessible=place.is_wheel_chair_accessible,
        )
        for place in read_json(body, wire.PlacePage).value
        if place.email_address
    ]
