"""`roomsync report`: what became of each organisation's rooms over some days, as counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click
import msgspec

from cli.common.engine import connect_engine
from cli.common.exit_codes import DONE, FINDING
from cli.common.mailboxes import list_tenants
from cli.common.organisations import read_organisation
from cli.status.stores import find_rebuilding_partitions
from shared.errors import KeyDestroyedError
from shared.organisations.room_report import DEFAULT_DAYS, MAX_DAYS, read_report
from shared.ports.engine import Engine
from shared.registry import tables
from shared.runtime.clock import clock_from
from shared.runtime.settings import Settings

COLUMNS = {
    "organisation": "organisation", "asked": "asked", "accepted": "accepted", "declined": "declined", "pending": "pending now",
    "noticed": "changed after", "noticedAfterMinutes": "after min", "meetings": "meetings", "roomless": "roomless",
}  # fmt: skip
"""Member of the JSON → the head of its column."""


@click.command()
@click.option(
    "--days", type=click.IntRange(1, MAX_DAYS), default=DEFAULT_DAYS, show_default=True, help="Today included, UTC."
)
@click.option("--tenant", help="This organisation alone, as `roomsync tenants list` names it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an organisation, a line each, with its days.")
def command(days: int, tenant: str | None, as_json: bool) -> int:
    """
    Say how many rooms were asked, accepted, declined and are pending, and how many meetings began without one.

    Exit code 1: the view is being rebuilt, so that counts may be missing.
    """
    with connect_engine() as (engine, settings):
        if tenant is not None:
            read_organisation(engine.registry, tenant)
        lines = list(_read(engine, settings, days, [tenant] if tenant is not None else list_tenants(engine.registry)))
        rebuilding = find_rebuilding_partitions(engine)
    if as_json:
        for line in lines:
            click.echo(msgspec.json.encode(line).decode())
    else:
        _print_table(lines, days)
    if rebuilding:
        click.echo("the view is being rebuilt: counts may be missing; ask again, or see `roomsync status`", err=True)
    return FINDING if rebuilding else DONE


def _read(engine: Engine, settings: Settings, days: int, tenants: Iterable[str]) -> Iterator[dict[str, Any]]:
    now_ms = clock_from(settings.test_clock).now_ms()
    for tenant in tenants:
        try:
            keys = engine.keyring.keys(tenant)
        except KeyDestroyedError:
            continue  # switched off: nothing is kept of it
        report = read_report(engine.view, engine.registry, keys, days=days, now_ms=now_ms)
        row = tables.tenants(engine.registry).get(tenant, "tenant")
        yield {
            "tenant": tenant,
            "organisation": (row.name if row else "") or tenant,
            "writes": settings.writes,
            **report.shape(),
        }


def _print_table(lines: Sequence[Mapping[str, Any]], days: int) -> None:
    click.echo(f"the last {days} days, UTC" if lines else "no organisation is switched on")
    if not lines:
        return
    table = [list(COLUMNS.values()), *([_cell(line[name]) for name in COLUMNS] for line in lines)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    for first, *rest in table:
        counts = (text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))
        click.echo("  ".join([first.ljust(widths[0]), *counts]))


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
