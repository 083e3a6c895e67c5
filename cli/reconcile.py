"""`roomsync reconcile`: have mailboxes looked at again, inside a budget of calls, those with the soonest meeting first."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from cli.common.calendars import Calendars
from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from cli.common.mailboxes import CONNECTED, read_grants
from shared.contracts.calendar_state import DueReason
from shared.contracts.command import Connect, Reconcile
from shared.contracts.topics import COMMANDS
from shared.domain.identity import Mailbox, partition_of
from shared.domain.instants import to_rfc3339
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from shared.runtime.clock import clock_from
from shared.runtime.command_records import command_record

_POLL_S = 0.2
_CAUSE = "reconcile"


@dataclass(slots=True)
class SentCommand:
    """The command that asked for a look at one mailbox."""

    mailbox: Mailbox
    at_ms: int
    beyond: int
    """Offset on `commands` after the command: once the owner's position has reached it, the command was carried out."""
    written: int
    """Records of its events that had been written before."""


@dataclass(slots=True)
class ReconcileResult:
    """How many looks succeeded, failed or are still awaited."""

    looked: int = 0
    changed: int = 0
    """Of those looked at: how many had something to correct."""
    failed: dict[str, str] = field(default_factory=dict)
    """Mailbox → why it was not looked at (yet)."""
    waiting: list[str] = field(default_factory=list)
    """Nobody has answered for them within the time."""


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every connected mailbox.")
@click.option("--mailbox", "names", multiple=True, metavar="ID", help="One mailbox: ID or TENANT/ID. Repeatable.")
@click.option("--tenant", default="", metavar="T", help="Every mailbox of one organisation.")
@click.option("--full", is_flag=True, help="Throw the cursors away: read everything, not what changed.")
@click.option(
    "--calls-per-s", type=click.FloatRange(min=0, min_open=True), default=5.0, show_default=True,
    help="At most so many mailboxes a second; a look is one call, and one more for every further page.",
)  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Ask, and do not wait until they were looked at.")
@click.option(
    "--patience-s", type=click.FloatRange(min=0), default=60.0, show_default=True,
    help="How long to wait for the next answer.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say which mailboxes, in which order; send nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    everything: bool, names: tuple[str, ...], tenant: str, full: bool, calls_per_s: float, no_wait: bool,
    patience_s: float, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """
    Have mailboxes looked at again, soonest upcoming meeting first. Corrects whatever drifted; announces only differences.

    Exit codes: 0 all looked at, 1 some could not be, 2 no such mailbox, 3 a store is away.
    """
    if sum((everything, bool(names), bool(tenant))) != 1:
        message = "say which: --all, --mailbox ID, or --tenant T"
        raise click.UsageError(message)
    with connect_engine() as (engine, settings):
        clock = clock_from(settings.test_clock)
        calendars = Calendars(engine, wanted=lambda mailbox: not tenant or mailbox.tenant == tenant)
        calendars.refresh()
        held = {mailbox for mailbox, state in calendars.states.items() if state.connected and not state.asleep}
        known = held | set(_find_granted(engine.registry, tenant))
        chosen = sort_by_next_meeting(calendars, choose_mailboxes(known, names, tenant), clock.now_ms())
        if dry_run:
            return _print_plan(calendars, chosen, clock, as_json=as_json)
        reconciliation = Reconciliation(engine, calendars, clock, patience_s=patience_s)
        with click.progressbar(length=len(chosen), label="asked", file=sys.stderr, hidden=as_json) as bar:
            for _ in reconciliation.send(chosen, full=full, calls_per_s=calls_per_s):
                bar.update(1)
        if no_wait:
            return _print_result(ReconcileResult(), len(chosen), waited=False, as_json=as_json)
        with click.progressbar(length=len(chosen), label="looked at", file=sys.stderr, hidden=as_json) as bar:
            for count in reconciliation.wait():
                bar.update(count)
    return _print_result(reconciliation.result, len(chosen), waited=True, as_json=as_json)


def sort_by_next_meeting(calendars: Calendars, mailboxes: Sequence[Mailbox], now_ms: int) -> list[Mailbox]:
    """Return the mailboxes, the one whose next meeting with a room begins soonest first."""
    return sorted(mailboxes, key=lambda mailbox: (calendars.upcoming_ms(mailbox, now_ms), mailbox))


class Reconciliation:
    """Sends commands for looks, and follows on `calendar-state` how the looks end."""

    def __init__(self, engine: Engine, calendars: Calendars, clock: Clock, *, patience_s: float) -> None:
        """Send nothing yet. `patience_s`: after how long without any finished look `wait` gives up."""
        self._engine = engine
        self._calendars = calendars
        self._clock = clock
        self._patience_s = patience_s
        self._sent: list[SentCommand] = []
        self.result = ReconcileResult()

    def send(self, mailboxes: Sequence[Mailbox], *, full: bool, calls_per_s: float) -> Iterator[None]:
        """Append one command a mailbox, evenly spread over time. Raises LogUnavailableError."""
        log = self._engine.log
        began_s = time.monotonic()
        for number, mailbox in enumerate(mailboxes):
            time.sleep(max(0.0, began_s + number / calls_per_s - time.monotonic()))
            at_ms = self._clock.now_ms()
            held = mailbox in self._calendars.states
            command = Reconcile(at_ms=at_ms, full=full) if held else Connect(at_ms=at_ms)
            log.append([command_record(mailbox, command, log.partitions, cause=_CAUSE)])
            beyond = log.span(COMMANDS.name, partition_of(mailbox.key, log.partitions)).end
            self._sent.append(SentCommand(mailbox, at_ms, beyond, self._calendars.written[mailbox]))
            yield

    def wait(self) -> Iterator[int]:
        """Yield how many more looks have ended, whenever some have; ends when all have, or patience is over."""
        open_ = self._sent
        heard_s = time.monotonic()
        while open_ and time.monotonic() - heard_s < self._patience_s:
            self._calendars.refresh({partition_of(each.mailbox.key, self._engine.log.partitions) for each in open_})
            left = [each for each in open_ if not self._is_answered(each)]
            if len(left) < len(open_):
                heard_s = time.monotonic()
                yield len(open_) - len(left)
            else:
                time.sleep(_POLL_S)
            open_ = left
        self.result.waiting = [each.mailbox.key.decode() for each in open_]

    def _is_answered(self, sent: SentCommand) -> bool:
        state = self._calendars.states.get(sent.mailbox)
        name = sent.mailbox.key.decode()
        partition = partition_of(sent.mailbox.key, self._engine.log.partitions)
        passed = self._calendars.positions[partition].get(COMMANDS.name, 0) >= sent.beyond
        if state is None:
            if passed:
                self.result.failed[name] = "no longer connected"
            return passed
        retry_ms = state.due.get(DueReason.RETRY, 0)
        if state.failures and retry_ms > self._clock.now_ms():
            self.result.failed[name] = (
                f"{state.failures} looks failed in a row; the next one is at {to_rfc3339(retry_ms)}"
            )
            return True
        if not passed or state.looked_at_ms < sent.at_ms:
            return False
        self.result.looked += 1
        self.result.changed += self._calendars.written[sent.mailbox] > sent.written
        return True


def _find_granted(registry: Registry, tenant: str) -> Iterator[Mailbox]:
    """Yield the mailboxes with a live grant, also those that the log has lost: they are connected anew."""
    for grant in read_grants(registry):
        if grant.consent.state in CONNECTED and tenant in ("", grant.mailbox.tenant):
            yield grant.mailbox


def choose_mailboxes(known: Collection[Mailbox], names: Sequence[str], tenant: str) -> list[Mailbox]:
    """Return the named mailboxes, or all. Raises click.UsageError: a name is unknown or stands for several mailboxes."""
    if tenant and not known:
        message = f"no mailbox of organisation {tenant!r} is connected; `roomsync tenants` knows the organisations"
        raise click.UsageError(message)
    if not names:
        return list(known)
    by_name: dict[str, list[Mailbox]] = {}
    for mailbox in known:
        for name in (mailbox.id, mailbox.key.decode()):
            by_name.setdefault(name, []).append(mailbox)
    if unknown := sorted(set(names) - by_name.keys()):
        message = f"no such mailbox is connected: {', '.join(unknown)}; `roomsync reconcile --all --dry-run` lists them"
        raise click.UsageError(message)
    if unclear := sorted(name for name in names if len(by_name[name]) > 1):
        message = f"more than one organisation has {', '.join(unclear)}: say TENANT/ID"
        raise click.UsageError(message)
    return list(dict.fromkeys(by_name[name][0] for name in names))


def _print_plan(calendars: Calendars, chosen: Sequence[Mailbox], clock: Clock, *, as_json: bool) -> int:
    now_ms = clock.now_ms()
    lines = [_plan_as_dict(calendars, mailbox, now_ms) for mailbox in chosen]
    if as_json:
        click.echo(json.dumps({"dryRun": True, "mailboxes": lines}))
        return 0
    for line in lines:
        click.echo(f"{line['mailbox']}  looked at {line['lookedAt'] or 'never'}, next meeting {line['next'] or 'none'}")
    click.echo(f"would ask {len(chosen)} mailboxes")
    return 0


def _plan_as_dict(calendars: Calendars, mailbox: Mailbox, now_ms: int) -> dict[str, Any]:
    state = calendars.states.get(mailbox)
    looked_ms = state.looked_at_ms if state else 0
    next_ms = calendars.upcoming_ms(mailbox, now_ms)
    return {
        "mailbox": mailbox.key.decode(),
        "lookedAt": to_rfc3339(looked_ms) if looked_ms else None,
        "next": to_rfc3339(next_ms) if next_ms < 2**62 else None,
    }


def _print_result(result: ReconcileResult, asked: int, *, waited: bool, as_json: bool) -> int:
    code = FINDING if result.failed or result.waiting else 0
    if as_json:
        line = {
            "asked": asked, "waited": waited, "looked": result.looked, "changed": result.changed,
            "failed": result.failed, "waiting": result.waiting,
        }  # fmt: skip
        click.echo(json.dumps(line))
        return code
    if not waited:
        click.echo(f"asked {asked} mailboxes; `roomsync status` shows how they do")
        return code
    click.echo(f"{result.looked} of {asked} looked at, {result.changed} of them had something to correct")
    for name, why in result.failed.items():
        click.echo(f"failed: {name}: {why}")
    if result.waiting:
        click.echo(f"no answer for: {', '.join(result.waiting)}; is the sync worker running? See `roomsync status`")
    return code
