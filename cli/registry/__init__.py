"""`roomsync registry`: backs up and restores what exists nowhere else, and moves it to another engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cli.common.calendars import Calendars
from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from cli.common.mailboxes import CONNECTED, read_grants
from cli.common.refused_rows import RefusedRows
from cli.reconcile import Reconciliation
from cli.registry.contents import (
    collect_contents,
    count_missing,
    make_missing_keys,
    read_current_state,
    read_rows,
    record_erasures,
    require_whole_keyring,
    write_rows,
)
from cli.registry.restore_plan import RestorePlan, is_restored, plan_restore
from shared.contracts.topics import RETENTION_MS
from shared.crypto.master import MasterKeys, parse
from shared.domain.instants import to_rfc3339
from shared.errors import ConfigurationError, ConflictError, MalformedRecordError
from shared.ports.engine import Engine
from shared.registry import tables
from shared.runtime.archive import Contents, Header, Kind, open_archive, seal_archive, write_new
from shared.runtime.clock import clock_from
from shared.runtime.erasure import destroy_again, find_resurrected_keys, read_erasures
from shared.runtime.settings import Settings
from shared.runtime.wiring import master_keys

_CALLS_PER_S = 1000.0
"""Commands to connect are cheap: the workers' own limits spread the looks."""

_key_file = click.option(
    "--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
    help="Seal under the key in this file (as `roomsync keys new` prints one) instead of the master key.",
)  # fmt: skip
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_out = click.argument("file", type=click.Path(path_type=Path))
_in = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def command() -> None:
    """What exists nowhere else: organisations, people, grants, rooms; and, when moving house only, the keys."""


@command.command()
@_out
@_key_file
@_as_json
def backup(file: Path, key_file: Path | None, as_json: bool) -> int:
    """
    Write the registry of all organisations to a sealed FILE. Never the keys.

    The file is worth nothing without the keyring, on purpose: whoever destroys a key erases the backups too. Keep the
    master key elsewhere. A row that was tampered with is named and left out; the others are in FILE.

    Exit codes: 0 done, 1 done without rows that were tampered with (they are named), 2 FILE exists, 3 a store is away.
    """
    refused = RefusedRows()
    with connect_engine() as (engine, settings):
        now_ms = clock_from(settings.test_clock).now_ms()
        held = collect_contents(engine, with_keys=False, refuse=refused)
        _write(file, seal_archive(held, _choose_keys(settings, key_file), kind="backup", made_at_ms=now_ms))
    fields = {"file": str(file), "rows": len(held.rows), "refused": refused.count, "organisations": len(held.eras)}
    _print_fields(fields, as_json=as_json)
    return FINDING if refused.count else 0


@command.command()
@_in
@_key_file
@_dry_run
@_as_json
def restore(file: Path, key_file: Path | None, dry_run: bool, as_json: bool) -> int:
    """
    Bring back what FILE holds and the registry lacks. What stands there is newer, and stays.

    Nothing comes back that was erased since: keys whose destruction is on record are destroyed again first; then grants
    without their key, rows named by destroyed keys, rows past their deadline, sessions and grants taken back are left out,
    and an organisation whose data keys are gone comes back switched off, its rooms unpaired. Mailboxes that come back are
    connected again.

    Exit codes: 0 done, 1 something is to be looked at or FILE cannot be used, 2 the wrong key, 3 a store is away.
    """
    refused = RefusedRows()
    with connect_engine(fresh=True) as (engine, settings):
        now_ms = clock_from(settings.test_clock).now_ms()
        header, held = _read(file, _choose_keys(settings, key_file), "backup")
        engine.log.probe()
        erasures = {*held.erasures, *read_erasures(engine.log)}
        doomed = find_resurrected_keys(engine.keyring, erasures)
        with _file_errors_as_findings(f"{file}: "):
            found = read_current_state(engine, held, erasures, refused, made_at_ms=header.made_at_ms, now_ms=now_ms)
            planned = plan_restore(held.rows, held.eras, found)
        if not dry_run:
            record_erasures(engine.log, held.erasures)
            destroy_again(engine.keyring, doomed)
            make_missing_keys(engine.keyring, planned.rows)
            found = read_current_state(engine, held, erasures, refused, made_at_ms=header.made_at_ms, now_ms=now_ms)
            planned = plan_restore(held.rows, held.eras, found)  # once more: rooms go by the names that new keys give
        written = (count_missing if dry_run else write_rows)(engine.registry, planned.rows)
        asked = 0 if dry_run else _request_full_looks(engine, settings)
    _print_restore(header, planned, written, asked, len(doomed), now_ms, dry_run=dry_run, as_json=as_json)
    return FINDING if planned.anew or refused.count else 0


