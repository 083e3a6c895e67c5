"""`roomsync tenants remove`: erases an organisation for good, after its id was typed once more."""

from __future__ import annotations

import click

from cli.common.confirmation import print_counts, require_no_question
from cli.common.engine import connect_engine
from cli.common.exit_codes import DONE, FINDING
from cli.common.organisations import read_organisation
from cli.common.pending_endings import count_pending_endings
from shared.contracts.rows import IntegrationState, TenantRow
from shared.organisations.removal import count_rows, remove_organisation
from shared.ports.engine import Engine
from shared.runtime.clock import clock_from
from shared.runtime.erasure import erase_consents, erase_data

_GONE = (IntegrationState.OFF, IntegrationState.FAILED, IntegrationState.DISABLED)


@click.command()
@click.argument("tenant")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object. With --yes or --dry-run.")
def remove(tenant: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """
    Erase TENANT for good: its keys, so that nothing on the topics can be read any more, and every row that is kept of it.

    Its integration has to be off, and its subscriptions ended. Consents that sleep are erased as well. Not erased are the consent
    at the provider, which its administrators withdraw there, and backups: restoring one made before brings its rows back, as far
    as no key seals them. Remove it again then.

    Exit codes: 0 done, 1 nothing was done, since you said no or subscriptions are still to be ended, 2 it is not off, 3 a store
    is away.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    with connect_engine() as (engine, settings):
        row = read_organisation(engine.registry, tenant)
        _check_off(tenant, row)
        counts = count_rows(engine.registry, tenant)
        print_counts(f"{tenant} {row.name}", counts, {"tenant": tenant, "rows": counts}, as_json=as_json)
        if dry_run:
            return DONE
        if not _is_settled(engine, tenant, row) or not (yes or _is_meant(tenant, row.name)):
            return FINDING
        row = read_organisation(engine.registry, tenant)  # its administrators may have switched it on meanwhile
        _check_off(tenant, row)
        if not _is_settled(engine, tenant, row):
            return FINDING
        _remove(engine, tenant, clock_from(settings.test_clock).now_ms())
    click.echo(f"{tenant} {row.name}: erased", err=as_json)
    return DONE


def _check_off(tenant: str, row: TenantRow) -> None:
    if row.integration not in _GONE:
        message = (
            f"the integration of {tenant} {row.name} is {row.integration}: switch it off first, with"
            f" `roomsync tenants disable {tenant}` or on its administrators' page"
        )
        raise click.UsageError(message)


def _is_settled(engine: Engine, tenant: str, row: TenantRow) -> bool:
    waiting = count_pending_endings(engine, tenant, row.integration)
    if not waiting and not row.doomed_era:
        return True
    click.echo(
        f"nothing was changed: {waiting} subscriptions of {row.name} are still to be ended at the provider, by running workers;"
        f" `roomsync tenants show --tenant {tenant}` says when there are none (`toEnd`)"
        if waiting
        else f"nothing was changed: {row.name} has just been switched off, and running workers are erasing its data;"
        " try again in a minute",
        err=True,
    )
    return False


def _is_meant(tenant: str, name: str) -> bool:
    typed = click.prompt(f"Erase {name} for good? Type {tenant}", default="", show_default=False, err=True)
    if typed.strip() == tenant:
        return True
    click.echo("nothing was changed", err=True)
    return False


def _remove(engine: Engine, tenant: str, now_ms: int) -> None:
    def erase() -> None:
        erase_data(engine, tenant, now_ms=now_ms)
        erase_consents(engine, tenant, now_ms=now_ms)

    remove_organisation(engine.registry, tenant, erase=erase)
