"""A sign-in under way: bound to one browser, good for ten minutes, good for one answer."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from shared.contracts.rows import SignInRow
from shared.domain.identity import Provider
from shared.domain.instants import MINUTE_MS
from shared.domain.keys import keyed_hash, pseudonym
from shared.organisations.enrolment import NOBODY
from shared.ports.clock import Clock
from shared.ports.registry import Registry
from shared.registry import tables

LIFE_MS = 10 * MINUTE_MS


class Purpose(StrEnum):
    """What a person is sent to their provider for; decides which permissions are asked."""

    SIGN_IN = "sign-in"
    """Who they are, and nothing else, whatever state the integration is in."""
    ENTER = "enter"
    """Who they are, and nothing else, to be let in while the integration is enabled."""
    CONNECT = "connect"
    """Their own calendar: begun by a change of somebody who is signed in, never by an address that was followed."""
    TEST = "test"
    """An administrator's test flow: a calendar, for as long as the test takes."""
    TEST_ROOMS = "test-rooms"
    """The same where no room is entered: the directory of rooms as well."""
    PROVE = "prove"
    """An administrator shows that they administer their directory too, once."""
    DOMAINS = "domains"
    """The same, and which domains their organisation has, once."""
    ROOMS = "rooms"
    """An administrator's import of rooms, once."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What goes to the provider and must come back. Nonce and verifier are derived: neither is at rest anywhere."""

    provider: str
    state: str
    nonce: str
    verifier: str
    """PKCE's: 43 characters."""
    back_to: str
    purpose: Purpose
    user: str = ""
    """Only they may come back; "" for anybody."""
    session: str = ""
    """Only in this session may they come back; "" for any."""


class SignIns:
    """The sign-ins under way in one deployment. Every method raises StoreUnavailableError."""

    def __init__(self, registry: Registry, clock: Clock, key: bytes) -> None:
        """Names and derivations are made under `key`."""
        self._rows = tables.sign_ins(registry)
        self._clock = clock
        self._key = key

    def begin(
        self, browser: str, provider: str, back_to: str, purpose: Purpose, *, user: str = "", session: str = ""
    ) -> SignIn:
        """Begin one for the browser that holds the cookie value `browser`, and for `user` and `session` alone if named."""
        state = secrets.token_urlsafe(32)
        now_ms = self._clock.now_ms()
        row = SignInRow(
            provider=provider, back_to=back_to, began_at_ms=now_ms, purpose=purpose, user=user, session=session
        )
        self._rows.add(NOBODY, self._name(browser, state), row, not_after_ms=now_ms + LIFE_MS)
        return self._derived(browser, state, row)

    def provider_of(self, browser: str, state: str) -> Provider | None:
        """Where the one that `state` names was sent, without taking it; None when there is none, late and used ones included."""
        row = self._rows.get(NOBODY, self._name(browser, state))
        good = row is not None and not row.used and self._clock.now_ms() < row.began_at_ms + LIFE_MS
        return Provider(row.provider) if row is not None and good else None

    def finish(self, browser: str, state: str) -> SignIn | None:
        """Take the one that `state` names; None when it is wrong, late, used before, or another browser's."""
        now_ms, taken = self._clock.now_ms(), False

        def take(row: SignInRow | None) -> SignInRow | None:
            nonlocal taken
            taken = row is not None and not row.used and now_ms < row.began_at_ms + LIFE_MS
            return msgspec.structs.replace(row, used=True) if row and taken else None

        name = self._name(browser, state)
        row = self._rows.change(NOBODY, name, take, not_after_ms=lambda used: used.began_at_ms + LIFE_MS)
        return self._derived(browser, state, row) if row and taken else None

    def _name(self, browser: str, state: str) -> str:
        return pseudonym(self._key, "sign-in", browser, state)

    def _derived(self, browser: str, state: str, row: SignInRow) -> SignIn:
        return SignIn(
            provider=row.provider,
            state=state,
            nonce=self._secret("nonce", browser, state),
            verifier=self._secret("verifier", browser, state),
            back_to=row.back_to,
            purpose=Purpose(row.purpose),
            user=row.user,
            session=row.session,
        )

    def _secret(self, purpose: str, browser: str, state: str) -> str:
        return base64.urlsafe_b64encode(keyed_hash(self._key, purpose, browser, state)).decode().rstrip("=")
