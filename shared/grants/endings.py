"""Subscriptions that are still to be ended at the provider: on record, sealed, tried again until none is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.rows import EndingRow
from shared.crypto.sealing import seal, unseal
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.domain.sighting import Subscription
from shared.errors import ConsentRevokedError, KeyDestroyedError, MalformedRecordError, RefusedError, RetryableError
from shared.grants.broker import ConsentBroker
from shared.grants.reminders import CalendarReminders
from shared.ports.calendar import CalendarProvider
from shared.ports.clock import Clock
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables

_LEASE_MS = 30 * SECOND_MS  # over the calls' own deadlines; whoever dies with it has it tried by another afterwards
_MAX_BACKOFF_MS = 5 * MINUTE_MS


class _PendingEnding(msgspec.Struct, frozen=True):
    id: str
    resource_id: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one try."""

    done: bool
    reason: str = ""
    """Why not yet, or why there is nothing left to do it with; "" when the provider ended it."""


class Endings:
    """Thread-safe; any process may try any of them. Every method raises StoreUnavailableError."""

    def __init__(
        self,
        registry: Registry,
        keyring: Keyring,
        broker: ConsentBroker,
        providers: Mapping[Provider, CalendarProvider],
        clock: Clock,
    ) -> None:
        """Nothing is read before it is asked for."""
        self._table = tables.endings(registry)
        self._consents = tables.consents(registry)
        self._keyring = keyring
        self._broker = broker
        self._providers = providers
        self._clock = clock
        self._reminders = CalendarReminders(registry)

    def note(self, mailbox: Mailbox, provider: Provider, subscriptions: Iterable[Subscription]) -> None:
        """Put on record that these are to be ended; what was on record already stays. Raises KeyDestroyedError."""
        fresh = {each.id: _PendingEnding(each.id, each.resource_id, each.expires_at_ms) for each in subscriptions}
        if not fresh:
            return
        key = self._keyring.consent_key(mailbox.tenant)

        def noted(row: EndingRow | None) -> EndingRow:
            known = {each.id: each for each in self._opened(mailbox, row)} if row else {}
            sealed = seal(key, msgspec.json.encode([*{**known, **fresh}.values()]), purpose=_purpose(mailbox))
            return EndingRow(provider=provider.value, sealed=sealed)

        self._table.change(mailbox.tenant, mailbox.id, noted)

    def waiting(self, tenant: str) -> list[Mailbox]:
        """Mailboxes of the organisation with something to be ended that may be tried now; rows that are refused left out."""
        now_ms = self._clock.now_ms()
        return [Mailbox(tenant, name) for name, row in self._table.scan_readable(tenant) if row.not_before_ms <= now_ms]

    def attempt(self, mailbox: Mailbox) -> Attempt:
        """
        Try to end what is on record for the mailbox. Of several who try at once, one does.

        A grant that is gone, or a key that is destroyed, leaves nothing to end it with: the subscription runs out by
        itself, and its notifications are of no consequence to anybody.
        """
        row = self._claimed(mailbox)
        if row is None:
            if self._table.get(mailbox.tenant, mailbox.id) is None:
                self._let_go(mailbox)
                return Attempt(done=True)
            return Attempt(done=False, reason="not now")
        try:
            self._end(mailbox, row)
        except RetryableError as error:
            self._again(mailbox, error.retry_after_s)
            return Attempt(done=False, reason=str(error))
        except RefusedError as error:  # our own registration: to be mended by whoever runs this
            self._again(mailbox, None)
            return Attempt(done=False, reason=str(error))
        except (ConsentRevokedError, KeyDestroyedError, MalformedRecordError) as error:
            self._done(mailbox, row)
            return Attempt(done=True, reason=str(error))
        self._done(mailbox, row)
        return Attempt(done=True)

    def _end(self, mailbox: Mailbox, row: EndingRow) -> None:
        provider = self._providers[Provider(row.provider)]
        if since_ms := self._reminders.since_ms(mailbox):
            now_ms = self._clock.now_ms()
            self._broker.ending(mailbox, lambda access: self._reminders.remove_all(provider, access, since_ms, now_ms))
        for owed in self._opened(mailbox, row):
            known = Subscription(owed.id, owed.resource_id, owed.expires_at_ms)
            self._broker.ending(mailbox, lambda access, known=known: provider.unsubscribe(access, known))  # type: ignore[misc]

    def _claimed(self, mailbox: Mailbox) -> EndingRow | None:
        now_ms, won = self._clock.now_ms(), False

        def claim(row: EndingRow | None) -> EndingRow | None:
            nonlocal won
            won = row is not None and row.not_before_ms <= now_ms
            return msgspec.structs.replace(row, not_before_ms=now_ms + _LEASE_MS) if row and won else None

        row = self._table.change(mailbox.tenant, mailbox.id, claim)
        return row if won else None

    def _again(self, mailbox: Mailbox, retry_after_s: float | None) -> None:
        now_ms = self._clock.now_ms()

        def later(row: EndingRow | None) -> EndingRow | None:
            if row is None:
                return None
            ours_ms = min(2 ** min(row.failures, 16) * SECOND_MS, _MAX_BACKOFF_MS)
            wait_ms = ours_ms if retry_after_s is None else int(retry_after_s * SECOND_MS)
            return msgspec.structs.replace(row, failures=row.failures + 1, not_before_ms=now_ms + max(wait_ms, 1))

        self._table.change(mailbox.tenant, mailbox.id, later)

    def _done(self, mailbox: Mailbox, ended: EndingRow) -> None:
        row = self._table.get(mailbox.tenant, mailbox.id)
        if row is not None and row.sealed != ended.sealed:
            return  # more has been noted meanwhile
        self._table.delete(mailbox.tenant, mailbox.id)
        self._let_go(mailbox)

    def _let_go(self, mailbox: Mailbox) -> None:
        """Of a sleeping grant whose person wants it gone: nothing has to be ended with it any more."""
        consent = self._consents.get(mailbox.tenant, mailbox.id)
        if consent is not None and consent.leaving_at_ms and consent.asleep_until_ms:
            self._broker.forget(mailbox)

    def _opened(self, mailbox: Mailbox, row: EndingRow) -> list[_PendingEnding]:
        plain = unseal(self._keyring.consent_key(mailbox.tenant), row.sealed, purpose=_purpose(mailbox))
        return read_json(plain, list[_PendingEnding])


def _purpose(mailbox: Mailbox) -> str:
    return f"ending/{mailbox.tenant}/{mailbox.id}"
