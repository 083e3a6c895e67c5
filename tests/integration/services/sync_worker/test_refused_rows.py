"""Somebody wrote to the registry beside us: the mailbox whose row it is waits, said aloud, and the partition goes on."""

from __future__ import annotations

import pytest

from services.sync_worker.housekeeping.sweep import Sweep
from services.sync_worker.looking.look import Looker
from shared.domain.identity import Mailbox
from shared.engines.bound_registry import BoundRegistry
from shared.organisations.enrolment import join
from shared.ports.registry import Registry
from shared.registry import tables
from tests.support.office import AARE, BIRS, Office

pytestmark = pytest.mark.proves("E11")
HOUR_S = 3600


def beneath(office: Office) -> Registry:
    assert isinstance(office.engine.registry, BoundRegistry)
    return office.engine.registry._registry


def tamper(office: Office, table: str, row_id: str) -> bytes:
    """Alter a row in the store; returns what stood there."""
    found = beneath(office).get(table, office.tenant, row_id)
    assert found is not None
    beneath(office).put(table, office.tenant, row_id, found.value.replace(b"{", b'{"x":1,', 1))
    return found.value


def looks_of(office: Office, mailbox: Mailbox) -> int:
    """How often the mailbox's calendar was looked at to the end."""
    row = tables.freshness(office.engine.registry).get(mailbox.tenant, mailbox.id)
    return row.checked_at_ms if row else 0


@pytest.mark.parametrize("restarts", [False, True], ids=["same owner", "other owner"])
def test_a_tampered_grant_stops_its_mailbox_and_nobody_elses(
    office: Office, capsys: pytest.CaptureFixture[str], restarts: bool
) -> None:
    ben = office.connect("ben")
    ada = Mailbox(office.tenant, "m-ada")
    before = looks_of(office, ada), looks_of(office, ben)
    stood = tamper(office, "consents", "m-ada")
    if restarts:
        office.restart()

    office.clock.at_ms += 120_000
    office.hint()
    office.hint(mailbox=ben)
    office.settle()

    assert looks_of(office, ada) == before[0]
    assert looks_of(office, ben) > before[1]
    said = capsys.readouterr()
    assert f"consents/{office.tenant}/m-ada" in said.out + said.err

    beneath(office).put("consents", office.tenant, "m-ada", stood)
    office.after(HOUR_S)
    assert looks_of(office, ada) > before[0]


@pytest.mark.parametrize(("table", "row_id"), [("tenants", "tenant"), ("rooms", "")])
def test_a_row_of_the_organisation_tampered_with_while_a_look_runs_loses_nothing_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, table: str, row_id: str
) -> None:
    row_id = row_id or next(name for name, _ in tables.rooms(office.engine.registry).scan(office.tenant))
    real, stood = Looker.run, list[bytes]()

    def run(looker: Looker, job: object) -> object:
        outcome = real(looker, job)  # type: ignore[arg-type]
        if not stood:
            stood.append(tamper(office, table, row_id))
            office.clock.at_ms += 11_000  # the look was long: the rooms are read again
        return outcome

    monkeypatch.setattr(Looker, "run", run)
    office.calendar.book("e2", **{AARE: "declined", BIRS: "accepted"})
    told = len(office.declines())
    office.hint()
    office.settle()
    office.clock.at_ms += 20_000
    office.settle()
    assert len(stood) == 1

    beneath(office).put(table, office.tenant, row_id, stood[0])
    office.after(HOUR_S)

    assert len(office.declines()) == told + 1


def test_a_tampered_directory_leaves_out_one_organisation_of_the_sweep(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = office.engine.registry
    [place] = [row_id for row_id, _ in tables.directories(registry).scan("-")]
    assert join(registry, "t-other", provider="google", directory="other")
    found = beneath(office).get("directories", "-", place)
    assert found is not None
    beneath(office).put("directories", "-", place, found.value.replace(b"t-", b"u-", 1))

    visited: list[str] = []
    sweep = Sweep(office.engine, office.clock, office.endings)
    sweep._tenant = visited.append  # type: ignore[method-assign]
    sweep.once()

    assert visited == ["t-other"]
    said = capsys.readouterr()
    assert f"directories/-/{place}" in said.out + said.err
