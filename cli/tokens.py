"""`roomsync tokens`: what back-end services of one organisation read its declines with."""

from __future__ import annotations

import click
import msgspec

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from cli.common.lines import print_table
from cli.common.organisations import read_organisation
from shared.domain.instants import to_rfc3339
from shared.errors import RefusedError
from shared.organisations.service_tokens import live_tokens, make_token, name_of, withdraw_token
from shared.runtime.clock import SystemClock

_tenant = click.option("--tenant", required=True, help="As `roomsync tenants list` names it.")


@click.group()
def command() -> None:
    """Service tokens: one organisation each, two at a time."""


@command.command()
@_tenant
@click.option("--json", "as_json", is_flag=True)
def make(tenant: str, as_json: bool) -> int:
    """
    Print a fresh token; only its hash is kept.

    To rotate: make a second one, give it to the service, withdraw the first.
    """
    with connect_engine() as (engine, _):
        read_organisation(engine.registry, tenant)
        try:
            name, token = make_token(engine.registry, tenant, SystemClock().now_ms())
        except RefusedError as error:
            click.echo(str(error), err=True)
            return FINDING
    line = {"tenant": tenant, "name": name, "token": token}
    click.echo(msgspec.json.encode(line).decode() if as_json else token)
    return 0


@command.command("list")
@_tenant
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(tenant: str, as_json: bool) -> int:
    """List the tokens of an organisation, by name and time; what they are is not kept."""
    with connect_engine() as (engine, _):
        read_organisation(engine.registry, tenant)
        found = [
            {"name": name_of(each), "made": to_rfc3339(each.made_at_ms)}
            for each in live_tokens(engine.registry, tenant)
        ]
    print_table(found, as_json=as_json)
    return 0


@command.command()
@_tenant
@click.option("--name", required=True, help="As `roomsync tokens list` shows it.")
def withdraw(tenant: str, name: str) -> int:
    """Withdraw a token: it is refused from the next request on."""
    with connect_engine() as (engine, _):
        read_organisation(engine.registry, tenant)
        if not withdraw_token(engine.registry, tenant, name):
            message = f"{tenant} has no token {name}; see `roomsync tokens list`"
            raise click.UsageError(message)
    click.echo(f"{tenant}: token {name} withdrawn")
    return 0
