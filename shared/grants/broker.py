"""Access tokens for callers of a provider in a person's name: opened if still good, else refreshed by exactly one caller."""

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
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.domain.sighting import Access
from shared.errors import (
    ClientRefusedError,
    ConsentRevokedError,
    GrantSuspendedError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    TokenRefusedError,
)
from shared.grants import grant
from shared.grants.oauth import (
    Busy,
    Granted,
    Lost,
    OAuthSettings,
    OurFault,
    Outcome,
    Suspended,
    TokenRequest,
    missing_scopes,
    refresh_request,
    scopes_for,
)
from shared.grants.refusals import Observe, RefusalBreaker
from shared.grants.sleep import is_awake, is_off, put_to_sleep
from shared.grants.token_endpoint import TokenEndpoint
from shared.grants.vault import ConsentVault, TokenKind
from shared.ports.clock import Clock
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry.tables import consents, freshness, tenants, users

T = TypeVar("T")

_POLL_S = 0.05
_LEASE_MARGIN_MS = 5 * SECOND_MS  # over the call's own deadline, for the writes around it


_YOUNG_MS = 5 * MINUTE_MS
"""A refreshed token that the calendar refuses is not refreshed again before it is as old as this."""
_RELEASE_EVERY_MS = 5 * MINUTE_MS


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
        observe: Observe | None = None,
    ) -> None:
        """
        Keep the grants of a registry.

        Args:
            registry: Where grants stand.
            keyring: What they are sealed under.
            settings: Our clients and their addresses.
            clock: The time.
            endpoint: Stands in for the provider's token endpoint in tests.
            observe: Is told how many circuits of a provider are open, and which open: many grants are refused at once.
        """
        self._registry = registry
        self._consents = consents(registry)
        self._freshness = freshness(registry)
        self._users = users(registry)
        self._tenants = tenants(registry)
        self._vault = ConsentVault(keyring)
        self._settings = settings
        self._clock = clock
        self._endpoint: Asks = endpoint or TokenEndpoint(settings.call_timeout_s)
        self._refusals = RefusalBreaker(clock, observe) if observe else RefusalBreaker(clock)
        self._refused_fresh: set[Mailbox] = set()
        self._released_at_ms: dict[tuple[str, str], int] = {}
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
            ConsentRevokedError: no grant, the provider ended it (the row says so from now on), or its person did.
            GrantSuspendedError: the provider refuses it for a reason that can pass; it is kept, and tried again.
            RetryableError: the token endpoint is busy or away, or `refused` has only just been given out.
            RefusedError: our own registration is wrong, or the integration is switched off.
        """
        lock = self._lock_of(mailbox)
        with lock.lock:
            return self._access(mailbox, refused)

    def using(self, mailbox: Mailbox, call: Callable[[Access], T]) -> T:
        """
        Run `call` as the mailbox's person; if their token is refused, once more with a fresh one.

        A calendar that refuses a fresh token says nothing of the grant: only the token endpoint can end it.

        Raises:
            ConsentRevokedError: there is no grant, or its person or the token endpoint has ended it.
            TokenRefusedError: refused again with a fresh token: for later, since the grant is kept.
        """
        access = self.access(mailbox)
        try:
            answer = call(access)
        except TokenRefusedError:
            fresh = self.access(mailbox, refused=access.token)
        else:
            if mailbox in self._refused_fresh:
                self._refused_fresh.discard(mailbox)
                self._change(mailbox, grant.mark_accepted)
            return answer
        try:
            return call(fresh)
        except TokenRefusedError as error:
            code = error.code  # the name of an exception is gone once its clause is left
            self._refused_fresh.add(mailbox)
            self._change(mailbox, lambda row: grant.mark_failing(row, row.refresh_sealed, code))
            raise

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
        provider, writes = Provider(person.provider), self._settings.may_write
        missing = missing_scopes(provider, granted.scopes, writes=writes)
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
            refresh_sealed=self._vault.seal(mailbox, granted.refresh_token, TokenKind.REFRESH),
            access_sealed=self._vault.seal(mailbox, granted.access_token, TokenKind.ACCESS),
            access_expires_at_ms=now_ms + int(granted.expires_in_s * SECOND_MS),
            scopes=granted.scopes or scopes_for(provider, writes=writes),  # named none: it is as asked (RFC 6749, 5.1)
            connected_at_ms=now_ms,
            ends_at_ms=grant.end_of(granted.refresh_expires_in_s, now_ms),
        )
        self._consents.change(tenant, mailbox.id, lambda row: grant.begin_connecting(row, fresh))
        return mailbox

    def provider_of(self, mailbox: Mailbox) -> Provider:
        """Whose calendar system the mailbox lives in. Raises ConsentRevokedError when there is no grant."""
        return Provider(self._row(mailbox, ending=True).provider)

    def first_look_begins(self, mailbox: Mailbox) -> None:
        """The provider has been asked to tell us; the first look comes now. Idempotent."""
        self._change(mailbox, grant.mark_reading)

    def first_look_done(self, mailbox: Mailbox) -> None:
        """The baseline has been read: from now on the calendar is connected. Idempotent."""
        now_ms = self._clock.now_ms()
        self._change(mailbox, lambda row: grant.mark_connected(row, now_ms))

    def revoked(self, mailbox: Mailbox, code: str) -> None:
        """Mark the grant as gone, with the provider's own code, and drop its tokens. Idempotent."""
        self._change(mailbox, lambda row: grant.revoke(row, code))

    def leaving(self, mailbox: Mailbox) -> None:
        """Its person wants the grant gone: it is used for ending the subscription only, from now on. Idempotent."""
        now_ms = self._clock.now_ms()
        self._change(mailbox, lambda row: grant.mark_leaving(row, now_ms))

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

    def close(self) -> None:
        """Close the connections to the token endpoints."""
        if isinstance(self._endpoint, TokenEndpoint):
            self._endpoint.close()

    def _access(self, mailbox: Mailbox, refused: str, *, ending: bool = False) -> Access:
        patience_s = time.monotonic() + self._lease_ms / SECOND_MS
        while True:
            row = self._row(mailbox, ending=ending)
            access = self._open(mailbox, row, refused)
            if access is not None:
                return access
            self._hold_back(mailbox, row, ending=ending)
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
        token = self._vault.unseal(mailbox, row.access_sealed, TokenKind.ACCESS)
        if token != refused:
            return self._access_for(mailbox, row, token)
        if self._clock.now_ms() - row.refreshed_at_ms < _YOUNG_MS:
            message = "the calendar refuses a token that was given out just now; the grant is kept, trying again later"
            raise RetryableError(message)
        return None

    def _row(self, mailbox: Mailbox, *, ending: bool) -> ConsentRow:
        row = self._consents.get(mailbox.tenant, mailbox.id)
        return grant.check_callable(row, now_ms=self._clock.now_ms(), ending=ending)

    def _hold_back(self, mailbox: Mailbox, row: ConsentRow, *, ending: bool) -> None:
        """Raise GrantSuspendedError while nobody is asked for, since many are refused."""
        pause = self._refusals.pause(mailbox, row.provider)
        if pause is None:
            return
        now_ms = self._clock.now_ms()
        if not ending:
            self._change(mailbox, lambda now: grant.hold_back(now, pause.code, now_ms + pause.left_ms))
        message = f"the provider refuses many grants at the moment ({pause.code}); this one is kept, and tried again"
        raise GrantSuspendedError(message, code=pause.code, retry_after_s=pause.left_ms / SECOND_MS)

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
        if not isinstance(outcome, Busy):
            self._refusals.answered(mailbox, row.provider, "" if isinstance(outcome, Granted) else outcome.code)
        match outcome:
            case Granted():
                return self._keep(mailbox, row, outcome)
            case Lost(code):
                self._change(mailbox, lambda now: grant.mark_lost(now, used, code))
                raise grant.lost_error(outcome)
            case Suspended():
                raise self._suspend(mailbox, used, outcome)
            case Busy(reason, retry_after_s, status, code):
                self._change(mailbox, lambda now: grant.mark_failing(now, used, reason))
                raise RetryableError(reason, retry_after_s=retry_after_s, provider_status=status, provider_code=code)
            case OurFault(code):
                self._change(mailbox, lambda now: grant.mark_failing(now, used, code))
                raise _our_fault(row.provider, outcome)

    def _suspend(self, mailbox: Mailbox, used: bytes, outcome: Suspended) -> RoomsyncError:
        now_ms, code = self._clock.now_ms(), outcome.code
        self._change(mailbox, lambda now: grant.suspend(now, used, code, now_ms))
        row = self._consents.get(mailbox.tenant, mailbox.id)
        if row is not None and row.state is ConsentState.SUSPENDED:
            return grant.suspended_error(row, now_ms, status=outcome.status)
        if row is not None and row.state is ConsentState.REVOKED:
            return grant.lost_error(Lost(code, outcome.status))
        message = f"the provider refuses this grant for now ({code})"  # it sleeps, or was given anew meanwhile
        return RetryableError(message, provider_status=outcome.status, provider_code=code)

    def _release(self, mailbox: Mailbox, row: ConsentRow) -> None:
        """One that was suspended is good again: the others of its organisation with the same reason are tried too."""
        now_ms, of = self._clock.now_ms(), (mailbox.tenant, row.reason)
        if row.state is not ConsentState.SUSPENDED or now_ms - self._released_at_ms.get(of, 0) < _RELEASE_EVERY_MS:
            return
        self._released_at_ms = {**self._released_at_ms, of: now_ms}
        for name, _ in list(self._consents.scan_readable(mailbox.tenant)):
            self._change(Mailbox(mailbox.tenant, name), lambda each: grant.release(each, row.reason, now_ms))

    def _ask(self, mailbox: Mailbox, row: ConsentRow) -> Outcome:
        if not row.refresh_sealed:
            return Lost("no_refresh_token")
        tenant = self._tenants.get(mailbox.tenant, "tenant")
        # While the calendar system is being changed, the organisation's directory is one of the other system.
        same = tenant is not None and tenant.provider == row.provider
        request = refresh_request(
            Provider(row.provider),
            self._settings,
            self._vault.unseal(mailbox, row.refresh_sealed, TokenKind.REFRESH),
            tenant.directory if tenant is not None and same else "",
        )
        return self._endpoint.ask(request)

    def _keep(self, mailbox: Mailbox, row: ConsentRow, granted: Granted) -> Access:
        now_ms = self._clock.now_ms()
        expires_at_ms = now_ms + int(granted.expires_in_s * SECOND_MS)
        access = self._vault.seal(mailbox, granted.access_token, TokenKind.ACCESS)
        refresh = self._vault.seal(mailbox, granted.refresh_token, TokenKind.REFRESH)
        used = row.refresh_sealed
        self._change(mailbox, lambda now: grant.store_refreshed(now, used, access, expires_at_ms, refresh, now_ms))
        self._release(mailbox, row)
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


def _our_fault(provider: str, outcome: OurFault) -> ClientRefusedError:
    name = f"ROOMSYNC_{provider.upper()}_CLIENT"
    return ClientRefusedError(
        f"the provider refuses our own client ({outcome.code}): check {name}_ID and {name}_SECRET; "
        "the secret may have expired",
        provider_status=outcome.status,
        provider_code=outcome.code,
    )
