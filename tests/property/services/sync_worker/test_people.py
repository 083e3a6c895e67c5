"""Whatever happens to a series and its guests: what is read back of its people is what the last look named, in small pieces."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sync_worker.deciding import people as following
from services.sync_worker.deciding import snapshots as cutting
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.people import Snapshots, event_name, follow_people, series_name, series_of
from services.sync_worker.deciding.records import event_changes
from services.sync_worker.deciding.references import References, merge, reference_of
from services.sync_worker.deciding.snapshots import Pieces, Snapshot, cut_snapshot, read_snapshot
from services.sync_worker.memory import reference_change, restore_mailboxes, snapshot_changes, state_change
from shared.contracts.attendee_snapshot import SnapshotPiece
from shared.contracts.calendar_state import MailboxState
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, Look, SeenEvent, SeenRemoval, Window
from tests.support.builders import KEYS, NOW_MS

MAILBOX = Mailbox(KEYS.tenant, "m-ada")
ROOMS = ListedRooms({})
WINDOW = Window(0, 1 << 52)
DATES, GUESTS = 5, 12
SMALL = 150
"""Bytes of a piece: three people, so that pieces divide and come together."""

dates = st.integers(0, DATES - 1)
guests = st.integers(0, GUESTS - 1)
answers = st.sampled_from([None, *Answer])
steps = st.one_of(
    st.tuples(st.just("answers a date"), guests, dates, answers),
    st.tuples(st.just("answers the series"), guests, st.just(0), answers),
    st.tuples(st.just("goes"), guests, dates, st.none()),
    st.tuples(st.just("comes"), guests, dates, answers),
    st.tuples(st.just("is somebody else's"), guests, dates, st.none()),
    st.tuples(st.just("owner dies"), guests, dates, st.none()),
)
deaths = st.none() | st.integers(0, 9)
"""How many records of a look are written before its owner dies."""


class Calendar:
    """The organiser's calendar as it is, and what the sync worker keeps of it."""

    def __init__(self) -> None:
        self.events: dict[int, dict[int, Answer]] = {date: {} for date in range(2)}
        self.foreign: set[int] = set()
        self.references: References = {}
        self.snapshots: Snapshots = {}
        self.records: dict[bytes, bytes] = {}
        self.shown: dict[int, SeenEvent] = {}
        """What the last look that was written to its end has shown."""

    def apply(self, what: str, guest: int, date: int, answer: Answer | None) -> None:
        """Do one thing that may happen to a series."""
        if what == "owner dies":
            self.restore()
        elif what == "goes":
            self.events.pop(date, None)
        elif what == "comes":
            self.events.setdefault(date, dict(self.events.get(0, {})))
        elif what == "is somebody else's":
            self.foreign ^= {date}
        else:
            for each in [date] if what == "answers a date" else self.events:
                if each in self.events:
                    self.events[each].pop(guest, None)
                    self.events[each] |= {guest: answer} if answer else {}

    def seen(self, date: int) -> SeenEvent:
        """One date as the provider shows it."""
        people = [SeenAttendee(f"{n}@x.test", AttendeeKind.PERSON, answer) for n, answer in self.events[date].items()]
        return SeenEvent(
            event_id=f"e-{date}", uid="series", kind=EventKind.OCCURRENCE, master_id="series", slot=str(date),
            start_ms=NOW_MS + date * DAY_MS, end_ms=NOW_MS + date * DAY_MS + HOUR_MS, cancelled=False,
            is_organizer=date not in self.foreign, organizer="ada@x.test", shows_guests=True, attendees=tuple(people),
            version=msgspec.json.encode(self.events[date]).hex(),
        )  # fmt: skip

    def look(self, *, full: bool, written: int | None = None) -> list[bytes]:
        """
        Look at all of it or at what has changed, and write what changes: the keys that are written.

        Args:
            full: Whether at all of it.
            written: Of so many records, after which the owner dies; the next one repeats the look. None: of all.
        """
        known, now = self.references, {date: self.seen(date) for date in self.events}
        gone = [SeenRemoval(f"e-{date}") for date in self.shown if date not in now]
        news = [event for date, event in now.items() if event != self.shown.get(date)]
        seen = [*now.values()] if full else [*news, *gone]
        merged = merge(
            known, Look(tuple(seen), "c", full=full), window=WINDOW, provider="google", keys=KEYS, rooms=ROOMS
        )
        people = follow_people(self.snapshots, known, merged, KEYS)
        by_series = {name: snapshot_changes(MAILBOX, name, each, KEYS) for name, each in people.changed.items()}
        by_event = event_changes(MAILBOX, merged, people.events, by_series, KEYS)
        changes = [change for each in by_event.values() for change in each]
        for change in changes[:written]:
            self.records.pop(change.key, None)
            if change.value is not None:
                self.records[change.key] = change.value
        if written is not None:
            self.restore()
            return self.look(full=full)
        self.references, self.snapshots, self.shown = merged.references, people.snapshots, now
        return [change.key for change in changes]

    def restore(self) -> None:
        """Another owner reads what was written."""
        own = state_change(MAILBOX, MailboxState(provider="google"), KEYS)
        keyring = SimpleNamespace(keys=lambda _: KEYS)
        restored = restore_mailboxes(self.records | {own.key: own.value or b""}, keyring).held[MAILBOX]
        self.references, self.snapshots = restored.references, restored.snapshots

    def write_as_before(self) -> None:
        """What an earlier version kept: people in each reference."""
        for date in self.events:
            reference = reference_of(self.seen(date), provider="google", keys=KEYS, rooms=ROOMS)
            change = reference_change(MAILBOX, f"e-{date}", reference, KEYS)
            self.records[change.key] = change.value or b""
        self.restore()

    def remembered(self, event_id: str) -> Mapping[str, Answer] | None:
        """The people of one event, as they are read back; None: nobody's."""
        reference = self.references[event_id]
        if not reference.people_apart:
            return reference.people
        name = event_name(event_id, KEYS)
        pieces = self.snapshots.get(series_name(series_of(reference), KEYS), {})
        return read_snapshot(pieces.values(), [name])[name]

    def check(self) -> None:
        """What is kept is what the calendar shows, and nothing else; no piece is larger than it may be."""
        apart = {}
        for date, people in self.events.items():
            wanted = {KEYS.person(f"{guest}@x.test"): answer for guest, answer in people.items()}
            assert self.remembered(f"e-{date}") == (None if date in self.foreign else wanted)
            if self.references[f"e-{date}"].people_apart:
                apart[event_name(f"e-{date}", KEYS)] = wanted
        name = series_name("series", KEYS)
        pieces = self.snapshots.get(name, {})
        assert pieces == cut_snapshot(name, apart), "what was there before is left, or it follows from what came before"
        assert all(len(each.people) == 1 or len(msgspec.json.encode(each.people)) <= SMALL for each in pieces.values())


