"""`roomsync keys`: master keys: make one, see which are still needed, wrap everything under the newest; other keys are made too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import MAILBOX_TYPE, LiveSubscription, MailboxState
from shared.contracts.topics import CALENDAR_STATE, POSITION_KEY
from shared.crypto.hook_keys import print_hook_keys
from shared.crypto.master import MasterKeys, new_key
from shared.crypto.records import open_envelope
from shared.crypto.vapid import new_pair
from shared.domain.instants import to_rfc3339
from shared.engines.bound_registry import BoundRegistry
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.keyring import Keyring
from shared.ports.log import Log
from shared.runtime.settings import load
from shared.runtime.wiring import master_keys

_PAGE = 500


@dataclass(slots=True)
class KeyUse:
    """One master key: whether the ring has it, and how many live subscriptions were made under it."""

    key: str
    current: bool = False
    known: bool = False
    subscriptions: int = 0
    last_expiry: str = ""
    """When the last of those subscriptions ends, at the latest (RFC 3339): until then the key must stay in the ring."""


@click.group()
def command() -> None:
    """Keys of this deployment: master keys (ROOMSYNC_MASTER_KEY), and the pair for notices in browsers."""


@command.command()
@click.option("--json", "as_json", is_flag=True)
def new(as_json: bool) -> int:
    """
    Print a fresh master key. Nothing is stored.

    To rotate: put it in front of the old one in ROOMSYNC_MASTER_KEY, restart everything, run `keys rewrap`, and take the
    old one out once `keys status` says that nothing needs it.
    """
    key = new_key()
    click.echo(json.dumps({"key": key}) if as_json else key)
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True)
def hooks(as_json: bool) -> int:
    """
    Print the keys that prove notifications, derived from the master keys: the receiver's ROOMSYNC_HOOK_KEYS.

    Give the receiver these alone: nothing that is sealed opens with them, and no master key can be had from them. Print them
    again whenever the ring of master keys changes. Exit 2: there is no master key.
    """
    text = print_hook_keys(master_keys(load()).hook_keys())
    click.echo(json.dumps({"hookKeys": text}) if as_json else text)
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True)
def push(as_json: bool) -> int:
    """
    Print a fresh key pair by which browsers' push services know this deployment (VAPID). Nothing is stored.

    The private key is a secret of the notifier; the public one is given to the portal as well. Keep the pair: with another one,
    people have to ask for notices in each browser anew.
    """
    private, public = new_pair()
    if as_json:
        click.echo(json.dumps({"privateKey": private, "publicKey": public}))
    else:
        click.echo(f"ROOMSYNC_PUSH_PRIVATE_KEY={private}\nROOMSYNC_PUSH_PUBLIC_KEY={public}")
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> int:
    """Which keys are in the ring, and which of them live subscriptions still carry. Exit 1: one is missing."""
    with connect_engine() as (engine, settings):
        uses = count_key_uses(master_keys(settings), find_live_subscriptions(engine.log, engine.keyring))
    for use in uses:
        line = {
            "key": use.key, "current": use.current, "inRing": use.known,
            "subscriptions": use.subscriptions, "neededUntil": use.last_expiry,
        }  # fmt: skip
        click.echo(json.dumps(line) if as_json else _use_as_text(use))
    return 0 if all(use.known for use in uses) else FINDING


@command.command()
@click.option("--dry-run", is_flag=True, help="Say under which key everything would be wrapped; change nothing.")
@click.option("--json", "as_json", is_flag=True)
def rewrap(dry_run: bool, as_json: bool) -> int:
    """Wrap every tenant's keys under the newest master key, and bind every row of the registry by it."""
    if dry_run:
        ring = master_keys(load())
        line = {"current": ring.current, "ring": list(ring.ring), "dryRun": True}
        click.echo(json.dumps(line) if as_json else f"would wrap what is under another key under {ring.current}")
        return 0
    with connect_engine() as (engine, settings):
        count = engine.keyring.rewrap()
        rows = engine.registry.rebind() if isinstance(engine.registry, BoundRegistry) else 0
        current = master_keys(settings).current
    click.echo(
        json.dumps({"current": current, "rewrapped": count, "rebound": rows})
        if as_json
        else f"{count} keys are now under {current}, and {rows} rows bound by it"
    )
    return 0


def count_key_uses(ring: MasterKeys, subscriptions: Iterator[LiveSubscription]) -> list[KeyUse]:
    """Count subscriptions by master key: the ring's keys first, in its order, then keys that it lacks."""
    uses = {key: KeyUse(key, current=key == ring.current, known=True) for key in ring.ring}
    for subscription in subscriptions:
        use = uses.setdefault(subscription.key_id, KeyUse(subscription.key_id))
        use.subscriptions += 1
        use.last_expiry = max(use.last_expiry, to_rfc3339(subscription.expires_at_ms))
    return list(uses.values())


def find_live_subscriptions(log: Log, keyring: Keyring) -> Iterator[LiveSubscription]:
    """Yield the subscriptions on `calendar-state`, those about to be ended included; without those of erased tenants."""
    for partition in range(log.partitions):
        for key, value in _read_latest(log, partition).items():
            state = _open_mailbox_state(key, value, keyring)
            if state is not None:
                yield from (state.subscription, *state.retiring) if state.subscription else state.retiring


def _read_latest(log: Log, partition: int) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    offset = log.span(CALENDAR_STATE.name, partition).begin
    while page := log.read(CALENDAR_STATE.name, partition, offset, limit=_PAGE):
        for record in page:
            if record.value is None:
                found.pop(record.key, None)
            elif record.key != POSITION_KEY:
                found[record.key] = record.value
        offset = page[-1].offset + 1
    return found


def _open_mailbox_state(key: bytes, value: bytes, keyring: Keyring) -> MailboxState | None:
    try:
        envelope = envelopes.decode(value)
        if envelope.type != MAILBOX_TYPE:
            return None
        return open_envelope(envelope, keyring.keys(envelope.tenant), MailboxState, key=key)
    except (KeyDestroyedError, MalformedRecordError):
        return None


def _use_as_text(use: KeyUse) -> str:
    if not use.known:
        return f"{use.key}  MISSING from ROOMSYNC_MASTER_KEY: {use.subscriptions} subscriptions carry it; put it back"
    role = "current" if use.current else "retired"
    needed = f"{use.subscriptions} subscriptions, until {use.last_expiry}" if use.subscriptions else "no subscription"
    hint = "" if use.current or use.subscriptions else "; after `keys rewrap` it may be taken out"
    return f"{use.key}  {role}: {needed}{hint}"
