"""Choices over HTTP: what a room has declined through the workers it comes last for, with the reason, and for nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.rows import RoomRow
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.organisations.enrolment import enter_rooms
from simulator.world.model import AttendeeAnswer, RoomRules
from simulator.world.rules import Slot, verdict
from tests.support.builders import NOW_MS
from tests.support.office import AARE, ADA, BIRS, Office
from tests.support.office_portal import OfficePortal, Visitor

CERN = "cern@rooms.contoso.test"
RULES = {AARE: RoomRules(max_duration_minutes=120), BIRS: RoomRules(mode="forbid"), CERN: RoomRules()}
AARE_DECLINES = "has declined meetings of this length (4 of 4)"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    cern = RoomRow(address=CERN, name="Cern", capacity=20)
    enter_rooms(office.engine.registry, office.engine.keyring, office.tenant, [cern])
    office.connect()
    yield office
    office.engine.close()


@pytest.fixture
def ada(office: Office) -> Visitor:
    return OfficePortal(office).visit()


def book(office: Office, name: str, room: str, hours: int, day: int) -> None:
    """Ada asks a room, which answers by the simulator's rules."""
    start_ms = (NOW_MS // HOUR_MS + 24 * day) * HOUR_MS
    slot = Slot(start_ms, start_ms + hours * HOUR_MS, taken=False)
    found = verdict(RULES[room], [slot], organizer=ADA, foreign=False, now_ms=office.clock.at_ms, provider="microsoft")
    answer = "accepted" if found.answer is AttendeeAnswer.ACCEPTED else "declined"
    for said in ("none", answer):
        office.calendar.book(name, start_ms=start_ms, **{room: said})
        event = office.calendar.events[name]
        office.calendar.events[name] = dataclasses.replace(event, end_ms=slot.end_ms)
        office.hint()
        office.after(MINUTE_MS / 1_000)


def choices(ada: Visitor, hours: int) -> list[dict[str, Any]]:
    """What is offered in the place of a room that declined a meeting of so many hours, the first first."""
    prompts = ada.get("/v1/me/prompts")["prompts"]
    lost = next(each for each in prompts if each["roomId"] and span(each) == hours)
    found: list[dict[str, Any]] = ada.get(lost["links"]["choices"])["choices"]
    return found


def span(prompt: dict[str, Any]) -> int:
    return int(prompt["end"][11:13]) - int(prompt["start"][11:13])


@pytest.mark.proves("M4", "E37", "E41")
def test_room_that_declines_long_meetings_comes_last_for_those_and_first_for_others(
    office: Office, ada: Visitor
) -> None:
    for day in range(2, 6):
        book(office, f"short-{day}", AARE, 1, day)
        book(office, f"long-{day}", AARE, 4, day + 10)
    office.calendar.events = {name: each for name, each in office.calendar.events.items() if name.startswith("short")}
    book(office, "lost-long", BIRS, 4, 20)
    book(office, "lost-short", BIRS, 1, 20)
    office.after(6 * 60)

    long, short = choices(ada, 4), choices(ada, 1)

    assert [each["name"] for each in long] == ["Cern", "Aare"]
    assert (long[1]["doubt"], long[1]["reasons"][0]) == ("this-length", AARE_DECLINES)
    assert long[0]["doubt"] is None
    aare = next(each for each in short if each["name"] == "Aare")
    assert (aare["doubt"], AARE_DECLINES in aare["reasons"]) == (None, False)
    assert all(each["label"] == "free now, not confirmed" for each in (*long, *short))
    prompt = next(each for each in ada.get("/v1/me/prompts")["prompts"] if span(each) == 4)
    page = ada.get(f"/prompts/{prompt['id']}")
    assert page.index("Cern") < page.index(AARE_DECLINES)
