"""`roomsync tenants remove`: everything that is kept of an organisation goes, and nothing of another."""

from __future__ import annotations

import click
import msgspec
import pytest
from click.testing import CliRunner

from cli.main import roomsync
from shared.contracts.rows import EndingRow, IntegrationState, TenantRow
from shared.contracts.topics import ERASURES
from shared.engines.bound_registry import BoundRegistry
from shared.errors import KeyDestroyedError
from shared.organisations.enrolment import NOBODY, enrol
from shared.organisations.removal import count_rows
from shared.ports.engine import Engine
from shared.registry import tables
from tests.support.commands import Run
from tests.unit.cli.test_switching_off import state_of, tenant

__all__ = ["tenant"]


@pytest.fixture
def off(run: Run, engine: Engine, tenant: str) -> str:
    """Switched off to the end, with a row in every table."""
    tables.tenants(engine.registry).change(tenant, "tenant", lambda row: _with_state(row, IntegrationState.OFF))
    for table in tables.TABLES:
        if table not in {tables.tenants, tables.endings, tables.audit_heads}:
            engine.registry.put(table.name, tenant, "some-row", b"{}", expect=None)
    return tenant


def _with_state(row: TenantRow | None, state: IntegrationState) -> TenantRow | None:
    return msgspec.structs.replace(row, integration=state) if row else None


@pytest.mark.proves("P8")
def test_nothing_is_left_in_any_table_and_its_keys_are_destroyed_on_record(run: Run, engine: Engine, off: str) -> None:
    other = enrol(engine.registry, engine.keyring, provider="microsoft", directory="d-2", name="Fabrikam")
    before = count_rows(engine.registry, other)

    done = run("tenants", "remove", off, "--yes", "--json")

    assert (done.code, done.lines[0]["tenant"]) == (0, off)
    assert {table.name for table in tables.TABLES} - done.lines[0]["rows"].keys() <= {"endings", "audit-heads"}
    assert count_rows(engine.registry, off) == {}
    assert [name for name, _ in tables.directories(engine.registry).scan(NOBODY)] == ["microsoft:d-2"]
    with pytest.raises(KeyDestroyedError):
        engine.keyring.keys(off)
    with pytest.raises(KeyDestroyedError):
        engine.keyring.consent_key(off)
    log = engine.log
    erased = [
        record.key.decode().split("/")[:2]
        for partition in range(log.partitions)
        for record in log.read(ERASURES.name, partition, 0)
    ]
    assert sorted(erased) == [[off, "consent"], [off, "data"]]
    assert count_rows(engine.registry, other) == before
    engine.keyring.keys(other)
    with pytest.raises(click.UsageError, match="there is no tenant"):
        run("tenants", "remove", off, "--yes")


@pytest.mark.proves("P8")
def test_it_is_refused_while_on_and_until_its_id_was_typed(run: Run, engine: Engine, tenant: str) -> None:
    with pytest.raises(click.UsageError, match=f"roomsync tenants disable {tenant}"):
        run("tenants", "remove", tenant, "--yes")
    tables.tenants(engine.registry).change(tenant, "tenant", lambda row: _with_state(row, IntegrationState.OFF))
    rows = count_rows(engine.registry, tenant)
    unmeant = CliRunner().invoke(roomsync, ("tenants", "remove", tenant), input="Contoso\n", standalone_mode=False)
    assert (unmeant.return_value, unmeant.exception) == (1, None)
    assert f"Type {tenant}" in unmeant.stderr
    assert run("tenants", "remove", tenant, "--dry-run").code == 0
    assert count_rows(engine.registry, tenant) == rows
    meant = CliRunner().invoke(roomsync, ("tenants", "remove", tenant), input=f"{tenant}\n", standalone_mode=False)
    assert (meant.return_value, count_rows(engine.registry, tenant)) == (0, {})


@pytest.mark.proves("P8")
def test_it_waits_until_the_provider_has_ended_what_was_subscribed(run: Run, engine: Engine, off: str) -> None:
    tables.endings(engine.registry).add(off, "b-ada", EndingRow(provider="microsoft", sealed=b""))
    waiting = run("tenants", "remove", off, "--yes")
    assert waiting.code == 1
    assert "1 subscriptions of Contoso are still to be ended" in waiting.err
    assert state_of(engine, off) is IntegrationState.OFF


@pytest.mark.proves("P8")
def test_a_row_that_was_altered_beside_roomsync_stops_no_erasure(run: Run, engine: Engine, off: str) -> None:
    assert isinstance(engine.registry, BoundRegistry)
    stored = engine.registry._registry
    for table in (tables.rooms, tables.audit, tables.chat_channels):
        moved = stored.get(table.name, off, "some-row")
        assert moved is not None
        stored.put(table.name, off, "moved", moved.value.replace(b"{", b'{"name":"x",', 1))
    assert run("tenants", "remove", off, "--yes").code == 0
    assert [each for each in stored.everything() if each.tenant == off] == []


@pytest.mark.proves("P8")
def test_it_is_refused_when_it_was_switched_on_while_the_question_stood(
    engine: Engine, off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def switch_on_and_answer(*_: object, **__: object) -> str:
        tables.tenants(engine.registry).change(off, "tenant", lambda row: _with_state(row, IntegrationState.ENABLED))
        return off

    monkeypatch.setattr(click, "prompt", switch_on_and_answer)
    rows = count_rows(engine.registry, off)
    answered = CliRunner().invoke(roomsync, ("tenants", "remove", off), standalone_mode=False)
    assert isinstance(answered.exception, click.UsageError)
    assert count_rows(engine.registry, off) == rows
    engine.keyring.keys(off)
