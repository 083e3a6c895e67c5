"""A small office for tests: one calendar whose truth the test sets, and both workers on an embedded engine, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import msgspec

from services.room_status.worker import RoomStatusOwner
from services.sync_worker.deciding.audit_rotation import AuditRotation
from services.sync_worker.deciding.mailbox import Pace
from services.sync_worker.looking.day_zones import DayZones
from services.sync_worker.looking.look import Addresses, Looker
from services.sync_worker.looking.own_data import OwnData
from services.sync_worker.looking.room_addresses import RoomAddresses
from services.sync_worker.looking.take import TakeRooms
from services.sync_worker.worker import SyncOwner
from shared.contracts import change_notification, command
from shared.contracts import envelope as envelopes
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.contracts.command import Command, Connect
from shared.contracts.envelope import Envelope
from shared.contracts.rows import ConsentRow, RoomRow, UserRow
from shared.contracts.topics import (
    NOTIFICATIONS_GOOGLE,
    NOTIFICATIONS_GRAPH,
    ROOM_STATUS_STATION,
    SYNC_WORKER,
)
from shared.crypto.master import new_key, parse
from shared.crypto.sealing import seal
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.domain.instants import DAY_MS, HOUR_MS, SECOND_MS
from shared.domain.sighting import (
    Access,
    Availability,
    EventKind,
    LiveAttendee,
    LiveMeeting,
    LivePage,
    LiveSeries,
    Look,
    NewReminder,
    RoomContact,
    Seen,
    SeenEvent,
    SeenRemoval,
    Subscription,
    SubscriptionRequest,
    Window,
)
from shared.engines.embedded import open_engine
from shared.errors import EventGoneError, SubscriptionGoneError
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.grants.oauth import Granted, Outcome, TokenRequest
from shared.grants.reminders import CalendarReminders
from shared.organisations.enrolment import enrol, enter_rooms
from shared.ports.engine import Engine
from shared.ports.log import Headers, NewRecord
from shared.registry.tables import consents, users
from shared.runtime.settings import Settings
from tests.support.builders import NOW_MS

ADA, AARE, BIRS = "ada@contoso.test", "aare@rooms.contoso.test", "birs@rooms.contoso.test"
START_MS = NOW_MS + DAY_MS
GRANTED = Granted(
    access_token="token",
    expires_in_s=3600,
    refresh_token="refresh",
    scopes=("openid", "profile", "offline_access", "User.Read", "Calendars.ReadWrite"),
)

_NOTIFICATIONS = {Provider.MICROSOFT: NOTIFICATIONS_GRAPH, Provider.GOOGLE: NOTIFICATIONS_GOOGLE}


class ManualClock:
    """Time moves when the test says so."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms


