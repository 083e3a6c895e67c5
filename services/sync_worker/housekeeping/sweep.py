"""
Does what switching off leaves to be done, whoever died meanwhile: endings, keys, sleep, waking. Repeated by every process.

A round asks the organisations that have something under way, and of the others as many as it can at a bounded cost. At 10,000
of them, what a process that died has left is found within 200 seconds by each of the processes, instead of two.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from functools import partial

from services.sync_worker.housekeeping.lost_commands import Reminders
from shared.contracts import calendar_state
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import MailboxState
from shared.contracts.command import Command
from shared.contracts.rows import ConsentState, IntegrationState, TenantRow
from shared.contracts.topics import CALENDAR_STATE
from shared.crypto.records import open_envelope
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.domain.sighting import Subscription
from shared.errors import KeyDestroyedError, MalformedRecordError, RoomsyncError
from shared.grants import sleep
from shared.grants.endings import Endings
from shared.organisations import off_boarding
from shared.organisations.enrolment import NOBODY
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.registry import tables
from shared.runtime.command_records import command_record
from shared.runtime.erasure import erase_consents, erase_data
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

EVERY_S = 2.0
ASK_AGAIN_MS = 5 * SECOND_MS
"""After which those that have not let go are asked once more: the switch's own commands may not have reached the log."""
AT_ONCE = 100
"""Of the organisations with nothing under way a round asks so many: beyond that they take turns, at a cost that stays the same."""
AWAKE_MS = 10 * MINUTE_MS
"""After which an organisation is asked again for people who sleep: it may have been off and on again between two of its turns."""
PATIENCE_MS = 60 * SECOND_MS
"""After which data keys are destroyed, even if a worker still holds them."""

logger = get_logger()


