"""A push and a person who waits are answered before appointments, however many of these are due (pushes waited behind them)."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from services.sync_worker.deciding.job import Job
from services.sync_worker.worker import APPOINTMENTS_AT_ONCE
from shared.contracts.command import Reconcile
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS
from tests.support.office import Office, PausedPool

MAILBOXES = 20


class NamedPool(PausedPool):
    """Looks wait until they are let run, and it is known at whose mailboxes they are, in the order in which they began."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[Mailbox] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.begun += [each.mailbox for each in args if isinstance(each, Job)]
        return super().submit(fn, *args, **kwargs)


@pytest.mark.proves("D1")
def test_a_push_and_a_person_who_waits_do_not_wait_behind_appointments(tmp_path: Path) -> None:
    office, pool = Office(tmp_path), NamedPool()
    mailboxes = [office.connect(f"person{number}") for number in range(MAILBOXES)]
    office.restart(pool)
    office.after(DAY_MS / 1000)
    assert len(pool.begun) == APPOINTMENTS_AT_ONCE, "more than these wait where a push can still overtake them"

    pushed, waited = [each for each in mailboxes if each not in pool.begun][-2:]
    office.hint(mailbox=pushed)
    office.send(Reconcile(at_ms=office.clock.at_ms), waited)
    office.settle()

    assert {*pool.begun[APPOINTMENTS_AT_ONCE:]} == {pushed, waited}
    pool.release()
    office.settle()
    assert {*pool.begun} == {*mailboxes}
