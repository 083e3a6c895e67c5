"""The change feed: one rising counter for the world, one list of changes per mailbox, and whose cursors are expired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from simulator.world.model import CalendarChange, ChangeKind, Copy

Listener = Callable[[CalendarChange], None]


class Feed:
    """Delta and sync tokens are positions in here. Guarded by the world's lock."""

    def __init__(self) -> None:
        self.seq = 0
        self._changes: dict[str, list[CalendarChange]] = defaultdict(list)
        self._expired_up_to: dict[str, int] = {}
        self._all_expired_up_to = -1
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` for every change, inside the world's lock: it must not block."""
        self._listeners.append(listener)

    def append(
        self, copy: Copy, kind: ChangeKind, now_ms: int, *, occurrence: int | None, cause: str
    ) -> CalendarChange:
        """Add one change of one copy and tell every listener."""
        self.seq += 1
        change = CalendarChange(
            seq=self.seq,
            at_ms=now_ms,
            mailbox_id=copy.mailbox_id,
            meeting_id=copy.meeting_id,
            event_id=copy.event_id,
            kind=kind,
            occurrence=occurrence,
            cause=cause,
        )
        self._changes[copy.mailbox_id].append(change)
        for listener in self._listeners:
            listener(change)
        return change

    def after(self, mailbox_id: str, seq: int, *, seen_by_ms: int | None = None) -> list[CalendarChange]:
        """The mailbox's changes after position `seq`; `seen_by_ms` cuts at the first change that is younger (lag)."""
        found: list[CalendarChange] = []
        for change in self._changes[mailbox_id]:
            if change.seq <= seq:
                continue
            if seen_by_ms is not None and change.at_ms > seen_by_ms:
                break
            found.append(change)
        return found

    def position(self, mailbox_id: str, *, seen_by_ms: int | None = None) -> int:
        """Where a token issued now starts: the whole world's counter, or before the first change not yet visible."""
        if seen_by_ms is not None:
            for change in self._changes[mailbox_id]:
                if change.at_ms > seen_by_ms:
                    return change.seq - 1
        return self.seq

    def expire_cursors(self, mailbox_id: str | None = None) -> None:
        """Refuse every token issued so far, of one mailbox or of all."""
        if mailbox_id is None:
            self._all_expired_up_to = self.seq
        else:
            self._expired_up_to[mailbox_id] = self.seq
        self.seq += 1

    def is_expired(self, mailbox_id: str, seq: int) -> bool:
        """Whether a token issued at position `seq` is to be refused."""
        return seq <= max(self._all_expired_up_to, self._expired_up_to.get(mailbox_id, -1))
