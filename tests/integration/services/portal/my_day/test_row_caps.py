"""Nobody fills the store: each kind of row that a person can write has a bound, with words that say so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.portal.meetings import takes
from services.portal.my_day import booking, places
from shared.contracts.meeting_state import RoomState
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import Availability
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office

END = "2099-01-01T00:00:00Z"


def attend(browser: Browser, n: int, place: str = "office", end: str = END) -> Any:
    occurrence = "o-" + "".join("abcdefghij"[int(digit)] for digit in f"{n:012d}")
    return browser.client.put(
        f"/v1/me/attendances/m-aaaaaaaaaaaa/{occurrence}",
        json={"place": place, "end": end},
        headers={"X-CSRF-Token": browser.csrf},
    )


def rows(office: Office, tenant: str) -> int:
    return sum(1 for _ in tables.attendances(office.engine.registry).scan(tenant))


def test_attendances_of_one_person_are_bounded_and_others_go_on(
    office: Office, ada: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_ATTENDANCES", 3)
    assert [attend(ada, n).status_code for n in range(3)] == [204] * 3
    refused = attend(ada, 3)
    assert (refused.status_code, refused.json["code"]) == (409, "attendances-full")
    assert refused.json["next"]
    assert rows(office, ada.tenant) == 3
    assert attend(ada, 0, "remote").status_code == 204  # one that is there is changed
    assert attend(ben, 3).status_code == 204
    assert attend(ada, 0, "").status_code == 204  # and taken away, which makes room
    assert attend(ada, 3).status_code == 204


def test_attendances_that_ended_by_themselves_make_room_within_the_hour(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_ATTENDANCES", 2)
    monkeypatch.setattr(places, "KEEP_MS", 0)
    assert [attend(ada, n, end="").status_code for n in range(2)] == [204] * 2  # until now, and no longer
    office.clock.advance(HOUR_MS)
    assert attend(ada, 2).status_code == 204


def test_days_are_marked_for_a_year_and_not_for_all_times(ada: Browser) -> None:
    def mark(ahead: int) -> Any:
        day = date.today() + timedelta(days=ahead)  # noqa: DTZ011  # a day more or less does not matter
        return ada.client.put(f"/v1/me/office-days/{day}", json={"place": "office"}, headers={"X-CSRF-Token": ada.csrf})

    assert mark(390).status_code == 204
    refused = mark(420)
    assert (refused.status_code, refused.json["code"]) == (422, "date-far")


def test_rooms_taken_within_a_day_are_bounded(office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takes, "MAX_TAKES", 2)
    office.clock.advance(-2 * HOUR_MS)
    one, two = office.enter_rooms(ada.tenant, "one", "two")
    declined = office.room(ada, one, RoomState.DECLINED)
    office.show(office.meeting(ada, declined), ada.tenant)
    path, sent = f"/v1/me/prompts/{declined.decline_id}/take", {"roomId": two}
    for n in range(2):
        assert ada.post(path, sent, Idempotency_Key=f"k-{n}").status_code == 202
        office.clock.advance(2 * takes.UNDER_WAY_MS)
    refused = ada.post(path, sent, Idempotency_Key="k-2")
    assert (refused.status_code, refused.json["code"]) == (429, "takes-full")
    assert 0 < int(refused.headers["Retry-After"]) <= DAY_MS // 1000
    assert ada.post(path, sent, Idempotency_Key="k-1").status_code == 202  # a repetition is no further one


def test_bookings_of_a_day_are_bounded(office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "MAX_BOOKINGS_A_DAY", 2)
    office.enter_rooms(ada.tenant, "one")
    office.calendar.said = {"one@rooms.test": Availability.FREE}
    sent = {"title": "T", "date": "2099-01-05", "from": "10:00", "to": "11:00"}
    for n in range(2):
        assert ada.post("/v1/me/bookings", sent, Idempotency_Key=f"k-{n}").status_code == 201
    refused = ada.post("/v1/me/bookings", sent, Idempotency_Key="k-2")
    assert (refused.status_code, refused.json["code"]) == (429, "bookings-full")
    assert int(refused.headers["Retry-After"]) > 0
    assert ada.post("/v1/me/bookings", sent, Idempotency_Key="k-0").status_code == 201
