"""
How records and writes grow with a meeting: `python -m benchmarks.bench_growth`.

The deciding alone, without servers: what one person's answer at Google writes when so many of 500 people are connected, and how
large the record of a running series is after years. That series on three brokers is `python -m benchmarks.bench_series`.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.series import NOW_MS, ROOMS, WINDOW, dates_seen, observation_record, observed_series
from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import decide
from services.room_status.deciding.memory import Memory
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.people import Snapshots, follow_people
from services.sync_worker.deciding.references import Merge, References, changed_meetings, merge, observe
from services.sync_worker.memory import reference_change, snapshot_changes
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.meeting_state import meeting_key
from shared.domain.attendees import Answer
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS
from shared.domain.keys import TenantKeys
from shared.domain.sighting import Look, SeenEvent

KEYS = TenantKeys("t-0000000000000001", b"d" * 32, b"h" * 32, b"c" * 32)
MAILBOX = Mailbox(KEYS.tenant, "m-1")


def main() -> int:
    """Measure, and print a table."""
    print("| what | figure |\n| --- | --- |")
    for connected in (10, 50, 100, 500):
        observed, kept, largest = _one_answer(connected)
        print(
            f"| a person's answer to every date at Google, {connected} connected: observations, references and people, "
            f"largest record of the meeting | {observed:,} B, {kept:,} B, {largest:,} B |",
            flush=True,
        )
    first, changed = _written_for_a_date()
    print(f"| the same, to one date: references and people | {changed:,} B |")
    print(
        f"| that series' first look, its organiser's copy: references, people, largest record of these | "
        f"{sum(first[0]):,} B in {len(first[0])} records, {sum(first[1]):,} B in {len(first[1])}, {max(first[1]):,} B |",
        flush=True,
    )
    for years in (0, 1, 3):
        print(
            f"| record of a daily series with one room after {years} years | {_running_series(years):,} B |", flush=True
        )
    return 0


def _one_answer(connected: int) -> tuple[int, int, int]:
    """One of 500 people answers, and everybody's look brings 60 changed dates: observations, references, largest record."""
    memory = Memory({})
    _decided(memory, KEYS, [observed_series(KEYS, number, Answer.NONE, NOW_MS + number) for number in range(connected)])
    organiser, guest = _written_for_an_answer(organizes=True), _written_for_an_answer(organizes=False)
    observed, kept = (one + (connected - 1) * other for one, other in zip(organiser, guest, strict=True))
    return observed, kept, max(map(len, memory.values()))


def _written_for_an_answer(*, organizes: bool) -> tuple[int, int]:
    """What the look of one mailbox writes: bytes of observations, bytes of references and people."""
    held = _Copy()
    held.look(dates_seen(Answer.NONE, organizes=organizes))
    before = held.references
    merged, written = held.look(dates_seen(Answer.ACCEPTED, organizes=organizes))
    changed = changed_meetings(before, merged.references, merged.meetings, keys=KEYS)
    looks = observe(
        merged.references, changed, provider="google", mailbox=MAILBOX.id, keys=KEYS, now_ms=NOW_MS, baseline=False,
        window=WINDOW,
    )  # fmt: skip
    return sum(len(observation_record(KEYS, look, 0).value or b"") for look in looks), sum(map(sum, written))


def _written_for_a_date() -> tuple[tuple[list[int], list[int]], int]:
    """What the organiser's copy writes: sizes of references and people at its first look, and bytes for one answer to one date."""
    held = _Copy()
    _, first = held.look(dates_seen(Answer.NONE, organizes=True))
    _, written = held.look(dates_seen(Answer.ACCEPTED, organizes=True)[30:31])
    return first, sum(map(sum, written))


class _Copy:
    """What one mailbox keeps, look by look."""

    def __init__(self) -> None:
        self.references: References = {}
        self.snapshots: Snapshots = {}

    def look(self, seen: Sequence[SeenEvent]) -> tuple[Merge, tuple[list[int], list[int]]]:
        """What a look makes of it, and the sizes of the references and of the pieces of people that it writes."""
        merged = _merged(self.references, seen)
        people = follow_people(self.snapshots, self.references, merged, KEYS)
        references = [reference_change(MAILBOX, one, merged.references[one], KEYS) for one in merged.changed]
        pieces = [
            each for name, one in people.changed.items() for each in snapshot_changes(MAILBOX, name, one, KEYS)
        ]  # fmt: skip
        self.references, self.snapshots = merged.references, people.snapshots
        return merged, ([len(one.value or b"") for one in references], [len(one.value or b"") for one in pieces])


def _merged(known: References, seen: Sequence[SeenEvent]) -> Merge:
    rooms = ListedRooms({f"room-{number}@x.test": KEYS.room(str(number)) for number in range(ROOMS)})
    return merge(known, Look(tuple(seen), "c", full=False), window=WINDOW, provider="google", keys=KEYS, rooms=rooms)


def _running_series(years: int) -> int:
    """A date a day, looked at every month: the meeting's record at the end."""
    memory = Memory({})
    for month in range(years * 12 + 1):
        now_ms = NOW_MS + month * 30 * DAY_MS
        _decided(memory, KEYS, [observed_series(KEYS, 0, Answer.ACCEPTED, now_ms, rooms=1, first_day=month * 30)])
    return len(memory[meeting_key(KEYS.tenant, KEYS.meeting("google", "stand-up"))])


def _decided(memory: Memory, keys: TenantKeys, looks: Sequence[CopyObservation]) -> list[Batch]:
    records, batches = [observation_record(keys, look, offset) for offset, look in enumerate(looks)], []
    while records:
        batch = decide(records, memory, partition=0, keys_of=lambda _: keys, told=frozenset())
        memory.apply(batch.changes)
        records = records[batch.handled :]
        batches.append(batch)
    return batches


if __name__ == "__main__":
    raise SystemExit(main())
