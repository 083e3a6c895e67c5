"""The live stream: what is told, once, and from where it goes on."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from services.portal.my_rooms import stream
from services.portal.my_rooms.stream import StreamPosition, parse_position
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState
from shared.organisations import decline_incidents
from shared.ports.view import Row
from shared.registry import tables
from tests.integration.services.portal.admin.test_incident import begin as begin_incident
from tests.integration.services.portal.office import TITLE, Browser, Office
from tests.support.described_answers import described_portal
from tests.support.patience import PATIENCE_S


@dataclass
class Listener:
    """Reads a stream in a thread of its own, as a browser does."""

    events: list[tuple[str, Any, str]] = field(default_factory=list)
    heartbeats: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    leave: threading.Event = field(default_factory=threading.Event)
    leave_after: str = ""
    """The name of the event with which the connection breaks."""

    def listen(self, client: FlaskClient, headers: dict[str, str]) -> None:
        answer = client.get("/v1/me/stream", headers=headers)
        try:
            for chunk in answer.iter_encoded():
                self._take(chunk.decode())
                if self.leave.is_set():
                    break
        finally:
            answer.close()
            self.ended.set()

    def _take(self, chunk: str) -> None:
        fields = dict(line.split(": ", 1) for line in chunk.strip().splitlines() if not line.startswith(":"))
        beats = fields.get("event") == "heartbeat"
        assert beats == chunk.startswith(":"), "a comment for programs, and an event for scripts"
        self.heartbeats += beats
        if "event" in fields and not beats:
            self.events.append((fields["event"], json.loads(fields["data"]), fields.get("id", "")))
            if fields["event"] == self.leave_after:
                self.leave.set()

    def named(self, name: str) -> list[Any]:
        return [data for event, data, _ in self.events if event == name]

    def wait(self, name: str, count: int = 1) -> Any:
        until(lambda: len(self.named(name)) >= count, f"{name} no. {count}; told: {[e[0] for e in self.events]}")
        return self.named(name)[count - 1]

    def wait_for_beats(self, count: int) -> None:
        until(lambda: self.heartbeats >= count, f"{count} heartbeats")

    @property
    def mark(self) -> str:
        """As a browser keeps it: an event without an id leaves the last one standing."""
        return next(mark for _, _, mark in reversed(self.events) if mark)

    @property
    def changes(self) -> list[str]:
        """The names of what changed; whether many rooms said no at once is told once a stream in any case."""
        return [name for name, _, _ in self.events if name != "many-at-once"]


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)


Listen = Callable[..., Listener]


@pytest.fixture
def listen(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listen]:
    """Open streams; all are closed afterwards."""
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.3)
    opened: list[tuple[Listener, threading.Thread]] = []

    def begin(since: str = "") -> Listener:
        listener = Listener()
        headers = {"Last-Event-ID": since} if since else {}
        thread = threading.Thread(target=listener.listen, args=(ada.client, headers))
        thread.start()
        opened.append((listener, thread))
        return listener

    yield begin
    for listener, _ in opened:
        listener.leave.set()
    ada.office.deps.stop.set()
    for _, thread in opened:
        thread.join(PATIENCE_S)


@pytest.fixture
def rooms(office: Office, ada: Browser) -> list[str]:
    return office.enter_rooms(ada.tenant, "one", "two")


@pytest.mark.proves("E43", "D8")
def test_pending_declined_prompt_and_closing_are_told_once_each_as_they_happen(
    office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    one, two = rooms
    listener = listen()
    listener.wait("snapshot")
    office.show(office.meeting(ada, office.room(ada, one, RoomState.PENDING)), ada.tenant)
    assert listener.wait("room")["state"] == "pending"
    declined = office.room(ada, one, RoomState.DECLINED)
    office.show(office.meeting(ada, declined), ada.tenant)
    assert listener.wait("prompt")["id"] == declined.decline_id
    office.show(
        office.meeting(ada, declined, office.room(ada, two, RoomState.PENDING, asked_at_ms=office.clock.now_ms())),
        ada.tenant,
    )
    assert listener.wait("prompt-closed")["closed"] == "rebooked"

    states = [(room["roomName"], room["state"], room["title"]) for room in listener.named("room")]
    assert states == [("Room one", "pending", TITLE), ("Room one", "declined", TITLE), ("Room two", "pending", TITLE)]
    assert len(listener.named("prompt")) == len(listener.named("prompt-closed")) == 1


def test_stream_goes_on_where_the_browser_left_off(
    office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    one, two = rooms
    office.show(office.meeting(ada, office.room(ada, one, RoomState.PENDING)), ada.tenant)
    first = listen()
    first.wait("room")
    first.leave.set()
    first.ended.wait(PATIENCE_S)
    other = office.room(ada, two, RoomState.PENDING, meeting="m-other", occurrence="o-other")
    office.show(office.meeting(ada, other, meeting="m-other"), ada.tenant)

    again = listen(first.mark)

    assert again.wait("room")["roomName"] == "Room two"
    assert again.named("snapshot") == []
    assert len(again.named("room")) == 1


@pytest.mark.proves("E43", "D8")
@pytest.mark.parametrize(("read", "number"), [("revision", 0), ("revision", 1), ("changes", 0), ("rows", 0)])
def test_decline_that_comes_between_two_reads_of_a_stream_that_begins_is_told(
    office: Office,
    ada: Browser,
    rooms: list[str],
    listen: Listen,
    monkeypatch: pytest.MonkeyPatch,
    read: str,
    number: int,
) -> None:
    office.show(office.meeting(ada, office.room(ada, rooms[0], RoomState.PENDING)), ada.tenant)
    first = listen()
    first.wait("room")
    first.leave.set()
    first.ended.wait(PATIENCE_S)
    declined = office.room(ada, rooms[1], RoomState.DECLINED, meeting="m-other", occurrence="o-other")
    other = office.meeting(ada, declined, meeting="m-other")
    view, reads = office.engine.view, itertools.count()
    read_as_before = getattr(view, read)

    def read_then_decline(*about: Any) -> Any:
        found = read_as_before(*about)
        if next(reads) == number:
            office.show(other, ada.tenant)
        return found

    monkeypatch.setattr(view, read, read_then_decline)
    again = listen(first.mark)
    assert again.wait("prompt")["id"] == declined.decline_id
    assert len(again.named("prompt")) == 1


@dataclass
class Page:
    """What a browser shows of the rooms and prompts it was told."""

    rooms: dict[str, str] = field(default_factory=dict)
    prompts: set[str] = field(default_factory=set)

    def follow(self, listener: Listener) -> None:
        for event, data, _ in listener.events:
            if event == "snapshot":
                self.rooms = {name: state for name, state in self.rooms.items() if name in data["rooms"]}
                self.prompts &= set(data["prompts"])
            elif event == "room" and data["state"] == "gone":
                self.rooms.pop(data["id"], None)
            elif event == "room":
                self.rooms[data["id"]] = data["state"]
            elif event == "prompt":
                self.prompts.add(data["id"])
            elif event == "prompt-closed":
                self.prompts.discard(data["id"])


@pytest.mark.proves("D8")
@pytest.mark.parametrize("away_ms", [0, 90 * 60_000])
def test_after_a_break_in_which_the_room_was_swapped_the_page_equals_a_fresh_one(
    office: Office, ada: Browser, rooms: list[str], listen: Listen, away_ms: int
) -> None:
    one, two = rooms
    office.show(office.meeting(ada, office.room(ada, one, RoomState.DECLINED)), ada.tenant)
    first, page = listen(), Page()
    first.wait("prompt")
    first.leave.set()
    first.ended.wait(PATIENCE_S)
    page.follow(first)
    gone = msgspec.structs.replace(office.room(ada, one, RoomState.DECLINED), state=RoomState.GONE)
    office.show(office.meeting(ada, gone, office.room(ada, two, RoomState.PENDING)), ada.tenant)
    office.clock.advance(away_ms)

    again, fresh, loaded = listen(first.mark), listen(), Page()
    again.wait("room", 1 if away_ms else 2)
    fresh.wait("room")
    page.follow(again)
    loaded.follow(fresh)

    assert page == loaded
    assert list(page.rooms.values()) == ["pending"]
    assert page.prompts == set()


@pytest.mark.parametrize("since", ["999999", "999999.5", "nonsense", "-1"])
def test_mark_that_is_not_ours_is_answered_with_everything(
    since: str, office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    office.show(office.meeting(ada, office.room(ada, rooms[0], RoomState.PENDING)), ada.tenant)

    listener = listen(since)

    assert len(listener.wait("snapshot")["rooms"]) == 1
    assert listener.wait("room")["roomName"] == "Room one"


def test_prompt_opens_by_the_clock_alone_once_its_grace_is_over(
    office: Office, ada: Browser, rooms: list[str], listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(office.settings), "grace_ms", lambda _self, _provider: 15_000)
    declined = office.room(ada, rooms[0], RoomState.DECLINED, since_ms=office.clock.now_ms())
    office.show(office.meeting(ada, declined), ada.tenant)
    listener = listen()
    listener.wait("room")
    assert listener.named("prompt") == []

    office.clock.advance(15_000)

    assert listener.wait("prompt")["id"] == declined.decline_id


def test_what_only_time_changed_while_the_browser_was_away_is_told_and_nothing_else(
    office: Office, ada: Browser, rooms: list[str], listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(office.settings), "grace_ms", lambda _self, _provider: 15_000)
    declined = office.room(ada, rooms[0], RoomState.DECLINED, since_ms=office.clock.now_ms())
    office.show(office.meeting(ada, declined), ada.tenant)
    first = listen()
    first.wait("room")
    first.leave.set()
    first.ended.wait(PATIENCE_S)
    office.clock.advance(15_000)

    second = listen(first.mark)
    second.wait("prompt")
    second.leave.set()
    second.ended.wait(PATIENCE_S)
    ada.post(f"/v1/me/prompts/{declined.decline_id}/dismiss")
    office.clock.advance(1)
    third = listen(second.mark)
    third.wait("prompt-closed")

    assert [listener.changes for listener in (second, third)] == [["prompt"], ["prompt-closed"]]


@pytest.mark.proves("B17")
def test_incident_that_ended_while_no_stream_was_open_is_told_to_be_over(
    office: Office, ada: Browser, listen: Listen
) -> None:
    begin_incident(office, ada.tenant)
    first = listen()
    assert first.wait("many-at-once") == {"lasts": True}
    first.leave.set()
    first.ended.wait(PATIENCE_S)
    decline_incidents.release(office.engine.registry, ada.tenant, office.clock.now_ms())

    again = listen(first.mark)

    assert again.wait("many-at-once") == {"lasts": False}
    again.wait_for_beats(6)
    assert len(again.named("many-at-once")) == 1


@pytest.mark.proves("B17", "D8")
def test_many_at_once_moves_no_mark_past_what_the_clock_opens_in_the_same_step(
    office: Office, ada: Browser, rooms: list[str], listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(office.settings), "grace_ms", lambda _self, _provider: 15_000)
    declined = office.room(ada, rooms[0], RoomState.DECLINED, since_ms=office.clock.now_ms())
    office.show(office.meeting(ada, declined), ada.tenant)
    first = listen()
    first.wait("room")
    first.leave_after = "many-at-once"
    begin_incident(office, ada.tenant)
    office.clock.advance(15_000)
    assert first.ended.wait(PATIENCE_S)
    assert first.named("prompt") == [], "the break comes between the two"

    assert listen(first.mark).wait("prompt")["id"] == declined.decline_id


def test_dismissing_elsewhere_closes_the_prompt_here(
    office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    declined = office.room(ada, rooms[0], RoomState.DECLINED)
    office.show(office.meeting(ada, declined), ada.tenant)
    listener = listen()
    listener.wait("prompt")

    ada.post(f"/v1/me/prompts/{declined.decline_id}/dismiss")

    assert listener.wait("prompt-closed")["closed"] == "dismissed"


def test_idle_stream_beats_and_asks_the_provider_nothing(
    office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    office.show(office.meeting(ada, office.room(ada, rooms[0], RoomState.PENDING)), ada.tenant)
    listener = listen()
    listener.wait("room")
    reads = len(office.calendar.reads)

    listener.wait_for_beats(5)

    assert reads == 1
    assert len(office.calendar.reads) == reads


def test_meeting_that_went_takes_its_room_and_prompt_along(
    office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    declined = office.room(ada, rooms[0], RoomState.DECLINED)
    office.show(office.meeting(ada, declined), ada.tenant)
    listener = listen()
    listener.wait("prompt")

    office.apply(Row(f"{ada.tenant}/m-planning", (), None))

    assert listener.wait("room", 2)["state"] == "gone"
    assert listener.wait("prompt-closed")["closed"] == "cancelled"


def test_view_that_was_made_anew_is_told_from_the_beginning(
    office: Office, ada: Browser, rooms: list[str], listen: Listen
) -> None:
    for n in range(3):
        office.show(office.meeting(ada, office.room(ada, rooms[0], RoomState.PENDING), meeting=f"m-{n}"), ada.tenant)
    listener = listen()
    listener.wait("room")
    office.engine.view.reset(0)

    office.show(office.meeting(ada, office.room(ada, rooms[1], RoomState.ACCEPTED)), ada.tenant)

    until(lambda: any(room["roomName"] == "Room two" for room in listener.named("room")), "the new room")


def test_signing_out_ends_the_stream(office: Office, ada: Browser, listen: Listen) -> None:
    listener = listen()
    listener.wait("snapshot")

    ada.client.post("/auth/logout", data={"csrf": ada.csrf})

    assert listener.ended.wait(PATIENCE_S)


def test_switching_the_organisation_off_ends_the_stream(office: Office, ada: Browser, listen: Listen) -> None:
    listener = listen()
    listener.wait("snapshot")
    table = tables.tenants(office.engine.registry)
    row = table.get(ada.tenant, "tenant")
    assert row is not None

    table.put(ada.tenant, "tenant", msgspec.structs.replace(row, integration=IntegrationState.DISABLED))

    assert listener.ended.wait(PATIENCE_S)


@pytest.mark.proves("E11")
def test_stream_tells_nothing_of_another_persons_meetings(
    office: Office, ada: Browser, ben: Browser, rooms: list[str], listen: Listen
) -> None:
    listener = listen()
    listener.wait("snapshot")
    office.show(office.meeting(ben, office.room(ben, rooms[0], RoomState.PENDING)), ben.tenant)
    office.show(office.meeting(ada, office.room(ada, rooms[1], RoomState.PENDING), meeting="m-adas"), ada.tenant)

    listener.wait("room")

    assert [room["roomName"] for room in listener.named("room")] == ["Room two"]


def test_streams_leave_threads_for_pages(
    office: Office, ada: Browser, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_STREAMS", 1)
    ada.client.application = described_portal(office.deps)
    listener = listen()
    listener.wait("snapshot")

    full = ada.client.get("/v1/me/stream")
    assert (full.status_code, full.json["code"]) == (503, "streams-full")
    listener.leave.set()
    listener.ended.wait(PATIENCE_S)
    freed = ada.client.get("/v1/me/stream")
    assert freed.status_code == 200
    freed.close()


def test_one_persons_open_windows_keep_nobody_else_from_being_live(
    office: Office, ada: Browser, ben: Browser, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_PER_PERSON", 1)
    app = described_portal(office.deps)
    ada.client.application = ben.client.application = app
    oldest = listen()
    oldest.wait("snapshot")

    newest = listen()
    newest.wait("snapshot")
    assert oldest.ended.wait(PATIENCE_S)
    assert len(oldest.named("replaced")) == 1
    assert not newest.ended.is_set()
    others = ben.client.get("/v1/me/stream")
    assert others.status_code == 200
    others.close()


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("41.7", StreamPosition(41, 7)),
        ("41", StreamPosition(41, 0)),
        ("", None),
        ("x", None),
        ("4.x", None),
        ("٤", None),
        ("4" * 60, None),
    ],
)
def test_marks_are_read_back_or_refused(text: str, mark: StreamPosition | None) -> None:
    assert parse_position(text) == mark
