"""A person's grant, from the provider's own token endpoint into a real registry, refreshed and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.rows import ConsentState, IntegrationState, TenantRow, UserRow
from shared.crypto import master
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import HOUR_MS
from shared.engines.embedded.engine import EmbeddedEngine
from shared.errors import ConsentRevokedError
from shared.grants.broker import ConsentBroker
from shared.grants.oauth import Granted, classify
from shared.grants.token_endpoint import TokenEndpoint
from shared.registry.tables import consents, tenants, users
from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings

MAILBOX = Mailbox("t-one", "mb-ana")


@dataclass
class Later:
    """The machine's time, and some more."""

    more_ms: int = 0

    def now_ms(self) -> int:
        return SystemClock().now_ms() + self.more_ms


@dataclass
class Office:
    engine: EmbeddedEngine
    brokers: list[ConsentBroker]
    clock: Later


@pytest.fixture
def office(person: Any, settings: Settings, tmp_path: Path) -> Iterator[Office]:
    """The person's tenant in a registry of its own, with two processes' brokers over it."""
    clock = Later()
    keys = master.parse(master.new_key())
    engine = EmbeddedEngine(tmp_path, partitions=1, prefix="", master=keys, clock=clock)
    engine.keyring.create(MAILBOX.tenant)
    directory = person.tenant if person.provider is Provider.MICROSOFT else person.domain
    tenants(engine.registry).put(
        MAILBOX.tenant,
        "tenant",
        TenantRow(name="C", provider=person.provider, directory=directory, integration=IntegrationState.ENABLED),
    )
    address = person.access.address.encode()
    sealed = seal(engine.keyring.consent_key(MAILBOX.tenant), address, purpose=f"user/{MAILBOX.tenant}/u-ana")
    row = UserRow(
        provider=person.provider, subject=person.user, address_sealed=sealed, person="p-ana", mailbox=MAILBOX.id
    )
    users(engine.registry).put(MAILBOX.tenant, "u-ana", row)
    endpoints = [TokenEndpoint(settings.call_timeout_s) for _ in range(2)]
    brokers = [ConsentBroker(engine.registry, engine.keyring, settings, clock, endpoint) for endpoint in endpoints]
    yield Office(engine, brokers, clock)
    for endpoint in endpoints:
        endpoint.close()
    engine.close()


@pytest.fixture
def granted(office: Office, person: Any) -> Office:
    outcome = classify(person.provider, 200, person.token_answer)
    assert isinstance(outcome, Granted)
    office.brokers[0].store_grant(MAILBOX.tenant, "u-ana", outcome)
    office.brokers[0].first_look_done(MAILBOX)
    return office


def test_a_grant_is_refreshed_once_for_all_and_good_for_calls(granted: Office, person: Any) -> None:
    assert person.calendar.look(granted.brokers[0].access(MAILBOX), "", person.window()).full
    granted.clock.more_ms = HOUR_MS
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda n: granted.brokers[n % 2].access(MAILBOX), range(12)))
    assert len({access.token for access in got}) == 1
    assert got[0].token != person.access.token
    assert got[0].address == person.access.address
    assert person.calendar.look(got[0], "", person.window()).full
    row = consents(granted.engine.registry).get(MAILBOX.tenant, MAILBOX.id)
    assert row is not None
    assert (row.state, row.refreshing_until_ms) == (ConsentState.ACTIVE, 0)


def test_a_grant_taken_back_at_the_provider_ends_access(granted: Office, person: Any) -> None:
    person.simulator.ask("POST", f"users/{person.user}/consents", {"granted": False})
    with pytest.raises(ConsentRevokedError):
        granted.brokers[0].using(MAILBOX, lambda access: person.calendar.look(access, "", person.window()))
    row = consents(granted.engine.registry).get(MAILBOX.tenant, MAILBOX.id)
    assert row is not None
    assert row.state is ConsentState.REVOKED
    assert row.reason
    assert not row.refresh_sealed


def test_a_token_refused_before_its_time_costs_one_more_call(granted: Office, person: Any) -> None:
    refused = granted.brokers[0].access(MAILBOX).token
    fresh = granted.brokers[0].access(MAILBOX, refused=refused)
    assert fresh.token != refused
    assert person.calendar.look(fresh, "", person.window()).full
