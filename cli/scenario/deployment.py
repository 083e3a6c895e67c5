"""
One organisation, both workers and the pages' reading side in one process, on a clock that the scenario moves.

Looks run when the scenario says so, and only then: what a worker hands to its pool waits there. The provider is whatever
listens at the given address; the clients are the product's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from cli.scenario.script import Scenario, ScenarioError, ScriptedPerson, ScriptedRoom
from services.portal import operations as portal
from services.room_status.operations import RoomStatusOwner
from services.sync_worker.operations import Job, SyncOwner, assemble
from services.webhook_receiver.operations import Hint, hint_record
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.contracts.command import Command, Connect, Disconnect, Reconcile
from shared.contracts.rows import NotificationRow, RoomRow, UserRow
from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.domain.instants import from_rfc3339
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.grants.oauth import Granted, scopes_for
from shared.grants.token_endpoint import TokenEndpoint
from shared.organisations.enrolment import enrol, enter_rooms
from shared.organisations.people import mailbox_id, user_id
from shared.ports.log import Claim
from shared.providers.catalogue import calendar_providers, profile_of
from shared.registry import tables
from shared.runtime.command_records import command_record
from shared.runtime.settings import Settings

PARTITIONS = 64
"""So many that people of a scenario have partitions of their own, and a look that is held keeps nobody else."""
_ENROLMENTS = 200
_QUIET_STEPS = 3
_MOST_STEPS = 200
_EXPIRES_S = 3600.0
_DIRECTORY = "scenario-directory"


class ScenarioClock:
    """Time stands still until the scenario moves it."""

    def __init__(self, at_ms: int) -> None:
        """Milliseconds since the epoch."""
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as the scenario says."""
        return self.at_ms


class LookPool(Executor):
    """Runs everything but looks at once; looks wait until they are begun."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: dict[Mailbox, Callable[[], object]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a task. A look waits under its mailbox; anything else is done when this returns."""
        job = next((each for each in args if isinstance(each, Job)), None)
        future: Future[Any] = Future()
        if job is None:
            future.set_result(fn(*args, **kwargs))
        else:
            self._waiting[job.mailbox] = lambda: fn(*args, **kwargs)
        return future

    def begin(self, mailbox: Mailbox) -> bool:
        """Run the look that waits for `mailbox`; returns whether there was one."""
        look = self._waiting.pop(mailbox, None)
        if look is not None:
            look()
        return look is not None

    def forget(self) -> None:
        """The worker that submitted them is gone."""
        self._waiting.clear()


