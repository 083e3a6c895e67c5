"""What a person is shown that is kept about them is what a dump of every store shows that names them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.portal.kept_data.deciding.kinds import KINDS, Finder, Place
from shared.contracts.rows import AttendanceRow
from shared.contracts.topics import TOPICS
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import EventKind
from shared.registry import tables
from tests.support.builders import NOW_MS
from tests.support.office import AARE, BIRS, Office
from tests.support.office_portal import CSRF, OfficePortal, Visitor

KEPT = 10
"""Eight references, a piece with the answers of a series' people, and how far the calendar was read."""
DAYS = ("2026-12-01", "2026-12-02")
NAMED = {Finder.USER, Finder.MAILBOX, Finder.NAMED, Finder.SESSIONS, Finder.TAKES, Finder.APPOINTMENT, Finder.TEST}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.engine.close()


@pytest.fixture
def ada(office: Office) -> Visitor:
    """Two people who have done all that leaves a trace; the portal as Ada sees it."""
    portal = OfficePortal(office)
    people = []
    for name in ("ada", "ben"):
        office.connect(name)
        people.append(portal.visit(name))
    for number in range(5):
        office.calendar.book(f"e{number}", start_ms=NOW_MS + (number + 1) * DAY_MS, **{AARE: "none"})
    office.hint()
    office.after(61)
    office.calendar.book("e0", start_ms=NOW_MS + DAY_MS, **{AARE: "declined"})
    office.calendar.book("e1", start_ms=NOW_MS + 2 * DAY_MS, **{AARE: "declined"})
    series(office)
    office.hint()
    office.after(61)
    for person in people:
        live(person, office)
    office.settle()
    return people[0]


def series(office: Office) -> None:
    """A series of two dates, to which people are invited as well."""
    office.calendar.book("s", start_ms=NOW_MS + 6 * DAY_MS, **{AARE: "none"})
    single = office.calendar.events["s"]
    guests = tuple(
        SeenAttendee(f"{name}@contoso.test", AttendeeKind.PERSON, Answer.ACCEPTED) for name in ("eve", "fay")
    )
    master = dataclasses.replace(single, kind=EventKind.MASTER, attendees=(*(single.attendees or ()), *guests))
    office.calendar.events["s"] = master
    for number in range(2):
        start_ms = single.start_ms + number * DAY_MS
        office.calendar.events[f"s{number}"] = dataclasses.replace(
            master, event_id=f"s{number}", kind=EventKind.OCCURRENCE, master_id="s", slot=str(start_ms),
            start_ms=start_ms, end_ms=start_ms + HOUR_MS,
        )  # fmt: skip


def live(person: Visitor, office: Office) -> None:
    """Mark days, attend, put a prompt away, choose a room at another, and save how to be notified."""
    for day in DAYS[: 1 if person.user == "u-ben" else 2]:
        person.change("PUT", f"/v1/me/office-days/{day}", {"place": "office"})
    person.change("PUT", "/v1/me/notifications", {"mail": True, "zone": "Europe/Zurich"})
    prompts = person.get("/v1/me/prompts")["prompts"]
    if prompts:
        person.change("POST", f"/v1/me/prompts/{prompts[0]['id']}/dismiss")
        room = office.keys.room(BIRS)
        body = {"roomId": room}
        person.change("POST", f"/v1/me/prompts/{prompts[1]['id']}/take", body, Idempotency_Key="k")
    attendance = AttendanceRow(place="office", user=person.user)
    tables.attendances(office.engine.registry).put(office.tenant, f"m-1/o-1/{person.user}", attendance)


def rows_naming(office: Office, *names: str) -> Counter[str]:
    """Table → how many rows of the raw store have any of `names` in their id or their bytes."""
    stored = office.engine.registry._registry.everything()
    return Counter(row.table for row in stored if any(name in f"{row.row} {row.value!r}" for name in names))


def records_under(office: Office, topic: str, mailbox: str) -> list[bytes]:
    """The keys of the live records of a topic that name a mailbox."""
    span = office.engine.log.span(topic, 0)
    read = office.engine.log.read(topic, 0, span.begin, limit=10_000) if span.end > span.begin else []
    live = {record.key: record.value for record in read}
    return sorted(key for key, value in live.items() if value is not None and mailbox in key.decode().split("/"))


