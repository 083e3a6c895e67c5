"""A series at Microsoft whose dates go, move or come back, as Graph's delta tells of it: it does not name what went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from shared.domain.instants import DAY_MS, HOUR_MS, from_rfc3339, to_rfc3339
from shared.providers.microsoft.client import GraphCalendar
from tests.integration.services.sync_worker.wire import Answer, Wire, open_wire, path_of
from tests.support.builders import NOW_MS
from tests.support.office import AARE, Office

FIRST_MS = (NOW_MS // HOUR_MS + 48) * HOUR_MS
WEEK_MS = 7 * DAY_MS
MASTER = "series"


class Outlook:
    """Ada's calendar at Graph: one weekly series whose dates the test sets, told the way Graph's delta tells it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.answers: dict[str, str] = {}
        """Date id → the room's answer."""
        self.times: dict[str, tuple[int, int]] = {}
        self.all_day = False
        self.exists = True
        self.singles: dict[str, tuple[int, str]] = {}
        self.removed: list[str] = []
        self.failing = ""
        self.schedule("a", FIRST_MS)
        wire.answer = self.answer

    def schedule(self, run: str, first_ms: int) -> None:
        """The series is at these times from now on; another `run` gives its dates other ids."""
        self.times = {f"{run}{n}": (first_ms + n * WEEK_MS, first_ms + n * WEEK_MS + HOUR_MS) for n in range(4)}
        self.answers = dict.fromkeys(self.times, "accepted")

    def answer(self, method: str, request: str) -> Answer:
        path = unquote(path_of(request)).removeprefix("/v1.0")
        if method == "POST" and path == "/subscriptions":
            return Answer(201, {"id": "s1", "expirationDateTime": to_rfc3339(NOW_MS + 6 * DAY_MS)})
        if self.failing and self.failing in path:
            return Answer(503, {"error": {"code": "serviceUnavailable", "message": "down"}}, {"Retry-After": "1"})
        if path.startswith("/me/calendarView/delta"):
            return Answer(
                200, {"value": self._delta(), "@odata.deltaLink": "{base}/v1.0/me/calendarView/delta?$deltatoken=1"}
            )
        if path == f"/me/events/{MASTER}/instances":
            return Answer(200, {"value": [self._date(name) for name in self._in_window()]}) if self.exists else _gone()
        return self._event(path.removeprefix("/me/events/"))

    def _event(self, name: str) -> Answer:
        if name in self.times:
            return Answer(200, self._date(name))
        if name in self.singles:
            return Answer(200, self._single(name))
        return Answer(200, self._master()) if name == MASTER and self.exists else _gone()

    def _delta(self) -> list[dict[str, Any]]:
        """The master and the dates that remain: of one that went, not a word."""
        of_series = [self._master(), *(self._sparse(name) for name in self._in_window())] if self.exists else []
        removed = [{"id": name, "@removed": {"reason": "deleted"}} for name in self.removed]
        return [*of_series, *(self._single(name) for name in self.singles if name not in self.removed), *removed]

    def _in_window(self) -> list[str]:
        return [name for name, (start_ms, _) in self.times.items() if start_ms < NOW_MS + 60 * DAY_MS]

    def _master(self) -> dict[str, Any]:
        first = min(self.times.values(), default=(FIRST_MS, FIRST_MS + HOUR_MS))
        return {**self._full(MASTER, *first, "accepted"), "type": "seriesMaster", "iCalUId": "ical-series"}

    def _date(self, name: str) -> dict[str, Any]:
        return {
            **self._full(name, *self.times[name], self.answers[name]),
            "type": "occurrence" if self.answers[name] == "accepted" else "exception",
            "seriesMasterId": MASTER,
            "iCalUId": f"ical-{name}",
            "originalStart": to_rfc3339(self.times[name][0]),
        }

    def _sparse(self, name: str) -> dict[str, Any]:
        full = self._date(name)
        return {key: full[key] for key in ("id", "type", "seriesMasterId", "start", "end")} if (
            full["type"] == "occurrence"
        ) else full  # fmt: skip

    def _single(self, name: str) -> dict[str, Any]:
        start_ms, answer = self.singles[name]
        return {**self._full(name, start_ms, start_ms + HOUR_MS, answer), "type": "singleInstance", "iCalUId": name}

    def _full(self, name: str, start_ms: int, end_ms: int, answer: str) -> dict[str, Any]:
        return {
            "id": name,
            "@odata.etag": f'W/"{name}-{start_ms}-{answer}"',
            "start": {"dateTime": to_rfc3339(start_ms).removesuffix("Z"), "timeZone": "UTC"},
            "end": {"dateTime": to_rfc3339(end_ms).removesuffix("Z"), "timeZone": "UTC"},
            "isAllDay": self.all_day,
            "isOrganizer": True,
            "organizer": {"emailAddress": {"address": "ada@contoso.test"}},
            "attendees": [
                {"type": "resource", "emailAddress": {"address": AARE, "name": "Aare"}, "status": {"response": answer}}
            ],
        }


