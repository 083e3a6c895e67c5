"""Organisations at the simulated providers, and the product around them in one process, on one clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from services.room_status.worker import RoomStatusOwner
from services.sync_worker.looking.pool import PriorityPool
from services.sync_worker.wiring import assemble
from services.webhook_receiver.app import HookHandler, make_app
from services.webhook_receiver.intake import Intake
from shared.contracts.command import Connect
from shared.contracts.rows import RoomRow, UserRow
from shared.contracts.topics import ROOM_STATUS_STATION, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.grants.oauth import Granted, scopes_for
from shared.organisations.enrolment import enrol, enter_rooms
from shared.providers.catalogue import calendar_providers
from shared.registry import tables
from shared.runtime.breaker import Breaker
from shared.runtime.command_records import command_record
from shared.runtime.settings import Settings
from simulator.app import create_app
from simulator.identity.model import AuthorizeRequest, SimulatedAccount
from simulator.world import RoomRules, World
from simulator.world.clock import ManualClock
from simulator.world.drafts import Invitee, MeetingDraft
from simulator.world.model import AttendeeAnswer, Meeting
from tests.support.waiting import wait_until

CALENDARS = ("/microsoft/graph/", "/google/calendar/")
QUIET_ROUNDS = 3


@dataclass
class Employee:
    """Somebody whose calendar is connected, and what stands in it."""

    mailbox: Mailbox
    user: str
    subject: str
    """The provider's id of them."""
    meetings: list[Meeting] = field(default_factory=list)


