"""The operator's commands for organisations: who administers them, and which directories are theirs."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec
import pytest

from cli.common.mailboxes import list_tenants, read_grants
from shared.contracts.rows import ConsentRow, ConsentState, EndingRow, IntegrationState, RoomRow, TenantRow, UserRow
from shared.contracts.topics import CALENDAR_STATE
from shared.domain.identity import Mailbox
from shared.engines.bound_registry import BoundRegistry
from shared.organisations.candidates import Account, propose
from shared.organisations.enrolment import enrol, tenant_of
from shared.organisations.people import account_appointment_id, appointment_id, user_id
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.registry import tables
from tests.support.commands import Run

DIRECTORY = "11111111-2222-3333-4444-555555555555"
ACCOUNT = "aaaaaaaa-2222-3333-4444-bbbbbbbbbbbb"
ADMIN = ("tenants", "admin", "--provider", "microsoft", "--directory", DIRECTORY)


def known(engine: Engine) -> tuple[str, TenantRow]:
    tenant = tenant_of(engine.registry, "microsoft", DIRECTORY)
    assert tenant is not None
    row = tables.tenants(engine.registry).get(tenant, "tenant")
    assert row is not None
    return tenant, row


def signs_in(engine: Engine, account: str, address: str) -> str:
    """Write what a sign-in leaves of a person; their user id."""
    tenant, row = known(engine)
    user = user_id(row, "microsoft", account)
    person = UserRow(provider="microsoft", subject=account, address_sealed=b"", person="p", mailbox="m")
    tables.users(engine.registry).add(tenant, user, person)
    who = Account("microsoft", account, address, "Ada")
    propose(engine.registry, engine.keyring, tenant, appointment_id(row, address), user, who, at_ms=1)
    return user


def roles_of(engine: Engine, user: str) -> tuple[str, ...]:
    row = tables.users(engine.registry).get(known(engine)[0], user)
    assert row is not None
    return row.roles


@pytest.mark.proves("E10")
def test_operator_confirms_who_signed_in_with_the_address_they_appointed(run: Run, engine: Engine) -> None:
    assert "to be confirmed" in " ".join(run(*ADMIN, "--address", "Ada@corp.example").out.split())
    user, other = signs_in(engine, ACCOUNT, "ada@corp.example"), signs_in(engine, "account-2", "ada@corp.example")
    assert roles_of(engine, user) == ()

    waiting = run("tenants", "candidates", "--json").lines
    assert {(line["account"], line["name"], line["address"], line["roles"]) for line in waiting} == {
        (account, "Ada", "ada@corp.example", "subscription-admin") for account in (ACCOUNT, "account-2")
    }
    run("tenants", "refuse", "--tenant", waiting[0]["tenant"], "--account", "account-2")
    run("tenants", "confirm", "--tenant", waiting[0]["tenant"], "--account", ACCOUNT)

    assert (roles_of(engine, user), roles_of(engine, other)) == (("subscription-admin",), ())
    assert run("tenants", "candidates", "--json").lines == []
    signs_in(engine, "account-3", "ada@corp.example")
    assert run("tenants", "candidates", "--json").lines == [], "the appointment is over"
    with pytest.raises(click.UsageError, match="roomsync tenants candidates"):
        run("tenants", "confirm", "--tenant", waiting[0]["tenant"], "--account", "account-2")


@pytest.mark.proves("E10")
def test_operator_who_names_the_account_needs_no_confirmation(run: Run, engine: Engine) -> None:
    run(*ADMIN, "--account", ACCOUNT, "--role", "building-admin")
    tenant, row = known(engine)
    waiting = tables.appointments(engine.registry).get(tenant, account_appointment_id(row, "microsoft", ACCOUNT))
    assert waiting is not None
    assert waiting.roles == ("building-admin",)

    user = signs_in(engine, ACCOUNT, "ada@corp.example")
    run(*ADMIN, "--account", ACCOUNT)

    assert roles_of(engine, user) == ("subscription-admin",)


@pytest.mark.parametrize("whom", [[], ["--address", "a@b.example", "--account", ACCOUNT], ["--address", "nobody"]])
def test_appointment_names_an_address_or_an_account(run: Run, whom: list[str]) -> None:
    with pytest.raises(click.UsageError, match="address"):
        run(*ADMIN, *whom)


@pytest.mark.proves("E11")
def test_operator_joins_a_directory_and_nobody_elses(run: Run, engine: Engine) -> None:
    ours, theirs = (
        enrol(engine.registry, engine.keyring, provider="microsoft", directory=name, name=name)
        for name in ("d-1", "d-2")
    )
    joined = ("tenants", "join", "--provider", "google", "--directory", "Corp.Example", "--tenant")

    run(*joined, ours, "--dry-run")
    assert tenant_of(engine.registry, "google", "corp.example") is None
    assert run(*joined, ours).code == 0
    assert tenant_of(engine.registry, "google", "corp.example") == ours
    assert run(*joined, ours).code == 0
    with pytest.raises(SystemExit) as refused:
        run(*joined, theirs)
    assert refused.value.code == 1
    assert tenant_of(engine.registry, "google", "corp.example") == ours
    with pytest.raises(click.UsageError, match="roomsync tenants list"):
        run(*joined, "t-nobody")


@pytest.mark.proves("E19")
def test_operator_enters_rooms_on_their_word_and_it_stands_in_the_record_of_acts(
    run: Run, engine: Engine, tmp_path: Path
) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory=DIRECTORY, name="Corp")
    table, keys = tables.rooms(engine.registry), engine.keyring.keys(tenant)
    by_hand, listed = keys.room("aare@corp.example"), keys.room("birs@corp.example")
    table.put(tenant, by_hand, RoomRow(address="aare@corp.example", name="By hand", resource="attendee", paired=False))
    known = RoomRow(
        address="new@corp.example", name="B", resource="directory", directory_id="p", aliases=("birs@corp.example",)
    )
    table.put(tenant, listed, known)
    file = tmp_path / "rooms.json"
    file.write_text(
        json.dumps(
            [
                {"address": "Aare@corp.example", "name": "Aare", "capacity": 6, "resource": "directory"},
                {"address": "birs@corp.example", "name": "Birs"},
            ]
        )
    )
    arguments = ("tenants", "enter-rooms", "--tenant", tenant, "--rooms", str(file))

    run(*arguments, "--dry-run")
    assert table.get(tenant, listed) == known
    assert f"reconcile --tenant {tenant} --full" in run(*arguments).out

    row, other = table.get(tenant, by_hand), table.get(tenant, listed)
    assert row is not None
    assert (row.address, row.name, row.resource, row.paired) == ("aare@corp.example", "Aare", "operator", True)
    assert other == msgspec.structs.replace(known, name="Birs"), "what the directory has said stays"
    [act] = [row for _, row in tables.audit(engine.registry).scan(tenant)]
    assert (act.user, act.act, act.outcome) == ("operator", "rooms.entered", "2 rooms")
    with pytest.raises(click.UsageError, match="roomsync tenants list"):
        run("tenants", "enter-rooms", "--tenant", "t-nobody", "--rooms", str(file))


@pytest.mark.proves("E11")
def test_directory_that_was_tampered_with_is_named_and_the_other_organisations_are_worked_on(
    run: Run, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = engine.registry
    ours, theirs = (
        enrol(registry, engine.keyring, provider="google", directory=name, name=name) for name in ("a.test", "b.test")
    )
    for tenant in (ours, theirs):
        grant = ConsentRow(user="u", provider="google", subject="s", state=ConsentState.ACTIVE)
        for mailbox in ("m-1", "m-2"):
            tables.consents(registry).put(tenant, mailbox, grant)
    assert isinstance(registry, BoundRegistry)
    for place in (("directories", "-", "google:b.test"), ("consents", ours, "m-2")):
        found = registry._registry.get(*place)
        assert found is not None
        registry._registry.put(*place, found.value.replace(b"{", b'{"more":1,', 1))

    assert [line["tenant"] for line in run("tenants", "list", "--json").lines] == [ours]
    assert list(list_tenants(registry)) == [ours]
    assert [grant.mailbox for grant in read_grants(registry)] == [Mailbox(ours, "m-1")]
    said = capsys.readouterr().err
    for place in ("directories/-/google:b.test", f"consents/{ours}/m-2"):
        assert place in said


def test_operator_is_shown_an_organisation(run: Run, engine: Engine) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory=DIRECTORY, name="Contoso")
    enrol(engine.registry, engine.keyring, provider="google", directory="other.example", name="Other")
    for number, state in enumerate((ConsentState.ACTIVE, ConsentState.ACTIVE, ConsentState.REVOKED)):
        grant = ConsentRow(user=f"u-{number}", provider="microsoft", subject="s", state=state)
        tables.consents(engine.registry).put(tenant, f"m-{number}", grant)
    for number in range(3):
        room = RoomRow(address=f"room{number}@corp.example", name="Room", paired=number == 0)
        tables.rooms(engine.registry).put(tenant, f"r-{number}", room)

    [found] = run("tenants", "show", "--tenant", tenant, "--json").lines
    assert found == {
        "tenant": tenant,
        "name": "Contoso",
        "provider": "microsoft",
        "directories": [f"microsoft:{DIRECTORY}"],
        "state": "enabled",
        "sleepUntil": None,
        "rooms": 3,
        "paired": 1,
        "grants": {"active": 2, "revoked": 1},
        "toEnd": 0,
    }
    text = run("tenants", "show", "--tenant", tenant).out
    assert "2 active, 1 revoked" in text
    with pytest.raises(click.UsageError, match="roomsync tenants list"):
        run("tenants", "show", "--tenant", "t-nobody")


@pytest.mark.proves("B26", "E11")
def test_further_domain_of_an_organisation_is_joined_by_the_operator_and_shown(run: Run, engine: Engine) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="google", directory="one.example", name="Group")
    joined = run("tenants", "join", "--tenant", tenant, "--provider", "google", "--directory", "Two.example")
    assert joined.code == 0
    shown = run("tenants", "show", "--tenant", tenant, "--json").lines[0]
    assert shown["directories"] == ["google:one.example", "google:two.example"]


@pytest.mark.proves("B18")
def test_subscriptions_that_are_still_to_be_ended_are_counted(run: Run, engine: Engine) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory=DIRECTORY, name="Contoso")
    tables.endings(engine.registry).put(tenant, "m-1", EndingRow(provider="microsoft", sealed=b""))
    mailboxes = [Mailbox(tenant, "m-1"), Mailbox(tenant, "m-2"), Mailbox("t-other", "m-3")]
    engine.log.append([NewRecord(CALENDAR_STATE.name, 0, each.key, b"sealed") for each in mailboxes])

    def count() -> object:
        return run("tenants", "show", "--tenant", tenant, "--json").lines[0]["toEnd"]

    assert count() == 1, "who is connected is nobody to be ended"
    row = tables.tenants(engine.registry).get(tenant, "tenant")
    assert row is not None
    off = msgspec.structs.replace(row, integration=IntegrationState.OFF)
    tables.tenants(engine.registry).put(tenant, "tenant", off)
    assert count() == 2
    engine.log.append([NewRecord(CALENDAR_STATE.name, 0, mailboxes[1].key, None)])
    assert count() == 1
