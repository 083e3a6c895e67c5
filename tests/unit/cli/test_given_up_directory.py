"""`roomsync tenants leave`: gives a directory of an organisation up, after counting whom that concerns."""

from __future__ import annotations

import click
import msgspec
import pytest
from click.testing import CliRunner

from cli.common.records import read_all
from cli.main import roomsync
from services.portal.my_calendar import connection
from shared.contracts.rows import ConsentRow, ConsentState, IntegrationState, SessionRow, TenantRow, UserRow
from shared.contracts.topics import COMMANDS
from shared.crypto.sealing import seal
from shared.errors import LogUnavailableError
from shared.organisations.audit_chain import read_chain
from shared.organisations.enrolment import enrol, join, tenant_of
from shared.ports.engine import Engine
from shared.registry import tables
from tests.support.commands import Run

pytestmark = pytest.mark.proves("B26")
FIRST, SECOND = "one.example", "two.example"


def person(engine: Engine, tenant: str, name: str, directory: str, address: str, provider: str = "google") -> None:
    """Somebody who is signed in, connected, and has a role."""
    user = f"u-{name}"
    sealed = seal(engine.keyring.consent_key(tenant), address.encode(), purpose=f"user/{tenant}/{user}")
    row = UserRow(
        provider=provider,
        subject=name,
        address_sealed=sealed,
        person=f"p-{name}",
        mailbox=f"m-{name}",
        directory=directory,
        roles=("building-admin",),
        sessions=(f"s-{name}",),
    )
    tables.users(engine.registry).add(tenant, user, row)
    tables.sessions(engine.registry).put(tenant, f"s-{name}", SessionRow(user=user, csrf="c"))
    grant = ConsentRow(provider=provider, subject=name, user=user, state=ConsentState.ACTIVE, refresh_sealed=b"sealed")
    tables.consents(engine.registry).put(tenant, f"m-{name}", grant)


@pytest.fixture
def tenant(engine: Engine) -> str:
    """Two domains; ada and bob are of the first one, cyd and dan of the second. Bob's and dan's rows are of version 0.1.0."""
    found = enrol(engine.registry, engine.keyring, provider="google", directory=FIRST, name="Contoso")
    assert join(engine.registry, found, provider="google", directory=SECOND)
    for name, directory, domain in (
        ("ada", FIRST, FIRST),
        ("bob", "", FIRST),
        ("cyd", SECOND, FIRST),
        ("dan", "", SECOND),
    ):
        person(engine, found, name, directory, f"{name}@{domain}")
    return found


def organisation(engine: Engine, tenant: str) -> TenantRow:
    row = tables.tenants(engine.registry).get(tenant, "tenant")
    assert row is not None
    return row


def is_concerned(engine: Engine, tenant: str, name: str) -> bool:
    """Whether they are signed out, have lost their role, and are being disconnected: all of it, or nothing."""
    row = tables.users(engine.registry).get(tenant, f"u-{name}")
    grant = tables.consents(engine.registry).get(tenant, f"m-{name}")
    assert row is not None
    assert grant is not None
    told = f"{tenant}/m-{name}".encode() in commands_on(engine)
    [found] = {row.session_epoch > 0, not row.roles, not row.sessions, bool(grant.leaving_at_ms), told}
    return found


def commands_on(engine: Engine) -> list[bytes]:
    partitions = range(engine.log.partitions)
    return [record.key for each in partitions for record in read_all(engine.log, COMMANDS.name, each)]


def test_people_of_the_directory_are_signed_out_and_disconnected_and_nobody_else(
    run: Run, engine: Engine, tenant: str
) -> None:
    done = run("tenants", "leave", tenant, "Two.Example", "--yes", "--json")

    counts = {"people": 2, "connected": 2, "administrators": 2, "unknown": 0}
    assert (done.code, done.lines) == (0, [{"tenant": tenant, "directory": SECOND, **counts}])
    assert (tenant_of(engine.registry, "google", SECOND), tenant_of(engine.registry, "google", FIRST)) == (None, tenant)
    concerned = [name for name in ("ada", "bob", "cyd", "dan") if is_concerned(engine, tenant, name)]
    assert concerned == ["cyd", "dan"]
    chain, _ = read_chain(engine.registry, tenant)
    assert [(entry.row.user, entry.row.act, entry.row.outcome) for entry in chain.entries.values()] == [
        ("operator", "integration.directory-left", "2 people, 2 disconnected")
    ]
    with pytest.raises(click.UsageError, match=f"roomsync tenants show --tenant {tenant}"):
        run("tenants", "leave", tenant, SECOND, "--yes")
    assert join(engine.registry, tenant, provider="google", directory=SECOND), "it can be joined again"
    assert tenant_of(engine.registry, "google", SECOND) == tenant


