"""A company with much going on: forty rooms with German names, thirty meetings a day, titles that run from right to left."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from threading import Event
from typing import Any

import msgspec

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import RoomMemory
from shared.contracts.rows import RoomRow
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.domain.sighting import AgendaItem, Availability, LiveAttendee
from shared.organisations.enrolment import enter_rooms
from tests.integration.services.portal.office import Browser, MemoryCalendar, Office

NAMES = (
    "Besprechungsraum Donaudampfschifffahrt", "Großer Sitzungssaal", "Käthe-Kollwitz-Zimmer", "Übungsraum", "Rheinblick",
    "Vorstandskonferenzzimmer", "חדר ישיבות צפוני", "Straßenseite", "Fügung", "قاعة الاجتماعات الكبرى",
    "Qualitätssicherungslabor", "Maßwerk", "Würfel", "Kleine Denkerstube", "Öffentlichkeitsarbeit", "Äquator", "Zwischendeck",
    "Bürgermeister-Smidt-Saal", "Schreibwerkstatt", "Fernsprechzelle",
)  # fmt: skip
BUILDINGS = ("Verwaltungsgebäude Süd", "Haus am Rheinufer", "")
EQUIPMENT = ("Videokonferenzanlage", "Höhenverstellbarer Tisch", "Bildschirm")
TITLES = (
    "Jour fixe", "ישיבת תקציב שנתית", "Abstimmung zur Bauleitplanungsänderungsverordnung", "", "اجتماع الفريق", "Quartalszahlen",
    "Rückblick: Woche 48 — was lief gut, was nicht, und was nehmen wir uns für die nächste Iteration vor?", "1:1 Åsa / Łukasz",
)  # fmt: skip
PEOPLE = ("Ada", "Jürgen Müller-Lüdenscheidt", "דוד כהן", "Theodora-Alexandrina Wolkenkratzer", "Ben")
STATES = (RoomState.ACCEPTED, RoomState.PENDING, RoomState.ACCEPTED, RoomState.ACCEPTED)
DECLINED_EVERY, MEETINGS_A_DAY, DAYS, PROMPTS = 6, 30, 3, 12
DELAYS_MS = (0, 40, 300, 10, 120, 0, 250, 80)
"""How long the provider takes to answer, in turn."""
BEGINS_HOUR = 7


def fill(office: Office, browser: Browser) -> list[str]:
    """Enter the rooms, and put three days of meetings into the calendar and the view. Returns the rooms' ids."""
    rooms = enter(office, browser)
    office.calendar.said = {f"raum{number}@rooms.test": Availability.FREE for number in range(1, 41)}
    day_ms = office.clock.now_ms() // DAY_MS * DAY_MS
    prompts = 0
    for day in range(DAYS):
        for number in range(MEETINGS_A_DAY):
            start_ms = day_ms + (day + 1) * DAY_MS + BEGINS_HOUR * HOUR_MS + number * 20 * MINUTE_MS
            declines = number % DECLINED_EVERY == 0 and prompts < PROMPTS
            prompts += declines
            state = RoomState.DECLINED if declines else STATES[number % len(STATES)]
            name = f"m-{day}-{number}"
            show(
                office,
                browser,
                name,
                TITLES[number % len(TITLES)],
                at(office, browser, rooms[number], state, name, start_ms),
            )
    office.calendar.planned = [planned(office, number, day_ms) for number in range(2 * MEETINGS_A_DAY)]
    return rooms


def enter(office: Office, browser: Browser) -> list[str]:
    rows = [
        RoomRow(
            address=f"raum{number + 1}@rooms.test",
            name=f"{NAMES[number % len(NAMES)]} {number // len(NAMES) + 1}",
            capacity=(4, 8, 12, 30, 0)[number % 5],
            building=BUILDINGS[number // 16],
            floor=("EG", "1", "2")[number % 3],
            section="Ostflügel" if number % 4 == 0 else "",
            equipment=EQUIPMENT[: number % 4],
            accessible=(True, None, False)[number % 3],
            description="Schlüssel am Empfang, Fenster bitte schließen." if number % 5 == 0 else "",
            resource="directory",
        )
        for number in range(40)
    ]
    enter_rooms(office.engine.registry, office.engine.keyring, browser.tenant, rows)
    return [office.keys(browser.tenant).room(row.address) for row in rows]


def at(office: Office, browser: Browser, room: str, state: RoomState, meeting: str, start_ms: int) -> RoomMemory:
    """The room as it stands to a meeting that begins then and lasts forty minutes."""
    keys, end_ms = office.keys(browser.tenant), start_ms + 40 * MINUTE_MS
    found = office.room(browser, room, state, meeting=meeting, occurrence=f"o-{meeting}")
    ask = keys.ask(start_ms, end_ms)
    decline = keys.decline(meeting, found.occurrence, room, ask, 0) if found.decline_id else ""
    return msgspec.structs.replace(
        found, start_ms=start_ms, end_ms=end_ms, ask=ask, repeats={ask: 1} if decline else {}, decline_id=decline
    )


def show(office: Office, browser: Browser, name: str, title: str, *rooms: RoomMemory) -> None:
    office.show(office.meeting(browser, *rooms, meeting=name), browser.tenant)
    event = f"event-of-{name}"
    office.calendar.events[event] = dataclasses.replace(
        office.calendar.events[event], title=title, link="https://calendar.test/event/1"
    )


def planned(office: Office, number: int, day_ms: int) -> AgendaItem:
    """One of the meetings of today and tomorrow: some private, some declined, one over two days, one all day."""
    day, of_day = divmod(number, MEETINGS_A_DAY)
    start_ms = day_ms + day * DAY_MS + BEGINS_HOUR * HOUR_MS + of_day * 20 * MINUTE_MS
    answers = cycle(("accepted", "none", "declined", "tentative"))
    everybody = tuple(
        LiveAttendee(name, f"p{n}@{'gast.example' if n == 3 else 'rooms.test'}", is_room=False, answer=next(answers))
        for n, name in enumerate(PEOPLE)
    )
    return AgendaItem(
        event_id=f"event-of-m-{day - 1}-{of_day}", uid=f"uid-{number}", slot="", title=TITLES[of_day % len(TITLES)],
        start_ms=day_ms + day * DAY_MS if of_day == 5 else start_ms,
        end_ms=day_ms + (day + 1) * DAY_MS if of_day == 5 else start_ms + (DAY_MS if of_day == 9 else 40 * MINUTE_MS),
        all_day=of_day == 5, private=of_day == 1, declined=of_day == 2, is_organizer=of_day % 3 != 1,
        attendees=() if of_day == 1 else everybody[: 2 + of_day % 4],
    )  # fmt: skip


def date_of(at_ms: int) -> str:
    """The date of an instant, as a form takes it."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).date().isoformat()


def keep_distance(calendar: MemoryCalendar) -> None:
    """Let the provider take as long as providers do, from nothing to 300 ms."""
    delays, never = cycle(DELAYS_MS), Event()

    def late(answer: Callable[..., Any]) -> Callable[..., Any]:
        def wait(*asked: Any, **named: Any) -> Any:
            never.wait(next(delays) / 1_000)
            return answer(*asked, **named)

        return wait

    for name in ("read", "read_page", "read_series", "agenda", "availability", "busy_times"):
        setattr(calendar, name, late(getattr(calendar, name)))
