"""`roomsync tenants`: switch an organisation on or off and enter its rooms, for those who have the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from cli.common.engine import connect_engine
from cli.common.given_up_directory import leave
from cli.common.lines import print_table
from cli.common.mailboxes import list_tenants
from cli.common.organisations import read_organisation
from cli.common.pending_endings import count_pending_endings
from cli.common.refused_rows import RefusedRows
from cli.common.removal import remove
from cli.common.switching_off import disable
from shared.contracts.envelope import read_json
from shared.contracts.rows import AuditRow, IntegrationState, RoomRow
from shared.domain.identity import Provider
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Role
from shared.errors import MalformedRecordError
from shared.organisations.appointments import appoint, appoint_account
from shared.organisations.audit_chain import append_act
from shared.organisations.candidates import Account, Candidate, candidates, confirm, refuse
from shared.organisations.enrolment import NOBODY, enrol, enter_rooms, introduce, join
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from shared.registry.tables import consents, directories, rooms, tenants
from shared.runtime.clock import clock_from

OPERATOR = "operator"
"""Who did it, in the record of acts: whoever has the machine."""
_ROOMS_HELP = (
    'JSON list of {"address", "name", "capacity", "building", "floor", "equipment", "accessible"}, out of your directory: you'
    " answer for it."
)
_rooms_path = click.Path(exists=True, dir_okay=False, path_type=Path)
_candidates_tenant = click.option("--tenant", required=True, help="As `roomsync tenants candidates` names it.")
_candidates_account = click.option(
    "--account", required=True, help="The directory's id of the account, as `roomsync tenants candidates` names it."
)


@click.group()
def command() -> None:
    """Organisations of this deployment."""


command.add_command(disable)
command.add_command(leave)
command.add_command(remove)


@command.command()
@click.option("--provider", type=click.Choice([str(name) for name in Provider]), required=True)
@click.option("--directory", required=True, help="Entra tenant id, or the Google Workspace domain.")
@click.option("--name", required=True, help="What people call the organisation.")
@click.option("--rooms", "rooms_file", type=_rooms_path, help=_ROOMS_HELP)
@click.option("--dry-run", is_flag=True, help="Check the file, write nothing.")
def enable(provider: str, directory: str, name: str, rooms_file: Path | None, dry_run: bool) -> None:
    """Enable the calendar integration for an organisation, and enter its meeting rooms."""
    entered = _read_rooms(rooms_file) if rooms_file else []
    if dry_run:
        click.echo(f"would enable {name} ({provider} {directory}) and enter {len(entered)} rooms")
        return
    with connect_engine(fresh=True) as (engine, settings):
        tenant = enrol(engine.registry, engine.keyring, provider=provider, directory=directory.lower(), name=name)
        if entered:
            _enter(engine, clock_from(settings.test_clock), tenant, entered)
    click.echo(f"{tenant} {name}: enabled, {len(entered)} rooms entered")


@command.command("enter-rooms")
@click.option("--tenant", required=True, help="As `roomsync tenants list` names it.")
@click.option("--rooms", "rooms_file", type=_rooms_path, required=True, help=_ROOMS_HELP)
@click.option("--dry-run", is_flag=True, help="Check the file, write nothing.")
def enter(tenant: str, rooms_file: Path, dry_run: bool) -> None:
    """
    Enter meeting rooms on your word that they are rooms, for an organisation whose administrators may not list them.

    Your word counts as the directory's does: what connected people's meetings say of these addresses is shown and told. Be sure
    that none of them is a person's.
    """
    entered = _read_rooms(rooms_file)
    if dry_run:
        click.echo(f"would enter {len(entered)} rooms of {tenant}")
        return
    with connect_engine() as (engine, settings):
        integration = read_organisation(engine.registry, tenant).integration
        paired = integration is IntegrationState.ENABLED
        listed = [msgspec.structs.replace(row, paired=paired) for row in entered]
        _enter(engine, clock_from(settings.test_clock), tenant, listed)
    click.echo(
        f"{tenant}: {len(entered)} rooms entered; meetings that have asked them already show it after"
        f" `roomsync reconcile --tenant {tenant} --full`"
    )


def _enter(engine: Engine, clock: Clock, tenant: str, entered: Sequence[RoomRow]) -> None:
    count = enter_rooms(engine.registry, engine.keyring, tenant, entered)
    act = AuditRow(at_ms=clock.now_ms(), user=OPERATOR, act="rooms.entered", outcome=f"{count} rooms")
    append_act(engine.registry, tenant, act)


@command.command()
@click.option("--provider", type=click.Choice([str(name) for name in Provider]), required=True)
@click.option("--directory", required=True, help="Entra tenant id, or the Google Workspace domain.")
@click.option("--address", default="", help="Of the work account they will sign in with; confirm them when they have.")
@click.option(
    "--account", default="", help="The directory's id of it: Entra's object id, Google's `sub`. Needs no confirmation."
)
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role if role is not Role.EMPLOYEE]),
    default=str(Role.SUBSCRIPTION_ADMIN),
    show_default=True,
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, write nothing.")
def admin(provider: str, directory: str, address: str, account: str, role: str, dry_run: bool) -> None:
    """Appoint an administrator; an organisation that is not known yet becomes known, with its integration off."""
    _check_whom(address, account)
    if dry_run:
        click.echo(f"would appoint one {role} of {provider} {directory}")
        return
    name = address.rpartition("@")[2] or directory
    with connect_engine(fresh=True) as (engine, _):
        registry, keyring = engine.registry, engine.keyring
        tenant = introduce(registry, keyring, provider=provider, directory=directory.lower(), name=name)
        row = read_organisation(registry, tenant)
        if account:
            appoint_account(registry, keyring, tenant, row, Provider(provider), account, Role(role))
        else:
            appoint(registry, keyring, tenant, row, address, Role(role))
    if account:
        click.echo(f"{tenant} {row.name}: {role} appointed; the account has it, or gets it at its first sign-in")
    else:
        click.echo(
            f"{tenant} {row.name}: {role} appointed; when they have signed in, `roomsync tenants candidates` shows them to be"
            " confirmed"
        )


def _check_whom(address: str, account: str) -> None:
    if bool(address) == bool(account):
        message = "give either --address, or --account (the directory's id of their account)"
        raise click.UsageError(message)
    if address and (address.count("@") != 1 or not all(address.split("@"))):
        message = f"{address!r} is not an address; give the one they sign in with"
        raise click.UsageError(message)


@command.command("candidates")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_candidates(as_json: bool) -> None:
    """List who signed in with an appointed address, and waits to be confirmed or refused."""
    with connect_engine() as (engine, _):
        found = [
            _described(tenant, each)
            for tenant in list_tenants(engine.registry)
            for each in candidates(engine.registry, engine.keyring, tenant)
        ]
        print_table(found, as_json=as_json)


@command.command("confirm")
@_candidates_tenant
@_candidates_account
def confirm_candidate(tenant: str, account: str) -> None:
    """Give a candidate the roles that were meant for their address."""
    with connect_engine() as (engine, _):
        each = _candidate(engine, tenant, account)
        in_use = read_organisation(engine.registry, tenant).provider
        if not confirm(engine.registry, engine.keyring, tenant, each.appointment, each.user, each.roles, in_use):
            raise _nobody_waits(account)
    click.echo(f"{tenant}: {', '.join(each.roles)} given")


@command.command("refuse")
@_candidates_tenant
@_candidates_account
def refuse_candidate(tenant: str, account: str) -> None:
    """Refuse a candidate; the appointment goes on waiting for somebody else with its address."""
    with connect_engine() as (engine, _):
        each = _candidate(engine, tenant, account)
        if not refuse(engine.registry, tenant, each.appointment, each.user):
            raise _nobody_waits(account)
    click.echo(f"{tenant}: refused")


def _candidate(engine: Engine, tenant: str, account: str) -> Candidate:
    for each in candidates(engine.registry, engine.keyring, tenant):
        if each.account and each.account.subject == account:
            return each
    raise _nobody_waits(account)


def _nobody_waits(account: str) -> click.UsageError:
    return click.UsageError(f"no candidate has the account {account!r}; see `roomsync tenants candidates`")


def _described(tenant: str, each: Candidate) -> dict[str, object]:
    account = each.account or Account("", "", "")
    return {
        "tenant": tenant,
        "roles": ",".join(each.roles),
        "account": account.subject,
        "provider": account.provider,
        "address": account.address,
        "name": account.name,
        "at": to_rfc3339(each.at_ms) if each.at_ms else None,
    }


@command.command("join")
@click.option("--tenant", required=True, help="As `roomsync tenants list` names it.")
@click.option("--provider", type=click.Choice([str(name) for name in Provider]), required=True)
@click.option("--directory", required=True, help="Entra tenant id, or the Google Workspace domain.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, write nothing.")
def join_directory(tenant: str, provider: str, directory: str, dry_run: bool) -> None:
    """
    Make a directory an organisation's own: of the other calendar system, so that it can change over to it, or a further domain.

    At Google each sign-in names the domain of the person's own address: people of a secondary domain are let in once it is joined.
    """
    if dry_run:
        click.echo(f"would join {provider} {directory} with {tenant}")
        return
    with connect_engine() as (engine, _):
        read_organisation(engine.registry, tenant)
        if not join(engine.registry, tenant, provider=provider, directory=directory.lower()):
            click.echo(
                f"{provider} {directory} is another organisation's already; see `roomsync tenants list`", err=True
            )
            raise SystemExit(1)
    click.echo(f"{tenant}: {provider} {directory} joined")


@command.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """Every organisation, its state, and how many rooms it has."""
    with connect_engine() as (engine, _):
        print_table(_listed(engine.registry), as_json=as_json)


def _listed(registry: Registry) -> Iterator[dict[str, object]]:
    refuse = RefusedRows()
    for directory, row in directories(registry).scan_readable(NOBODY, refuse):
        tenant = next((found for _, found in tenants(registry).scan_readable(row.tenant, refuse)), None)
        if tenant is not None:
            yield {
                "tenant": row.tenant,
                "directory": directory,
                "name": tenant.name,
                "state": tenant.integration,
                "rooms": sum(1 for _ in rooms(registry).scan_readable(row.tenant, refuse)),
            }


@command.command("show")
@click.option("--tenant", required=True, help="As `roomsync tenants list` names it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(tenant: str, as_json: bool) -> None:
    """
    Show one organisation: its directories and state, its rooms, and how many people have which grant.

    `toEnd` counts people whose subscription at the provider is still to be ended: after switching off it soon is 0.
    """
    with connect_engine() as (engine, _):
        found = describe_organisation(engine.registry, tenant)
        state = read_organisation(engine.registry, tenant).integration
        found["toEnd"] = count_pending_endings(engine, tenant, state)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for name, value in found.items():
        click.echo(f"{name:12} {_as_words(value)}")


def describe_organisation(registry: Registry, tenant: str) -> dict[str, object]:
    """Return what `show` says, by name. A row that is refused is named, and left out. Raises UsageError: no such tenant."""
    row, refuse = read_organisation(registry, tenant), RefusedRows()
    listed = [room for _, room in rooms(registry).scan_readable(tenant, refuse)]
    states = Counter(str(grant.state) for _, grant in consents(registry).scan_readable(tenant, refuse))
    theirs = [name for name, each in directories(registry).scan_readable(NOBODY, refuse) if each.tenant == tenant]
    return {
        "tenant": tenant,
        "name": row.name,
        "provider": row.provider,
        "directories": sorted(theirs),
        "state": row.integration,
        "sleepUntil": to_rfc3339(row.sleep_until_ms) if row.sleep_until_ms else None,
        "rooms": len(listed),
        "paired": sum(room.paired for room in listed),
        "grants": dict(sorted(states.items())),
    }


def _as_words(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{count} {name}" for name, count in value.items()]
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else "-" if value is None else str(value)


def _read_rooms(path: Path) -> list[RoomRow]:
    try:
        return read_json(path.read_bytes(), list[RoomRow])
    except MalformedRecordError as error:
        message = f"{path}: {error}. Expected a JSON list of objects with address and name."
        raise click.UsageError(message) from error
