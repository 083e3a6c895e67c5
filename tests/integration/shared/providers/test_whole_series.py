"""A room that refused a whole series is replaced by one change of the series, at both providers' simulators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.looking.series_swap import swap_series
from services.sync_worker.looking.swaps import Swaps
from shared.domain.instants import DAY_MS
from shared.domain.sighting import LiveSeries, RoomContact
from shared.meetings.series_refusals import series_window

DATES = 4
DAILY = {"frequency": "daily", "interval": 1, "count": DATES}
SELDOM = {"frequency": "daily", "interval": 100, "count": DATES}
"""Its third and fourth date are further ahead than rooms are booked."""


class Refused:
    """A daily series with one guest, who has answered, and a date of another title; its room declined all of it."""

    def __init__(
        self,
        person: Any,
        wait_for: Callable[..., Any],
        *,
        days: float = 2,
        mode: str = "forbid",
        recurrence: dict[str, Any] = DAILY,
    ) -> None:
        self.person = person
        self.declined, self.free = person.room("Aquarium", mode=mode), RoomContact(person.room("Boiler"), "Boiler")
        guest = {"tenant": person.tenant, "name": "Bo", "address": f"bo@{person.domain}"}
        self.guest = person.simulator.ask("POST", "users", guest)["address"]
        self.made = person.meeting(self.declined, attendees=[self.guest], days=days, recurrence=recurrence)
        self.keys = [date["occurrence"] for date in self.made["occurrences"]]
        self.answer(f"users/{self.guest}", "accepted")
        change = {"title": "MARKER changed", "occurrence": self.keys[2]}
        person.simulator.ask("PATCH", f"meetings/{self.made['id']}", change)
        self.apart = self.keys[2]
        if mode == "forbid":
            wait_for(lambda: self.answers(self.declined) == ["declined"] * DATES or None, "the room to decline")

    def answer(self, who: str, answer: str, **date: str) -> None:
        """Somebody (`users/address`, `rooms/address`) answers the series, or the date of an `occurrence`."""
        body = {"meeting": self.made["id"], "answer": answer, **date}
        self.person.simulator.ask("POST", f"{who}/answers", body)

    def truth(self) -> list[dict[str, str]]:
        """Address → answer on each date, as the simulator has it."""
        listed = self.person.simulator.ask("GET", "meetings")["meetings"]
        one = next(each for each in listed if each["id"] == self.made["id"])
        return [
            {each["address"]: each["answer"] for each in (*date["rooms"], *date["attendees"])}
            for date in one["occurrences"]
        ]

    def answers(self, address: str) -> list[str | None]:
        return [date.get(address) for date in self.truth()]

    def read(self) -> LiveSeries:
        date = next(event for event in self.person.calendar.look(self.person.access, "", self.person.window()).seen
                    if getattr(event, "slot", ""))  # fmt: skip
        found: LiveSeries = self.person.calendar.read_series(
            self.person.access, date.event_id, series_window(self.person.simulator.now_ms())
        )
        return found

    def swap(self) -> str:
        now_ms = self.person.simulator.now_ms()
        date = self.read().dates[0]
        swaps = Swaps(self.person.calendar, self.person.access, {}, ListedRooms())
        return swap_series(swaps, date.event_id, lambda one: one == self.declined, self.free, now_ms)

    def changes(self) -> int:
        """How many changes of events the person has sent."""
        told = self.person.simulator.ask("GET", "requests")
        requests = told if isinstance(told, list) else next(value for value in told.values() if isinstance(value, list))
        return sum(one["method"] == "PATCH" and one["user"] == self.person.user for one in requests)


@pytest.mark.proves("B8", "E43")
def test_series_is_changed_once_and_the_date_that_stands_apart_for_itself(
    person: Any, wait_for: Callable[..., Any]
) -> None:
    refused = Refused(person, wait_for)
    series = refused.read()
    assert len(series.dates) == DATES
    assert len(series.apart) == 1
    assert refused.swap() == ""
    assert refused.changes() == 2
    assert refused.answers(refused.declined) == [None] * DATES
    assert refused.answers(refused.guest) == ["accepted"] * DATES, "nobody is asked anew"
    wait_for(lambda: refused.answers(refused.free.address) == ["accepted"] * DATES or None, "the other room to accept")
    assert refused.swap() == ""
    assert refused.changes() == 2, "what is changed already is left as it is"


@pytest.mark.proves("B8")
def test_date_that_its_room_refused_by_itself_is_changed_with_its_series(
    person: Any, wait_for: Callable[..., Any]
) -> None:
    refused = Refused(person, wait_for)
    refused.answer(f"rooms/{refused.declined}", "declined", occurrence=refused.keys[1])
    assert refused.swap() == ""
    assert refused.answers(refused.declined) == [None] * DATES
    assert refused.changes() == 3


@pytest.mark.proves("B8")
def test_change_that_was_broken_off_after_the_series_goes_on_with_the_date_that_stands_apart(
    person: Any, wait_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, swap_room = Refused(person, wait_for), person.calendar.swap_room

    def die_after_the_first(*arguments: Any) -> None:
        swap_room(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(person.calendar, "swap_room", die_after_the_first)
        with pytest.raises(KeyboardInterrupt):
            refused.swap()
    assert refused.changes() == 1
    assert refused.answers(refused.declined).count("declined") == 1
    assert refused.swap() == ""
    assert refused.changes() == 2
    assert refused.answers(refused.declined) == [None] * DATES


@pytest.mark.proves("B8")
@pytest.mark.parametrize("case", ["a date is over", "a date was accepted"])
def test_series_that_has_begun_or_was_refused_in_part_is_left_as_it_is(
    person: Any, wait_for: Callable[..., Any], case: str
) -> None:
    if case == "a date is over":
        refused = Refused(person, wait_for, days=-1.5)
    else:
        refused = Refused(person, wait_for, mode="manual")
        refused.answer(f"rooms/{refused.declined}", "declined")
        refused.answer(f"rooms/{refused.declined}", "accepted", occurrence=refused.keys[1])
    before = refused.truth()
    assert refused.swap().endswith("choose again; your meeting is as it was")
    assert refused.changes() == 0
    assert refused.truth() == before


@pytest.mark.proves("B8", "E43")
def test_date_that_stands_apart_beyond_the_horizon_of_rooms_is_changed_with_its_series(
    person: Any, wait_for: Callable[..., Any]
) -> None:
    refused = Refused(person, wait_for, recurrence=SELDOM)
    assert len(refused.read().apart) == 1
    assert refused.swap() == ""
    assert refused.changes() == 2
    assert refused.answers(refused.declined) == [None] * DATES


def test_meeting_of_one_date_is_no_series(person: Any) -> None:
    room = person.room("Aquarium")
    person.meeting(room)
    (event,) = person.calendar.look(person.access, "", person.window()).seen
    window = series_window(person.simulator.now_ms())
    assert person.calendar.read_series(person.access, event.event_id, window) is None


def test_dates_beyond_the_window_are_not_read(person: Any, wait_for: Callable[..., Any]) -> None:
    refused = Refused(person, wait_for)
    first_ms = refused.read().dates[0].start_ms
    window = series_window(first_ms - DAY_MS)
    short = type(window)(window.start_ms, first_ms + 1)
    date = refused.read().dates[0]
    found = person.calendar.read_series(person.access, date.event_id, short)
    assert [each.event_id for each in found.dates] == [date.event_id]
