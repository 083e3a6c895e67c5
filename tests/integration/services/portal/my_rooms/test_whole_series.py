"""A series of whose dates the room refused every one: said with its one mail beforehand, and taken by one change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.contracts.meeting_state import RoomState
from shared.domain.sighting import Availability, LiveAttendee, LiveSeries
from shared.registry import tables
from tests.integration.services.portal.my_rooms.series import event_on, show_series
from tests.integration.services.portal.my_rooms.test_api import takes_asked
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.proves("B8")
DATES = 3
ONE_MAIL = "The guest gets 1 mail for the whole series."


@pytest.fixture
def rooms(office: Office, ada: Browser) -> list[str]:
    office.calendar.said = {"two@rooms.test": Availability.FREE}
    return office.enter_rooms(ada.tenant, "one", "two")


@pytest.fixture
def lost(office: Office, ada: Browser, rooms: list[str]) -> list[str]:
    """Ids of the prompts; in the calendar the room refuses the series itself."""
    shown = show_series(office, ada, rooms[0], [RoomState.DECLINED] * DATES)
    refusing = (LiveAttendee("one", "one@rooms.test", is_room=True, answer="declined"),)
    dates = tuple(replace(office.calendar.events[event_on(date)], attendees=refusing) for date in range(DATES))
    master = replace(dates[0], event_id="series", is_organizer=True)
    office.calendar.series = LiveSeries(master, dates, frozenset())
    return [each.decline_id for each in shown]


def choices(browser: Browser, first: str, *also: str) -> Any:
    answer = browser.client.get(f"/v1/me/prompts/{first}/choices", query_string={"also": also})
    assert answer.status_code == 200, answer.text
    return answer.json


def take(browser: Browser, room: str, first: str, *also: str, whole: bool = True) -> Any:
    body = {"roomId": room, "also": also, "wholeSeries": whole}
    return browser.post(f"/v1/me/prompts/{first}/take", body, Idempotency_Key="k")


def test_one_mail_is_said_beforehand_and_one_more_for_each_date_that_stands_apart(
    office: Office, ada: Browser, lost: list[str]
) -> None:
    found = choices(ada, *lost)
    assert (found["wholeSeries"], found["mails"]) == (True, {"guests": 1, "each": 1, "words": ONE_MAIL})
    assert ONE_MAIL in ada.client.get(f"/prompts/{lost[0]}").text
    assert office.calendar.series is not None
    office.calendar.series = replace(office.calendar.series, apart=frozenset({event_on(1)}))
    words = "The guest gets 1 mail. One date stands apart from the series, and is mailed for itself."
    assert choices(ada, *lost)["mails"] == {"guests": 1, "each": 2, "words": words}


def test_some_of_the_dates_are_changed_one_by_one(office: Office, ada: Browser, lost: list[str]) -> None:
    assert choices(ada, *lost[:2])["wholeSeries"] is False
    assert office.calendar.series is not None
    begun = replace(office.calendar.series.master, end_ms=office.clock.now_ms())
    office.calendar.series = replace(office.calendar.series, master=begun)
    found = choices(ada, *lost)
    assert (found["wholeSeries"], found["mails"]["each"]) == (False, DATES)


@pytest.mark.parametrize("by", ["api", "form"])
def test_one_wish_is_sent_for_all_dates_and_sent_again_with_the_same_key(
    office: Office, ada: Browser, rooms: list[str], lost: list[str], by: str
) -> None:
    for _ in range(2):  # a double click
        if by == "api":
            answer = take(ada, rooms[1], *lost)
            assert answer.status_code == 202, answer.text
            assert [answer.json["promptId"], *(each["promptId"] for each in answer.json["also"])] == lost
        else:
            form = {"csrf": ada.csrf, "key": "k", "roomId": rooms[1], "also": lost[1:], "wholeSeries": "1"}
            assert ada.client.post(f"/prompts/{lost[0]}/take", data=form).status_code == 303
    wishes = takes_asked(office)
    assert {wish.event_id for wish in wishes} == {event_on(0)}
    assert {len(wish.series or ()) for wish in wishes} == {DATES - 1}
    assert len({wish.take_id for wish in wishes}) == 1


def test_series_of_which_a_date_has_its_room_is_not_taken_as_a_whole(
    office: Office, ada: Browser, rooms: list[str], lost: list[str]
) -> None:
    show_series(office, ada, rooms[0], [RoomState.DECLINED, RoomState.DECLINED, RoomState.ACCEPTED])
    answer = take(ada, rooms[1], *lost[:2])
    assert (answer.status_code, answer.json["code"]) == (409, "not-whole-series")
    assert takes_asked(office) == []


def test_key_of_a_series_is_no_key_of_its_first_date(ada: Browser, rooms: list[str], lost: list[str]) -> None:
    assert take(ada, rooms[1], *lost).status_code == 202
    answer = take(ada, rooms[1], *lost, whole=False)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency-key-reused")


def test_series_of_which_a_date_is_being_taken_records_no_take_of_the_others(
    office: Office, ada: Browser, rooms: list[str], lost: list[str]
) -> None:
    path = f"/v1/me/prompts/{lost[-1]}/take"
    assert ada.post(path, {"roomId": rooms[1]}, Idempotency_Key="other").status_code == 202
    answer = take(ada, rooms[1], *lost)
    assert (answer.status_code, answer.json["code"]) == (409, "take-under-way")
    assert len(takes_asked(office)) == 1
    rows = [row for _, row in tables.takes(office.engine.registry).scan(ada.tenant)]
    assert [row.prompt for row in rows] == [lost[-1]], "a date waits for a take that nobody was told of"
