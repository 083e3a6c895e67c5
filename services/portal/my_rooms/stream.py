"""The live stream: what changed, as server-sent events, from where the browser left off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, TypedDict

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.language import current_catalogue
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, signed_in
from services.portal.interface.fields import Nothing, PromptId
from services.portal.interface.operation import EVENT_STREAM, operation
from services.portal.meetings.deciding.answers import PromptShape, RoomShape
from services.portal.meetings.deciding.board import (
    Board,
    Change,
    PromptOpened,
    RoomChanged,
    changes,
    closings,
    due_ms,
    snapshot,
)
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.presentation import MeetingPresenter
from services.portal.my_rooms.stream_seats import Seats
from services.portal.my_rooms.stream_watch import UNKNOWN, StreamWatch, Watched
from shared.crypto.meetings import StoredMeeting
from shared.domain.instants import HOUR_MS, SECOND_MS
from shared.domain.roles import Right
from shared.errors import LogUnavailableError, StoreUnavailableError
from shared.language.deciding.sentences import Catalogue, say, translate_all
from shared.meetings.prompts import Prompt, PromptState
from shared.runtime import metrics

HEARTBEAT_S = 10.0
AWAY_S = 1.0
"""How soon the stores are asked again by a stream that could not read them."""
LIFE_S = 600.0
HEARTBEAT = ": still here\nevent: heartbeat\ndata: {}\n\n"
"""A comment for programs that only keep the connection; an event for scripts, which are shown no comments."""
RETRY_MS = 2_000
REPLACED = "retry: 60000\nevent: replaced\ndata: {}\n\n"
"""Told to a stream whose place a newer one of the same person took: it should not come back at once and take it again."""
MAX_BREAK_MS = HOUR_MS
"""A browser that was away for longer starts over with everything that stands."""
MAX_MARK_CHARS = 40
Position = Annotated[str, Meta(examples=["17.1795426200250"])]
"""A position in the stream; whatever is none of ours counts as left out."""
MAX_STREAMS = 200
"""Each takes a thread of the server for as long as it lasts, which sleeps; the others are for pages."""
MAX_PER_PERSON = 6
"""Of one person; a further one ends their oldest. A stream that was left is noticed with its heartbeat."""


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where a reader stands: a revision of the view, and the moment up to which the clock was followed."""

    revision: int
    at_ms: int

    @property
    def text(self) -> str:
        """As `id:` says it: the revision, a dot, the moment."""
        return f"{self.revision}.{self.at_ms}"


