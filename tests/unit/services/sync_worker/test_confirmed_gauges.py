"""What gauges say of how much is known for sure."""

from __future__ import annotations

import pytest

from services.sync_worker.confirmed_gauges import SHOW_EVERY_MS, ConfirmedGauges
from services.sync_worker.deciding.audit_rotation import AuditRotation
from services.sync_worker.deciding.references import find_room_starts
from services.sync_worker.memory import TrackedMailbox
from shared.contracts.calendar_state import EventReference, MailboxState
from shared.domain.attendees import Answer
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.domain.sighting import EventKind
from shared.runtime import metrics

pytestmark = pytest.mark.proves("M5")
NOW_MS = 1_800_000_000_000
PARTITION = 78


def event(name: str, hours: float, rooms: int = 1, **changes: object) -> EventReference:
    start_ms = NOW_MS + int(hours * HOUR_MS)
    values = {"kind": EventKind.SINGLE, "is_organizer": True, **changes}
    asked = {f"r{number}": Answer.NONE for number in range(rooms)}
    return EventReference(event_id=name, uid=name, start_ms=start_ms, end_ms=start_ms + HOUR_MS, rooms=asked, **values)  # type: ignore[arg-type]


def tracked(*events: EventReference, looked_ago_ms: int, provider: str = "google") -> TrackedMailbox:
    references = {each.event_id: each for each in events}
    state = MailboxState(provider=provider, looked_at_ms=NOW_MS - looked_ago_ms)
    return TrackedMailbox(state, references, room_starts=find_room_starts(references, NOW_MS))


def value(name: str, provider: str) -> float | None:
    labels = {"partition": str(PARTITION), "provider": provider}
    return metrics.REGISTRY.get_sample_value(f"roomsync_room_states_{name}", labels)


def test_rooms_of_the_next_day_count_by_the_last_look_of_their_organiser() -> None:
    gauges = ConfirmedGauges(PARTITION, AuditRotation(cycle_ms=0, calls_per_minute=1))
    fresh = tracked(event("a", 1, rooms=2), event("b", 23), event("c", 25), looked_ago_ms=14 * MINUTE_MS)
    stale = tracked(event("a", 1), looked_ago_ms=15 * MINUTE_MS)
    gauges.show(lambda: [fresh, stale, tracked(event("a", 2), looked_ago_ms=0, provider="microsoft")], NOW_MS)
    assert (value("upcoming", "google"), value("confirmed", "google")) == (4, 3)
    assert (value("upcoming", "microsoft"), value("confirmed", "microsoft")) == (1, 1)
    gauges.show(lambda: [fresh], NOW_MS + SHOW_EVERY_MS - 1)
    assert value("upcoming", "google") == 4, "it is not time"
    gauges.show(lambda: [fresh], NOW_MS + DAY_MS)
    assert (value("upcoming", "google"), value("confirmed", "google")) == (1, 0)
    gauges.close()
    assert value("upcoming", "google") == 0


def test_guests_masters_and_what_is_over_ask_for_no_room() -> None:
    others = [
        event("guest", 1, is_organizer=False),
        event("series", 1, kind=EventKind.MASTER),
        event("over", -2),
    ]
    assert find_room_starts({each.event_id: each for each in others}, NOW_MS) == []


def test_dates_of_a_series_ask_for_its_rooms() -> None:
    master = event("series", -50, kind=EventKind.MASTER)
    date = EventReference(
        event_id="d", uid="", kind=EventKind.OCCURRENCE, master_id="series", is_organizer=True,
        start_ms=NOW_MS + HOUR_MS, end_ms=NOW_MS + 2 * HOUR_MS,
    )  # fmt: skip
    assert find_room_starts({"series": master, "d": date}, NOW_MS) == [NOW_MS + HOUR_MS]
