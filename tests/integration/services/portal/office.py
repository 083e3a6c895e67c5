"""An office with a portal: the embedded engine, the real simulator for signing in, and a calendar that the test holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from flask import Flask
from flask.testing import FlaskClient

from services.portal.deps import Deps
from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import TYPE, MeetingState, RoomMemory
from shared.contracts.observation import Observation, ObservedOccurrence
from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.rows import RoomRow
from shared.contracts.topics import COMMANDS, MEETING_STATE, ROOM_REJECTIONS
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, CopyRole
from shared.domain.identity import Provider
from shared.domain.instants import HOUR_MS, to_rfc3339
from shared.domain.keys import TenantKeys
from shared.domain.sighting import (
    Access,
    AgendaItem,
    Availability,
    DirectoryRoom,
    LiveAttendee,
    LiveMeeting,
    LivePage,
    LiveSeries,
    NewMeeting,
    OwnAddresses,
    Window,
)
from shared.engines.embedded import EmbeddedEngine, open_engine
from shared.errors import EventGoneError, RetryableError
from shared.grants.broker import ConsentBroker
from shared.grants.token_endpoint import TokenEndpoint
from shared.organisations.enrolment import enter_rooms
from shared.ports.log import NewRecord
from shared.ports.view import Applied, Row
from shared.registry import tables
from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings
from tests.support.described_answers import described_portal
from tests.support.processes import start_simulator

TITLE = "Budget of the Zebra project"
AWAY = "the calendar is away"
SERVICE_TOKEN = "service-token-of-the-test"


class ManualClock:
    """Starts at the real time, since the simulator signs with that; then moves when told."""

    def __init__(self) -> None:
        self._now_ms = SystemClock().now_ms()

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, by_ms: int) -> None:
        self._now_ms += by_ms

    def catch_up(self) -> None:
        """Show the real time again, if it is later."""
        self._now_ms = max(self._now_ms, SystemClock().now_ms())


@dataclass
class MemoryCalendar:
    """A calendar provider that answers from memory and counts what it was asked."""

    provider: Provider = Provider.MICROSOFT
    max_subscription_ms: int = HOUR_MS
    events: dict[str, LiveMeeting] = field(default_factory=dict)
    said: dict[str, Availability] = field(default_factory=dict)
    busy: dict[str, Sequence[Window]] = field(default_factory=dict)
    away: bool = False
    rooms: Sequence[DirectoryRoom] = ()
    planned: list[AgendaItem] = field(default_factory=list)
    booked: dict[str, NewMeeting] = field(default_factory=dict)
    asked_by: list[str] = field(default_factory=list)
    reads: list[tuple[str, str]] = field(default_factory=list)
    pages: list[tuple[str, str]] = field(default_factory=list)
    page_size: int = 100
    addresses: dict[str, OwnAddresses] = field(default_factory=dict)
    series: LiveSeries | None = None
    """What every event is a date of; None: they are single meetings."""

    def read(self, access: Access, event_id: str) -> LiveMeeting:
        self.reads.append((access.subject, event_id))
        if self.away:
            raise RetryableError(AWAY)
        if event_id not in self.events:
            raise EventGoneError(event_id)
        return self.events[event_id]

    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        self.pages.append((access.subject, page))
        if self.away:
            raise RetryableError(AWAY)
        listed = sorted(
            (each for each in self.events.values() if each.start_ms < window.end_ms and each.end_ms > window.start_ms),
            key=lambda each: (each.start_ms, each.event_id),
        )
        first = int(page or 0)
        last = first + self.page_size
        return LivePage(tuple(listed[first:last]), str(last) if last < len(listed) else "")

    def read_series(self, access: Access, event_id: str, window: Window) -> LiveSeries | None:
        del window
        self.reads.append((access.subject, event_id))
        return self.series

    def agenda(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        self.asked_by.append(access.subject)
        if self.away:
            raise RetryableError(AWAY)
        return [each for each in self.planned if each.start_ms < window.end_ms and each.end_ms > window.start_ms]

    def book(self, access: Access, meeting: NewMeeting) -> str:
        self.asked_by.append(access.subject)
        if self.away:
            raise RetryableError(AWAY)
        self.booked.setdefault(meeting.request_id, meeting)  # as providers do: the first one stands
        return f"event-of-{meeting.request_id}"

    def busy_times(self, access: Access, rooms: Sequence[str], window: Window) -> Mapping[str, Sequence[Window] | None]:
        del window
        self.asked_by.append(access.subject)
        if self.away:
            raise RetryableError(AWAY)
        return {room: self.busy.get(room) for room in rooms}

    def own_addresses(self, access: Access) -> OwnAddresses:
        return self.addresses.get(access.subject, OwnAddresses())

    def directory_rooms(self, _access: Access) -> Sequence[DirectoryRoom]:
        return self.rooms

    def availability(
        self, _access: Access, rooms: Sequence[str], _start_ms: int, _end_ms: int
    ) -> Mapping[str, Availability]:
        if self.away:
            raise RetryableError(AWAY)
        return {room: self.said.get(room, Availability.UNKNOWN) for room in rooms}


@cache
def client() -> httpx.Client:
    """What asks the simulator, for all tests of this process: to make one takes longer than most requests."""
    return httpx.Client()


@dataclass(frozen=True)
class Simulator:
    """The running simulator, and an organisation in it."""

    url: str

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = client().post(f"{self.url}/sim/v1/{path}", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def faults(self, **switches: Any) -> None:
        client().put(f"{self.url}/sim/v1/faults", json=switches).raise_for_status()

    def follow(self, url: str) -> str:
        """Where the provider's authorisation endpoint sends the browser at once."""
        answer = client().get(url, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@contextmanager
def simulator_process() -> Iterator[str]:
    with start_simulator() as process:
        yield process.url


@dataclass
class Browser:
    """One person's browser."""

    office: Office
    client: FlaskClient
    csrf: str = ""
    tenant: str = ""
    user: str = ""
    mailbox: str = ""

    def sign_in(self, address: str, provider: str = "microsoft") -> Any:
        """Sign in, and then connect the calendar, as somebody does who is asked; the last answer, or the first that refuses."""
        answer = self.enter(address, provider)
        if answer.status_code != 303:
            return answer
        self.csrf = self.client.get("/v1/me").json["csrf"]
        return self.come_back(self.office.simulator.follow(self.connecting()))

    def connecting(self) -> str:
        """Begin to connect the calendar; where the browser is sent."""
        answer = self.post("/v1/me/calendar/connect")
        assert answer.status_code == 200, answer.text
        return str(answer.json["location"])

    def enter(self, address: str, provider: str = "microsoft") -> Any:
        """Sign in, and no more."""
        start = self.client.get("/auth/login", query_string={"provider": provider, "login_hint": address})
        assert start.status_code == 302, start.text
        return self.come_back(self.office.simulator.follow(start.headers["Location"]))

    def come_back(self, location: str) -> Any:
        """Follow the provider's way back; at the real time, as the simulator dates what it then says of the person."""
        self.office.clock.catch_up()
        parts = urlsplit(location)
        return self.client.get(f"{parts.path}?{parts.query}")

    def post(self, path: str, json: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, json=json, headers={"X-CSRF-Token": self.csrf, **named})


@dataclass
class Office:
    """The portal under test, and the means to put meetings in front of it."""

    home: Path
    simulator: Simulator
    settings: Settings
    engine: EmbeddedEngine
    clock: ManualClock
    calendar: MemoryCalendar
    deps: Deps
    app: Flask
    _offset: int = 0

    def browser(self) -> Browser:
        return Browser(self, self.app.test_client())

    def signed_in(self, address: str, provider: str = "microsoft") -> Browser:
        browser = self.browser()
        answer = browser.sign_in(address, provider)
        assert answer.status_code == 303, answer.text
        me = browser.client.get("/v1/me").json
        browser.csrf, browser.tenant, browser.user = me["csrf"], me["tenant"], me["user"]
        row = tables.users(self.engine.registry).get(browser.tenant, browser.user)
        assert row is not None
        browser.mailbox = row.mailbox
        return browser

    def keys(self, tenant: str) -> TenantKeys:
        return self.engine.keyring.keys(tenant)

    def enter_rooms(self, tenant: str, *names: str, capacity: int = 8) -> list[str]:
        rows = [
            RoomRow(address=f"{name}@rooms.test", name=f"Room {name}", capacity=capacity, building="North", floor="1")
            for name in names
        ]
        enter_rooms(self.engine.registry, self.engine.keyring, tenant, rows)
        return [self.keys(tenant).room(row.address) for row in rows]

    def show(self, meeting: MeetingState, tenant: str) -> None:
        """Project a meeting, as room_status does after its commit."""
        key = f"{tenant}/{meeting.meeting}"
        value = sealed_envelope(self.keys(tenant), meeting, key=key.encode(), type=TYPE, id="test")
        owners = tuple(f"{tenant}/{mailbox}" for mailbox in meeting.copies)
        self.apply(Row(key, owners, value))

    def apply(self, *rows: Row) -> None:
        self._offset += 1
        topic = self.engine.log.topic_id(MEETING_STATE.name)
        assert self.engine.view.apply(0, Applied(topic, self._offset), rows)

    def commands(self) -> list[tuple[int, bytes, bytes]]:
        """Partition, key and value of every command on the log."""
        log = self.engine.log
        return [
            (partition, record.key, record.value or b"")
            for partition in range(log.partitions)
            for record in log.read(COMMANDS.name, partition, log.span(COMMANDS.name, partition).begin)
        ]

    def announce(self, browser: Browser, room: RoomMemory, meeting: str = "m-planning", partition: int = 1) -> str:
        """Put a room's decline event on its topic, as room_status does."""
        name = room.decline_id
        data = RoomDeclinedData(
            tenant_id=browser.tenant,
            meeting_ref=meeting,
            occurrence_ref=room.occurrence,
            room_id=room.room,
            organizer_id="p-organizer",
            provider="microsoft",
            ask=room.ask,
            repeat=0,
            observed_at=to_rfc3339(room.since_ms),
            href=f"/v1/room-rejections/{name}",
        )
        event = RoomDeclined(
            id=name,
            source=f"/tenants/{browser.tenant}",
            subject=f"rooms/{room.room}",
            time=data.observed_at,
            partitionkey=meeting,
            data=data,
        )
        key = f"{browser.tenant}/{meeting}".encode()
        self.engine.log.append([NewRecord(ROOM_REJECTIONS.name, partition, key, msgspec.json.encode(event))])
        return name

    def room(
        self,
        browser: Browser,
        room: str,
        state: RoomState,
        *,
        meeting: str = "m-planning",
        occurrence: str = "o-planning",
        since_ms: int | None = None,
        asked_at_ms: int | None = None,
        quiet: bool = False,
    ) -> RoomMemory:
        keys = self.keys(browser.tenant)
        now_ms = self.clock.now_ms()
        start_ms = (now_ms // HOUR_MS + 24) * HOUR_MS
        ask = keys.ask(start_ms, start_ms + HOUR_MS)
        declined = state is RoomState.DECLINED and not quiet
        return RoomMemory(
            occurrence=occurrence,
            room=room,
            state=state,
            ask=ask,
            start_ms=start_ms,
            end_ms=start_ms + HOUR_MS,
            asked_at_ms=now_ms - 2_000 if asked_at_ms is None else asked_at_ms,
            since_ms=now_ms - 1_000 if since_ms is None else since_ms,
            quiet=quiet,
            repeats={ask: 1} if declined else {},
            decline_id=keys.decline(meeting, occurrence, room, ask, 0) if declined else "",
        )

    def meeting(self, browser: Browser, *rooms: RoomMemory, meeting: str = "m-planning") -> MeetingState:
        """A meeting that the browser's person organises, titled TITLE in their calendar."""
        first = rooms[0]
        event = f"event-of-{meeting}"
        self.calendar.events[event] = LiveMeeting(
            event_id=event,
            title=TITLE,
            start_ms=first.start_ms,
            end_ms=first.end_ms,
            version="1",
            cancelled=False,
            is_organizer=True,
            attendees=(LiveAttendee("Unlisted", "unlisted@rooms.test", is_room=True, answer="none"),),
        )
        copy = Observation(
            provider="microsoft",
            mailbox=browser.mailbox,
            meeting=meeting,
            organizer="p-organizer",
            role=CopyRole.ORGANIZER,
            observed_at_ms=self.clock.now_ms(),
            occurrences=tuple(
                ObservedOccurrence(
                    ref=ref,
                    event_id=event,
                    start_ms=first.start_ms,
                    end_ms=first.end_ms,
                    rooms={room.room: Answer.NONE for room in rooms if room.occurrence == ref},
                    people={"p-organizer": Answer.ACCEPTED, "p-guest": Answer.NONE},
                )
                for ref in dict.fromkeys(room.occurrence for room in rooms if room.state is not RoomState.GONE)
            ),
        )
        return MeetingState(
            provider="microsoft", meeting=meeting, copies={browser.mailbox: copy}, voice=browser.mailbox, rooms=rooms
        )


@contextmanager
def an_office(home: Path, simulator: Simulator, **overrides: Any) -> Iterator[Office]:
    """Open one; `overrides` are settings."""
    clock = ManualClock()
    settings = dataclasses.replace(settings_for(simulator.url), home=home, **overrides)
    master = parse(new_key())
    engine = open_engine(home, partitions=2, prefix="", master=master, clock=clock)
    calendar, endpoint = MemoryCalendar(), TokenEndpoint(settings.call_timeout_s)
    deps = Deps(
        settings=settings,
        engine=engine,
        clock=clock,
        broker=ConsentBroker(engine.registry, engine.keyring, settings, clock, endpoint),
        providers={Provider.MICROSOFT: calendar, Provider.GOOGLE: calendar},
        session_key=master.session_key(),
        link_keys=master.link_keys(),
    )
    try:
        yield Office(home, simulator, settings, engine, clock, calendar, deps, described_portal(deps))
    finally:
        deps.stop.set()
        endpoint.close()
        engine.close()


def settings_for(simulator: str) -> Settings:
    return Settings(
        microsoft_client_id="roomsync",
        microsoft_client_secret="simulated-secret",
        microsoft_login_url=f"{simulator}/microsoft/login",
        microsoft_graph_url=f"{simulator}/microsoft/graph/v1.0",
        google_client_id="roomsync",
        google_client_secret="simulated-secret",
        google_auth_url=f"{simulator}/google/o/oauth2/v2/auth",
        google_token_url=f"{simulator}/google/token",
        google_calendar_url=f"{simulator}/google/calendar/v3",
        google_directory_url=f"{simulator}/google",
        service_token=SERVICE_TOKEN,
    )
