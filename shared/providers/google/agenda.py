"""Google's list of events → a person's agenda, in our words; content, read for a page and kept nowhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.attendees import Answer
from shared.domain.equipment import equipment_of
from shared.domain.room_texts import MAX_DESCRIPTION_CHARS, MAX_SECTION_CHARS, one_line
from shared.domain.sighting import AgendaItem, DirectoryRoom
from shared.providers.google import wire
from shared.providers.google.parse import answer_of, convert_answer, is_organizer, live_attendee, slot_of, span_of
from shared.providers.google.reminders import is_reminder, request_of

_CLOSED = {"private", "confidential"}
_ROOM_CATEGORIES = {None, "", "CONFERENCE_ROOM", "CATEGORY_UNKNOWN"}


def agenda_item(item: Any) -> AgendaItem | None:
    """One item of a list; None for a cancelled one and for a reminder. Raises MalformedRecordError."""
    event = convert_answer(item, wire.GoogleLiveEvent)
    if event.status == "cancelled" or is_reminder(event):
        return None
    start_ms, end_ms = span_of(event)
    return AgendaItem(
        event_id=event.id,
        uid=event.i_cal_uid or "",
        slot=slot_of(event),
        title=event.summary or "",
        start_ms=start_ms,
        end_ms=end_ms,
        all_day=bool(event.start and event.start.date),
        private=(event.visibility or "") in _CLOSED,
        declined=any(
            bool(one.self_) and answer_of(one.response_status) is Answer.DECLINED for one in event.attendees or ()
        ),
        is_organizer=is_organizer(event),
        attendees=tuple(live_attendee(attendee) for attendee in event.attendees or ()),
    )


def parse_reminders(items: Iterable[Any]) -> dict[str, str]:
    """
    Find the reminders of a list that are not cancelled: the `request_id` of each, and its event's id.

    Raises:
        MalformedRecordError: an item cannot be read.
    """
    events = [convert_answer(item, wire.GoogleEvent) for item in items]
    return {request_of(event): event.id for event in events if is_reminder(event) and event.status != "cancelled"}


def parse_resources(answer: Any) -> tuple[list[DirectoryRoom], str]:
    """One page of rooms and the token of the next; cars and projectors are left out. Raises MalformedRecordError."""
    page = convert_answer(answer, wire.ResourcePage)
    rooms = [
        DirectoryRoom(
            address=one.resource_email.lower(),
            name=one.resource_name or one.generated_resource_name or one.resource_email,
            capacity=one.capacity or 0,
            building=one.building_id or "",
            floor=one.floor_name or "",
            directory_id=one.resource_id or "",
            equipment=equipment_of(each.feature.name for each in one.feature_instances if each.feature),
            section=one_line(one.floor_section, MAX_SECTION_CHARS),
            description=one_line(one.user_visible_description, MAX_DESCRIPTION_CHARS),
        )
        for one in page.items
        if one.resource_email and one.resource_category in _ROOM_CATEGORIES
    ]
    return rooms, page.next_page_token or ""
