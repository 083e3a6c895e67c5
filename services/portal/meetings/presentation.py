"""Puts names and titles to what a person is shown: rooms from the organisation's list, the rest read live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.portal.meetings.deciding.answers import PromptShape, RoomShape, TakeShape
from services.portal.meetings.deciding.board import Board, Change, PromptOpened, RoomChanged, group_series, share
from services.portal.meetings.deciding.forecast import Forecast, forecast
from services.portal.meetings.deciding.shapes import Json, name_in, outcome_shape, prompt_shape, room_shape, take_shape
from services.portal.meetings.live_reader import READS_BUDGET_S, LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.room_tallies import read_room_tallies
from services.portal.meetings.takes import Takes
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import TakeRow, TakeState
from shared.domain.sighting import LiveMeeting, Window
from shared.errors import StoreUnavailableError
from shared.language.deciding.sentences import say
from shared.meetings.prompts import STILL_ASKED, Prompt, RoomLine, line_id
from shared.registry import tables

UNNAMED = say("a room")
MAX_OUTCOMES = 10


class MeetingPresenter:
    """For one answer to one person: each room and each event is looked up once, and forgotten with the answer."""

    def __init__(
        self,
        deps: Deps,
        reader: LiveReader,
        person: Person,
        desk: PersonalView,
        board: Board,
        *,
        wait_s: float = READS_BUDGET_S,
    ) -> None:
        """
        Look up nothing yet.

        Args:
            deps: The stores, the providers, the time.
            reader: Reads titles as the person.
            person: Who looks.
            desk: Opens their rows.
            board: All that they see.
            wait_s: How long an answer waits for titles.
        """
        self.complete = True
        """False: titles are missing only because nobody waited for them any longer."""
        self._wait_s = wait_s
        self._asked: set[str] = set()
        self._board = board
        self._deps = deps
        self._reader = reader
        self._person = person
        self._desk = desk
        self._names: dict[str, str | None] = {}
        self._waits: dict[str, Mapping[str, int]] = {}
        self._live: dict[str, LiveMeeting] = {}

    def rooms(self, lines: Sequence[RoomLine]) -> list[RoomShape]:
        """Lines as they are shown."""
        self._read(lines)
        return [self._room(line) for line in lines]

    def prompts(self, prompts: Sequence[Prompt]) -> list[PromptShape]:
        """Prompts as they are shown, each with the take that was last asked for it."""
        self._read(prompts)
        latest = self._latest if prompts else {}
        return [self._prompt(prompt, latest) for prompt in prompts]

    def refused_takes(self) -> list[TakeShape]:
        """
        The takes of the last day that were refused and whose prompt is closed since, each with its reason.

        A take may wait until the calendar system answers again. By then the meeting may be over or have another room, its card is
        gone from the page, and this is where its person learns that nothing was changed.
        """
        open_prompts = {prompt.id for prompt in self._board.open_prompts}
        return [
            take_shape(take_id, row, self.room_name(row.room) or UNNAMED)
            for prompt, (take_id, row) in self._latest.items()
            if row.state is TakeState.FAILED and prompt not in open_prompts
        ]

    def outcomes(self) -> list[Json]:
        """Rooms that were taken within the last day and asked by now, with what they have answered; by meeting, newest first."""
        done: dict[tuple[str, str], list[tuple[tuple[str, TakeRow], Prompt]]] = {}
        for name, (take_id, row) in reversed(self._latest.items()):
            prompt = self._board.prompts.get(name)
            if row.state is TakeState.DONE and prompt is not None and self._is_asked(prompt, row):
                done.setdefault((prompt.meeting, row.room), []).append(((take_id, row), prompt))
        return [self._outcome(room, found) for (_, room), found in islice(done.items(), MAX_OUTCOMES)]

    @cached_property
    def _latest(self) -> dict[str, tuple[str, TakeRow]]:
        """Prompt id → the take that this person asked for it last."""
        return Takes(self._deps, self._person).latest()

    def _is_asked(self, prompt: Prompt, take: TakeRow) -> bool:
        line = self._board.rooms.get(line_id(prompt.occurrence, take.room))
        return line is not None and line.state in STILL_ASKED

    def _outcome(self, room: str, found: Sequence[tuple[tuple[str, TakeRow], Prompt]]) -> Json:
        takes, prompts = zip(*found, strict=True)
        lines = [self._board.rooms[line_id(each.occurrence, room)] for each in prompts]
        accepted = sum(line.state is RoomState.ACCEPTED for line in lines)
        self._read(lines)
        shown = self._room(lines[0])
        return {**outcome_shape(takes, prompts, accepted, shown), "roomName": shown["roomName"] or UNNAMED}

    def read_ahead(self, told: Iterable[Change]) -> None:
        """Read the events behind all changes that will be told, in one go."""
        shown = (change.line if isinstance(change, RoomChanged) else change.prompt for change in told)
        self._read(shown)

    def event(self, change: Change) -> tuple[str, RoomShape | PromptShape]:
        """A change as the stream tells it: the event's name and its data."""
        match change:
            case RoomChanged(line):
                return "room", self._room(line)
            case PromptOpened(prompt):
                return "prompt", self._prompt(prompt, {})
            case _:
                return "prompt-closed", self._prompt(change.prompt, {})

    def room_name(self, room: str) -> str | None:
        """The room's name in the organisation's list."""
        self._read_names({room})
        return self._names[room]

    def everything(self) -> tuple[list[RoomShape], list[Json]]:
        """Rooms and open prompts of a page; prompts of one series together (see `board.group_series`)."""
        self._read((*self._board.rooms.values(), *self._board.open_prompts))
        rooms, prompts = self.rooms(tuple(self._board.rooms.values())), self.prompts(self._board.open_prompts)
        shapes = {shape["id"]: shape for shape in prompts}
        return rooms, [
            _together([shapes[each.id] for each in group]) for group in group_series(self._board.open_prompts)
        ]

    def _room(self, line: RoomLine) -> RoomShape:
        live = self._live.get(line.event_id)
        return room_shape(line, self._name(line.room, live), live, self._forecast(line))

    def _forecast(self, line: RoomLine) -> Forecast | None:
        """When a pending room can be expected to answer; None while the counts cannot be read: a page is shown without."""
        if line.state is not RoomState.PENDING:
            return None
        if line.room not in self._waits:
            try:
                found = read_room_tallies(self._deps.engine.view, self._desk.keys, line.room)
            except StoreUnavailableError:
                found = {}
            self._waits[line.room] = found[line.room].waits if line.room in found else {}
        return forecast(self._waits[line.room], self._deps.clock.now_ms() - line.asked_at_ms)

    def _prompt(self, prompt: Prompt, latest: Mapping[str, tuple[str, TakeRow]]) -> PromptShape:
        live = self._live.get(prompt.event_id)
        take = latest.get(prompt.id)
        shape = None
        if take is not None:
            take_id, row = take
            shape = take_shape(take_id, row, self.room_name(row.room) or UNNAMED)
        return prompt_shape(prompt, self._name(prompt.room, live), live, shape, share(self._board, prompt.series))

    def _name(self, room: str, live: LiveMeeting | None) -> str | None:
        listed = self.room_name(room)
        if listed or live is None:
            return listed
        ids = {each.address: self._desk.keys.room(each.address) for each in live.attendees if each.is_room}
        return name_in(live, ids, room)

    def _read_names(self, rooms: set[str]) -> None:
        if unknown := rooms - self._names.keys():
            rows = tables.rooms(self._deps.engine.registry).get_many(self._person.tenant, unknown)
            self._names |= {room: rows[room].name if room in rows else None for room in unknown}

    def _read(self, shown: Iterable[RoomLine | Prompt]) -> None:
        shown = tuple(shown)
        self._read_names({each.room for each in shown})
        wanted = {
            each.event_id: Window(each.start_ms, each.end_ms)
            for each in shown
            if each.event_id and each.event_id not in self._asked
        }
        self._asked |= wanted.keys()
        read = self._reader.meetings(self._person.mailbox, self._person.provider, wanted, wait_s=self._wait_s)
        self._live |= read.by_event
        self.complete = self.complete and read.complete


def _together(shapes: Sequence[PromptShape]) -> Json:
    """One card: the first prompt's shape, all their dates, and what was last taken for any of them."""
    take = next((shape["take"] for shape in shapes if shape["take"]), None)
    return {**shapes[0], "dates": list(shapes), "take": take}
