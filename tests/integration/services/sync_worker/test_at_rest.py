"""What a step costs does not depend on how many mailboxes are at rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.sync_worker.deciding import mailbox as mailboxes
from services.sync_worker.worker import SyncOwner
from tests.support.office import Office

STEPS = 50


class Watched(dict[Any, Any]):
    """Counts how often one of its mailboxes is looked at."""

    touched = 0

    def _touch(self, count: int) -> None:
        self.touched += count

    def __iter__(self) -> Iterator[Any]:
        self._touch(len(self))
        return super().__iter__()

    def __getitem__(self, key: Any) -> Any:
        self._touch(1)
        return super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        self._touch(1)
        return super().get(key, default)

    def items(self) -> Any:
        self._touch(len(self))
        return super().items()

    def values(self) -> Any:
        self._touch(len(self))
        return super().values()


def touched_at_rest(office: Office) -> int:
    """How many mailboxes a number of steps look at in which nothing is due."""
    office.settle()
    office.sync._held = watched = Watched(office.sync._held)
    for _ in range(STEPS):
        office.sync.step()
    return watched.touched


def test_steps_in_which_nothing_is_due_look_at_no_mailbox(office: Office) -> None:
    for number in range(20):
        office.connect(f"p{number}")
    assert touched_at_rest(office) < STEPS, "metrics alone may look at them, once a second"


def test_planted_fault_is_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step asks every mailbox whether it is due, as in 0.1.0."""
    begin = SyncOwner._begin

    def scans(owner: SyncOwner) -> None:
        assert not [one for one, held in owner._held.items() if mailboxes.is_due(held.state, owner._clock.now_ms())]
        begin(owner)

    for number in range(20):
        office.connect(f"p{number}")
    monkeypatch.setattr(SyncOwner, "_begin", scans)
    assert touched_at_rest(office) >= STEPS


def test_what_was_taken_over_is_held_once(office: Office) -> None:
    mailbox = office.connect()
    office.calendar.book()
    office.hint()
    office.settle()
    known = office.sync._held[mailbox].references
    assert known
    office.restart()
    assert office.sync._held[mailbox].references == known
    assert not office.sync._claim.state
