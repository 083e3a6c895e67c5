"""
The provider's worst day: an hour of 401, of a mistyped client id, of a policy that blocks everybody.

Everybody is connected before and after, with their calendars looked at, and nobody did anything. The worker is the real one, on
either engine, with the real clients and token endpoint against the simulator; time is moved for both.

`ROOMSYNC_WORST_DAY_PEOPLE` says how many people the organisation has: two hundred take a minute and a half each time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.sync_worker.wiring import SyncWorker, assemble
from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.command import Connect
from shared.contracts.envelope import Envelope
from shared.contracts.rows import ConsentState, UserRow
from shared.contracts.topics import COMMANDS, SYNC_WORKER
from shared.crypto.master import MasterKeys, new_key, parse
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.engines.embedded import open_engine
from shared.grants.common_refusal import CommonRefusal, find_common_refusal
from shared.grants.oauth import Granted, classify
from shared.organisations.enrolment import enrol
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.providers.catalogue import calendar_providers
from shared.registry import tables
from shared.runtime import metrics
from shared.runtime.settings import Settings
from tests.contract.distributed import open_distributed, unavailable
from tests.integration.shared.providers.conftest import Hooks, Simulator, sign_in
from tests.support.waiting import wait_until

PEOPLE = int(os.environ.get("ROOMSYNC_WORST_DAY_PEOPLE", "20"))
STEP_MS = 5 * MINUTE_MS
LOOK_EVERY_S = 600
"""A mailbox without meetings is else looked at every four hours, and would sleep through the trouble."""
RECOVERED_WITHIN_MS = 3 * HOUR_MS


class Inline(Executor):
    """Looks run where they are submitted."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class SimulatedTime:
    """The simulator's time, asked once a step."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.at_ms = simulator.now_ms()

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, by_ms: int) -> None:
        self.at_ms = int(self._simulator.ask("POST", "clock", {"advanceMs": by_ms})["nowMs"])


class Deployment:
    """The people of one organisation or of several, and the worker that looks at their calendars."""

    def __init__(
        self,
        opened: Callable[[MasterKeys, Clock], Engine],
        simulator: Simulator,
        settings: Settings,
        provider: Provider,
        sizes: Sequence[int] = (PEOPLE,),
    ) -> None:
        """`sizes` says how many people each organisation has."""
        self.simulator, self.settings, self.provider = simulator, settings, provider
        self.clock = SimulatedTime(simulator)
        self._master = parse(new_key())
        self.engine = opened(self._master, self.clock)
        self.addresses: list[str] = []
        self.mailboxes: list[Mailbox] = []
        self._calendars = calendar_providers(settings)
        self._workers: list[SyncWorker] = []
        self.restart(settings)
        for size in sizes:
            self._enrol(size)

    def _enrol(self, size: int) -> None:
        domain = f"{uuid.uuid4().hex[:10]}.example"
        there = self.simulator.ask(
            "POST", "tenants", {"provider": self.provider.value, "name": "Contoso", "domain": domain}
        )["id"]
        directory = there if self.provider is Provider.MICROSOFT else domain
        registry, keyring = self.engine.registry, self.engine.keyring
        tenant = enrol(registry, keyring, provider=self.provider.value, directory=directory, name="Contoso")
        for number in range(size):
            self.addresses.append(f"p{number}@{domain}")
            self._connect(tenant, there, self.addresses[-1])

    def restart(self, settings: Settings) -> None:
        """The worker is deployed anew, with these settings."""
        self.worker: SyncWorker = assemble(
            settings,
            self.engine,
            self.clock,
            providers=self._calendars,
            hook_keys=self._master.hook_keys(),
            pool=Inline(),
            poll_s=0.0,
        )
        self._workers.append(self.worker)
        self.owner = self.worker.own(self.engine.log.claim(SYNC_WORKER, 0))

    def run(self, for_ms: int, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, five minutes a step."""
        end_ms = self.clock.at_ms + for_ms
        while self.clock.at_ms < end_ms and not until():
            self.clock.advance(STEP_MS)
            self.settle()

    def settle(self) -> None:
        for _ in range(4):
            self.owner.step()

    def states(self) -> list[ConsentState]:
        rows = (tables.consents(self.engine.registry).get(each.tenant, each.id) for each in self.mailboxes)
        return [row.state for row in rows if row is not None]

    def count_well(self, since_ms: int = 0) -> int:
        """How many are connected and had their calendar looked at to the end since then."""
        fresh = (tables.freshness(self.engine.registry).get(each.tenant, each.id) for each in self.mailboxes)
        looked = [row is not None and row.checked_at_ms >= since_ms for row in fresh]
        return sum(state is ConsentState.ACTIVE and well for state, well in zip(self.states(), looked, strict=True))

    def are_well(self, since_ms: int = 0) -> bool:
        """Whether that is everybody."""
        return self.count_well(since_ms) == len(self.mailboxes)

    def latest_request(self) -> int:
        """The number of the simulator's latest request."""
        return max((each["seq"] for each in self.simulator.ask("GET", "requests")["requests"]), default=0)

    def token_requests(self, since: int) -> int:
        """How often the token endpoint was asked after that request."""
        asked = self.simulator.ask("GET", f"requests?after={since}")["requests"]
        return sum(each["method"] == "POST" and each["path"].endswith("/token") for each in asked)

    def refusal(self) -> CommonRefusal | None:
        """What pages and `roomsync status` say that everybody of the first organisation is refused for."""
        rows = tables.consents(self.engine.registry).scan(self.mailboxes[0].tenant)
        return find_common_refusal(row for _, row in rows)

    def is_alarmed(self) -> bool:
        """Whether the alert's metric says that many are refused at once."""
        return bool(
            metrics.REGISTRY.get_sample_value("roomsync_refusal_circuits_open", {"provider": self.provider.value})
        )

    def connect_everybody(self) -> None:
        """Wait for one more person after the other: how long all of them take depends on their number and on the machine."""
        connected = 0
        while connected < PEOPLE:
            wait_until(f"more than {connected} people are connected", partial(self._has_gone_on, connected))
            connected = self.count_well()

    def _has_gone_on(self, connected: int) -> bool:
        self.settle()
        return self.count_well() > connected

    def close(self) -> None:
        self.owner.close()
        for worker in self._workers:
            worker.broker.close()
        with contextlib.suppress(AttributeError):
            self._calendars[self.provider].close()  # type: ignore[attr-defined]
        self.engine.close()

    def _connect(self, tenant: str, directory: str, address: str) -> None:
        who = self.simulator.ask("POST", "users", {"tenant": directory, "name": address, "address": address})["id"]
        self.simulator.ask("POST", f"users/{who}/consents", {"granted": True})
        granted = classify(self.provider, 200, sign_in(self.settings, self.provider, address))
        assert isinstance(granted, Granted)
        user = f"u-{who}"
        key = self.engine.keyring.consent_key(tenant)
        row = UserRow(
            provider=self.provider.value,
            subject=who,
            address_sealed=seal(key, address.encode(), purpose=f"user/{tenant}/{user}"),
            person=f"p-{who}",
            mailbox=f"m-{who}",
        )
        tables.users(self.engine.registry).put(tenant, user, row)
        mailbox = self.worker.broker.store_grant(tenant, user, granted)
        self.mailboxes.append(mailbox)
        wish = msgspec.Raw(msgspec.json.encode(Connect(at_ms=self.clock.at_ms)))
        value = envelopes.encode(Envelope(id=who, type=command.TYPE, tenant=tenant, payload=wish))
        self.engine.log.append([NewRecord(COMMANDS.name, partition_of(mailbox.key, 1), mailbox.key, value, ())])


