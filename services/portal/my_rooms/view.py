"""A person's rooms and prompts at one moment: the one view model behind the page and the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.portal.meetings.deciding.answers import ManyShape, PromptsAnswer, RoomsAnswer, RoomShape
from services.portal.meetings.deciding.shapes import Json
from services.portal.meetings.deciding.words import PAGE_WORDS
from services.portal.meetings.live_reader import READS_BUDGET_S, LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.presentation import MeetingPresenter
from services.portal.my_calendar.connection import find_refusal
from services.portal.my_calendar.connection_state import read_connection
from services.portal.my_calendar.deciding.connection_words import CONNECTION_WORDS, advise, helps_to_connect
from services.portal.my_calendar.writing import read_writing
from services.portal.my_rooms.stream import StreamPosition
from shared.domain.instants import to_rfc3339
from shared.organisations.decline_incidents import read_open

SHOWN_SINGLY = 20
"""So many prompts are shown one by one; the others are folded."""
SHOWN_IN_FULL = 11
"""So many prompts are shown with all their parts; when there are more they are rows, and one button asks a room for each."""


class RoomsView:
    """Reads the person's rows of the view once; titles and names are looked up as they are asked for."""

    def __init__(self, deps: Deps, reader: LiveReader, person: Person, *, wait_s: float = READS_BUDGET_S) -> None:
        """Read the person's meetings as they stand now; their titles are waited for `wait_s` seconds."""
        self._deps = deps
        self._person = person
        self._now_ms = deps.clock.now_ms()
        self.desk = PersonalView(deps, person)
        self._meetings = self.desk.read_meetings()
        self._board = self.desk.board(self._meetings.meetings.values(), at_ms=self._now_ms)
        self._presenter = MeetingPresenter(deps, reader, person, self.desk, self._board, wait_s=wait_s)

    def list_rooms(self) -> RoomsAnswer:
        """Every room of every date to come."""
        return {
            "rooms": self._presenter.rooms(tuple(self._board.rooms.values())),
            "rebuilding": self._meetings.rebuilding,
        }

    def list_prompts(self, *, include_closed: bool) -> PromptsAnswer:
        """The open prompts, and the closed ones after them."""
        listed = self._board.open_prompts
        if include_closed:
            listed += tuple(prompt for prompt in self._board.prompts.values() if prompt.closing is not None)
        shapes = self._presenter.prompts(listed)
        for shape in shapes[SHOWN_SINGLY : len(self._board.open_prompts)]:
            shape["folded"] = True
        found: PromptsAnswer = {"prompts": shapes, "rebuilding": self._meetings.rebuilding}
        many = self._many_at_once()
        if many is not None:
            found["manyAtOnce"] = many
        return found

    def _many_at_once(self) -> ManyShape | None:
        """That many rooms of the organisation said no at once, while it lasts."""
        row = read_open(self._deps.engine.registry, self._person.tenant)
        if row is None:
            return None
        return {"since": to_rfc3339(row.began_at_ms), "declines": row.declines, "words": PAGE_WORDS["many"]}

    def describe_page(self) -> dict[str, Any]:
        """What the page shows: rooms by meeting, prompts by series, takes that came to nothing, the connection, the words."""
        rooms, prompts = self._presenter.everything()
        connection = read_connection(self._deps, self._person)
        state, mends, held_back = (
            connection["state"],
            connection.get("mends", "person"),
            connection.get("heldBack", False),
        )
        return {
            "person": self._person,
            "meetings": group_by_meeting(rooms),
            "prompts": prompts,
            "outcomes": self._presenter.outcomes(),
            "singly": SHOWN_SINGLY,
            "in_full": SHOWN_IN_FULL,
            "many": self._many_at_once(),
            "refused": self._presenter.refused_takes(),
            "loading": not self._presenter.complete,
            "rebuilding": self._meetings.rebuilding,
            "cursor": StreamPosition(self._meetings.revision, self._now_ms).text,
            "connection": {
                **connection,
                "words": CONNECTION_WORDS[state],
                "advice": advise(state, mends, held_back=held_back),
                "helps": helps_to_connect(state, mends, held_back=held_back),
            },
            "why_not": find_refusal(self._deps, self._person),
            "writing": read_writing(self._deps, self._person).value,
        }


def group_by_meeting(rooms: Sequence[RoomShape]) -> list[Json]:
    """Room lines gathered under their date of their meeting, by time."""
    found: dict[str, Json] = {}
    for shape in rooms:
        each = found.setdefault(shape["occurrenceRef"], {**shape, "ref": shape["occurrenceRef"], "rooms": []})
        each["rooms"].append(shape)
    return sorted(found.values(), key=lambda each: str(each["start"]))