class Deployment:
    """The product of one scenario."""

    def __init__(self, home: Path, scenario: Scenario, provider_url: str) -> None:
        """Make the organisation, its rooms and its people; nobody is connected. Raises ScenarioError."""
        self.clock = ScenarioClock(from_rfc3339(scenario.now))
        self.provider = Provider(scenario.provider.value)
        self.settings = settings_for(home, provider_url)
        self._master = parse(new_key())
        self.engine = open_engine(home, partitions=PARTITIONS, prefix="", master=self._master, clock=self.clock)
        self._providers = calendar_providers(self.settings)
        self._endpoint = TokenEndpoint(self.settings.call_timeout_s)
        self._broker = ConsentBroker(
            self.engine.registry, self.engine.keyring, self.settings, self.clock, endpoint=self._endpoint
        )
        self.tenant = self._enrolled(scenario.people)
        self.keys = self.engine.keyring.keys(self.tenant)
        self.rooms = {room.key: self.keys.room(room.address) for room in scenario.rooms}
        entered = [_room_row(room) for room in scenario.rooms]
        enter_rooms(self.engine.registry, self.engine.keyring, self.tenant, entered)
        self.mailboxes = {person.key: self._introduced(person) for person in scenario.people}
        self._sync: dict[int, SyncOwner] = {}
        self._claims: list[Claim] = []
        self._status: dict[int, RoomStatusOwner] = {}
        self._counter = 0
        self.restart_sync_worker()
        self.restart_room_status()

    def close(self) -> None:
        """Close files and connections."""
        for worker in self._sync.values():
            worker.close()
        for status in self._status.values():
            status.close()
        self.engine.close()
        self._endpoint.close()
        self._providers[self.provider].close()

    def connect(self, person: str) -> None:
        """The person grants access to their calendar."""
        granted = Granted("scenario-token", _EXPIRES_S, f"refresh-{person}", scopes_for(self.provider))
        self._broker.store_grant(self.tenant, self._users[person], granted)
        self._command(person, Connect(at_ms=self.clock.at_ms))

    def disconnect(self, person: str) -> None:
        """The person takes their grant back; the look that lets go is run at once."""
        mailbox = self.mailboxes[person]
        self._broker.leaving(mailbox)
        self._command(person, Disconnect(at_ms=self.clock.at_ms))
        self.begin_look(person)
        self.commit_look(person)

    def push(self, person: str) -> None:
        """A change notification arrives for the person's mailbox."""
        self._counter += 1
        mailbox = self.mailboxes[person]
        notification = ChangeNotification(
            provider=self.provider,
            kind=HintKind.CHANGED,
            subscription_id="scenario",
            key_id=self._master.current,
            received_at_ms=self.clock.at_ms,
        )
        topic = profile_of(self.provider).hooks.topic.name
        record = hint_record(Hint(mailbox, notification), topic, PARTITIONS, id=f"push-{self._counter}", headers=())
        self.engine.log.append([record])

    def begin_look(self, person: str, *, full: bool = False) -> None:
        """
        Run one look of the person's mailbox to its end, without committing it.

        One that is due, or owed to a push or a person, is run; where none is, it is asked for as `roomsync reconcile` does.
        """
        mailbox, owner = self.mailboxes[person], self._owner_of(person)
        if full:
            self._command(person, Reconcile(at_ms=self.clock.at_ms, full=True))
        owner.step()
        if self._pool.begin(mailbox):
            return
        self._command(person, Reconcile(at_ms=self.clock.at_ms))
        owner.step()
        if not self._pool.begin(mailbox):
            message = f"no look of {person} can begin: nobody is connected there, or its provider said later"
            raise ScenarioError(message)

    def commit_look(self, person: str) -> None:
        """Commit what the person's last look brought, and let room_status fold it."""
        owner = self._owner_of(person)
        for _ in range(_QUIET_STEPS):
            owner.step()
        self.fold()

    def fold(self) -> None:
        """Let room_status read everything that stands on its topics."""
        for partition in range(PARTITIONS):
            if partition not in self._status and self.engine.log.span(OBSERVATIONS.name, partition).end:
                claim = self.engine.log.claim(ROOM_STATUS_STATION, partition)
                self._status[partition] = RoomStatusOwner(claim, self.engine, self.clock, poll_s=0.0)
        for owner in self._status.values():
            for _ in range(_QUIET_STEPS):
                owner.step()

    def move_clock(self, to_ms: int) -> None:
        """Time passes; what room_status does by itself happens."""
        if to_ms < self.clock.at_ms:
            message = "a clock step leads back in time; write a later instant or a positive duration"
            raise ScenarioError(message)
        self.clock.at_ms = to_ms
        self.fold()

    def restart_sync_worker(self) -> None:
        """Every owner dies with the looks it had begun; others claim the partitions from the log."""
        self._pool = LookPool()
        self._worker = assemble(
            self.settings,
            self.engine,
            self.clock,
            providers=self._providers,
            hook_keys=self._master.hook_keys(),
            pool=self._pool,
            broker=self._broker,
            poll_s=0.0,
        )
        self._sync.clear()

    def restart_room_status(self) -> None:
        """Every owner dies; others restore their memory from the log."""
        self._status.clear()
        self.fold()

    def viewer(self, person: str) -> portal.Viewing:
        """The person at the pages."""
        deps = portal.Deps(
            settings=self.settings,
            engine=self.engine,
            clock=self.clock,
            broker=self._broker,
            providers=self._providers,
            session_key=self._master.session_key(),
        )
        return portal.Viewing.of(
            deps,
            tenant=self.tenant,
            user=self._users[person],
            mailbox=self.mailboxes[person],
            provider=self.provider,
        )

    def connection(self, person: str) -> str:
        """How the person's grant stands: connected, suspended, revoked or none."""
        row = tables.consents(self.engine.registry).get(self.tenant, self.mailboxes[person].id)
        return "none" if row is None else _CONNECTIONS.get(row.state.value, "connected")

    def _owner_of(self, person: str) -> SyncOwner:
        partition = partition_of(self.mailboxes[person].key, PARTITIONS)
        if partition not in self._sync:
            self._sync[partition] = self._worker.own(self.engine.log.claim(SYNC_WORKER, partition))
        return self._sync[partition]

    def _command(self, person: str, command: Command) -> None:
        self.engine.log.append([command_record(self.mailboxes[person], command, PARTITIONS)])

    def _enrolled(self, people: Sequence[ScriptedPerson]) -> str:
        """An organisation under whose keys all people have partitions of their own."""
        for number in range(_ENROLMENTS):
            tenant = enrol(
                self.engine.registry,
                self.engine.keyring,
                provider=self.provider,
                directory=f"{_DIRECTORY}-{number}",
                name="Scenario",
            )
            row = tables.tenants(self.engine.registry).get(tenant, "tenant")
            if row is None:
                break
            keys = [Mailbox(tenant, mailbox_id(row, self.provider, person.id)).key for person in people]
            if len({partition_of(key, PARTITIONS) for key in keys}) == len(people):
                self._users = {person.key: user_id(row, self.provider, person.id) for person in people}
                self._ids = {person.key: mailbox_id(row, self.provider, person.id) for person in people}
                return tenant
        message = "too many people for one scenario, or two with the same id; a dozen is enough for any case"
        raise ScenarioError(message)

    def _introduced(self, person: ScriptedPerson) -> Mailbox:
        mailbox, user = Mailbox(self.tenant, self._ids[person.key]), self._users[person.key]
        consent_key = self.engine.keyring.consent_key(self.tenant)
        sealed = seal(consent_key, person.address.encode(), purpose=f"user/{self.tenant}/{user}")
        row = UserRow(
            provider=self.provider,
            subject=person.id,
            address_sealed=sealed,
            person=self.keys.person(person.address),
            mailbox=mailbox.id,
        )
        tables.users(self.engine.registry).put(self.tenant, user, row)
        tables.notifications(self.engine.registry).put(self.tenant, user, NotificationRow(zone=person.zone))
        return mailbox


_CONNECTIONS = {"suspended": "suspended", "revoked": "revoked"}


def settings_for(home: Path, provider_url: str) -> Settings:
    """The product's own defaults, with every provider address led to `provider_url`."""
    return Settings(
        home=home,
        public_url="http://127.0.0.1:1",
        hooks_url="http://127.0.0.1:1",
        window_days=60,  # as the files are written: what a look brings in them lies within it
        microsoft_client_id="scenario",
        microsoft_client_secret="scenario",  # noqa: S106  # nobody but the scenario's own server hears it
        microsoft_login_url=provider_url,
        microsoft_graph_url=f"{provider_url}/v1.0",
        google_client_id="scenario",
        google_client_secret="scenario",  # noqa: S106
        google_auth_url=f"{provider_url}/auth",
        google_token_url=f"{provider_url}/token",
        google_calendar_url=f"{provider_url}/calendar/v3",
        google_directory_url=provider_url,
    )


def _room_row(room: ScriptedRoom) -> RoomRow:
    return RoomRow(
        address=room.address,
        name=room.name or room.key,
        capacity=room.capacity,
        directory_id=room.id,
        aliases=room.aliases,
    )
