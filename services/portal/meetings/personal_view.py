"""What one person's meetings look like now: their rows of the view, opened, and what they have put away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.portal.meetings.deciding.board import Board, build_board
from shared.contracts.meeting_state import CopyRecord, parts_of
from shared.contracts.topics import MEETING_STATE
from shared.crypto.meetings import StoredMeeting, open_copy, open_meeting
from shared.domain.keys import TenantKeys
from shared.errors import (
    KeyDestroyedError,
    LogUnavailableError,
    MalformedRecordError,
    NewerRecordError,
    StoreUnavailableError,
)
from shared.meetings.prompts import Prompt, RoomLine, Viewer, hidden_lines, view_meeting
from shared.ports.view import SeenRow
from shared.registry.dismissals import find_dismissed
from shared.runtime.logging import get_logger

_log = get_logger()

Meetings = Mapping[str, StoredMeeting]
"""`tenant/meeting` → the meeting's record and the person's own copy."""


@dataclass(frozen=True, slots=True)
class MeetingSnapshot:
    """A person's meetings at one revision of the view."""

    meetings: Meetings
    revision: int
    rebuilding: bool


class PersonalView:
    """Reads on behalf of one person, under their own mailbox key and no other."""

    def __init__(self, deps: Deps, person: Person) -> None:
        """Open the keys of the person's organisation. Raises KeyDestroyedError when the organisation's data has been destroyed."""
        self._deps = deps
        self._person = person
        self.keys: TenantKeys = deps.engine.keyring.keys(person.tenant)
        self._owner = person.mailbox.key.decode()
        self._grace_ms = deps.settings.grace_ms(person.provider)

    def read_meetings(self) -> MeetingSnapshot:
        """
        All meetings of the person.

        While the view cannot be reached or is being rebuilt the answer says so and holds what there is, never an error.
        """
        try:
            revision = self.revision()  # before the rows: a change in between is then told twice, not never
            rows = self._deps.engine.view.rows(self._owner)
        except StoreUnavailableError:
            return MeetingSnapshot({}, 0, rebuilding=True)
        return MeetingSnapshot(dict(self._opened(rows)), revision, is_rebuilding(self._deps))

    def revision(self) -> int:
        """The newest revision of any of the person's rows."""
        return self._deps.engine.view.revision(self._owner)

    def changed(self, after: int) -> tuple[Meetings, frozenset[str]]:
        """The meetings that changed after a revision, and the keys of those that the person has no copy of any more."""
        view = self._deps.engine.view
        touched = {_meeting_of(row.key) for row in view.changes(self._owner, after)}
        if not touched:
            return {}, frozenset()
        found = dict(self._opened(row for row in view.rows(self._owner) if _meeting_of(row.key) in touched))
        return found, frozenset(touched - found.keys())

    def board(
        self, meetings: Iterable[StoredMeeting], *, at_ms: int | None = None, put_away_before_ms: int | None = None
    ) -> Board:
        """
        What `meetings` come to: rooms, prompts, and which of those were put away.

        Args:
            at_ms: The moment; now, if left out.
            put_away_before_ms: Counts only what was put away before; everything, if left out.
        """
        now_ms = self._deps.clock.now_ms() if at_ms is None else at_ms
        known = tuple(meetings)
        plain = build_board(view_meeting(each, self.keys, self._viewer(now_ms, frozenset())) for each in known)
        declines = {prompt.id: {prompt.id, *prompt.follows} for prompt in plain.open_prompts}
        put_away = self._find_dismissed(frozenset().union(*declines.values()), put_away_before_ms)
        away = frozenset(prompt for prompt, followed in declines.items() if put_away & followed)
        if not away:
            return plain
        return build_board(view_meeting(each, self.keys, self._viewer(now_ms, away)) for each in known)

    def hidden_lines(self, meetings: Iterable[StoredMeeting], board: Board) -> Iterator[RoomLine]:
        """The rooms of `meetings` that are not on `board`, as lines that are gone."""
        viewer = self._viewer(self._deps.clock.now_ms(), frozenset())
        return (line for each in meetings for line in hidden_lines(each, viewer, board.rooms))

    def prompt(self, prompt_id: str) -> Prompt | None:
        """One of this person's own prompts, open or closed; None for any other id, whoever else it may belong to."""
        return self.board(self.read_meetings().meetings.values()).prompts.get(prompt_id)

    def _viewer(self, now_ms: int, dismissed: frozenset[str]) -> Viewer:
        return Viewer(self._person.mailbox.id, now_ms, self._grace_ms, dismissed)

    def _find_dismissed(self, declines: frozenset[str], before_ms: int | None) -> frozenset[str]:
        person = self._person
        return find_dismissed(self._deps.engine.registry, person.tenant, person.user, declines, before_ms)

    def _opened(self, rows: Iterable[SeenRow]) -> Iterator[tuple[str, StoredMeeting]]:
        """Join each meeting's row with that of the person's own copy."""
        meetings: dict[str, StoredMeeting] = {}
        copies: dict[str, CopyRecord] = {}
        for row in rows:
            if row.value is None:
                continue
            name = row.key.encode()
            try:
                if parts_of(name)[1]:
                    copies[_meeting_of(row.key)] = open_copy(name, row.value, self.keys)
                else:
                    meetings[row.key] = open_meeting(name, row.value, self.keys)
            except KeyDestroyedError:
                continue  # of before the organisation was switched off
            except (MalformedRecordError, NewerRecordError) as error:
                # The view can be rebuilt; the record itself is room-status' to dead-letter.
                _log.warning("view_row_unreadable", row=row.key, error=str(error))
        for key, meeting in meetings.items():
            if key in copies:
                yield key, StoredMeeting(meeting.record, {copies[key].mailbox: copies[key]})
            elif meeting.copies:
                yield key, meeting  # as 0.1.0 left it


def _meeting_of(row: str) -> str:
    return parts_of(row.encode())[0].decode()


def is_rebuilding(deps: Deps) -> bool:
    """Whether some partition of the view has nothing applied although there is something to apply."""
    try:
        return any(_behind(deps, partition) for partition in range(deps.engine.log.partitions))
    except StoreUnavailableError:
        return True
    except LogUnavailableError:
        return False  # the view may well be complete; nobody can tell while the log is away


def _behind(deps: Deps, partition: int) -> bool:
    if deps.engine.view.applied(partition) is not None:
        return False
    span = deps.engine.log.span(MEETING_STATE.name, partition)
    return span.end > span.begin