def counts(shown: dict[str, Any], place: Place) -> dict[str, int | None]:
    return {each["source"]: each["count"] for each in shown["kinds"] if each["place"] == place.value}


def check_rows(office: Office, shown: dict[str, Any], *names: str) -> None:
    """What is counted of the registry is all that a dump of it shows, and what is not counted says when it goes."""
    found = rows_naming(office, *names)
    for table, count in counts(shown, Place.REGISTRY).items():
        if count is not None:
            assert count == found.pop(table, 0), table
    assert found.keys() <= {kind.source for kind in KINDS if kind.finder is Finder.NONE}
    assert all(each["ends"].startswith(("Goes", "Stays")) for each in shown["kinds"])


@pytest.mark.proves("M8")
def test_counts_are_those_of_a_dump_and_fall_to_zero_on_disconnecting(office: Office, ada: Visitor) -> None:
    shown = ada.get("/v1/me/kept-data")

    check_rows(office, shown, "u-ada", "m-ada")
    log = counts(shown, Place.LOG)
    assert log["calendar-state"] == len(records_under(office, "calendar-state", "m-ada")) == KEPT
    assert log["meeting-state"] == len(records_under(office, "meeting-state", "m-ada")) == 6
    assert shown["fromCalendar"] == KEPT + 6 + 2
    assert counts(shown, Place.REGISTRY)["office-days"] == 2
    assert counts(shown, Place.REGISTRY)["dismissals"] == 1
    topics = {topic.name for topic in TOPICS if records_under(office, topic.name, "m-ada")}
    assert topics <= log.keys(), "a topic with records under the mailbox is among what is shown"

    ada.change("POST", "/v1/me/calendar/disconnect")
    office.after(61)
    shown = ada.get("/v1/me/kept-data")

    assert shown["fromCalendar"] == 0
    assert {each["source"]: each["count"] for each in shown["kinds"] if each["fromCalendar"]} == dict.fromkeys(
        ("consents", "freshness", "endings", "calendar-state", "meeting-state"), 0
    )
    check_rows(office, shown, "u-ada", "m-ada")
    assert records_under(office, "meeting-state", "m-ada") == []
    [left] = records_under(office, "calendar-state", "m-ada")
    assert left.endswith(b"/left"), "only the pseudonyms of meetings to come, as the page says"
    assert "pseudonyms alone stay" in next(
        each["ends"] for each in shown["kinds"] if each["source"] == "calendar-state"
    )
    assert counts(shown, Place.REGISTRY)["office-days"] == 2, "what she entered herself stays, and is said to"


@pytest.mark.proves("M8", "E35")
def test_it_is_one_s_own_alone_without_secrets_and_without_reading_others(
    office: Office, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned = []
    scan = type(office.engine.registry._registry).scan

    def noted(registry: Any, table: str, tenant: str) -> Any:
        scanned.append(table)
        return scan(registry, table, tenant)

    monkeypatch.setattr(type(office.engine.registry._registry), "scan", noted)
    text = ada.client.get("/v1/me/kept-data").text

    assert scanned == ["takes"], "those of a day, as My rooms reads them"
    assert "u-ben" not in text
    assert "m-ben" not in text
    assert CSRF not in text
    assert "token" not in text
    shown = ada.get("/v1/me/kept-data")
    assert shown["address"] == "ada@contoso.test"
    days = next(each["rows"] for each in shown["kinds"] if each["source"] == "office-days")
    assert [row["id"] for row in days] == [f"u-ada/{day}" for day in DAYS]


@pytest.mark.proves("M8")
def test_page_shows_the_counts_and_the_rows(office: Office, ada: Visitor) -> None:
    page = ada.get("/profile/kept-data")

    assert "What is kept about you" in page
    assert f"{KEPT + 8} records come from your calendar" in page
    assert f"<code>u-ada/{DAYS[0]}</code>" in page
    assert 'href="/v1/me/kept-data" download' in page
    assert '<a href="/profile/kept-data">' in ada.get("/profile")
