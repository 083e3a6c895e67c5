"""Which dates a series ever had: a moved series leaves dates behind that an incremental list must still cancel."""

from __future__ import annotations

from collections import defaultdict

from simulator.world import CalendarChange, World
from simulator.world.recurrence import instances


class GoneDates:
    """Listens to the feed. Guarded by the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dates: dict[str, set[int]] = defaultdict(set)
        self._exceptions: dict[str, set[int]] = defaultdict(set)
        self._gone: dict[str, list[tuple[int, int, bool]]] = defaultdict(list)
        world.on_change(self._on_change)

    def known(self, meeting_id: str) -> set[int]:
        """Every date (original start, ms) the series still had when it last changed."""
        return set(self._dates[meeting_id])

    def after(self, meeting_id: str, seq: int, *, exceptions_only: bool) -> set[int]:
        """The dates that were lost after a position of the feed; or only those that were exceptions."""
        lost = {key for at, key, exception in self._gone[meeting_id] if at > seq and (exception or not exceptions_only)}
        return lost - self._dates[meeting_id]

    def _on_change(self, change: CalendarChange) -> None:
        meeting = self._world.calendar.meetings[change.meeting_id]
        if meeting.recurrence is None:
            return
        dates = {date.key for date in instances(meeting) if date.key is not None}
        for key in self._dates[meeting.id] - dates:
            self._gone[meeting.id].append((change.seq, key, key in self._exceptions[meeting.id]))
        self._dates[meeting.id] = dates
        self._exceptions[meeting.id] = set(meeting.overrides)
