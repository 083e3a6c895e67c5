"""Access tokens for whoever calls a provider as a person: opened if still good, else refreshed by exactly one caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec

from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import SECOND_MS
from shared.domain.sighting import Access
from shared.errors import ConsentRevokedError, RefusedError, RetryableError, TokenRefusedError
from shared.grants import grant
from shared.grants.oauth import (
    Busy,
    Granted,
    Lost,
    OAuthSettings,
    Outcome,
    TokenRequest,
    missing_scopes,
    refresh_request,
)
from shared.grants.sleep import is_awake, is_off, put_to_sleep
from shared.grants.token_endpoint import TokenEndpoint
from shared.grants.vault import ConsentVault
from shared.ports.clock import Clock
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry.tables import consents, freshness, tenants, users

T = TypeVar("T")

_POLL_S = 0.05
_LEASE_MARGIN_MS = 5 * SECOND_MS  # over the call's own deadline, for the writes around it


class Asks(Protocol):
    """A token endpoint."""

    def ask(self, request: TokenRequest) -> Outcome:
        """Post the form and say what the answer means."""
        ...


class _Lock:
    """A lock that a weak dictionary can hold: forgotten when nobody waits on it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Claim:
    """The row as it stood when this caller won the right to refresh it; `won` False: somebody else refreshes."""

    row: ConsentRow
    won: bool


