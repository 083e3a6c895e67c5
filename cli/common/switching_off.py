"""`roomsync tenants disable`: switches an organisation's integration off, as its own administrators' page does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from cli.common.confirmation import is_agreed, print_counts, require_no_question
from cli.common.engine import connect_engine
from cli.common.exit_codes import DONE, FINDING
from cli.common.organisations import read_organisation
from shared.contracts.rows import IntegrationState
from shared.domain.instants import HOUR_MS
from shared.grants.broker import ConsentBroker
from shared.grants.sleep import SLEEP_MS
from shared.ports.engine import Engine
from shared.runtime.clock import clock_from
from shared.runtime.settings import Settings
from shared.runtime.wiring import master_keys

if TYPE_CHECKING:
    from services.portal import operations as portal

_WORDS = {
    "people": "people's calendars are connected, and would not be any more",
    "subscriptions": "subscriptions at the provider would end",
    "rooms": "rooms are connected, and would be parted; their information stays",
    "prompts": "open prompts would vanish",
}


@click.command()
@click.argument("tenant")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Count what would end, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object. With --yes or --dry-run.")
def disable(tenant: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """
    Switch the integration of TENANT off: what would end is counted first, and asked about.

    It does what the switch on the page of its administrators does, and stands in their audit as an act of the operator.
    Everything that was known of meetings is erased. Consents are kept asleep for 120 hours: switched on again by then, with the
    same calendar system, people are connected again.

    Exit codes: 0 done, 1 nothing was done, since you said no, 2 it is not on, 3 a store is away.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    with connect_engine() as (engine, settings):
        row = read_organisation(engine.registry, tenant)
        if row.integration is not IntegrationState.ENABLED:
            message = f"the integration of {tenant} {row.name} is {row.integration}: there is nothing to switch off"
            raise click.UsageError(message)
        switch = operator_switch(engine, settings, tenant)
        counts: dict[str, int] = msgspec.to_builtins(switch.count_what_ends())
        print_counts(
            f"{tenant} {row.name}",
            {_WORDS[what]: count for what, count in counts.items()},
            {"tenant": tenant, **counts},
            as_json=as_json,
        )
        if dry_run:
            return DONE
        if not (yes or is_agreed(f"Switch {row.name} off?")):
            return FINDING
        switch.switch_off()
    click.echo(
        f"{tenant} {row.name}: switched off; consents sleep for {SLEEP_MS // HOUR_MS} hours."
        " Running workers end the subscriptions; `roomsync status` shows how far they are",
        err=as_json,
    )
    return DONE


def operator_switch(engine: Engine, settings: Settings, tenant: str) -> portal.OperatorSwitch:
    """The switch of an organisation, in the operator's hand."""
    from services.portal import operations as portal  # noqa: PLC0415 - all pages, for commands that end something alone

    clock = clock_from(settings.test_clock)
    deps = portal.Deps(
        settings=settings,
        engine=engine,
        clock=clock,
        broker=ConsentBroker(engine.registry, engine.keyring, settings, clock),
        providers={},
        session_key=master_keys(settings).session_key(),
    )
    return portal.OperatorSwitch(deps, tenant)
