"""`roomsync replay`: decides recorded observations again, in memory alone, and compares the published declines and outcomes."""

from __future__ import annotations

import functools
import json
import sys
from functools import partial
from pathlib import Path

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from cli.common.mailboxes import list_tenants
from cli.replay.repair_requests import make_repair_records
from cli.replay.report import OffsetRange, ReplayReport, as_dict, as_text
from services.room_status.operations import PastLostError, Redone, recollection, rules_with
from shared.contracts.topics import OBSERVATIONS, RETENTION_MS
from shared.domain.instants import MINUTE_MS, from_rfc3339, to_rfc3339
from shared.ports.engine import Engine
from shared.ports.log import Log
from shared.ports.registry import Registry
from shared.runtime.clock import clock_from
from shared.runtime.settings import Settings

MARGIN_MS = 5 * MINUTE_MS
"""What retention may take while a replay runs."""


@click.command()
@click.option(
    "--from",
    "start",
    required=True,
    metavar="ISO",
    help="Where the range begins, e.g. 2026-11-20T09:30:00Z; UTC unless it says its offset.",
)
@click.option("--to", "stop", default=None, metavar="ISO", help="Where it ends. Default: now.")
@click.option("--tenant", default=None, help="Only this organisation, by its id.")
@click.option(
    "--apply", is_flag=True, help="Ask room_status to publish what is missing. Default: look, change nothing."
)
@click.option("--dry-run", is_flag=True, help="The default, and stronger than --apply.")
@click.option(
    "--report", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write the report as JSON."
)
@click.option("--wait-s", default=10.0, show_default=True, help="How long room_status may take to catch up.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
def command(
    start: str,
    stop: str | None,
    tenant: str | None,
    apply: bool,
    dry_run: bool,
    report: Path | None,
    wait_s: float,
    as_json: bool,
) -> int:
    """
    Fold the recorded observations of a range again and compare the declines with those on room-rejections, and how they ended
    with room-outcomes.

    Writes no topic, no view, no group offset. Exit codes: 0 the same, byte for byte; 1 differences; 2 a range or an
    organisation that cannot be replayed; 3 a dependency is away.
    """
    if report and not report.parent.is_dir():
        message = f"--report {report}: there is no directory {report.parent}"
        raise click.UsageError(message)
    with connect_engine() as (engine, settings):
        from_ms, to_ms = parse_range(start, stop, clock_from(settings.test_clock).now_ms())
        _check_tenant(engine.registry, tenant)
        found = ReplayReport(
            from_ms, to_ms, tenant, _replay_partitions(engine, settings, from_ms, to_ms, tenant, quiet=as_json)
        )
        found.compare_until_settled(engine.log, wait_s)
        requests = list(make_repair_records(found))
        if apply and not dry_run and requests:
            found.asked = sum(len(missing) for _, missing in found.missing())
            engine.log.append(requests)
            found.compare_until_settled(engine.log, wait_s, until=("missing", "undecided"))
    written = as_dict(found)
    click.echo(json.dumps(written) if as_json else as_text(found))
    if report:
        _write_report(report, json.dumps(written, indent=2) + "\n")
    return 0 if found.equal else FINDING


def parse_range(start: str, stop: str | None, now_ms: int) -> tuple[int, int]:
    """Return the range in epoch milliseconds. Raises UsageError: reversed, in the future, or older than what is kept."""
    from_ms, to_ms = _parse_instant("--from", start), now_ms if stop is None else _parse_instant("--to", stop)
    oldest_ms = now_ms - RETENTION_MS + MARGIN_MS
    if max(from_ms, to_ms) > now_ms:
        message = f"the range ends in the future: it is {to_rfc3339(now_ms)}; leave --to out to replay up to now"
    elif from_ms >= to_ms:
        message = f"--from {start} is not before --to {stop or to_rfc3339(now_ms)}: exchange them"
    elif from_ms < oldest_ms:
        message = f"observations are kept for five days: begin the range at {to_rfc3339(oldest_ms)} or later"
    else:
        return from_ms, to_ms
    raise click.UsageError(message)


def find_offset_ranges(log: Log, from_ms: int, to_ms: int) -> list[OffsetRange]:
    """Return the range in offsets, per partition."""
    topic = OBSERVATIONS.name
    return [
        OffsetRange(partition, log.at_time(topic, partition, from_ms), log.at_time(topic, partition, to_ms))
        for partition in range(log.partitions)
    ]


def _write_report(report: Path, text: str) -> None:
    try:
        report.write_text(text)
    except OSError as error:
        message = f"--report {report} cannot be written: {error.strerror}; the report stands above"
        raise click.ClickException(message) from error


def _replay_partitions(
    engine: Engine, settings: Settings, from_ms: int, to_ms: int, tenant: str | None, *, quiet: bool
) -> list[tuple[OffsetRange, Redone]]:
    keys_of = functools.cache(engine.keyring.keys)
    wanted = partial(_belongs_to, tenant) if tenant else recollection.everybody
    found = []
    with click.progressbar(
        find_offset_ranges(engine.log, from_ms, to_ms), label="deciding again", file=sys.stderr, hidden=quiet
    ) as shown:
        for each in shown:
            try:
                redone = recollection.replay(
                    engine.log,
                    each.partition,
                    each.begin,
                    each.end,
                    keys_of=keys_of,
                    rules=rules_with(settings.grace_ms),
                    since_ms=from_ms,
                    wanted=wanted,
                )
            except PastLostError as error:
                raise click.UsageError(str(error)) from error
            found.append((each, redone))
    return found


def _belongs_to(tenant: str, key: bytes) -> bool:
    return key.startswith(f"{tenant}/".encode())


def _check_tenant(registry: Registry, tenant: str | None) -> None:
    known = list(list_tenants(registry))
    if tenant is not None and tenant not in known:
        message = f"--tenant {tenant}: no such organisation; there are {', '.join(known) or 'none'}"
        raise click.UsageError(message)


def _parse_instant(option: str, text: str) -> int:
    try:
        return from_rfc3339(text)
    except ValueError as error:
        message = f"{option} {text!r}: must be an instant such as 2026-11-20T09:30:00Z"
        raise click.UsageError(message) from error