class ConsentBroker:
    """
    Everybody's grants, behind one door. Thread-safe; one per process.

    A refresh happens once per mailbox: within the process by a lock, across processes by `refreshing_until_ms` in the row.
    Every method raises StoreUnavailableError when registry or keyring cannot be reached, and KeyDestroyedError when the
    tenant's consent key is gone.
    """

    def __init__(
        self,
        registry: Registry,
        keyring: Keyring,
        settings: OAuthSettings,
        clock: Clock,
        endpoint: Asks | None = None,
    ) -> None:
        """`endpoint` stands in for the provider's token endpoint in tests."""
        self._registry = registry
        self._consents = consents(registry)
        self._freshness = freshness(registry)
        self._users = users(registry)
        self._tenants = tenants(registry)
        self._vault = ConsentVault(keyring)
        self._settings = settings
        self._clock = clock
        self._endpoint = endpoint or TokenEndpoint(settings.call_timeout_s)
        self._lease_ms = int(settings.call_timeout_s * SECOND_MS) * 2 + _LEASE_MARGIN_MS
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[Mailbox, _Lock] = WeakValueDictionary()

    def access(self, mailbox: Mailbox, *, refused: str = "") -> Access:
        """
        A token that will last at least four minutes more.

        Args:
            mailbox: Whose.
            refused: A token that the provider has just refused: never returned again, even if it looks good.

        Raises:
            ConsentRevokedError: no grant, the provider took it back (the row says so from now on), or its person did.
            RetryableError: the token endpoint is busy or away.
            RefusedError: our own registration is wrong, or the integration is switched off.
        """
        lock = self._lock_of(mailbox)
        with lock.lock:
            return self._access(mailbox, refused)

    def using(self, mailbox: Mailbox, call: Callable[[Access], T]) -> T:
        """
        Run `call` as the mailbox's person; if their token is refused, once more with a fresh one.

        Raises:
            TokenRefusedError: refused again with a fresh token: for later, since the token endpoint still grants.
            ConsentRevokedError: the token endpoint says that the grant is gone.
        """
        access = self.access(mailbox)
        try:
            return call(access)
        except TokenRefusedError:
            fresh = self.access(mailbox, refused=access.token)
        return call(fresh)

    def ending(self, mailbox: Mailbox, call: Callable[[Access], T]) -> T:
        """
        As `using`, also with a grant that sleeps or is taken back: to end the mailbox's subscription, and for nothing else.

        Raises:
            ConsentRevokedError: there is no grant any more to end anything with.
        """
        lock = self._lock_of(mailbox)
        with lock.lock:
            access = self._access(mailbox, "", ending=True)
        try:
            return call(access)
        except TokenRefusedError:
            with lock.lock:
                access = self._access(mailbox, access.token, ending=True)
        return call(access)

    def is_enabled(self, tenant: str) -> bool:
        """Whether the organisation's calendars may be looked at."""
        row = self._tenants.get(tenant, "tenant")
        return row is not None and not is_off(row)

    def put_to_sleep(self, mailbox: Mailbox) -> bool:
        """See `shared.grants.sleep.put_to_sleep`."""
        return put_to_sleep(self._registry, mailbox)

    def is_live(self, mailbox: Mailbox) -> bool:
        """Whether the person's grant is there, and neither gone, leaving nor asleep."""
        row = self._consents.get(mailbox.tenant, mailbox.id)
        return row is not None and is_awake(row) and not row.leaving_at_ms

    def store_grant(self, tenant: str, user: str, granted: Granted) -> Mailbox:
        """
        Keep a fresh grant of a person who is in `users`; their calendar is connecting from now on.

        Raises:
            RefusedError: the person unticked a right that is needed, or no refresh token came.
        """
        person = self._users.get(tenant, user)
        if person is None:
            message = f"user {user} is not in the registry; sign in again"
            raise RefusedError(message)
        missing = missing_scopes(Provider(person.provider), granted.scopes)
        if missing:
            message = f"not granted: {', '.join(missing)}; connect again and leave every box ticked"
            raise RefusedError(message)
        mailbox = Mailbox(tenant, person.mailbox)
        now_ms = self._clock.now_ms()
        fresh = ConsentRow(
            user=user,
            provider=person.provider,
            subject=person.subject,
            state=ConsentState.CONNECTING,
            refresh_sealed=self._vault.seal(mailbox, granted.refresh_token),
            access_sealed=self._vault.seal(mailbox, granted.access_token),
            access_expires_at_ms=now_ms + int(granted.expires_in_s * SECOND_MS),
            scopes=granted.scopes,
            connected_at_ms=now_ms,
        )
        self._consents.change(tenant, mailbox.id, lambda row: grant.connecting(row, fresh))
        return mailbox

    def provider_of(self, mailbox: Mailbox) -> Provider:
        """Whose calendar system the mailbox lives in. Raises ConsentRevokedError when there is no grant."""
        return Provider(grant.checked(self._consents.get(mailbox.tenant, mailbox.id), ending=True).provider)

    def first_look_begins(self, mailbox: Mailbox) -> None:
        """The provider has been asked to tell us; the first look comes now. Idempotent."""
        self._change(mailbox, grant.reading)

    def first_look_done(self, mailbox: Mailbox) -> None:
        """The baseline has been read: from now on the calendar is connected. Idempotent."""
        now_ms = self._clock.now_ms()
        self._change(mailbox, lambda row: grant.connected(row, now_ms))

    def revoked(self, mailbox: Mailbox, code: str) -> None:
        """Mark the grant as gone, with the provider's own code, and drop its tokens. Idempotent."""
        self._change(mailbox, lambda row: grant.revoked(row, code))

    def leaving(self, mailbox: Mailbox) -> None:
        """Its person wants the grant gone: it is used for ending the subscription only, from now on. Idempotent."""
        now_ms = self._clock.now_ms()
        self._change(mailbox, lambda row: grant.leaving(row, now_ms))

    def forget(self, mailbox: Mailbox, *, given_before_ms: int | None = None) -> None:
        """
        Delete the grant here. Idempotent.

        At the provider it goes on to exist until its person removes it there, and nothing of ours says otherwise.

        Args:
            given_before_ms: A grant that was given later is another one, and stays: its person has reconnected.
        """
        row = self._consents.get(mailbox.tenant, mailbox.id)
        if row is not None and given_before_ms is not None and row.connected_at_ms > given_before_ms:
            return
        self._consents.delete(mailbox.tenant, mailbox.id)
        self._freshness.delete(mailbox.tenant, mailbox.id)

    def _access(self, mailbox: Mailbox, refused: str, *, ending: bool = False) -> Access:
        patience_s = time.monotonic() + self._lease_ms / SECOND_MS
        while True:
            row = grant.checked(self._consents.get(mailbox.tenant, mailbox.id), ending=ending)
            access = self._open(mailbox, row, refused)
            if access is not None:
                return access
            claim = self._claim(mailbox, row)
            if claim.won:
                return self._refresh(mailbox, claim.row)
            if time.monotonic() > patience_s:
                message = "somebody else has been refreshing this grant for long; trying again later"
                raise RetryableError(message, retry_after_s=1.0)
            time.sleep(_POLL_S)

    def _open(self, mailbox: Mailbox, row: ConsentRow, refused: str) -> Access | None:
        """The stored token, unless it is about to expire or has just been refused."""
        if not grant.is_usable(row, self._clock.now_ms()):
            return None
        token = self._vault.unseal(mailbox, row.access_sealed)
        return None if token == refused else self._access_for(mailbox, row, token)

    def _claim(self, mailbox: Mailbox, seen: ConsentRow) -> _Claim:
        """Compare-and-set: whoever replaces exactly the row that was seen may refresh it."""
        now_ms = self._clock.now_ms()
        mine = msgspec.structs.replace(seen, refreshing_until_ms=now_ms + self._lease_ms)
        won = False

        def decide(row: ConsentRow | None) -> ConsentRow | None:
            nonlocal won
            won = row == seen and seen.refreshing_until_ms <= now_ms
            return mine if won else None

        self._consents.change(mailbox.tenant, mailbox.id, decide, not_after_ms=grant.deadline)
        return _Claim(mine, won)

    def _refresh(self, mailbox: Mailbox, row: ConsentRow) -> Access:
        used = row.refresh_sealed
        outcome = self._ask(mailbox, row)
        if isinstance(outcome, Granted):
            return self._keep(mailbox, row, outcome)
        if isinstance(outcome, Lost):
            self._change(mailbox, lambda now: grant.lost(now, used, outcome.code))
            raise grant.lost_error(outcome)
        if isinstance(outcome, Busy):
            self._change(mailbox, lambda now: grant.failing(now, used, outcome.reason))
            raise RetryableError(outcome.reason, retry_after_s=outcome.retry_after_s)
        self._change(mailbox, lambda now: grant.failing(now, used, outcome.code))
        message = (
            f"the provider refuses our own client ({outcome.code}): check ROOMSYNC_{row.provider.upper()}_CLIENT_ID and "
            f"ROOMSYNC_{row.provider.upper()}_CLIENT_SECRET; the secret may have expired"
        )
        raise RefusedError(message)

    def _ask(self, mailbox: Mailbox, row: ConsentRow) -> Outcome:
        if not row.refresh_sealed:
            return Lost("no_refresh_token")
        tenant = self._tenants.get(mailbox.tenant, "tenant")
        # While the calendar system is being changed, the organisation's directory is one of the other system.
        same = tenant is not None and tenant.provider == row.provider
        request = refresh_request(
            Provider(row.provider),
            self._settings,
            self._vault.unseal(mailbox, row.refresh_sealed),
            tenant.directory if tenant is not None and same else "",
        )
        return self._endpoint.ask(request)

    def _keep(self, mailbox: Mailbox, row: ConsentRow, granted: Granted) -> Access:
        expires_at_ms = self._clock.now_ms() + int(granted.expires_in_s * SECOND_MS)
        access = self._vault.seal(mailbox, granted.access_token)
        refresh = self._vault.seal(mailbox, granted.refresh_token)
        self._change(mailbox, lambda now: grant.refreshed(now, row.refresh_sealed, access, expires_at_ms, refresh))
        return self._access_for(mailbox, row, granted.access_token)

    def _access_for(self, mailbox: Mailbox, row: ConsentRow, token: str) -> Access:
        user = self._users.get(mailbox.tenant, row.user)
        if user is None:
            message = "the person behind this grant is not in the registry; they sign in again"
            raise ConsentRevokedError(message, code="no_user")
        address = self._vault.address_of(mailbox.tenant, row.user, user)
        return Access(token=token, subject=row.subject, address=address)

    def _change(self, mailbox: Mailbox, decide: Callable[[ConsentRow], ConsentRow]) -> None:
        self._consents.change(
            mailbox.tenant,
            mailbox.id,
            lambda row: None if row is None else decide(row),
            not_after_ms=grant.deadline,
        )

    def _lock_of(self, mailbox: Mailbox) -> _Lock:
        with self._guard:
            lock = self._locks.get(mailbox)
            if lock is None:
                lock = self._locks[mailbox] = _Lock()
            return lock
