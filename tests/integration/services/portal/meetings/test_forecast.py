"""What is said of pending rooms, over HTTP, against how long simulated rooms take to answer: within seconds, minutes, or hours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.portal.meetings.deciding.forecast import ENOUGH_ANSWERS, USUAL_SHARE
from shared.domain.instants import DAY_MS, SECOND_MS
from shared.domain.roles import Role
from simulator.world.model import RoomRules
from tests.support.builders import NOW_MS
from tests.support.office import AARE, Office
from tests.support.office_portal import OfficePortal, Visitor

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
DELAYS = {
    "at once": RoomRules(delay_ms=(2 * SECOND, 6 * SECOND)),
    "within minutes": RoomRules(delay_ms=(2 * MINUTE, 9 * MINUTE)),
    "by a person": RoomRules(mode="manual", delay_ms=(HOUR, 6 * HOUR)),
}
EARLIER, LATER = 30, 30


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    office.connect()
    yield office
    office.engine.close()


@pytest.fixture
def portal(office: Office) -> OfficePortal:
    return OfficePortal(office)


class Bookings:
    """Ada books one room after the other; the room answers when its rules say."""

    def __init__(self, portal: OfficePortal, rules: RoomRules) -> None:
        self.portal = portal
        self.office = portal.office
        self.random = random.Random(6)
        self.low, self.high = rules.delay_ms or (0, 0)
        self.count = 0

    def ask(self) -> str:
        self.count += 1
        name = f"e{self.count}"
        self.office.calendar.book(name, start_ms=NOW_MS + 30 * DAY_MS, **{AARE: "none"})
        self.look()
        return name

    def answer(self, name: str) -> float:
        """The room answers after a delay of its own, in seconds."""
        delay_s = self.random.randint(self.low, self.high) / SECOND_MS
        self.office.after(delay_s)
        self.office.calendar.book(name, start_ms=NOW_MS + 30 * DAY_MS, **{AARE: "accepted"})
        self.look()
        return delay_s

    def look(self) -> None:
        self.office.hint()
        self.office.settle()

    def visit(self) -> Visitor:
        """Ada signs in anew: hours may have passed."""
        return self.portal.visit("ada", Role.SUBSCRIPTION_ADMIN.value)

    def pending(self) -> dict[str, Any]:
        [shown] = [each for each in self.visit().get("/v1/me/rooms")["rooms"] if each["state"] == "pending"]
        return dict(shown)


@pytest.mark.proves("M6")
@pytest.mark.parametrize("kind", DELAYS)
def test_what_is_called_usual_covers_nine_of_ten_later_answers(office: Office, portal: OfficePortal, kind: str) -> None:
    bookings = Bookings(portal, DELAYS[kind])
    for _ in range(EARLIER):
        bookings.answer(bookings.ask())
    covered = unusual = 0
    for _ in range(LATER):
        name = bookings.ask()
        usual_s = bookings.pending()["forecast"]["usualSeconds"]
        waited_s = bookings.answer(name)
        covered += waited_s <= usual_s
        unusual += waited_s > 2 * usual_s

    assert covered >= (USUAL_SHARE - 0.1) * LATER
    assert unusual == 0
    assert usual_s <= 3 * bookings.high / SECOND_MS, "what is called usual says something"

    bookings.ask()
    before = bookings.pending()
    assert before["forecast"]["unusual"] is False
    assert f"Usually answers within {before['forecast']['usual']}." in before["words"]
    office.after(2 * usual_s + 1)
    silent = bookings.pending()
    assert silent["forecast"]["unusual"] is True
    assert "; silent for " in silent["words"]
    assert ", unusual." in silent["words"]


@pytest.mark.proves("M6")
def test_a_silent_room_is_called_so_on_every_page_and_few_answers_say_nothing(
    office: Office, portal: OfficePortal
) -> None:
    bookings = Bookings(portal, DELAYS["at once"])
    for number in range(ENOUGH_ANSWERS + 1):
        name = bookings.ask()
        assert (bookings.pending()["forecast"] is None) == (number < ENOUGH_ANSWERS)
        bookings.answer(name)
    bookings.ask()
    office.after(9 * 60)

    shown = bookings.pending()["forecast"]
    assert shown == {
        "usual": shown["usual"],
        "usualSeconds": shown["usualSeconds"],
        "silentSeconds": 540,
        "unusual": True,
    }
    ada = bookings.visit()
    words = f"Usually answers within {shown['usual']}; silent for 9 min, unusual."
    room = office.keys.room(AARE)
    assert words in ada.get("/")
    assert words in ada.get(f"/admin/rooms/{room}")
    [date] = [each for each in ada.get(f"/v1/admin/rooms/{room}")["schedule"] if each["state"] == "pending"]
    assert (date["forecast"], date["words"]) == (shown, words)


@pytest.mark.proves("M6", "E33")
def test_counts_are_few_and_go_with_the_organisation_s_key(office: Office, portal: OfficePortal) -> None:
    bookings = Bookings(portal, DELAYS["within minutes"])
    for _ in range(ENOUGH_ANSWERS):
        bookings.answer(bookings.ask())
    bookings.ask()
    assert bookings.pending()["forecast"] is not None
    kept = office.engine.view.rows(f"{office.tenant}/~rooms")
    assert len(kept) == 1
    assert len(kept[0].value or b"") < 2_000
    office.restart()
    office.settle()
    assert bookings.pending()["forecast"] is not None, "a take-over loses no counts"
