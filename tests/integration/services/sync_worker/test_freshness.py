"""What people may read of their calendar's health: kept to the minute, by look or by push, and gone with their grant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.contracts.command import Disconnect, Reconcile
from shared.contracts.rows import FreshnessRow
from shared.errors import StoreUnavailableError
from shared.registry import tables
from tests.support.office import AARE, NOW_MS, Office

MINUTE_S = 60
pytestmark = pytest.mark.proves("B14")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.connect()
    return office


def fresh(office: Office) -> FreshnessRow | None:
    return tables.freshness(office.engine.registry).get(office.tenant, office.mailbox.id)


def test_first_look_is_a_check_and_nothing_has_been_heard(office: Office) -> None:
    assert fresh(office) == FreshnessRow(heard_at_ms=0, checked_at_ms=NOW_MS, references=0)


def test_push_is_heard_and_the_look_that_follows_is_a_check(office: Office) -> None:
    office.after(5 * MINUTE_S)
    office.hint()
    office.settle()
    assert fresh(office) == FreshnessRow(office.clock.at_ms, office.clock.at_ms, references=0)


def test_reconciliation_is_a_check_and_nothing_is_heard(office: Office) -> None:
    office.calendar.book(**{AARE: "accepted"})  # a meeting within a day: the pace is the setting's own
    office.send(Reconcile(at_ms=office.clock.at_ms))
    office.settle()
    office.after(901)
    assert fresh(office) == FreshnessRow(0, office.clock.at_ms, references=1)


def test_many_looks_in_a_minute_are_written_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    put = office.engine.registry.put

    def counted(table: str, *args: Any, **kwargs: Any) -> int:
        written.append(table)
        return put(table, *args, **kwargs)

    monkeypatch.setattr(office.engine.registry, "put", counted)
    for _ in range(10):
        office.hint()
        office.after(10)
    assert written.count("freshness") == 1


def test_it_is_gone_with_the_grant(office: Office) -> None:
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    assert fresh(office) is None


def test_after_two_days_without_a_look_it_says_nothing(office: Office) -> None:
    office.clock.at_ms += 48 * 60 * MINUTE_S * 1000
    assert fresh(office) is None


def test_registry_that_is_away_keeps_nobody_from_being_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.after(5 * MINUTE_S)

    def away(table: str, *args: Any, **kwargs: Any) -> int:
        message = "away"
        raise StoreUnavailableError(message)

    monkeypatch.setattr(office.engine.registry, "put", away)
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.settle()
    assert len(office.declines()) == 1