class Inline(Executor):
    """Looks run where they are submitted: no thread, no waiting."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class PausedPool(Executor):
    """Looks wait until the test lets them run."""

    def __init__(self) -> None:
        self._waiting: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._waiting.append(lambda: fn(*args, **kwargs))
        return Future()

    def release(self) -> None:
        """Run what waits."""
        waiting, self._waiting = self._waiting, []
        for look in waiting:
            look()


class Endpoint:
    """A token endpoint that grants until told otherwise."""

    def __init__(self) -> None:
        self.outcome: Outcome = GRANTED

    def ask(self, request: TokenRequest) -> Outcome:
        del request
        return self.outcome


class Calendar:
    """Ada's calendar: what `events` holds is true; failures are raised once each, in order."""

    provider = Provider.MICROSOFT
    max_subscription_ms = 7 * DAY_MS

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.events: dict[str, SeenEvent] = {}
        self.failures: list[Exception] = []
        self.look_failures: list[Exception] = []
        self.read_failures: list[Exception] = []
        self.out_of_sight: dict[str, SeenEvent] = {}
        self.looks: list[str] = []
        self.calls: list[str] = []
        self.subscriptions: dict[str, SubscriptionRequest] = {}
        self.series: LiveSeries | None = None
        self.reminded: dict[str, NewReminder] = {}
        """Event id → the reminder that stands."""
        self.remind_failures: list[Exception] = []
        self._shown: dict[str, dict[str, SeenEvent]] = {}

    def look(self, access: Access, cursor: str, window: Window, known: object = None) -> Look:
        del access, known
        if self.look_failures:
            raise self.look_failures.pop(0)
        self._fail()
        self.looks.append("full" if not cursor else "incremental")
        seen: tuple[Seen, ...]
        if cursor:
            before = self._shown.get(cursor, {})
            changed = [
                event
                for key, event in self.events.items()
                if before.get(key) != event and event.start_ms < window.end_ms
            ]
            seen = (*changed, *(SeenRemoval(key) for key in before if key not in self.events))
        else:
            seen = tuple(event for event in self.events.values() if event.start_ms < window.end_ms)
        after = f"cursor-{len(self.looks)}"
        self._shown[after] = dict(self.events)
        return Look(seen, after, full=not cursor)

    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        del access
        self._fail()
        self.calls.append("subscribe")
        name = f"s{len(self.calls)}"
        self.subscriptions[name] = wish
        return Subscription(name, "", wish.expires_at_ms)

    def extend(self, access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        del access
        self._fail()
        self.calls.append("extend")
        if subscription.id not in self.subscriptions:
            raise SubscriptionGoneError(subscription.id)
        return Subscription(subscription.id, "", wish.expires_at_ms)

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        del access
        self.calls.append("unsubscribe")
        self.subscriptions.pop(subscription.id, None)

    def read(self, access: Access, event_id: str) -> LiveMeeting:
        del access
        if self.read_failures:
            raise self.read_failures.pop(0)
        event = self.events.get(event_id) or self.out_of_sight.get(event_id)
        if event is None:
            raise EventGoneError(event_id)
        guests = tuple(
            LiveAttendee(each.address, each.address, each.kind is AttendeeKind.ROOM, each.answer)
            for each in event.attendees or ()
        )
        return LiveMeeting(event_id, "Planning", event.start_ms, event.end_ms, event.version, False, True, guests)

    def read_series(self, access: Access, event_id: str, window: Window) -> LiveSeries | None:
        del access, window
        self.calls.append(f"series {event_id}")
        return self.series

    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        del window, page
        return LivePage(tuple(self.read(access, event_id) for event_id in self.events), "")

    def swap_room(self, access: Access, event_id: str, declined: str, room: RoomContact) -> Mapping[str, Answer]:
        del access
        self.calls.append(f"swap {declined} {room.address}")
        self.book(event_id, **{room.address: "none"})
        return {}

    def remind(self, access: Access, reminder: NewReminder) -> str:
        del access
        self._fail_reminding()
        self.calls.append(f"remind {reminder.request_id}")
        event_id = f"event-{reminder.request_id}"
        self.reminded[event_id] = reminder
        return event_id

    def reminders(self, access: Access, window: Window) -> Mapping[str, str]:
        del access
        return {
            each.request_id: event_id
            for event_id, each in self.reminded.items()
            if each.start_ms < window.end_ms and each.end_ms > window.start_ms
        }

    def cancel(self, access: Access, event_id: str) -> None:
        del access
        self._fail_reminding()
        self.calls.append(f"cancel {event_id}")
        self.reminded.pop(event_id, None)

    def _fail_reminding(self) -> None:
        if self.remind_failures:
            raise self.remind_failures.pop(0)

    def availability(
        self, access: Access, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        del access, start_ms, end_ms
        return dict.fromkeys(rooms, Availability.FREE)

    def book(self, event_id: str = "e1", *, start_ms: int = START_MS, **rooms: str) -> None:
        """The event as it is from now on; keyword arguments are room addresses and answers."""
        version = str(int(self.events[event_id].version) + 1) if event_id in self.events else "1"
        self.events[event_id] = SeenEvent(
            event_id=event_id,
            uid=f"uid-{event_id}",
            kind=EventKind.SINGLE,
            master_id="",
            slot="",
            start_ms=start_ms,
            end_ms=start_ms + HOUR_MS,
            cancelled=False,
            is_organizer=True,
            organizer=ADA,
            shows_guests=True,
            attendees=tuple(
                SeenAttendee(address, AttendeeKind.ROOM, Answer(answer)) for address, answer in rooms.items()
            ),
            version=version,
        )

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class Office:
    """The engine, the calendar, and one owner of each service; `settle()` runs both until nothing moves."""

    ahead_ms = 60 * DAY_MS
    """How far ahead calendars are looked at."""
    audit_cycle_ms = 0
    """How often each mailbox is compared with its calendar; 0: never."""
    poll_s = 0.0
    """How long a step waits for input."""
    provider = Provider.MICROSOFT
    """Whose calendar system its people live in."""
    directory = "d-1"
    """What that calls the organisation."""
    granted = GRANTED
    """What people who sign in are given."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock()
        self.calendar = Calendar(self.clock)
        self.calendar.provider = self.provider
        self.endpoint = Endpoint()
        self._master = parse(new_key())
        self.engine = self.open_engine(home)
        self.tenant = enrol(
            self.engine.registry, self.engine.keyring, provider=self.provider, directory=self.directory, name="Contoso"
        )
        self.keys = self.engine.keyring.keys(self.tenant)
        enter_rooms(
            self.engine.registry,
            self.engine.keyring,
            self.tenant,
            [RoomRow(address=AARE, name="Aare"), RoomRow(address=BIRS, name="Birs")],
        )
        self.mailbox = Mailbox(self.tenant, "m-ada")
        self.broker = self.open_broker()
        self._channels = iter(range(10_000))
        self.restart()

    def open_engine(self, home: Path) -> Engine:
        """The engine that everything here runs on."""
        return open_engine(home, partitions=1, prefix="", master=self._master, clock=self.clock)

    def open_broker(self) -> ConsentBroker:
        """The broker of everybody's grants."""
        return ConsentBroker(self.engine.registry, self.engine.keyring, Settings(), self.clock, endpoint=self.endpoint)

    def restart(self, pool: Executor | None = None) -> None:
        """Both owners die and others claim their partitions."""
        providers = {self.provider: self.calendar}
        self.endings = Endings(self.engine.registry, self.engine.keyring, self.broker, providers, self.clock)
        rooms = RoomAddresses(self.engine.registry, self.clock)
        looker = Looker(
            broker=self.broker,
            providers=providers,
            endings=self.endings,
            reminders=CalendarReminders(self.engine.registry),
            take=TakeRooms(self.engine.registry, self.engine.keyring),
            zones=DayZones(self.engine.registry),
            hook_keys=self._master.hook_keys(),
            addresses=Addresses.under("http://127.0.0.1:1"),
            clock=self.clock,
            channel_id=lambda: f"channel-{next(self._channels)}",
            ahead_ms=self.ahead_ms,
        )
        self.sync = SyncOwner(
            self.engine.log.claim(SYNC_WORKER, 0),
            self.engine,
            self.clock,
            looker=looker,
            broker=self.broker,
            pool=pool or Inline(),
            rooms_of=rooms.of,
            pace_of=lambda _: Pace(900 * SECOND_MS, 600 * SECOND_MS, 0),
            own_data=OwnData(self.engine.registry, self.engine.keyring, self.broker, providers),
            audits=AuditRotation(cycle_ms=self.audit_cycle_ms, calls_per_minute=60),
            poll_s=self.poll_s,
        )
        self.status = RoomStatusOwner(
            self.engine.log.claim(ROOM_STATUS_STATION, 0), self.engine, self.clock, poll_s=self.poll_s
        )

    def connect(self, name: str = "ada") -> Mailbox:
        """Ada, or somebody else who looks into the same calendar, signs in."""
        user, mailbox = f"u-{name}", Mailbox(self.tenant, f"m-{name}")
        address = ADA.replace("ada", name)
        sealed = seal(self.keys.consent_key or b"", address.encode(), purpose=f"user/{self.tenant}/{user}")
        row = UserRow(
            provider=self.provider, subject="oid", address_sealed=sealed, person=self.keys.person(address),
            mailbox=mailbox.id,
        )  # fmt: skip
        users(self.engine.registry).put(self.tenant, user, row)
        self.broker.store_grant(self.tenant, user, self.granted)
        self.send(Connect(at_ms=self.clock.at_ms), mailbox)
        self.settle()
        return mailbox

    def send(self, request: Command, mailbox: Mailbox | None = None) -> None:
        """Append a command for a mailbox, Ada's if none is named."""
        self._append("commands", command.TYPE, request, mailbox)

    def hint(
        self,
        kind: HintKind = HintKind.CHANGED,
        subscription: str = "s1",
        mailbox: Mailbox | None = None,
        headers: Headers = (),
    ) -> None:
        """A notification arrives."""
        self._append(
            _NOTIFICATIONS[self.provider].name,
            change_notification.TYPE,
            ChangeNotification(
                provider=self.provider,
                kind=kind,
                subscription_id=subscription,
                key_id="k",
                received_at_ms=self.clock.at_ms,
            ),
            mailbox,
            headers,
        )

    def settle(self) -> None:
        """Run both owners until nothing moves; time stands still."""
        for _ in range(4):
            self.sync.step()
        for _ in range(3):
            self.status.step()

    def after(self, seconds: float) -> None:
        """Time passes, then everything settles."""
        self.clock.at_ms += int(seconds * SECOND_MS)
        self.settle()

    def consent(self) -> ConsentRow | None:
        """Ada's grant."""
        return consents(self.engine.registry).get(self.tenant, "m-ada")

    def topic(self, name: str) -> list[Any]:
        """Values on a topic as JSON; tombstones are None."""
        return [
            json.loads(record.value) if record.value else None
            for record in self.engine.log.read(name, 0, 0, limit=5000)
        ]

    def declines(self) -> list[str]:
        """Ids on room-rejections, repeats included."""
        return [event["id"] for event in self.topic("room-rejections")]

    def states(self) -> list[str]:
        """The public states, in order."""
        return [status["state"] for status in self.topic("room-status") if status]

    def _append(
        self,
        topic: str,
        kind: str,
        payload: msgspec.Struct,
        mailbox: Mailbox | None = None,
        headers: Headers = (),
    ) -> None:
        self._count = getattr(self, "_count", 0) + 1
        value = envelopes.encode(
            Envelope(
                id=f"{kind}-{self._count}",
                type=kind,
                tenant=self.tenant,
                payload=msgspec.Raw(msgspec.json.encode(payload)),
            )
        )
        key = (mailbox or self.mailbox).key
        self.engine.log.append([NewRecord(topic, partition_of(key, 1), key, value, headers)])
