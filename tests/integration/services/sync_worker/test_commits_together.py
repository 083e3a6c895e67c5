"""Looks that end at about the same time are committed together: a commit on three brokers costs more than waiting for one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from services.sync_worker import looks_in_flight
from tests.support.office import Office


class SecondIsSlower(Executor):
    """The first look runs where it is submitted, the second when the test lets it."""

    def __init__(self) -> None:
        self.slower = threading.Event()
        self.submitted = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        if self.submitted == 1:
            fn(*args, **kwargs)
        else:
            threading.Thread(target=lambda: self.slower.wait(30) and fn(*args, **kwargs), daemon=True).start()
        return Future()


@pytest.fixture
def hinted(tmp_path: Path) -> tuple[Office, SecondIsSlower]:
    """Two calendars have been heard of; one look is quick, one is not."""
    office, pool = Office(tmp_path), SecondIsSlower()
    office.connect()
    ben = office.connect("ben")
    office.restart(pool)
    office.hint()
    office.hint(mailbox=ben)
    return office, pool


def commits(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many mailboxes each commit concerns."""
    found: list[int] = []
    commit = office.sync._claim.commit

    def counted(outputs: Sequence[Any], state: Sequence[Any], position: Any) -> int:
        found.append(len({change.key for change in state}))
        return commit(outputs, state, position)

    monkeypatch.setattr(office.sync._claim, "commit", counted)
    return found


def test_look_that_ends_within_a_moment_of_another_shares_its_commit(
    hinted: tuple[Office, SecondIsSlower], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, pool = hinted
    found = commits(office, monkeypatch)
    monkeypatch.setattr(looks_in_flight, "LINGER_S", 30.0)
    threading.Timer(0.05, pool.slower.set).start()
    office.sync.step()
    assert found == [2]


def test_look_that_takes_long_keeps_nobody_waiting(
    hinted: tuple[Office, SecondIsSlower], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, pool = hinted
    found = commits(office, monkeypatch)
    office.sync.step()
    assert found == [1]
    monkeypatch.setattr(office.sync, "_poll_s", 0.05)
    pool.slower.set()
    while found == [1]:
        office.sync.step()
    assert found == [1, 1]
