"""sync-worker as it is, on calendars that answer at once: `python -m benchmarks.end_to_end.calendars COUNTS`."""

from __future__ import annotations

import mmap
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from services.sync_worker import main as sync_worker
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import Access, EventKind, Look, SeenEvent, Subscription, SubscriptionRequest, Window
from shared.grants.oauth import Granted
from shared.runtime.supervisor import watch_supervisor

ROOM = "aare@rooms.contoso.test"
GRANTED = Granted(
    access_token="token",
    expires_in_s=3600,
    refresh_token="refresh",
    scopes=("openid", "profile", "offline_access", "User.Read", "Calendars.ReadWrite"),
)
_CELL = struct.Struct("=i")


class Counts:
    """How many declined meetings stand in each calendar, in a file that two processes map."""

    def __init__(self, path: Path, size: int = 0) -> None:
        """`size`: make it, for so many calendars, all empty."""
        if size:
            path.write_bytes(bytes(_CELL.size * size))
        with path.open("r+b") as file:
            self._cells = mmap.mmap(file.fileno(), 0)

    def __getitem__(self, person: int) -> int:
        return int(_CELL.unpack_from(self._cells, person * _CELL.size)[0])

    def __setitem__(self, person: int, count: int) -> None:
        _CELL.pack_into(self._cells, person * _CELL.size, count)


class Calendars:
    """A provider without a network: each look shows the meetings that were declined since its cursor."""

    provider = Provider.MICROSOFT
    max_subscription_ms = 7 * DAY_MS

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def look(self, access: Access, cursor: str, window: Window, known: object = None) -> Look:
        """At once."""
        del window, known
        person, count = int(access.subject), self._counts[int(access.subject)]
        seen = tuple(_declined(person, number, access.address) for number in range(int(cursor or 0), count))
        return Look(seen, str(count), full=not cursor)

    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Always."""
        return Subscription(f"s-{access.subject}", "", wish.expires_at_ms)


class OnlyMicrosoft(Mapping[Provider, Calendars]):
    """The catalogue of one."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars

    def __getitem__(self, provider: Provider) -> Calendars:
        return self._calendars

    def __iter__(self) -> object:  # type: ignore[override]
        return iter((Provider.MICROSOFT,))

    def __len__(self) -> int:
        return 1


def uid_of(person: int, number: int) -> str:
    """What tells one meeting from all others."""
    return f"uid-{person}-{number}"


def _declined(person: int, number: int, organizer: str) -> SeenEvent:
    start_ms = int(time.time() * 1000) // DAY_MS * DAY_MS + 2 * DAY_MS
    return SeenEvent(
        event_id=f"event-{person}-{number}",
        uid=uid_of(person, number),
        kind=EventKind.SINGLE,
        master_id="",
        slot="",
        start_ms=start_ms,
        end_ms=start_ms + HOUR_MS,
        cancelled=False,
        is_organizer=True,
        organizer=organizer,
        shows_guests=True,
        attendees=(SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.DECLINED),),
        version="1",
    )


def main() -> int:
    """Run the worker's own main, with these calendars where it would have made the providers' clients."""
    watch_supervisor()
    calendars = OnlyMicrosoft(Calendars(Counts(Path(sys.argv[1]))))
    sync_worker.__dict__["calendar_providers"] = lambda _: calendars
    return sync_worker.main()


if __name__ == "__main__":
    sys.exit(main())