def _keeps_pieces(before: Pieces, after: Pieces) -> dict[str, SnapshotPiece | None]:
    return {bits: after[bits] for bits in after if before.get(bits) != after[bits]}


def _writes_all(before: Pieces, after: Pieces) -> dict[str, SnapshotPiece | None]:
    return {bits: after.get(bits) for bits in {*before, *after}}


def _only_adds(snapshot: Snapshot, events: Collection[str], people: Snapshot, keys: TenantKeys) -> Snapshot:
    """Whoever was invited once stays."""
    found = newest(snapshot, events, people, keys)
    return {name: {**snapshot.get(name, {}), **answers} for name, answers in found.items()}


newest = following._newest
PLANTED = {
    "pieces that are no longer wanted stay": ("changed_pieces", _keeps_pieces),
    "every piece is written for one answer": ("changed_pieces", _writes_all),
    "whoever is uninvited stays": ("_newest", _only_adds),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PIECE_BYTES", SMALL)
    monkeypatch.setattr(following, *PLANTED[fault])
    calendar = Calendar()
    calendar.look(full=True)

    def play() -> None:
        for guest in range(GUESTS):
            calendar.apply("answers the series", guest, 0, Answer.NONE)
            calendar.look(full=False)
        calendar.apply("answers the series", 3, 0, Answer.ACCEPTED)
        assert len(calendar.look(full=False)) in {1, 3}, "one answer is one piece, or one that divides"
        for guest in range(GUESTS):
            calendar.apply("answers the series", guest, 0, None)
            calendar.look(full=False)
            calendar.restore()
            calendar.check()

    with pytest.raises(AssertionError):
        play()
    monkeypatch.undo()
    monkeypatch.setattr(cutting, "PIECE_BYTES", SMALL)
    calendar = Calendar()
    calendar.look(full=True)
    play()


@pytest.mark.proves("D6", "M7")
@pytest.mark.parametrize("written", range(4))
def test_owner_that_dies_while_pieces_divide_or_come_together_loses_nobody(
    written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "PIECE_BYTES", SMALL)
    calendar = Calendar()
    calendar.look(full=True)
    for answer in (Answer.ACCEPTED, None):
        for guest in range(GUESTS):
            for date in (1, 0):
                calendar.apply("answers a date", guest, date, answer)
                calendar.look(full=False, written=written)
                calendar.check()


@pytest.mark.proves("D6", "M7")
@pytest.mark.parametrize("written", range(4))
def test_owner_that_dies_while_it_deletes_a_series_leaves_no_answer_behind(written: int) -> None:
    calendar = Calendar()
    calendar.apply("answers the series", 0, 0, Answer.ACCEPTED)
    calendar.look(full=True)
    calendar.check()
    calendar.events.clear()
    calendar.look(full=False, written=written)
    calendar.check()
    assert calendar.records == {}


@pytest.mark.proves("D6", "M7")
@settings(max_examples=150, deadline=None)
@given(history=st.lists(st.tuples(steps, st.booleans(), deaths), max_size=25), taken_over=st.booleans())
def test_what_is_read_back_of_people_is_what_was_seen_last(
    history: list[tuple[tuple[str, int, int, Answer | None], bool, int | None]], taken_over: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "PIECE_BYTES", SMALL)
        calendar = Calendar()
        if taken_over:
            calendar.events = {date: dict.fromkeys(range(6), Answer.NONE) for date in range(3)}
            calendar.write_as_before()
            assert calendar.look(full=True) == [], "what an earlier version wrote stays until it changes"
        else:
            calendar.look(full=True)
        calendar.check()
        for step, full, written in history:
            calendar.apply(*step)
            calendar.look(full=full, written=written)
            calendar.check()
            assert calendar.look(full=full) == [], "a calendar in which nothing changed is written anew"
        calendar.restore()
        calendar.check()
        assert len(calendar.records) == len(calendar.references) + sum(map(len, calendar.snapshots.values()))