class Company:
    """
    An organisation at each provider. People connect, rooms answer when the test says so, and time stands still unless it is moved.

    Pushes go from the simulator through the receiver over HTTP. Looks are made by the product's own clients.
    """

    def __init__(self, home: Path, people: int, meetings: int, **settings: Any) -> None:
        """
        Open everything, and connect nobody yet.

        Args:
            home: A directory for the engine's files.
            people: How many at each provider.
            meetings: How many each of them has organised, each with a room that has accepted.
            settings: The product's, beside its addresses.
        """
        self._open = ExitStack()
        self.clock = ManualClock()
        self.world = World(seed=5, clock=self.clock)
        self._open.callback(self.world.stop)
        simulator = self._serve(create_app(self.world))
        master = parse(new_key())
        self.engine = open_engine(home, partitions=1, prefix="", master=master, clock=self.clock)
        self._open.callback(self.engine.close)
        breaker = Breaker("log", self.engine.log.probe)
        intake = Intake(lambda: self.engine.log, 1, self.clock, breaker)
        self._open.callback(breaker.close)
        self._open.callback(intake.close)
        receiver = self._serve(make_app(HookHandler(intake, master.hook_keys(), self.clock), {}))
        self.settings = Settings(**_addresses(simulator, receiver), **settings)
        self.broker = ConsentBroker(self.engine.registry, self.engine.keyring, self.settings, self.clock)
        self.providers = calendar_providers(self.settings)
        self._pool = PriorityPool(4)
        self._open.callback(self._pool.shutdown)
        self._worker = assemble(
            self.settings, self.engine, self.clock, providers=self.providers, hook_keys=master.hook_keys(),
            pool=self._pool, broker=self.broker, poll_s=0.0,
        )  # fmt: skip
        self.tenants: dict[Provider, str] = {}
        self.employees: list[Employee] = []
        for provider in (Provider.MICROSOFT, Provider.GOOGLE):
            self._found(provider, people, meetings)
        self.restart()

    def close(self) -> None:
        """End what was opened, the last first."""
        self.sync.close()
        self._open.close()

    def restart(self) -> None:
        """Both owners die, and others take over what is on record."""
        self.sync = self._worker.own(self.engine.log.claim(SYNC_WORKER, 0))
        claim = self.engine.log.claim(ROOM_STATUS_STATION, 0)
        self.status = RoomStatusOwner(claim, self.engine, self.clock, poll_s=0.0)

    def connect(self) -> None:
        """Everybody gives a grant, and their calendar is read for the first time."""
        for employee in self.employees:
            mailbox = self.broker.store_grant(employee.mailbox.tenant, employee.user, self._granted(employee))
            self.engine.log.append([command_record(mailbox, Connect(at_ms=self.clock.now_ms()), 1)])
        self.settle()

    def settle(self) -> None:
        """Run everything until nothing moves; time stands still."""
        quiet = 0
        while quiet < QUIET_ROUNDS:
            wait_until("every push is answered", self._pushes_are_settled)
            self.sync.step()
            self.status.step()
            quiet = 0 if self._is_busy() else quiet + 1

    def move_clock(self, ms: int, step_ms: int) -> None:
        """Let time pass in steps, everything settled after each."""
        for _ in range(0, ms, step_ms):
            self.world.set_clock(self.clock.now_ms() + step_ms)
            self.settle()

    def decline(self, meeting: Meeting) -> None:
        """Its room says no, and the calendar system says so, if it does."""
        [address] = meeting.attendees
        with self.world.lock:
            self.world.desk.answer(meeting, address, AttendeeAnswer.DECLINED)

    def calls_since(self, seq: int, provider: Provider) -> int:
        """How many requests to the provider's calendars the simulator has had after the one of that number."""
        paths = [each["path"] for each in self.world.requests.after(seq) if each["provider"] == provider]
        return sum(path.startswith(CALENDARS) for path in paths)

    def people_read_in_full(self, seq: int) -> set[str]:
        """Whose whole calendars were asked for after the request of that number, by the provider's ids."""
        full = ("startDateTime=", "timeMin=")
        return {each["user"] for each in self.world.requests.after(seq) if any(word in each["query"] for word in full)}

    def calls(self) -> int:
        """The number of the newest request."""
        return len(self.world.requests.after(0))

    def pushes_dropped(self) -> int:
        """How many the simulator has lost on purpose."""
        return self._outcomes().count("dropped")

    def _pushes_are_settled(self) -> bool:
        self.world.run_due()
        return len(self._outcomes()) >= self.world.delivery._sent

    def _outcomes(self) -> list[str]:
        """Of the pushes that nobody tries again."""
        with self.world.delivery._log_lock:
            return [post["outcome"] for post in self.world.delivery.log if post["outcome"] != "retrying"]

    def _is_busy(self) -> bool:
        owner = self.sync
        return bool(len(owner._in_flight) or owner._schedule.ready() or owner._hints.waiting())

    def _found(self, provider: Provider, people: int, meetings: int) -> None:
        """An organisation with its people, their rooms and their meetings."""
        domain = f"{provider}.example"
        with self.world.lock:
            company = self.world.directory.add_tenant(provider, provider.title(), domain)
        registry, keyring = self.engine.registry, self.engine.keyring
        tenant = enrol(registry, keyring, provider=provider, directory=company.id, name=provider.title())
        self.tenants[provider] = tenant
        for number in range(people):
            address, room = f"p{number}@{domain}", f"room{number}@{domain}"
            with self.world.lock:
                user = self.world.directory.add_user(company.id, f"P{number}", address)
                self.world.directory.add_room(company.id, f"Room {number}", room, rules=RoomRules(mode="manual"))
                booked = list(self._booked(address, room, meetings))
            enter_rooms(registry, keyring, tenant, [RoomRow(address=room, name=f"Room {number}")])
            self.employees.append(self._employee(provider, tenant, user.id, address, booked))

    def _booked(self, address: str, room: str, count: int) -> Iterator[Meeting]:
        for number in range(count):
            start_ms = (self.clock.now_ms() // HOUR_MS) * HOUR_MS + 2 * DAY_MS + number * 2 * HOUR_MS
            draft = MeetingDraft("Planning", start_ms, start_ms + HOUR_MS, invitees=[Invitee(room, role="resource")])
            meeting = self.world.bookings.create(address, draft)
            self.world.desk.answer(meeting, room, AttendeeAnswer.ACCEPTED)
            yield meeting

    def _employee(
        self, provider: Provider, tenant: str, subject: str, address: str, meetings: Sequence[Meeting]
    ) -> Employee:
        keys = self.engine.keyring.keys(tenant)
        user, mailbox = f"u-{subject}", Mailbox(tenant, f"m-{subject}")
        sealed = seal(keys.consent_key or b"", address.encode(), purpose=f"user/{tenant}/{user}")
        row = UserRow(
            provider=provider, subject=subject, address_sealed=sealed, person=keys.person(address), mailbox=mailbox.id
        )
        tables.users(self.engine.registry).put(tenant, user, row)
        return Employee(mailbox, user, subject, list(meetings))

    def _granted(self, employee: Employee) -> Granted:
        """A grant as the token endpoint would issue it."""
        identity: Any = self.world.identity
        row = tables.users(self.engine.registry).get(employee.mailbox.tenant, employee.user)
        assert row is not None
        account = identity.account(row.provider, row.subject)
        assert isinstance(account, SimulatedAccount)
        asked = scopes_for(Provider(row.provider))
        request = AuthorizeRequest(row.provider, "roomsync", "http://127.0.0.1/cb", frozenset(asked), offline=True)
        issued = identity.redeem(row.provider, identity.approve(request, account).value, request.redirect_uri, "")
        return Granted(issued.access.value, issued.life_s, issued.refresh.value, tuple(asked))

    def _serve(self, app: Any) -> str:
        """Serve on a free port of this machine until the end; returns the address."""
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        ends: list[Callable[[], None]] = [thread.join, server.server_close, server.shutdown]
        for end in ends:
            self._open.callback(end)
        return f"http://127.0.0.1:{server.server_port}"


def _addresses(simulator: str, receiver: str) -> dict[str, Any]:
    return {
        "hooks_url": receiver,
        "microsoft_client_id": "roomsync",
        "microsoft_client_secret": "simulated-secret",
        "microsoft_login_url": f"{simulator}/microsoft/login",
        "microsoft_graph_url": f"{simulator}/microsoft/graph/v1.0",
        "google_client_id": "roomsync",
        "google_client_secret": "simulated-secret",
        "google_auth_url": f"{simulator}/google/o/oauth2/v2/auth",
        "google_token_url": f"{simulator}/google/token",
        "google_calendar_url": f"{simulator}/google/calendar/v3",
        "google_directory_url": f"{simulator}/google",
        "partitions": 1,
    }
