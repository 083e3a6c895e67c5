"""What somebody said of a meeting hangs on its reference: it stays through every change, and goes with the meeting."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from shared.contracts.command import Reconcile
from shared.contracts.rows import AttendanceRow, OfficeDayRow
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.errors import RetryableError
from shared.registry import tables
from tests.support.office import AARE, ADA, BIRS, START_MS, Office, PausedPool


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Ada is connected, has a meeting in Aare, and has said that she attends it from home."""
    found = Office(tmp_path)
    found.calendar.book(**{AARE: "accepted"})
    found.connect()
    note(found)
    return found


def row_id(office: Office, slot: str = "") -> str:
    meeting = office.keys.meeting("microsoft", "uid-e1")
    return f"{meeting}/{office.keys.occurrence(meeting, slot)}/{office.keys.person(ADA)}"


def note(office: Office) -> None:
    row = AttendanceRow(place="remote", user="u-ada")
    tables.attendances(office.engine.registry).put(office.tenant, row_id(office), row, not_after_ms=START_MS + DAY_MS)


def noted(office: Office) -> bool:
    return tables.attendances(office.engine.registry).get(office.tenant, row_id(office)) is not None


def cancel(office: Office) -> None:
    del office.calendar.events["e1"]
    office.hint()


@pytest.mark.proves("E34")
def test_note_stays_when_the_meeting_moves_and_changes_its_room(office: Office) -> None:
    office.calendar.book(start_ms=START_MS + 3 * HOUR_MS, **{BIRS: "none"})
    office.hint()
    office.settle()
    assert noted(office)


@pytest.mark.proves("E34", "E4")
def test_note_and_office_day_stay_through_a_forced_full_look(office: Office) -> None:
    days = tables.office_days(office.engine.registry)
    days.put(office.tenant, "u-ada/2026-09-22", OfficeDayRow(place="office"))
    office.send(Reconcile(at_ms=office.clock.at_ms, full=True))
    office.settle()
    assert office.calendar.looks == ["full", "full"]
    assert noted(office)
    assert days.get(office.tenant, "u-ada/2026-09-22") == OfficeDayRow(place="office")


@pytest.mark.proves("E34")
def test_note_goes_with_the_meeting(office: Office) -> None:
    cancel(office)
    office.settle()
    assert not noted(office)


@pytest.mark.proves("E34")
def test_note_goes_when_only_a_full_look_finds_that_the_meeting_is_gone(office: Office) -> None:
    del office.calendar.events["e1"]
    office.send(Reconcile(at_ms=office.clock.at_ms, full=True))
    office.settle()
    assert not noted(office)


@pytest.mark.proves("E34")
def test_note_goes_with_a_meeting_that_is_marked_cancelled(office: Office) -> None:
    office.calendar.events["e1"] = dataclasses.replace(office.calendar.events["e1"], cancelled=True)
    office.hint()
    office.settle()
    assert not noted(office)


@pytest.mark.proves("E34")
def test_note_stays_with_a_meeting_that_only_left_the_window(office: Office) -> None:
    away = office.calendar.events.pop("e1")
    office.calendar.out_of_sight["e1"] = away
    office.hint()
    office.settle()
    assert noted(office)


@pytest.mark.proves("E34")
def test_note_that_could_not_be_followed_goes_with_the_next_look(office: Office) -> None:
    office.calendar.read_failures = [RetryableError("503")]
    cancel(office)
    office.settle()
    assert noted(office)
    office.hint()
    office.settle()
    assert not noted(office)


@pytest.mark.proves("E34")
def test_worker_that_dies_before_its_commit_leaves_nothing_behind(office: Office) -> None:
    held = PausedPool()
    office.restart(held)
    cancel(office)
    office.sync.step()
    held.release()  # the look has run, nothing of it is committed
    note(office)  # as if it had died a moment earlier still
    office.restart()
    office.settle()
    assert not noted(office)
    assert office.states() == ["accepted", "gone"]
