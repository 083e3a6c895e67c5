"""`roomsync report` on an office: what it counts over two weeks is what happened there."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import click
import msgspec
import pytest

from shared.contracts.day_tally import KEEP_MS, is_tally
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.organisations.room_report import MAX_DAYS
from shared.registry import tables
from tests.support.commands import Run
from tests.support.office import AARE, BIRS
from tests.support.spoilt_log import Poisoned

DAYS = 14


def report(run: Run, *arguments: str, code: int = 0) -> dict[str, Any]:
    ran = run("report", "--json", *arguments)
    assert ran.code == code, ran.out
    return ran.lines[0]


def change(office: Poisoned, event: str, start_ms: int, **rooms: str) -> None:
    office.calendar.book(event, start_ms=start_ms, **rooms)
    office.hint()
    office.settle()


def a_day(office: Poisoned, number: int, dice: random.Random, truth: Counter[str]) -> None:
    """Some meetings of tomorrow, what their rooms say, and what their organiser does about it half an hour later."""
    fates = {}
    for each in range(dice.randint(1, 4)):
        event = f"day-{number}-{each}"
        start_ms = office.clock.at_ms + DAY_MS + each * HOUR_MS
        fates[event] = start_ms, dice.choice(("accepted", "declined", "declined", "silent")), dice.random() < 0.5
        change(office, event, start_ms, **{AARE: "none"})
    for event, (start_ms, fate, _) in fates.items():
        if fate != "silent":
            change(office, event, start_ms, **{AARE: fate})
    office.after(30 * 60)
    for event, (start_ms, fate, acts) in fates.items():
        truth.update(asked=1, meetings=1)
        if fate == "accepted":
            truth.update(accepted=1)
        elif fate == "silent":
            truth.update(roomless=1, unanswered=1)
        elif acts:
            truth.update(declined=1, asked=1, noticed=1, accepted=1)
            change(office, event, start_ms, **{BIRS: "none"})
            change(office, event, start_ms, **{BIRS: "accepted"})
        else:
            truth.update(declined=1, roomless=1)


@pytest.mark.proves("B19", "B23")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_weeks_are_counted_as_they_were(office: Poisoned, run: Run, seed: int) -> None:
    dice, truth = random.Random(seed), Counter[str]()
    office.connect()
    for number in range(DAYS):
        a_day(office, number, dice, truth)
        office.clock.at_ms += DAY_MS
        if number % 5 == 2:
            office.restart()
        office.settle()
    office.after(3 * 24 * 3600)

    found = report(run, "--days", "28")

    assert {name: found[name] for name in truth} == truth
    assert truth["noticed"]
    assert found["noticedAfterMinutes"] == 30.0
    assert (found["pending"], found["declinedBefore"], found["writes"]) == (0, 0, "on")
    assert sum(each["declined"] for each in found["days"]) == truth["declined"]
    assert len(found["days"]) == 28
    assert found["days"][-1]["day"] == found["to"]


@pytest.mark.proves("B19")
def test_what_stood_before_is_told_apart_and_what_waits_is_said(office: Poisoned, run: Run) -> None:
    start_ms = office.clock.at_ms + DAY_MS
    office.calendar.book("old", start_ms=start_ms, **{AARE: "declined"})
    office.connect()
    change(office, "new", start_ms, **{AARE: "declined", BIRS: "none"})
    found = report(run)
    assert (found["asked"], found["declined"], found["declinedBefore"], found["pending"]) == (3, 1, 1, 1)
    assert found["noticedAfterMinutes"] is None
    assert (found["meetings"], len(found["days"])) == (0, 14)


@pytest.mark.proves("B19")
def test_for_people_it_is_a_table(office: Poisoned, run: Run) -> None:
    office.connect()
    change(office, "e1", office.clock.at_ms + DAY_MS, **{AARE: "accepted"})
    first, head, line = run("report").out.splitlines()
    assert first == "the last 14 days, UTC"
    assert head.split()[:3] == ["organisation", "asked", "accepted"]
    assert line.split() == ["Contoso", "1", "1", "0", "0", "0", "-", "0", "0"]


def test_one_organisation_and_an_unknown_one(office: Poisoned, run: Run) -> None:
    office.connect()
    assert report(run, "--tenant", office.tenant)["tenant"] == office.tenant
    with pytest.raises(click.UsageError, match="no tenant"):
        run("report", "--tenant", "t-nowhere")
    with pytest.raises(click.UsageError, match="range"):
        run("report", "--days", str(MAX_DAYS + 1))


@pytest.mark.proves("B19")
def test_a_view_that_was_lost_is_no_report_of_nothing(office: Poisoned, run: Run) -> None:
    office.connect()
    change(office, "e1", office.clock.at_ms + DAY_MS, **{AARE: "declined"})
    office.engine.view.reset(0)
    assert report(run, code=1)["declined"] == 0
    office.after(2)
    assert report(run)["declined"] == 1


@pytest.mark.proves("B19")
def test_the_counts_of_a_day_are_forgotten_in_time_and_with_the_key(office: Poisoned, run: Run) -> None:
    office.connect()
    change(office, "e1", office.clock.at_ms + DAY_MS, **{AARE: "declined"})
    office.after(3 * 24 * 3600)
    assert tallies(office)
    office.after(KEEP_MS / 1000)
    office.after(3600)
    assert tallies(office) == []
    change(office, "e2", office.clock.at_ms + DAY_MS, **{AARE: "declined"})
    office.after(3600)
    assert tallies(office)
    office.engine.keyring.destroy_data(office.tenant)
    office.after(3601)
    assert tallies(office) == []
    assert run("report", "--json").lines == []


def tallies(office: Poisoned) -> list[bytes]:
    return [key for key in office.status._memory if is_tally(key)]


def test_an_organisation_is_named_by_its_name(office: Poisoned, run: Run) -> None:
    office.connect()
    row = tables.tenants(office.engine.registry).get(office.tenant, "tenant")
    assert row is not None
    tables.tenants(office.engine.registry).put(office.tenant, "tenant", msgspec.structs.replace(row, name=""))
    assert report(run)["organisation"] == office.tenant
