"""Delta rounds over a mailbox's calendar view: what is in a window, what has changed since a token, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any

from simulator.microsoft.errors import GraphError
from simulator.microsoft.render import GraphRenderer, removed
from simulator.microsoft.wire import occurrence_id
from simulator.world import Copy, Instance, Meeting, NotThereError, World

PAGE_SIZE = 50
_KEPT_ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class RoundWindow:
    """What a round looks at, in milliseconds; it lives inside the token."""

    start_ms: int
    end_ms: int

    def holds(self, date: Instance) -> bool:
        """Whether a date that takes place touches the window."""
        return not date.cancelled and date.start_ms < self.end_ms and date.end_ms > self.start_ms


@dataclass(frozen=True, slots=True)
class RoundEntry:
    """One line of a round, rendered only when its page is asked for (`key`: a date of a series)."""

    event_id: str
    key: int | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """One walk through the pages, ending at feed position `upto`."""

    mailbox_id: str
    window: RoundWindow
    upto: int
    entries: tuple[RoundEntry, ...]


@dataclass(frozen=True, slots=True)
class RoundPage:
    """What to send: the events, and one of the two tokens."""

    events: list[dict[str, Any]]
    skip_token: str | None
    delta_token: str | None


class Rounds:
    """Starts, continues and ends rounds. Guarded by the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: OrderedDict[str, Round] = OrderedDict()
        self._issued: Counter[str] = Counter()
        world.faults.declare(
            "deltaTokensKept",
            None,
            "Microsoft: only this many newest delta tokens per mailbox are still known; null: all",
        )
        # learn.microsoft.com/graph/delta-query-overview, "Replays": applications handle the same item coming again.
        world.faults.declare(
            "deltaReplayShare",
            0.1,
            "Microsoft: share of rounds of changes that begin with what the last one told already",
        )

    def first(self, mailbox_id: str, window: RoundWindow) -> str:
        """Start a full round; returns its skip token."""
        entries: list[RoundEntry] = []
        for copy, meeting in self._world.calendar.copies(mailbox_id):
            entries += self._present(copy, meeting, window)
        return self._start(Round(mailbox_id, window, self._position(mailbox_id), tuple(entries)))

    def since(self, mailbox_id: str, delta_token: str) -> str:
        """Start a round of changes; returns its skip token. Raises GraphError 400 or 410 when the token is refused."""
        window, seq = self._read(mailbox_id, delta_token)
        first_kind: dict[str, str] = {}
        latest: dict[str, int] = {}
        for change in self._world.feed.after(
            mailbox_id, self._replayed_from(mailbox_id, seq), seen_by_ms=self._seen_by_ms()
        ):
            if change.seq > seq:  # what is only repeated was told, and is not new a second time
                first_kind.setdefault(change.event_id, change.kind)
            latest[change.event_id] = change.seq
        entries: list[RoundEntry] = []
        for event_id in sorted(latest, key=latest.__getitem__):
            entries += self._changed(mailbox_id, event_id, window, born=first_kind.get(event_id) == "created")
        return self._start(Round(mailbox_id, window, self._position(mailbox_id), tuple(entries)))

    def _replayed_from(self, mailbox_id: str, seq: int) -> int:
        """The position that a round of changes begins at: now and then an earlier one than its token says."""
        before = [change.seq for change in self._world.feed.after(mailbox_id, -1) if change.seq <= seq]
        dice = self._world.ids.random("replay", mailbox_id, self._issued[mailbox_id])
        replays = before and dice.random() < self._world.faults.get("deltaReplayShare", "microsoft")
        return before[-1] - 1 if replays else seq

    def page(self, mailbox_id: str, skip_token: str, size: int | None, renderer: GraphRenderer) -> RoundPage:
        """One page of an open round. Raises GraphError 400 when the token is unknown."""
        name, _, offset_text = skip_token.rpartition("-")
        found = self._open.get(name)
        if found is None or found.mailbox_id != mailbox_id or not offset_text.isdigit():
            raise GraphError(400, "ErrorInvalidUrlQuery", "The skip token is not valid.")
        offset = int(offset_text)
        dice = self._world.ids.random("empty-page", self._world.ids.count("delta-page"))
        if dice.random() < self._world.faults.get("emptyPageShare", "microsoft"):
            return RoundPage([], skip_token, None)
        until = offset + (size or PAGE_SIZE)
        events = [self._rendered(mailbox_id, entry, renderer) for entry in found.entries[offset:until]]
        if until < len(found.entries):
            early = self._world.faults.contradicts("microsoft.delta-link-last")
            return RoundPage(events, f"{name}-{until}", self._token(found) if early else None)
        return RoundPage(events, None, self._token(found))

    def _present(self, copy: Copy, meeting: Meeting, window: RoundWindow) -> list[RoundEntry]:
        dates = [date for date in self._world.calendar.dates(copy) if window.holds(date)]
        if not dates:
            return []
        if meeting.recurrence is None:
            return [RoundEntry(copy.event_id)]
        return [RoundEntry(copy.event_id), *(RoundEntry(copy.event_id, date.key) for date in dates)]

    def _changed(self, mailbox_id: str, event_id: str, window: RoundWindow, *, born: bool) -> list[RoundEntry]:
        try:
            copy, meeting = self._world.calendar.copy(mailbox_id, event_id)
        except NotThereError:
            # Made and gone between two rounds: nothing is told.
            return [] if born else self._removals([event_id], unless="microsoft.removed-event")
        inside = self._present(copy, meeting, window)
        if not inside:
            return self._removals([event_id], unless="microsoft.outside-window")
        return [*inside, *self._cancelled_dates(copy)]

    def _removals(self, event_ids: list[str], *, unless: str) -> list[RoundEntry]:
        """Removals, or nothing where the belief `unless` is contradicted."""
        if self._world.faults.contradicts(unless):
            return []
        return [RoundEntry(event_id, removed=True) for event_id in event_ids]

    def _cancelled_dates(self, copy: Copy) -> list[RoundEntry]:
        if not self._world.faults.contradicts("microsoft.cancelled-date-unnamed"):
            return []
        keys = [date.key for date in self._world.calendar.dates(copy) if date.cancelled and date.key is not None]
        return [RoundEntry(occurrence_id(copy.event_id, key), removed=True) for key in keys]

    def _rendered(self, mailbox_id: str, entry: RoundEntry, renderer: GraphRenderer) -> dict[str, Any]:
        if entry.removed:
            return removed(entry.event_id)
        try:
            copy, meeting = self._world.calendar.copy(mailbox_id, entry.event_id)
        except NotThereError:
            return removed(entry.event_id)
        if entry.key is None:
            return renderer.event(copy, meeting)
        for date in self._world.calendar.dates(copy):
            if date.key == entry.key:
                whole = date.is_exception or self._world.faults.contradicts("microsoft.occurrences-sparse")
                return renderer.date(copy, meeting, date) if whole else renderer.sparse(copy, meeting, date)
        return removed(occurrence_id(entry.event_id, entry.key))

    def _start(self, begun: Round) -> str:
        name = f"r{self._world.ids.count('delta-round')}"
        self._open[name] = begun
        if len(self._open) > _KEPT_ROUNDS:
            self._open.popitem(last=False)
        return f"{name}-0"

    def _token(self, ended: Round) -> str:
        self._issued[ended.mailbox_id] += 1
        inside = [
            ended.mailbox_id,
            ended.window.start_ms,
            ended.window.end_ms,
            ended.upto,
            self._issued[ended.mailbox_id],
        ]
        return base64.urlsafe_b64encode(json.dumps(inside).encode()).decode().rstrip("=")

    def _read(self, mailbox_id: str, token: str) -> tuple[RoundWindow, int]:
        try:
            inside = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            owner, start_ms, end_ms, seq, serial = inside
        except (binascii.Error, ValueError, TypeError) as error:
            raise GraphError(400, "ErrorInvalidUrlQuery", "The delta token is not valid.") from error
        if owner != mailbox_id:
            raise GraphError(400, "ErrorInvalidUrlQuery", "The delta token belongs to another mailbox.")
        kept = self._world.faults.get("deltaTokensKept", "microsoft")
        if kept is not None and serial <= self._issued[mailbox_id] - kept:
            raise _state_not_found()
        if self._world.feed.is_expired(mailbox_id, seq):
            if self._world.faults.get("cursorExpiredAs", "microsoft") == "syncStateNotFound":
                raise _state_not_found()
            raise GraphError(410, "resyncRequired", "Resync is required. Start over without a token.")
        return RoundWindow(start_ms, end_ms), seq

    def _seen_by_ms(self) -> int | None:
        lag_ms = self._world.faults.get("deltaLagMs", "microsoft")
        return self._world.now_ms() - lag_ms if lag_ms else None

    def _position(self, mailbox_id: str) -> int:
        return self._world.feed.position(mailbox_id, seen_by_ms=self._seen_by_ms())


def _state_not_found() -> GraphError:
    return GraphError(400, "SyncStateNotFound", "The sync state generation is not found; start a full synchronisation.")