def parse_position(text: str) -> StreamPosition | None:
    """Read `Last-Event-ID` back; a bare revision stands at the beginning of time. None when it is neither."""
    revision, _, at_ms = text.partition(".")
    if not (text.isascii() and revision.isdigit() and (at_ms.isdigit() or not at_ms)) or len(text) > MAX_MARK_CHARS:
        return None
    return StreamPosition(int(revision), int(at_ms or 0))


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The route `/v1/me/stream`."""
    bp = Blueprint("stream", __name__, url_prefix="/v1/me")
    seats = Seats(MAX_STREAMS, MAX_PER_PERSON)
    watch = StreamWatch(deps)
    reader = reader.for_streams()

    @bp.get("/stream")
    @operation(
        Right.OWN_CALENDAR,
        answer=str,
        query=StreamQuery,
        headers=StreamHeaders,
        problems=("streams-full",),
        media_type=EVENT_STREAM,
        events=_EVENTS,
    )
    def stream() -> Response:
        """
        Follow what changes, as server-sent events, from where the reader left off.

        First comes what has changed since then, or `snapshot` and everything that stands. A person has six streams at most: a
        further one ends the oldest, which is told `replaced`. A stream ends after ten minutes; the browser opens the next one.
        """
        person = signed_in()
        since = parse_position(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
        desk = PersonalView(deps, person)
        seat = seats.take(person.user)
        if seat is None:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "streams-full",
                say("Too many pages are being kept live at the moment."),
                next_step=say("Ask /v1/me/prompts every now and then, and try the stream again later."),
                retry_after_s=15,
            )
        watched = Watched(seat, person.mailbox.key.decode(), person.tenant, person.user, person.session)

        def leave() -> None:
            watch.remove(watched)
            seats.release(seat)

        watch.add(watched)
        events = EventStream(deps, reader, person, desk, watched, current_catalogue()).run(since)
        response = Response(_Seated(events, leave), content_type="text/event-stream; charset=utf-8")
        response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
        return response

    return bp


class SnapshotShape(TypedDict):
    """Everything that stands: whatever else a browser still shows is gone."""

    rooms: list[str]
    """Ids of room lines."""
    prompts: list[PromptId]
    """Ids of the open prompts."""


class ManyAtOnceShape(TypedDict):
    """Many rooms of the organisation said no at once, or that is over."""

    lasts: bool


class StreamQuery(msgspec.Struct):
    """Where to go on; a browser sends the header by itself."""

    after: Position = ""
    """The `id` of the last event; without it everything that stands is told first."""


class StreamHeaders(msgspec.Struct, rename={"last_event_id": "Last-Event-ID"}):
    """The same as a header, which is stronger."""

    last_event_id: Position = ""
    """The `id` of the last event."""


_EVENTS = (
    ("snapshot", SnapshotShape),
    ("room", RoomShape),
    ("prompt", PromptShape),
    ("prompt-closed", PromptShape),
    ("rebuilding", Nothing),
    ("replaced", Nothing),
    ("heartbeat", Nothing),
    ("many-at-once", ManyAtOnceShape),
)


class EventStream:
    """One open stream: sleeps until the watch calls it for what was written, or for what only time changes."""

    def __init__(
        self,
        deps: Deps,
        reader: LiveReader,
        person: Person,
        desk: PersonalView,
        watched: Watched,
        catalogue: Catalogue,
    ) -> None:
        self._deps = deps
        self._watched = watched
        self._catalogue = catalogue
        self._reader = reader
        self._person = person
        self._desk = desk
        self._meetings: dict[str, StoredMeeting] = {}
        self._board = Board()
        self._many: bool | None = None
        """Whether the reader was told that many rooms of the organisation said no at once; None: told nothing of it yet."""

    def run(self, since: StreamPosition | None) -> Iterator[str]:
        """Server-sent events until the browser goes, the session ends, the process stops, or ten minutes are over."""
        began = said_at = time.monotonic()
        yield f"retry: {RETRY_MS}\n\n"
        yield from self._stream(partial(self._begin, since))
        called = True
        while not self._deps.stop.is_set() and (now := time.monotonic()) < began + LIFE_S:
            if self._watched.seat.replaced:
                yield REPLACED
                return
            if not self._watched.welcome:
                return
            beats = now >= said_at + HEARTBEAT_S
            for text in self._stream(self._follow) if called or beats else ():
                said_at = now
                yield text
            if now >= said_at + HEARTBEAT_S:
                said_at = now
                yield HEARTBEAT
            called = self._sleep(said_at + HEARTBEAT_S)

    def _sleep(self, until_s: float) -> bool:
        """Until the watch calls, or that monotonic second; whether there is something to follow."""
        called = self._watched.seat.called
        wait_s, away = until_s - time.monotonic(), self._watched.revision == UNKNOWN
        was_called = called.wait(min(wait_s, AWAY_S) if away else wait_s)
        if was_called:  # else what calls at this moment would be forgotten
            called.clear()
        return was_called or away

    def _stream(self, step: Callable[[], Iterable[str]]) -> Iterator[str]:
        """What a step has to say; while the stores are away, that."""
        try:
            yield from step()
        except (StoreUnavailableError, LogUnavailableError):
            if self._watched.revision != UNKNOWN:
                self._watched.revision = UNKNOWN  # whatever comes back may be another view: start over with all of it
                yield "event: rebuilding\ndata: {}\n\n"

    def _begin(self, since: StreamPosition | None) -> Iterator[str]:
        """Go on from where the browser was; from the beginning when that cannot be."""
        revision = self._desk.revision()
        if since is None or since.revision > revision:
            yield from self._all()
            return
        standing = self._desk.read_meetings()
        # After what stands: what comes in between counts as not told.
        changed, gone = self._desk.changed(since.revision)
        if gone:
            yield from self._all()  # what went cannot be named any more: say what is left
            return
        self._meetings, self._watched.revision = dict(standing.meetings), standing.revision
        now_ms = self._deps.clock.now_ms()
        if now_ms - since.at_ms > MAX_BREAK_MS:
            yield from self._all()  # by now a meeting may have forgotten dates that this browser still shows
            return
        untouched = [meeting for key, meeting in self._meetings.items() if key not in changed]
        earlier = self._desk.board(untouched, at_ms=min(since.at_ms, now_ms), put_away_before_ms=since.at_ms)
        self._show(now_ms)
        overtaken = [self._meetings[key] for key in changed if key in self._meetings]
        gone_rooms = (RoomChanged(line) for line in self._desk.hidden_lines(overtaken, self._board))
        closed = closings(self._desk.board(overtaken, at_ms=now_ms))
        yield from self._written([*changes(earlier, self._board), *gone_rooms, *closed], now_ms)

    def _all(self) -> Iterator[str]:
        standing = self._desk.read_meetings()
        if standing.rebuilding:
            yield "event: rebuilding\ndata: {}\n\n"
        now_ms = self._deps.clock.now_ms()
        self._meetings, self._watched.revision = dict(standing.meetings), standing.revision
        self._show(now_ms)
        held: SnapshotShape = {
            "rooms": list(self._board.rooms),
            "prompts": [prompt.id for prompt in self._board.open_prompts],
        }
        yield _event("snapshot", held, StreamPosition(self._watched.revision, now_ms))
        yield from self._written(snapshot(self._board), now_ms)

    def _follow(self) -> Iterator[str]:
        watched = self._watched
        if watched.many is not None and watched.many != self._many:
            self._many = watched.many
            yield _event("many-at-once", {"lasts": self._many})  # without a position: the rest is not told yet
        revision = self._desk.revision()
        if revision < watched.revision or watched.revision == UNKNOWN:
            yield from self._all()  # the view was lost and made anew
            return
        now_ms = self._deps.clock.now_ms()
        if revision == watched.revision and (watched.due_ms is None or now_ms < watched.due_ms):
            return
        if revision > watched.revision:
            changed, gone = self._desk.changed(watched.revision)
            self._meetings = {key: each for key, each in {**self._meetings, **changed}.items() if key not in gone}
            watched.revision = revision
        before = self._board
        self._show(now_ms)
        told = tuple(changes(before, self._board))
        for change in told:
            if isinstance(change, PromptOpened):
                metrics.PROMPTS_SHOWN.labels(change.prompt.provider).inc()
                _measure(before.prompts.get(change.prompt.id), change.prompt, now_ms)
        yield from self._written(told, now_ms)

    def _show(self, now_ms: int) -> None:
        """Make the board of the meetings that are known, and have the watch call when time alone may change it."""
        self._board = self._desk.board(self._meetings.values(), at_ms=now_ms)
        self._watched.due_ms = due_ms(self._board, now_ms)

    def _written(self, told: Iterable[Change], now_ms: int) -> Iterator[str]:
        """Titles and names are looked up once for all that is told together, and only for that."""
        showing = MeetingPresenter(self._deps, self._reader, self._person, self._desk, self._board)
        told = tuple(told)
        showing.read_ahead(told)
        mark = StreamPosition(self._watched.revision, now_ms)
        for change in told:
            name, data = showing.event(change)
            yield _event(name, translate_all(data, self._catalogue), mark)


def _measure(before: Prompt | None, opened: Prompt, now_ms: int) -> None:
    """How long a prompt took to be shown; one that comes back was shown before."""
    if before is None or before.state is PromptState.WAITING:
        since_ms = max(opened.since_ms, opened.opens_at_ms)
        metrics.TOLD_SECONDS.labels("page").observe(max(now_ms - since_ms, 0) / SECOND_MS)


def _event(
    name: str, data: RoomShape | PromptShape | SnapshotShape | ManyAtOnceShape, mark: StreamPosition | None = None
) -> str:
    """With a position to go on from; without one the reader keeps the one it has."""
    position = f"id: {mark.text}\n" if mark else ""
    return f"{position}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"


class _Seated:
    """The stream's body; gives its seat back however it ends, even if it never began."""

    def __init__(self, events: Iterator[str], free: Callable[[], None]) -> None:
        self._events = events
        self._free: Callable[[], None] | None = free
        metrics.STREAMS.inc()

    def __iter__(self) -> Iterator[str]:
        return self._events

    def close(self) -> None:
        """Called by the server when the answer has ended or the browser has gone."""
        free, self._free = self._free, None
        if free is not None:
            metrics.STREAMS.dec()
            free()