def _gone() -> Answer:
    return Answer(404, {"error": {"code": "ErrorItemNotFound", "message": "The specified object was not found."}})


@pytest.fixture
def outlook() -> Iterator[Outlook]:
    with open_wire() as wire:
        yield Outlook(wire)


@pytest.fixture
def office(tmp_path: Path, outlook: Outlook) -> Iterator[Office]:
    office = Office(tmp_path)
    calendar = GraphCalendar(f"{outlook.wire.url}/v1.0", 5.0)
    office.calendar = calendar  # type: ignore[assignment]  # the real client in the place of the test's own
    office.restart()
    office.connect()
    yield office
    calendar.close()


def published(office: Office) -> list[int]:
    """When the dates begin whose room was told to have declined."""
    return sorted(from_rfc3339(event["data"]["ask"].split("/")[0]) for event in office.topic("room-rejections"))


def heard(office: Office) -> None:
    office.hint()
    office.settle()


@pytest.mark.proves("D5")
def test_a_date_that_was_cancelled_is_gone_at_once(office: Office, outlook: Outlook) -> None:
    del outlook.times["a1"]
    heard(office)
    outlook.answers = dict.fromkeys(outlook.times, "declined")
    heard(office)
    assert len(office.declines()) == 3
    assert office.states().count("gone") == 1


@pytest.mark.proves("D5")
def test_a_series_that_moves_is_asked_for_its_new_dates_alone(office: Office, outlook: Outlook) -> None:
    outlook.schedule("b", FIRST_MS + 26 * HOUR_MS)
    heard(office)
    outlook.answers = dict.fromkeys(outlook.times, "declined")
    heard(office)
    assert len(office.declines()) == 4
    assert outlook.wire.count("GET", f"/me/events/{MASTER}/instances") == 2


def test_a_series_is_asked_for_once_a_round(office: Office, outlook: Outlook) -> None:
    heard(office)
    assert outlook.wire.count("GET", f"/me/events/{MASTER}/instances") == 1
    (asked,) = [line for line in outlook.wire.asked if "/instances" in line]
    assert "startDateTime=" in asked
    assert "endDateTime=" in asked


def test_a_series_that_is_not_known_any_more_has_ended(office: Office, outlook: Outlook) -> None:
    outlook.exists = False
    outlook.removed = [MASTER]
    heard(office)
    assert office.states().count("gone") == 4


def test_a_series_that_cannot_be_asked_for_fails_the_look(office: Office, outlook: Outlook) -> None:
    del outlook.times["a1"]
    outlook.failing = "/instances"
    heard(office)
    assert "gone" not in office.states()
    outlook.failing = ""
    office.after(10)
    assert office.states().count("gone") == 1


def test_an_event_that_moved_beyond_the_window_is_followed_there(office: Office, outlook: Outlook) -> None:
    outlook.singles = {"single": (FIRST_MS + HOUR_MS, "accepted")}
    heard(office)
    outlook.singles = {"single": (NOW_MS + 70 * DAY_MS, "none")}
    outlook.removed = ["single"]
    heard(office)
    assert "gone" not in office.states()
    assert office.states()[-1] == "pending"


def test_an_event_that_was_cancelled_is_gone(office: Office, outlook: Outlook) -> None:
    outlook.singles = {"single": (FIRST_MS + HOUR_MS, "accepted")}
    heard(office)
    outlook.singles, outlook.removed = {}, ["single"]
    heard(office)
    assert office.states()[-1] == "gone"