@command.command()
@_out
@_key_file
@_as_json
def export(file: Path, key_file: Path | None, as_json: bool) -> int:
    """
    Write registry AND KEYS to a sealed FILE, to move to another engine. Stop the services first.

    The only way the keys ever leave. They are wrapped by the master key, which the new house needs as well. Destroy FILE
    after the import: as long as it exists, no key that it holds can be destroyed for good.

    Exit codes: 0 done, 1 done without rows that were tampered with (they are named), 2 FILE exists, 3 a store is away.
    """
    refused = RefusedRows()
    with connect_engine() as (engine, settings):
        now_ms = clock_from(settings.test_clock).now_ms()
        held = collect_contents(engine, with_keys=True, refuse=refused)
        _write(file, seal_archive(held, _choose_keys(settings, key_file), kind="export", made_at_ms=now_ms))
    click.echo(
        f"WARNING: {file} holds the keys of every organisation. Only you may read it (mode 0600). Carry it over a channel"
        " you trust, import it, then destroy it: while it exists, erasing by destroying a key is not final.",
        err=True,
    )
    fields = {"file": str(file), "rows": len(held.rows), "refused": refused.count, "keys": len(held.keys)}
    _print_fields(fields, as_json=as_json)
    return FINDING if refused.count else 0


@command.command("import")
@_in
@_key_file
@click.option(
    "--force", is_flag=True, help="Go on although something stands here: what stands, stays. To finish an import."
)
@_dry_run
@_as_json
def import_(file: Path, key_file: Path | None, force: bool, dry_run: bool, as_json: bool) -> int:
    """
    Move in: registry and keys of FILE into an empty deployment; then every connected mailbox gets a full look.

    Exit codes: 0 done, 1 FILE cannot be used or something stands here already, 2 the wrong key, 3 a store is away.
    """
    with connect_engine(fresh=True) as (engine, settings):
        now_ms = clock_from(settings.test_clock).now_ms()
        _, held = _read(file, _choose_keys(settings, key_file), "export")
        engine.log.probe()
        _refuse_unless_empty(engine, force=force)
        rows = [row for row in held.rows if is_restored(row.table) and (row.not_after_ms or now_ms + 1) > now_ms]
        if dry_run:
            _print_fields({"dryRun": True, "rows": len(rows), "keys": len(held.keys)}, as_json=as_json)
            return 0
        with _file_errors_as_findings():
            keys = require_whole_keyring(engine.keyring).adopt(held.keys)
        record_erasures(engine.log, held.erasures)
        written = write_rows(engine.registry, sorted(rows, key=lambda row: row.table == tables.directories.name))
        asked = _request_full_looks(engine, settings)
    _print_fields({"rows": written, "keys": keys, "mailboxes asked to connect": asked}, as_json=as_json)
    return 0


def _refuse_unless_empty(engine: Engine, *, force: bool) -> None:
    rows, keys = len(read_rows(engine.registry)), len(require_whole_keyring(engine.keyring).wrapped())
    if (rows or keys) and not force:
        message = (
            f"the registry here holds {rows} rows and the keyring {keys} keys: import into an empty deployment, or finish an"
            " import that was interrupted with --force (what stands, stays)"
        )
        raise click.ClickException(message)


