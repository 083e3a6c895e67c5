"""Everything one person is shown, at one moment, and what changed between two moments. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.contracts.meeting_state import RoomState
from shared.meetings.prompts import Closing, MeetingView, Prompt, PromptState, RoomLine, line_id

MAX_DATES = 10


@dataclass(frozen=True, slots=True)
class Board:
    """Rooms by line id and prompts by prompt id, in the order in which they are shown."""

    rooms: Mapping[str, RoomLine] = field(default_factory=dict)
    prompts: Mapping[str, Prompt] = field(default_factory=dict)

    @property
    def open_prompts(self) -> tuple[Prompt, ...]:
        """Those to be acted on."""
        return tuple(prompt for prompt in self.prompts.values() if prompt.open)


@dataclass(frozen=True, slots=True)
class SeriesShare:
    """On how many of a meeting's dates a room stands where."""

    dates: int
    accepted: int
    pending: int


def share(board: Board, series: str) -> SeriesShare:
    """Of the dates of `series` (see `Prompt.series`) that are still to come."""
    states = Counter(line.state for line in board.rooms.values() if line.series == series)
    return SeriesShare(states.total(), states[RoomState.ACCEPTED], states[RoomState.PENDING])


def group_series(prompts: Iterable[Prompt]) -> list[tuple[Prompt, ...]]:
    """
    Declines of one series together: whoever lost a room on two dates of it is asked once.

    A group has at most `MAX_DATES` dates, so that what is free on all of them can be found out while somebody waits.
    """
    found: dict[str, list[Prompt]] = {}
    for prompt in prompts:
        found.setdefault(prompt.series, []).append(prompt)
    parts = [tuple(each[at : at + MAX_DATES]) for each in found.values() for at in range(0, len(each), MAX_DATES)]
    return sorted(parts, key=lambda part: (part[0].start_ms, part[0].id))


def covers_series(board: Board, prompts: Iterable[Prompt]) -> bool:
    """
    Whether `prompts` stand for a series of whose dates the room has refused every one, as far as they are in sight.

    Prompts of one series go together up to `MAX_DATES`; so many stand for all of them.
    """
    asked = [prompt for prompt in prompts if prompt.open]
    if not asked:
        return False
    refused = {prompt.occurrence for prompt in board.open_prompts if prompt.series == asked[0].series}
    dates = {line.occurrence for line in board.rooms.values() if line.series == asked[0].series}
    return len(dates) > 1 and dates == refused and len(asked) >= min(len(dates), MAX_DATES)


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """A line is new, or says something else. A line that went is GONE."""

    line: RoomLine


@dataclass(frozen=True, slots=True)
class PromptOpened:
    """A prompt is to be shown."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class PromptClosed:
    """A prompt is to be taken away; `prompt.closing` says why, or is None: nobody can be believed about it just now."""

    prompt: Prompt


Change = RoomChanged | PromptOpened | PromptClosed


def build_board(views: Iterable[MeetingView]) -> Board:
    """All that one person sees, by time."""
    seen = tuple(views)
    lines = sorted((line for each in seen for line in each.rooms), key=lambda line: (line.start_ms, line.id))
    prompts = sorted((prompt for each in seen for prompt in each.prompts), key=lambda each: (each.start_ms, each.id))
    return Board({line.id: line for line in lines}, {prompt.id: prompt for prompt in prompts})


def changes(before: Board, after: Board) -> Iterator[Change]:
    """What has to be told to somebody who knows `before`: each opening once, each closing once."""
    for key, line in after.rooms.items():
        if before.rooms.get(key) != line:
            yield RoomChanged(line)
    for key, line in before.rooms.items():
        if key not in after.rooms:
            yield RoomChanged(replace(line, state=RoomState.GONE))
    shown = {prompt.id for prompt in before.open_prompts}
    for prompt in after.open_prompts:
        if prompt.id not in shown:
            yield PromptOpened(prompt)
    for prompt in before.open_prompts:
        now = after.prompts.get(prompt.id)
        if now is None or not now.open:
            yield PromptClosed(now or replace(prompt, state=PromptState.CLOSED, closing=_why_gone(prompt, after)))


def _why_gone(prompt: Prompt, after: Board) -> Closing:
    """Why a prompt is not even listed any more: a room that still stands as declined is somebody else's to change."""
    line = after.rooms.get(line_id(prompt.occurrence, prompt.room))
    return Closing.NOT_YOURS if line is not None and line.state is RoomState.DECLINED else Closing.CANCELLED


def snapshot(board: Board) -> Iterator[Change]:
    """All of it, for somebody who knows nothing."""
    return changes(Board(), board)


def due_ms(board: Board, now_ms: int) -> int | None:
    """
    When the board may come to say something else although nothing of its meetings was written; None: by no passing of time.

    That is now where a prompt is not closed, which may be put away elsewhere; else when the first of its meetings ends.
    """
    if any(prompt.closing is None for prompt in board.prompts.values()):
        return now_ms
    return min((line.ends_ms for line in board.rooms.values()), default=None)


def closings(board: Board) -> Iterator[PromptClosed]:
    """Every closed prompt, for somebody of whom it is not known which they have seen open."""
    return (PromptClosed(prompt) for prompt in board.prompts.values() if prompt.closing is not None)