class Sweep:
    """Idempotent: any number of processes may run it, at any time, and stop anywhere in it."""

    def __init__(self, engine: Engine, clock: Clock, endings: Endings) -> None:
        """Nothing is done yet."""
        self._engine = engine
        self._clock = clock
        self._endings = endings
        self._turns: deque[str] = deque()
        self._under_way: set[str] = set()
        self._asked: set[tuple[str, int]] = set()
        self._awake: dict[str, int] = {}
        self._reminders = Reminders(engine.registry, clock)

    def run(self, stop: threading.Event, every_s: float = EVERY_S) -> None:
        """Until `stop`."""
        while not stop.wait(every_s):
            self.once()

    def once(self) -> None:
        """One round: organisations with something under way, and those whose turn it is. One's trouble stays its own."""
        try:
            names = self._names()
        except Exception as error:  # noqa: BLE001  # the store may be closing under us: the next round tells
            logger.warning("sweep_postponed", error=str(error))
            return
        for tenant in names:
            self._under_way.add(tenant)  # until it is known that nothing is
            try:
                if not self._tenant(tenant):
                    self._under_way.discard(tenant)
            except RoomsyncError as error:
                logger.warning("sweep_postponed", tenant=tenant, error=str(error))
            except Exception:
                logger.exception("sweep_failed", tenant=tenant)

    def _names(self) -> list[str]:
        """Whom this round is about. All names are read once everybody has had a turn."""
        if not self._turns:
            found = tables.directories(self._engine.registry).scan_readable(NOBODY, log_refused_row)
            self._turns.extend(sorted({row.tenant for _, row in found}))
        turns = {self._turns.popleft() for _ in range(min(AT_ONCE, len(self._turns)))}
        return sorted(turns | self._under_way)

    def _tenant(self, tenant: str) -> bool:
        """Do what is to be done for one organisation; whether something is under way, so that each round asks it."""
        row = tables.tenants(self._engine.registry).get(tenant, "tenant")
        if row is None:
            return False
        waiting = self._endings.waiting(tenant)
        for mailbox in waiting:
            attempt = self._endings.attempt(mailbox)
            logger.info("ending_tried", mailbox=mailbox.id, done=attempt.done, reason=attempt.reason)
        under_way = bool(waiting or row.doomed_era or row.sleep_until_ms)
        if row.integration is IntegrationState.ENABLED:
            self._enabled(tenant, row)
            return under_way
        self._awake.pop(tenant, None)
        if row.doomed_era:
            self._off(tenant, row)
        now_ms = self._clock.now_ms()
        erase = partial(erase_consents, self._engine, tenant, now_ms=now_ms)
        off_boarding.end_sleep(self._engine.registry, self._engine.keyring, tenant, erase=erase, now_ms=now_ms)
        return under_way

    def _off(self, tenant: str, row: TenantRow) -> None:
        """It was switched off, and its data keys still stand."""
        off_boarding.unpair(self._engine.registry, tenant)
        awake = [mailbox for mailbox, grant in sleep.people(self._engine.registry, tenant) if sleep.is_awake(grant)]
        waited_ms = self._clock.now_ms() - sleep.switched_off_at_ms(row)
        if awake and 0 <= waited_ms < PATIENCE_MS:
            if waited_ms >= ASK_AGAIN_MS and (tenant, row.sleep_until_ms) not in self._asked:
                sleep.send_all_to_sleep(self._engine.registry, tenant, send=self._send, now_ms=self._clock.now_ms())
                self._asked.add((tenant, row.sleep_until_ms))
            return
        if awake:
            logger.warning("sleep_enforced", tenant=tenant, mailboxes=len(awake))
            self._enforce(tenant)
        self._erase(tenant)

    def _enforce(self, tenant: str) -> None:
        """
        Their owner is away: what it has on record says what is to be ended, and can be read for the last time now.

        Every mailbox on record counts, since one may have been put to sleep by a process that died before letting go.
        """
        for mailbox, state in self._on_record(tenant):
            known = (*state.retiring, *((state.subscription,) if state.subscription else ()))
            if known and state.provider:
                each = [Subscription(one.id, one.resource_id, one.expires_at_ms) for one in known]
                self._endings.note(mailbox, Provider(state.provider), each)
        for mailbox, grant in list(sleep.people(self._engine.registry, tenant)):
            if sleep.is_awake(grant):
                sleep.put_to_sleep(self._engine.registry, mailbox)

    def _on_record(self, tenant: str) -> Iterator[tuple[Mailbox, MailboxState]]:
        """Mailboxes of the organisation as they stand on `calendar-state`."""
        try:
            keys = self._engine.keyring.keys(tenant)
        except KeyDestroyedError:
            return
        for key, value in self._latest(tenant).items():
            try:
                envelope = envelopes.decode(value)
                if envelope.type != calendar_state.MAILBOX_TYPE:
                    continue
                yield Mailbox.from_key(key), open_envelope(envelope, keys, MailboxState, key=key)
            except (KeyDestroyedError, MalformedRecordError, ValueError):
                continue

    def _latest(self, tenant: str) -> dict[bytes, bytes]:
        latest: dict[bytes, bytes] = {}
        prefix = f"{tenant}/".encode()
        log = self._engine.log
        for partition in range(log.partitions):
            offset = log.span(CALENDAR_STATE.name, partition).begin
            while page := log.read(CALENDAR_STATE.name, partition, offset):
                for record in page:
                    if record.key.startswith(prefix):
                        latest.pop(record.key, None)
                        if record.value:
                            latest[record.key] = record.value
                offset = page[-1].offset + 1
        return latest

    def _enabled(self, tenant: str, row: TenantRow) -> None:
        """Finish what enabling began, should its process have died: keys first, then those who sleep."""
        if row.doomed_era:
            self._erase(tenant)
            self._awake.pop(tenant, None)
            return
        self._reminders.once(tenant, self._send)
        now_ms = self._clock.now_ms()
        if abs(now_ms - self._awake.get(tenant, -AWAKE_MS)) < AWAKE_MS:
            return
        registry = self._engine.registry
        tables.users(registry).complete(tenant, now_ms)
        if any(grant.state is ConsentState.SLEEPING for _, grant in sleep.people(registry, tenant)):
            sleep.wake_all(registry, tenant, send=self._send, now_ms=now_ms)
        self._awake[tenant] = now_ms

    def _erase(self, tenant: str) -> None:
        now_ms = self._clock.now_ms()
        erase = partial(erase_data, self._engine, tenant, now_ms=now_ms)
        if off_boarding.finish_erasure(self._engine.registry, self._engine.keyring, tenant, erase=erase, now_ms=now_ms):
            logger.info("data_keys_destroyed", tenant=tenant)

    def _send(self, mailbox: Mailbox, wish: Command) -> None:
        self._engine.log.append([command_record(mailbox, wish, self._engine.log.partitions)])