def test_it_asks_with_the_real_counts_and_does_nothing_unless_told_yes(run: Run, engine: Engine, tenant: str) -> None:
    arguments = ("tenants", "leave", tenant, SECOND)
    refused = CliRunner().invoke(roomsync, arguments, input="n\n", standalone_mode=False)
    assert (refused.return_value, refused.exception) == (1, None)
    assert "     2 of them are connected, and would be disconnected" in refused.stdout
    assert "Give up two.example of Contoso? [y/N]" in refused.stderr
    assert run(*arguments, "--dry-run").code == 0
    assert tenant_of(engine.registry, "google", SECOND) == tenant
    assert not any(is_concerned(engine, tenant, name) for name in ("ada", "bob", "cyd", "dan"))

    agreed = CliRunner().invoke(roomsync, arguments, input="y\n", standalone_mode=False)
    assert (agreed.return_value, tenant_of(engine.registry, "google", SECOND)) == (0, None)


def test_what_was_interrupted_is_finished_by_doing_it_again(
    run: Run, engine: Engine, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        message = "the log is away"
        raise LogUnavailableError(message)

    with monkeypatch.context() as broken:
        broken.setattr(connection, "append_command", away)
        with pytest.raises(LogUnavailableError):
            run("tenants", "leave", tenant, SECOND, "--yes")
    assert tenant_of(engine.registry, "google", SECOND) is None, "nobody is let in from it already"

    assert run("tenants", "leave", tenant, SECOND, "--yes").code == 0
    assert [name for name in ("ada", "bob", "cyd", "dan") if is_concerned(engine, tenant, name)] == ["cyd", "dan"]
    assert tables.directories(engine.registry).get("-", f"google:{SECOND}") is None


def test_the_first_domain_can_be_given_up_where_there_is_another(run: Run, engine: Engine, tenant: str) -> None:
    assert run("tenants", "leave", tenant, FIRST, "--yes").code == 0
    assert organisation(engine, tenant).directory == SECOND
    assert organisation(engine, tenant).integration is IntegrationState.ENABLED
    with pytest.raises(click.UsageError, match=f"roomsync tenants remove {tenant}"):
        run("tenants", "leave", tenant, SECOND, "--yes")


def test_the_directory_that_the_integration_uses_is_not_given_up_while_it_is_on(run: Run, engine: Engine) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory="d-1", name="Contoso")
    for provider, directory in (("microsoft", "d-2"), ("google", "d-1")):
        assert join(engine.registry, tenant, provider=provider, directory=directory)
    person(engine, tenant, "ada", "", "ada@contoso.example", "microsoft")
    with pytest.raises(click.UsageError, match="--provider"):
        run("tenants", "leave", tenant, "d-1", "--yes")
    with pytest.raises(click.UsageError, match=f"roomsync tenants disable {tenant}"):
        run("tenants", "leave", tenant, "d-1", "--provider", "microsoft", "--yes")
    assert tenant_of(engine.registry, "microsoft", "d-1") == tenant

    tables.tenants(engine.registry).change(
        tenant, "tenant", lambda row: msgspec.structs.replace(row, integration=IntegrationState.OFF) if row else None
    )
    done = run("tenants", "leave", tenant, "d-1", "--provider", "microsoft", "--yes", "--json")

    assert done.lines[0]["unknown"] == 1, "she may be of either"
    assert (tenant_of(engine.registry, "microsoft", "d-1"), organisation(engine, tenant).directory) == (None, "d-2")
    row, grant = (
        tables.users(engine.registry).get(tenant, "u-ada"),
        tables.consents(engine.registry).get(tenant, "m-ada"),
    )
    assert row is not None
    assert grant is not None
    assert (row.session_epoch, row.roles, grant.leaving_at_ms) == (1, ("building-admin",), 0)


def test_json_asks_nothing(run: Run, tenant: str) -> None:
    with pytest.raises(click.UsageError, match="--json asks nothing"):
        run("tenants", "leave", tenant, SECOND, "--json")
