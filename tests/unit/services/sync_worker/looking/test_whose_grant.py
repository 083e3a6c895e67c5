"""Whatever order the looks of three organisations' mailboxes come in, each is made with its own person's token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.sync_worker.deciding.job import Job
from services.sync_worker.looking.look import Addresses, Looker
from services.sync_worker.looking.take import TakeRooms
from shared.contracts.calendar_state import MailboxState
from shared.contracts.rows import UserRow
from shared.crypto.master import new_key, parse
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import HOUR_MS
from shared.domain.sighting import Access, Look, Subscription, SubscriptionRequest, Window
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.grants.oauth import Granted, TokenRequest
from shared.grants.reminders import CalendarReminders
from shared.organisations.enrolment import enrol
from shared.registry.tables import users
from shared.runtime.settings import Settings
from tests.support.office import GRANTED, ManualClock


class Refreshing:
    """Gives each refresh token's owner a token of theirs, a new one each time."""

    def __init__(self) -> None:
        self._count = 0

    def ask(self, request: TokenRequest) -> Granted:
        self._count += 1
        owner = request.form["refresh_token"].partition("|")[0]
        return Granted(f"{owner}|{self._count}", 3600, f"{owner}|again-{self._count}")


class Witness:
    """A provider that writes down who asked: token, subject, address."""

    provider = Provider.MICROSOFT
    max_subscription_ms = HOUR_MS

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        self._note(access)
        return Subscription("s", "", wish.expires_at_ms)

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        del subscription
        self._note(access)

    def look(self, access: Access, cursor: str, window: Window, known: object = None) -> Look:
        del cursor, window, known
        self._note(access)
        return Look((), "c", full=True)

    def _note(self, access: Access) -> None:
        self.asked.append((access.token.partition("|")[0], access.subject, access.address))


class House:
    """Three organisations of two people each; one of them names its people like the others do."""

    def __init__(self, home: Path) -> None:
        self.clock, self.witness = ManualClock(), Witness()
        master = parse(new_key())
        self.engine = open_engine(home, partitions=1, prefix="", master=master, clock=self.clock)
        registry, keyring = self.engine.registry, self.engine.keyring
        self.broker = ConsentBroker(registry, keyring, Settings(), self.clock, endpoint=Refreshing())
        providers: dict[Provider, Any] = {Provider.MICROSOFT: self.witness}
        self.looker = Looker(
            broker=self.broker,
            providers=providers,
            take=TakeRooms(registry, keyring),
            endings=Endings(registry, keyring, self.broker, providers, self.clock),
            reminders=CalendarReminders(registry),
            hook_keys=master.hook_keys(),
            addresses=Addresses.under("http://127.0.0.1:1"),
            clock=self.clock,
        )
        self.owners: dict[Mailbox, str] = {}
        for where in ("a", "b", "hostile"):
            tenant = enrol(registry, keyring, provider="microsoft", directory=where, name=where)
            for name in ("ada", "ben"):
                self._enter(tenant, name, f"{where}-{name}")

    def _enter(self, tenant: str, name: str, owner: str) -> None:
        key = self.engine.keyring.consent_key(tenant)
        address = seal(key, f"{owner}@x.test".encode(), purpose=f"user/{tenant}/u-{name}")
        row = UserRow(
            provider="microsoft", subject=owner, address_sealed=address, person=f"p-{name}", mailbox=f"m-{name}"
        )
        users(self.engine.registry).put(tenant, f"u-{name}", row)
        grant = Granted(f"{owner}|0", 3600, f"{owner}|first", GRANTED.scopes)
        self.owners[self.broker.store_grant(tenant, f"u-{name}", grant)] = owner


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.engine.close()


@pytest.mark.proves("E11")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 2 * HOUR_MS)), min_size=1, max_size=12))
def test_every_look_and_ending_is_made_with_its_own_persons_token(
    house: House, jobs: list[tuple[int, bool, int]]
) -> None:
    mailboxes = sorted(house.owners)
    for which, ending, passes_ms in jobs:
        house.clock.at_ms += passes_ms
        mailbox = mailboxes[which]
        house.witness.asked.clear()
        if ending:
            house.broker.ending(mailbox, lambda access: house.witness.unsubscribe(access, Subscription("s", "", 0)))
        else:
            house.looker.run(Job(mailbox, MailboxState(provider="microsoft"), frozenset(), house.clock.at_ms))
        owner = house.owners[mailbox]
        assert house.witness.asked
        assert set(house.witness.asked) == {(owner, owner, f"{owner}@x.test")}