@pytest.fixture(params=["embedded", pytest.param("distributed", marks=pytest.mark.kafka)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[MasterKeys, Clock], Engine]:
    """Opens the engine."""
    if request.param == "embedded":
        return lambda master, clock: open_engine(tmp_path, partitions=1, prefix="", master=master, clock=clock)
    if reason := unavailable():
        pytest.skip(reason)
    prefix = f"worst-{uuid.uuid4().hex[:8]}."
    return lambda master, clock: open_distributed(prefix=prefix, partitions=1, master=master, clock=clock)


@pytest.fixture(params=list(Provider), ids=lambda provider: provider.value)
def connected(
    request: pytest.FixtureRequest,
    opened: Callable[[MasterKeys, Clock], Engine],
    simulator: Simulator,
    settings: Settings,
    hooks: Hooks,
) -> Iterator[Callable[..., Deployment]]:
    """Makes a deployment whose people are all connected, with organisations of so many people."""
    often = dataclasses.replace(settings, hooks_url=hooks.url, reconcile_s=LOOK_EVERY_S)
    with contextlib.ExitStack() as ending:

        def make(*sizes: int) -> Deployment:
            made = Deployment(opened, simulator, often, request.param, sizes)
            ending.callback(made.close)
            ending.callback(simulator.ask, "PUT", "faults", {"reset": True})
            made.connect_everybody()
            return made

        yield make


@pytest.fixture
def organisation(connected: Callable[..., Deployment]) -> Deployment:
    """All people are of one organisation."""
    return connected(PEOPLE)


@contextlib.contextmanager
def refused_calendar(it: Deployment) -> Iterator[None]:
    """Every calendar call is answered 401, whatever the token; the token endpoint is healthy."""
    it.simulator.ask("PUT", "faults", {"revokedTokens": it.addresses})
    yield
    it.simulator.ask("PUT", "faults", {"revokedTokens": []})


@contextlib.contextmanager
def mistyped_client_id(it: Deployment) -> Iterator[None]:
    """Somebody deploys a client id that nobody knows."""
    it.restart(dataclasses.replace(it.settings, **{f"{it.provider.value}_client_id": "roomsynk"}))
    yield
    it.restart(it.settings)


@contextlib.contextmanager
def policy(it: Deployment) -> Iterator[None]:
    """An administrator's mistake: a policy that blocks everybody's refresh."""
    refuse_refreshing(it, it.addresses)
    yield
    it.simulator.ask("PUT", "faults", {"oauth": {}})


def refuse_refreshing(it: Deployment, addresses: Sequence[str]) -> None:
    """Have the token endpoint refuse these people, and nobody else."""
    code = {Provider.MICROSOFT: "53003", Provider.GOOGLE: "admin_policy_enforced"}[it.provider]
    it.simulator.ask("PUT", "faults", {"oauth": {"refreshRefused": dict.fromkeys(addresses, code)}})


@pytest.mark.proves("B25")
@pytest.mark.parametrize("trouble", [refused_calendar, mistyped_client_id, policy], ids=lambda each: each.__name__)
def test_after_an_hour_of_trouble_everybody_is_connected_again(organisation: Deployment, trouble: Any) -> None:
    with trouble(organisation):
        organisation.run(HOUR_MS + 2 * STEP_MS)
        assert ConsentState.REVOKED not in organisation.states()
        assert not organisation.are_well()
    over_ms = organisation.clock.at_ms

    organisation.run(RECOVERED_WITHIN_MS, until=lambda: organisation.are_well(over_ms))

    assert organisation.are_well(over_ms), json.dumps(organisation.states())


PROBES = 2
"""In the hour after the alarm: after 10 and 30 minutes."""


@pytest.mark.proves("B25")
def test_while_many_are_refused_few_are_asked_for_and_it_is_said(organisation: Deployment) -> None:
    assert organisation.refusal() is None
    assert not organisation.is_alarmed(), "left over from another test"
    with policy(organisation):
        organisation.run(2 * HOUR_MS, until=organisation.is_alarmed)
        assert organisation.is_alarmed()
        since = organisation.latest_request()
        organisation.run(HOUR_MS)
        assert organisation.token_requests(since) <= PROBES, "all other tokens have expired as well"
        code = {Provider.MICROSOFT: "AADSTS53003", Provider.GOOGLE: "admin_policy_enforced"}[organisation.provider]
        assert organisation.refusal() == CommonRefusal(organisation.provider.value, code, PEOPLE, PEOPLE)
    over_ms = organisation.clock.at_ms

    organisation.run(RECOVERED_WITHIN_MS, until=lambda: organisation.are_well(over_ms))

    assert organisation.are_well(over_ms), json.dumps(organisation.states())
    assert not organisation.is_alarmed()
    assert organisation.refusal() is None


@pytest.mark.proves("B25")
def test_small_organisations_are_held_back_together_and_come_back_before_a_large_one_that_stays_refused(
    connected: Callable[..., Deployment],
) -> None:
    """
    None of the small ones is many by itself; a third of all people are of the large one, whose trouble goes on.

    Of twenty people of small organisations, however their looks fall on a few steps, one step has as many as alarm.
    """
    large = PEOPLE // 2
    small = 2 * large
    deployment = connected(large, *[2] * large)
    everybody, theirs = deployment.addresses, deployment.addresses[:large]
    refuse_refreshing(deployment, everybody)
    deployment.run(2 * HOUR_MS)
    assert deployment.is_alarmed()
    since = deployment.latest_request()
    deployment.run(HOUR_MS)
    assert deployment.token_requests(since) <= PROBES, "the deployment is asked for as one organisation"
    refuse_refreshing(deployment, theirs)
    over_ms = deployment.clock.at_ms

    deployment.run(RECOVERED_WITHIN_MS, until=lambda: deployment.count_well(over_ms) == small)

    assert deployment.count_well(over_ms) == small, json.dumps(deployment.states())
    refuse_refreshing(deployment, [])
    deployment.run(RECOVERED_WITHIN_MS, until=lambda: deployment.are_well(over_ms))
    assert deployment.are_well(over_ms), json.dumps(deployment.states())
