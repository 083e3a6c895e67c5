"""Titles of a page: read for all meetings together, as many as come in time, and the others said to be on their way."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import msgspec
import pytest

from shared.contracts.meeting_state import RoomState
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import Access, LiveMeeting, LivePage, Window
from tests.integration.services.portal.office import Browser, Office
from tests.support.patience import PATIENCE_S

MANY = 50


@pytest.fixture
def meetings(office: Office, ada: Browser) -> list[str]:
    """Fifty meetings of Ada's, an hour apart, each with a title of its own; the titles, by start."""
    [room] = office.enter_rooms(ada.tenant, "one")
    titles = []
    for number in range(MANY):
        name = f"m-{number}"
        known = office.room(ada, room, RoomState.ACCEPTED, meeting=name, occurrence=f"o-{number}")
        begins_ms = known.start_ms + number * HOUR_MS
        moved = msgspec.structs.replace(known, start_ms=begins_ms, end_ms=begins_ms + HOUR_MS // 2)
        office.show(office.meeting(ada, moved, meeting=name), ada.tenant)
        event = f"event-of-{name}"
        office.calendar.events[event] = dataclasses.replace(office.calendar.events[event], title=f"Talk {number}")
        titles.append(f"Talk {number}")
    return titles


class PausedPages:
    """A calendar system that answers when it is told to."""

    def __init__(self, office: Office) -> None:
        self._answer = office.calendar.read_page
        self.released = threading.Event()

    def __call__(self, access: Access, window: Window, page: str = "") -> LivePage:
        assert self.released.wait(PATIENCE_S)
        return self._answer(access, window, page)


@pytest.fixture
def paused(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[PausedPages]:
    pages = PausedPages(office)
    monkeypatch.setattr(office.calendar, "read_page", pages)
    yield pages
    pages.released.set()


def event_of(office: Office, number: int) -> LiveMeeting:
    return office.calendar.events[f"event-of-m-{number}"]


@pytest.mark.proves("E2", "P1")
def test_fifty_titles_are_one_read_of_the_calendar(office: Office, ada: Browser, meetings: list[str]) -> None:
    page = ada.client.get("/").text

    assert all(f">{title}</span>" in page for title in meetings)
    assert (len(office.calendar.pages), office.calendar.reads) == (1, [])
    assert [room["title"] for room in ada.client.get("/v1/me/rooms").json["rooms"]] == meetings
    assert (len(office.calendar.pages), office.calendar.reads) == (2, [])


def test_a_calendar_in_pages_is_followed_until_every_title_is_found(
    office: Office, ada: Browser, meetings: list[str]
) -> None:
    office.calendar.page_size = 20

    assert [room["title"] for room in ada.client.get("/v1/me/rooms").json["rooms"]] == meetings
    assert [page for _, page in office.calendar.pages] == ["", "20", "40"]


def test_meeting_that_is_not_where_it_was_last_seen_is_asked_for_by_its_id(
    office: Office, ada: Browser, meetings: list[str]
) -> None:
    last = event_of(office, MANY - 1)
    moved = dataclasses.replace(last, start_ms=last.start_ms + 30 * DAY_MS, end_ms=last.end_ms + 30 * DAY_MS)
    office.calendar.events[last.event_id] = moved

    rooms = ada.client.get("/v1/me/rooms").json["rooms"]

    assert {room["title"] for room in rooms} == set(meetings)
    assert [event for _, event in office.calendar.reads] == [last.event_id]


def test_events_that_are_gone_are_asked_for_a_bounded_number_of_times(
    office: Office, ada: Browser, meetings: list[str]
) -> None:
    kept = event_of(office, 0)
    office.calendar.events = {kept.event_id: kept}

    page = ada.client.get("/").text

    assert page.count("(title could not be read just now)") >= len(meetings) - 1
    assert len(office.calendar.pages) == 1
    assert len(office.calendar.reads) == 10


@pytest.mark.proves("P1")
def test_page_does_not_wait_for_a_slow_calendar_and_says_that_titles_are_on_their_way(
    ada: Browser, meetings: list[str], paused: PausedPages
) -> None:
    page = ada.client.get("/").text
    shown = page.split("<template")[0]

    assert shown.count("Reading the title …") == len(meetings)
    assert "could not be read" not in shown
    assert '<noscript><meta http-equiv="refresh" content="0; url=?titles=wait"></noscript>' in page

    paused.released.set()
    whole = ada.client.get("/?titles=wait").text

    assert all(f">{title}</span>" in whole for title in meetings)
    assert "http-equiv" not in whole
