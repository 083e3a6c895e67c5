"""A series of 60 dates with three rooms for 500 people, as looks show it and as observations say it."""

from __future__ import annotations

import time
from collections.abc import Collection

from shared.contracts import copy_observation
from shared.contracts.copy_observation import CopyDate, CopyObservation
from shared.contracts.meeting_state import meeting_key
from shared.contracts.topics import OBSERVATIONS
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, AttendeeKind, CopyRole, SeenAttendee
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, SeenEvent, Window
from shared.ports.log import Record

NOW_MS = int(time.time() * 1000) // HOUR_MS * HOUR_MS
DATES, PEOPLE, ROOMS = 60, 500, 3
WINDOW_MS = 62 * DAY_MS
WINDOW = Window(NOW_MS - DAY_MS, NOW_MS + WINDOW_MS)


def dates_seen(answer: Answer, *, organizes: bool, declined: Collection[tuple[int, int]] = ()) -> list[SeenEvent]:
    """
    A date a day for 500 people, of whom the first has given this answer.

    Args:
        answer: The first person's, to every date.
        organizes: Whether the copy is the organiser's.
        declined: Date and room, by their numbers, where the room says no; all others have accepted.
    """
    people = [
        SeenAttendee(f"{n}@x.test", AttendeeKind.PERSON, answer if n == 0 else Answer.NONE) for n in range(PEOPLE)
    ]
    version = f"{answer} {sorted(declined)}"
    return [
        SeenEvent(
            event_id=f"stand-up_{day:08}T090000Z", uid="stand-up", kind=EventKind.OCCURRENCE, master_id="stand-up",
            slot=str(day), start_ms=NOW_MS + (day + 1) * DAY_MS, end_ms=NOW_MS + (day + 1) * DAY_MS + HOUR_MS, cancelled=False,
            is_organizer=organizes, organizer="0@x.test", shows_guests=True, version=version,
            attendees=(
                *(
                    SeenAttendee(
                        f"room-{room}@x.test", AttendeeKind.ROOM,
                        Answer.DECLINED if (day, room) in declined else Answer.ACCEPTED,
                    )
                    for room in range(ROOMS)
                ),
                *people,
            ),
        )
        for day in range(DATES)
    ]  # fmt: skip


def observation_record(keys: TenantKeys, look: CopyObservation, offset: int) -> Record:
    """An observation as it stands on its topic."""
    key = meeting_key(keys.tenant, look.meeting)
    value = sealed_envelope(
        keys,
        look,
        key=key,
        type=copy_observation.TYPE,
        id=f"o-{offset}",
        version=copy_observation.VERSION,
        compress=True,
    )
    return Record(OBSERVATIONS.name, 0, offset, key, value, (), 0)


def observed_series(
    keys: TenantKeys, number: int, answer: Answer, at_ms: int, *, rooms: int = ROOMS, first_day: int = 0
) -> CopyObservation:
    """A look of one of many people at a meeting on every day; person 0 organises it."""
    meeting = keys.meeting("google", "stand-up")
    return CopyObservation(
        provider="google",
        mailbox=f"m-{keys.person(str(number))[2:]}",
        meeting=meeting,
        organizer=keys.person("0"),
        role=CopyRole.GUEST if number else CopyRole.ORGANIZER,
        observed_at_ms=at_ms,
        window_start_ms=at_ms - DAY_MS,
        window_end_ms=at_ms + WINDOW_MS,
        dates=tuple(
            CopyDate(
                ref=keys.occurrence(meeting, str(day)),
                event_id=f"{keys.person('event')}_{day:08}T090000Z",
                start_ms=NOW_MS + (day + 1) * DAY_MS,
                end_ms=NOW_MS + (day + 1) * DAY_MS + HOUR_MS,
                rooms={keys.room(str(room)): answer for room in range(rooms)},
                seats=PEOPLE,
                sequence=1,
            )
            for day in range(first_day, first_day + DATES)
        ),
    )
