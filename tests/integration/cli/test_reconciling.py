"""`roomsync reconcile` on a running office: drift is corrected, those with the soonest meeting come first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
import pytest

from cli.common.calendars import Calendars
from cli.reconcile import choose_mailboxes, sort_by_next_meeting
from shared.contracts.command import Reconcile
from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS
from shared.errors import RetryableError
from tests.support.commands import Run
from tests.support.office import AARE, START_MS
from tests.support.spoilt_log import Poisoned

FINDING = 1


@contextmanager
def at_work(office: Poisoned) -> Iterator[None]:
    """The office's sync worker goes on while a command waits for it."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.01):
            office.sync.step()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def test_drift_is_found_and_corrected(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.book(**{AARE: "accepted"})  # and no push tells of it
    with at_work(office):
        [result] = run("reconcile", "--all", "--json").lines
        assert (result["asked"], result["looked"], result["changed"], result["failed"]) == (1, 1, 1, {})
        [again] = run("reconcile", "--mailbox", "m-ada", "--full", "--json").lines
    assert (again["looked"], again["changed"]) == (1, 0)
    assert office.calendar.looks == ["full", "incremental", "full"]
    office.settle()
    assert office.states() == ["accepted"]


def test_mailbox_that_waits_for_an_appointment_is_a_finding(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.look_failures = [RetryableError("later", retry_after_s=60)]
    with at_work(office):
        ran = run("reconcile", "--all", "--json")
    assert ran.code == FINDING
    [why] = ran.lines[0]["failed"].values()
    assert "1 looks failed" in why


def test_worker_that_does_not_answer_is_a_finding_and_nobody_waits_for_ever(office: Poisoned, run: Run) -> None:
    office.connect()
    ran = run("reconcile", "--all", "--patience-s", "0.3", "--json")
    assert (ran.code, len(ran.lines[0]["waiting"])) == (FINDING, 1)


def test_only_known_mailboxes_are_taken_and_rehearsing_sends_nothing(office: Poisoned, run: Run) -> None:
    office.connect()
    before = office.topic("commands")
    with pytest.raises(click.UsageError, match="m-nobody"):
        run("reconcile", "--mailbox", "m-nobody")
    with pytest.raises(click.UsageError, match="t-nobody"):
        run("reconcile", "--tenant", "t-nobody")
    with pytest.raises(click.UsageError, match="say which"):
        run("reconcile")
    [plan] = run("reconcile", "--tenant", office.tenant, "--dry-run", "--json").lines
    assert [line["mailbox"] for line in plan["mailboxes"]] == [office.mailbox.key.decode()]
    assert office.topic("commands") == before


def test_budget_spreads_the_wishes(office: Poisoned, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    office.connect()
    naps: list[float] = []
    monkeypatch.setattr("cli.reconcile.time.sleep", naps.append)
    for _ in range(3):
        office.grant_to(f"m-{_}")
    assert run("reconcile", "--all", "--no-wait", "--calls-per-s", "0.5", "--json").lines[0]["asked"] == 4
    assert [round(nap / 2) for nap in naps] == [0, 1, 2, 3]


def test_soonest_meeting_comes_first(office: Poisoned) -> None:
    office.connect()
    office.calendar.book("later", start_ms=START_MS + HOUR_MS, **{AARE: "none"})
    office.calendar.book("soon", start_ms=START_MS, **{AARE: "none"})
    office.send(Reconcile(at_ms=office.clock.at_ms))
    office.settle()
    calendars = Calendars(office.engine)
    calendars.refresh()
    idle = Mailbox(office.tenant, "m-0")
    assert calendars.upcoming_ms(office.mailbox, office.clock.at_ms) == START_MS
    assert sort_by_next_meeting(calendars, [idle, office.mailbox], office.clock.at_ms) == [office.mailbox, idle]


def test_wish_for_a_full_look_outlives_its_worker(office: Poisoned) -> None:
    office.connect()
    for wished_while_waiting in (False, True):
        office.calendar.look_failures = [RetryableError("later", retry_after_s=60)]
        if wished_while_waiting:
            office.hint()
            office.settle()
        office.send(Reconcile(at_ms=office.clock.at_ms, full=True))
        office.settle()
        office.sync._commit({}, {})  # as any other mailbox's look would, before the owner dies
        office.restart()
        office.after(120)
        assert office.calendar.looks.pop() == "full"


def test_name_that_two_organisations_have_is_not_guessed() -> None:
    known = [Mailbox("t-1", "m-ada"), Mailbox("t-2", "m-ada")]
    with pytest.raises(click.UsageError, match="TENANT/ID"):
        choose_mailboxes(known, ["m-ada"], "")
    assert choose_mailboxes(known, ["t-2/m-ada", "t-2/m-ada"], "") == known[1:]
