"""`roomsync tenants leave`: gives up a directory of an organisation, the counterpart of `tenants join`."""

from __future__ import annotations

import click
import msgspec

from cli.common.confirmation import is_agreed, print_counts, require_no_question
from cli.common.engine import connect_engine
from cli.common.exit_codes import DONE, FINDING
from cli.common.organisations import read_organisation
from cli.common.switching_off import operator_switch
from shared.contracts.rows import TenantRow
from shared.domain.identity import Provider
from shared.organisations.given_up_directory import (
    DirectoryMembers,
    JoinedDirectory,
    Obstacle,
    directories_of,
    find_obstacle,
)
from shared.ports.registry import Registry

_WORDS = {
    "people": "people of it have signed in: they would be signed out, and could not sign in again",
    "connected": "of them are connected, and would be disconnected",
    "administrators": "of them have a role, and would lose it",
    "unknown": "people may be of it or of another one: they would be signed out, and stay connected",
}


@click.command()
@click.argument("tenant")
@click.argument("directory")
@click.option(
    "--provider", type=click.Choice([str(name) for name in Provider]), help="Where both have one of that name."
)
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Count whom it concerns, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object. With --yes or --dry-run.")
def leave(tenant: str, directory: str, provider: str | None, yes: bool, dry_run: bool, as_json: bool) -> int:
    """
    Give up DIRECTORY (an Entra tenant id, or a Google Workspace domain) of TENANT: whom it concerns is counted first, and asked
    about.

    Its people cannot sign in any more; their sessions end, their roles are taken, and their calendars disconnected as if they did
    it themselves. It stands in the organisation's audit as an act of the operator. `roomsync tenants join` makes it the
    organisation's again. Who has not signed in since version 0.1.0 may be of an unknown directory: they are signed out, and stay
    connected. Repeat the command when it was interrupted.

    Exit codes: 0 done, 1 nothing was done, since you said no, 2 it cannot be given up, 3 a store is away.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    with connect_engine() as (engine, settings):
        row = read_organisation(engine.registry, tenant)
        chosen = _choose(engine.registry, tenant, row, directory, provider)
        members = DirectoryMembers(engine.registry, engine.keyring, tenant, chosen)
        counts: dict[str, int] = msgspec.to_builtins(members.count())
        print_counts(
            f"{tenant} {chosen.provider} {chosen.name}",
            {_WORDS[what]: count for what, count in counts.items()},
            {"tenant": tenant, "directory": chosen.name, **counts},
            as_json=as_json,
        )
        if dry_run:
            return DONE
        if not (yes or is_agreed(f"Give up {chosen.name} of {row.name}?")):
            return FINDING
        operator_switch(engine, settings, tenant).give_up(chosen)
    click.echo(
        f"{tenant} {row.name}: {chosen.provider} {chosen.name} given up. Running workers end the subscriptions of its people;"
        f" `roomsync tenants show --tenant {tenant}` counts who is connected",
        err=as_json,
    )
    return DONE


def _choose(registry: Registry, tenant: str, row: TenantRow, name: str, provider: str | None) -> JoinedDirectory:
    """The organisation's directory of that name, which can be given up. Raises UsageError."""
    theirs = directories_of(registry, tenant)
    found = [each for each in theirs if each.name.lower() == name.lower() and provider in {None, each.provider}]
    if not found:
        message = f"{name} is no directory of {tenant} {row.name}; `roomsync tenants show --tenant {tenant}` names them"
        raise click.UsageError(message)
    if len(found) > 1:
        message = f"{tenant} {row.name} has several directories {name}; say which with --provider"
        raise click.UsageError(message)
    obstacle = find_obstacle(row, theirs, found[0])
    if obstacle is Obstacle.LAST:
        message = (
            f"{name} is the only directory of {tenant} {row.name}; `roomsync tenants join` another one first, or erase the"
            f" organisation with `roomsync tenants remove {tenant}`"
        )
        raise click.UsageError(message)
    if obstacle is not None:
        message = (
            f"the integration of {tenant} {row.name} uses {name}; switch it off first, with `roomsync tenants disable {tenant}`,"
            " or on its administrators' page"
        )
        raise click.UsageError(message)
    return found[0]