def _request_full_looks(engine: Engine, settings: Settings) -> int:
    """Send a command for a full look at every mailbox with a live grant; returns how many."""
    mailboxes = [grant.mailbox for grant in read_grants(engine.registry) if grant.consent.state in CONNECTED]
    calendars = Calendars(engine)
    calendars.refresh()
    reconciliation = Reconciliation(engine, calendars, clock_from(settings.test_clock), patience_s=0)
    return sum(1 for _ in reconciliation.send(mailboxes, full=True, calls_per_s=_CALLS_PER_S))


def _choose_keys(settings: Settings, key_file: Path | None) -> MasterKeys:
    if key_file is None:
        return master_keys(settings)
    try:
        return parse(key_file.read_text().strip())
    except (ConfigurationError, UnicodeDecodeError) as error:
        message = f"{key_file} holds no key: make one with `roomsync keys new > FILE`"
        raise ConfigurationError(message) from error


def _write(file: Path, raw: bytes) -> None:
    try:
        write_new(file, raw)
    except FileExistsError as error:
        message = f"{file} exists and is not replaced: name another file"
        raise click.UsageError(message) from error
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise click.ClickException(message) from error


def _read(file: Path, ring: MasterKeys, kind: Kind) -> tuple[Header, Contents]:
    with _file_errors_as_findings(f"{file}: "):
        return open_archive(file.read_bytes(), ring, kind=kind)


@contextmanager
def _file_errors_as_findings(prefix: str = "") -> Iterator[None]:
    """Turn errors about the file into one sentence for the operator, instead of a traceback."""
    try:
        yield
    except (MalformedRecordError, ConflictError) as error:
        message = f"{prefix}{error}. Nothing was changed."
        raise click.ClickException(message) from error


def _print_restore(
    header: Header,
    planned: RestorePlan,
    written: int,
    asked: int,
    doomed: int,
    now_ms: int,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    line: dict[str, Any] = {
        "madeAt": to_rfc3339(header.made_at_ms), "dryRun": dry_run, "rows": len(planned.rows), "written": written,
        "connected": asked, "keysDestroyedAgain": doomed,
        "changed": _as_rows(planned.changed), "leftOut": _as_rows(planned.dropped), "enrolledAnew": sorted(planned.anew),
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(line))
        return
    for sentence in _restore_as_text(line, header, now_ms):
        click.echo(sentence)


def _restore_as_text(line: dict[str, Any], header: Header, now_ms: int) -> Iterator[str]:
    again = "would be" if line["dryRun"] else "were"
    if line["keysDestroyedAgain"]:
        yield f"{line['keysDestroyedAgain']} keys {again} destroyed again: they stood although their erasure is on record"
    standing = line["rows"] - line["written"]
    if line["dryRun"]:
        yield f"backup of {line['madeAt']}: would bring back {line['written']} rows, {standing} stand here already"
    else:
        yield f"backup of {line['madeAt']}: {line['written']} rows brought back, {standing} stood here already"
        yield f"{line['connected']} mailboxes asked to connect: `roomsync reconcile --all` waits for them"
    yield from (f"changed: {each['rows']} {each['table']}, {each['how']}" for each in line["changed"])
    yield from (f"left out: {each['rows']} {each['table']}, {each['how']}" for each in line["leftOut"])
    if line["enrolledAnew"]:
        yield "an organisation that was enrolled anew keeps its new tenant: restore before people sign in again"
    if now_ms - header.made_at_ms > RETENTION_MS:
        yield "the backup is older than the topic of commands: grants taken back before that may have come back"


def _as_rows(counter: Counter[tuple[str, str]]) -> Sequence[dict[str, Any]]:
    return [{"table": table, "how": how, "rows": count} for (table, how), count in sorted(counter.items())]


def _print_fields(line: dict[str, Any], *, as_json: bool) -> None:
    click.echo(json.dumps(line) if as_json else ", ".join(f"{name} {value}" for name, value in line.items()))
