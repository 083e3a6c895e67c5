"""What became of an organisation's rooms over some days, out of the counts of each day and what is known of meetings to come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from shared.contracts.day_tally import KEEP_MS, DayTally, add_tallies, day_of, is_tally, read_day, tally_owner
from shared.contracts.meeting_state import MeetingRecord, RoomState, parts_of
from shared.crypto.meetings import open_meeting
from shared.crypto.records import open_record
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.registry import Registry
from shared.ports.view import View
from shared.registry import tables

MAX_DAYS = KEEP_MS // DAY_MS
DEFAULT_DAYS = 14


class CountsShape(TypedDict):
    """What was counted."""

    asked: int
    accepted: int
    declined: int
    """Declines that were told."""
    declinedBefore: int
    """Those of before anything was watched, which were not told."""
    noticed: int
    """Told declines whose meeting was changed after that."""
    noticedAfterMinutes: float | None
    """How long that took, on average."""
    meetings: int
    """Whose end was a day ago."""
    roomless: int
    """Those among them that had no room when they began."""
    unanswered: int
    """Requests that had no answer when the meeting began."""


class DayCounts(CountsShape):
    """What was counted on a day."""

    day: str
    """In UTC: 2026-11-23."""


_Period = TypedDict("_Period", {"from": str, "to": str})
"""The first and the last day."""


class ReportShape(CountsShape, _Period):
    """What was counted over some days, and on each."""

    pending: int
    """Requests of dates to come that have no answer yet, as of now."""
    days: list[DayCounts]


@dataclass(frozen=True, slots=True)
class RoomReport:
    """What became of an organisation's rooms."""

    days: Mapping[str, DayTally]
    """Each day of the period, in order, also those on which nothing was counted."""
    pending: int
    """Requests of rooms for dates to come that have no answer yet: as of now, whatever the period."""

    @property
    def total(self) -> DayTally:
        """The sum of the days."""
        return add_tallies(self.days.values())

    def shape(self) -> ReportShape:
        """As pages and programs are given it: times in minutes, the mean of none being null."""
        return {
            "from": min(self.days),
            "to": max(self.days),
            **_shape(self.total),
            "pending": self.pending,
            "days": [{"day": day, **_shape(tally)} for day, tally in self.days.items()],
        }


def read_report(view: View, registry: Registry, keys: TenantKeys, *, days: int, now_ms: int) -> RoomReport:
    """
    Read the counts of an organisation's last days, today included; days are those of UTC.

    It reads a small row for each day and partition, and the meetings of connected people that are not over, once.

    Args:
        view: Where room_status shows what it keeps.
        registry: Says who is connected.
        keys: The organisation's.
        days: How many; at most `MAX_DAYS`.
        now_ms: Epoch milliseconds.

    Raises:
        StoreUnavailableError: view or registry cannot be reached.
    """
    return RoomReport(
        read_days(view, keys, days=days, now_ms=now_ms),
        _count_rooms(view, registry, keys, now_ms, (RoomState.PENDING,)),
    )


def read_days(view: View, keys: TenantKeys, *, days: int, now_ms: int) -> dict[str, DayTally]:
    """
    Read the counts of an organisation's last days, today included, in order: a small row for each day and partition.

    Raises StoreUnavailableError.
    """
    asked = [day_of(now_ms - back * DAY_MS) for back in reversed(range(min(days, MAX_DAYS)))]
    found: dict[str, list[DayTally]] = {day: [] for day in asked}
    for day, tally in _read_tallies(view, keys):
        if day in found:
            found[day].append(tally)
    return {day: add_tallies(each) for day, each in found.items()}


def read_meetings(view: View, registry: Registry, keys: TenantKeys) -> Iterator[MeetingRecord]:
    """Each meeting of the organisation once, whoever of the connected people has a copy of it. Raises StoreUnavailableError."""
    seen: set[str] = set()
    for mailbox, _ in tables.consents(registry).scan_readable(keys.tenant):
        for row in view.rows(Mailbox(keys.tenant, mailbox).key.decode()):
            if row.value is None or row.key in seen or parts_of(row.key.encode())[1]:
                continue
            seen.add(row.key)
            try:
                yield open_meeting(row.key.encode(), row.value, keys).record
            except (KeyDestroyedError, MalformedRecordError):
                continue  # room-status' to mend; what is shown of the others must not fail for it


def count_upcoming(view: View, registry: Registry, keys: TenantKeys, now_ms: int) -> int:
    """
    How many rooms are asked, have accepted or said no for dates to come.

    It reads the meetings of the connected people, once. Raises StoreUnavailableError.
    """
    return _count_rooms(view, registry, keys, now_ms, (RoomState.PENDING, RoomState.ACCEPTED, RoomState.DECLINED))


def _read_tallies(view: View, keys: TenantKeys) -> Iterator[tuple[str, DayTally]]:
    for row in view.rows(tally_owner(keys.tenant)):
        key = row.key.encode()
        if row.value is None or not is_tally(key):
            continue
        try:
            yield read_day(key), open_record(key, row.value, keys, DayTally)
        except (KeyDestroyedError, MalformedRecordError):
            continue  # of before the organisation was switched off, or damaged


def _count_rooms(view: View, registry: Registry, keys: TenantKeys, now_ms: int, states: Collection[RoomState]) -> int:
    return sum(
        room.state in states and date.begins > now_ms
        for meeting in read_meetings(view, registry, keys)
        for date in meeting.dates
        for room in date.rooms
    )


def _shape(tally: DayTally) -> CountsShape:
    return {
        "asked": tally.asked,
        "accepted": tally.accepted,
        "declined": tally.declined,
        "declinedBefore": tally.quiet,
        "noticed": tally.noticed,
        "noticedAfterMinutes": round(tally.noticed_after_ms / tally.noticed / MINUTE_MS, 1) if tally.noticed else None,
        "meetings": tally.meetings,
        "roomless": tally.roomless,
        "unanswered": tally.unanswered,
    }
