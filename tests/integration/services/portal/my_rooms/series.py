"""A meeting of many dates, whose room stands differently on each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import RoomMemory
from shared.domain.instants import DAY_MS
from shared.domain.keys import TenantKeys
from tests.integration.services.portal.office import Browser, Office


def event_on(date: int) -> str:
    """The person's own id of the event on one date, counted from 0."""
    return f"event-on-{date}"


def show_series(office: Office, browser: Browser, room: str, states: Sequence[RoomState]) -> list[RoomMemory]:
    """One date a day, from tomorrow on; returns the room on each. It has said no once on every date, now or before."""
    keys = office.keys(browser.tenant)
    rooms = [
        _on(office.room(browser, room, state, occurrence=f"o-{date}"), date, keys) for date, state in enumerate(states)
    ]
    meeting = office.meeting(browser, *rooms)
    copy = meeting.copies[browser.mailbox]
    dates = tuple(
        msgspec.structs.replace(each, event_id=event_on(date), start_ms=rooms[date].start_ms, end_ms=rooms[date].end_ms)
        for date, each in enumerate(copy.occurrences)
    )
    live = office.calendar.events["event-of-m-planning"]
    for each in dates:
        office.calendar.events[each.event_id] = dataclasses.replace(
            live, event_id=each.event_id, start_ms=each.start_ms, end_ms=each.end_ms
        )
    copies = {browser.mailbox: msgspec.structs.replace(copy, occurrences=dates)}
    office.show(msgspec.structs.replace(meeting, copies=copies), browser.tenant)
    return rooms


def _on(room: RoomMemory, date: int, keys: TenantKeys) -> RoomMemory:
    shift = date * DAY_MS
    ask = keys.ask(room.start_ms + shift, room.end_ms + shift)
    decline = keys.decline("m-planning", room.occurrence, room.room, ask, 0)
    return msgspec.structs.replace(
        room,
        ask=ask,
        start_ms=room.start_ms + shift,
        end_ms=room.end_ms + shift,
        repeats={ask: 1},
        decline_id=decline if room.decline_id else "",
    )
