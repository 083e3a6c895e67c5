"""`roomsync tenants disable`: counts first, then the very switch of the administrators' page, by the operator."""

from __future__ import annotations

import json

import click
import msgspec
import pytest
from click.testing import CliRunner

from cli.common.records import read_all
from cli.main import roomsync
from shared.contracts.rows import ConsentRow, ConsentState, IntegrationState, RoomRow, UserRow
from shared.contracts.topics import COMMANDS
from shared.organisations.audit_chain import read_chain
from shared.organisations.enrolment import enrol, enter_rooms
from shared.ports.engine import Engine
from shared.registry import tables
from tests.support.commands import Run

MAILBOX = "b-ada"


@pytest.fixture
def tenant(engine: Engine) -> str:
    """Enabled, with two rooms and one connected person."""
    found = enrol(engine.registry, engine.keyring, provider="microsoft", directory="d-1", name="Contoso")
    rows = [RoomRow(address=f"{name}@rooms.test", name=name, paired=True) for name in ("one", "two")]
    enter_rooms(engine.registry, engine.keyring, found, rows)
    person = UserRow(provider="microsoft", subject="ada", address_sealed=b"", person="p-ada", mailbox=MAILBOX)
    tables.users(engine.registry).add(found, "u-ada", person)
    consent = ConsentRow(
        provider="microsoft", subject="ada", user="u-ada", state=ConsentState.ACTIVE, refresh_sealed=b"sealed"
    )
    tables.consents(engine.registry).put(found, MAILBOX, consent)
    return found


def state_of(engine: Engine, tenant: str) -> IntegrationState:
    row = tables.tenants(engine.registry).get(tenant, "tenant")
    assert row is not None
    return row.integration


def acts_of(engine: Engine, tenant: str) -> list[tuple[str, str]]:
    chain, _ = read_chain(engine.registry, tenant)
    return [(entry.row.user, entry.row.act) for entry in chain.entries.values()]


def commands_on(engine: Engine) -> list[bytes]:
    partitions = range(engine.log.partitions)
    return [record.key for each in partitions for record in read_all(engine.log, COMMANDS.name, each)]


@pytest.mark.proves("E25", "E26")
def test_it_switches_off_as_the_page_does_and_stands_in_the_audit_as_the_operators(
    run: Run, engine: Engine, tenant: str
) -> None:
    done = run("tenants", "disable", tenant, "--yes", "--json")

    assert done.code == 0
    assert done.lines == [{"tenant": tenant, "people": 1, "subscriptions": 1, "rooms": 2, "prompts": 0}]
    assert "switched off; consents sleep for 120 hours" in done.err
    assert state_of(engine, tenant) is IntegrationState.DISABLED
    assert [row.paired for _, row in tables.rooms(engine.registry).scan(tenant)] == [False, False]
    assert acts_of(engine, tenant) == [("operator", "integration.disabled")]
    assert commands_on(engine) == [f"{tenant}/{MAILBOX}".encode()], "its worker is told to end the subscription"


@pytest.mark.proves("E27")
def test_it_asks_with_the_real_counts_and_does_nothing_unless_told_yes(run: Run, engine: Engine, tenant: str) -> None:
    refused = CliRunner().invoke(roomsync, ("tenants", "disable", tenant), input="n\n", standalone_mode=False)
    assert (refused.return_value, refused.exception) == (1, None)
    assert "     2 rooms are connected, and would be parted" in refused.stdout
    assert "Switch Contoso off? [y/N]" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert run("tenants", "disable", tenant, "--dry-run").code == 0
    assert (state_of(engine, tenant), acts_of(engine, tenant)) == (IntegrationState.ENABLED, [])

    agreed = CliRunner().invoke(roomsync, ("tenants", "disable", tenant), input="y\n", standalone_mode=False)
    assert (agreed.return_value, state_of(engine, tenant)) == (0, IntegrationState.DISABLED)


@pytest.mark.parametrize("state", [IntegrationState.OFF, IntegrationState.DISABLED])
def test_what_is_not_on_is_not_switched_off(run: Run, engine: Engine, tenant: str, state: IntegrationState) -> None:
    tables.tenants(engine.registry).change(
        tenant, "tenant", lambda row: msgspec.structs.replace(row, integration=state) if row else None
    )
    with pytest.raises(click.UsageError, match=f"is {state}: there is nothing to switch off"):
        run("tenants", "disable", tenant, "--yes")
    with pytest.raises(click.UsageError, match="there is no tenant t-unknown; see `roomsync tenants list`"):
        run("tenants", "disable", "t-unknown", "--yes")
    with pytest.raises(click.UsageError, match="--json asks nothing"):
        run("tenants", "disable", tenant, "--json")
    assert acts_of(engine, tenant) == []


def test_a_port_out_of_range_is_refused_before_anything_starts(run: Run) -> None:
    with pytest.raises(click.BadParameter, match="65536 is not in the range 0<=x<=65535") as refused:
        run("simulator", "--port", "65536")
    assert refused.value.exit_code == 2


def test_the_counts_are_one_object(run: Run, tenant: str) -> None:
    assert json.loads(run("tenants", "disable", tenant, "--dry-run", "--json").out)["rooms"] == 2
