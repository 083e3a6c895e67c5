"""A round of the sweep costs the same however many organisations there are, and what is under way waits for no turn."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest

from services.sync_worker.housekeeping import sweep as sweeps
from services.sync_worker.housekeeping.sweep import AWAKE_MS, Sweep
from shared.contracts.index_row import IndexRow
from shared.contracts.rows import ConsentState, UserRow
from shared.grants import grant
from shared.organisations.enrolment import enrol
from shared.organisations.integration import IntegrationTransition, after
from shared.registry import tables
from tests.support.office import Office

AT_ONCE = 5
OTHERS = 12


class CountedSweep(Sweep):
    """Notes whom it asks."""

    def __init__(self, office: Office) -> None:
        super().__init__(office.engine, office.clock, office.endings)
        self.asked: list[str] = []

    def _tenant(self, tenant: str) -> bool:
        self.asked.append(tenant)
        return super()._tenant(tenant)

    def rounds(self, count: int) -> list[str]:
        self.asked = []
        for _ in range(count):
            self.once()
        return self.asked


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """One of several organisations; the others have nobody."""
    monkeypatch.setattr(sweeps, "AT_ONCE", AT_ONCE)
    office = Office(tmp_path)
    office.connect()
    registry, keyring = office.engine.registry, office.engine.keyring
    for number in range(OTHERS):
        enrol(registry, keyring, provider="microsoft", directory=f"other-{number}", name="x")
    return office


def act(office: Office, transition: IntegrationTransition) -> None:
    now_ms = office.clock.at_ms
    tables.tenants(office.engine.registry).change(
        office.tenant, "tenant", lambda row: after(row, transition, now_ms) if row else None
    )


def test_a_round_asks_a_few_and_everybody_is_asked_in_turn(office: Office) -> None:
    sweep = CountedSweep(office)
    turns = [sweep.rounds(1) for _ in range(3)]

    assert [len(turn) for turn in turns] == [AT_ONCE, AT_ONCE, OTHERS + 1 - 2 * AT_ONCE]
    everybody = sorted(itertools.chain(*turns))
    assert len(set(everybody)) == OTHERS + 1
    assert sorted(sweep.rounds(3)) == everybody


@pytest.mark.proves("E25")
def test_an_organisation_that_is_switched_off_is_asked_each_round(office: Office) -> None:
    act(office, IntegrationTransition.DISABLE)
    sweep = CountedSweep(office)
    sweep.rounds(3)

    assert sweep.rounds(3).count(office.tenant) == 3
    assert len(sweep.asked) <= OTHERS + 3


def test_one_whose_turn_fails_is_asked_in_the_next_round(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = CountedSweep(office)
    monkeypatch.setattr(sweep._endings, "waiting", lambda _tenant: 1 // 0)
    first = sweep.rounds(1)
    monkeypatch.undo()
    monkeypatch.setattr(sweeps, "AT_ONCE", AT_ONCE)

    assert set(first) < set(sweep.rounds(1))
    assert not set(first) & set(sweep.rounds(1))


def test_people_who_sleep_are_found_though_the_sweep_saw_everybody_awake_before(office: Office) -> None:
    sweep = CountedSweep(office)
    sweep.rounds(3)
    rows = tables.consents(office.engine.registry)
    until_ms = office.clock.at_ms + 2 * AWAKE_MS
    rows.change(office.tenant, "m-ada", lambda row: grant.put_to_sleep(row, until_ms) if row else None)
    office.clock.at_ms += AWAKE_MS
    sweep.rounds(3)

    row = rows.get(office.tenant, "m-ada")
    assert row
    assert row.state is not ConsentState.SLEEPING


def test_people_of_before_there_was_an_index_are_in_it_after_a_turn(office: Office) -> None:
    registry = office.engine.registry
    row = UserRow(provider="microsoft", subject="s", address_sealed=b"", person="p-early", mailbox="m-early")
    registry.put(tables.users.name, office.tenant, "u-early", msgspec.json.encode(row))
    CountedSweep(office).rounds(3)

    assert tables.people_index(registry).get(office.tenant, "p-early") == IndexRow(rows=("u-early",))
    assert list(tables.users(registry).find(office.tenant, {"p-early"})) == ["u-early"]
