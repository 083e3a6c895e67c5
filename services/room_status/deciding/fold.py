"""
What one more observation changes: the meeting's record, the copy's record, and the declines that follow. Pure.

An observation replaces what its copy said before. For each date the fold asks, in this order:

1. Does the copy show the date, and may it speak of it? Then `speaking.rule` says whether its word is applied, kept in the
   copy's record, or cannot be ordered. A word that is applied changes the rooms by `room_transitions`.
2. Is it the organiser's copy, looked at, without a date that the look covered? Then the date was let go.
3. Was it the speaker, and cannot be believed about the date any more (withdrawn, blind, hidden, out of its window)? Then the
   copy that succeeds it speaks; without one the date is out of sight: its rooms are shown as unknown, and nothing is
   forgotten.
4. Otherwise it says nothing of the date.

Past dates leave the record first, by the observation's own time, so that deciding the same observations again gives the same
record. At the end it is asked of each date that has changed how its published declines have ended (`outcomes`). No clock is
read, and what other copies said is only opened where a speaker has to be succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import msgspec

from services.room_status.deciding.announcement import decline_event, outcome_event
from services.room_status.deciding.copies import (
    OtherCopies,
    copy_of,
    entry_of,
    is_long_past,
    keep_first_word,
    moved_out_of_sight,
    unheard_date,
)
from services.room_status.deciding.expiry import forget_past, mark_before
from services.room_status.deciding.outcomes import Ending, close_answered, close_past, mailboxes_asked, usual_grace_ms
from services.room_status.deciding.room_transitions import (
    Circumstances,
    add_unwitnessed,
    answer_room,
    asked_again_out_of_sight,
    drop_room,
    named_out_of_sight,
    out_of_sight,
    witness_before,
)
from services.room_status.deciding.speaking import (
    Ruling,
    agrees,
    confirmed_stamp,
    decided_stamp,
    is_overtaken,
    mailboxes_with_later_time,
    may_speak,
    rule,
    successor,
    unresolved_mailboxes,
    word_of,
)
from shared.contracts.copy_observation import CopyDate, CopyObservation, Sight
from shared.contracts.meeting_state import (
    OVER,
    CopyEntry,
    CopyRecord,
    DateRecord,
    MeetingRecord,
    RoomRecord,
    Word,
    current_decline,
)
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.crypto.meetings import StoredMeeting
from shared.domain.attendees import CopyRole
from shared.domain.keys import TenantKeys

RULES_VERSION = 3
"""Goes up with every change of this package that gives other declines for the same facts, and with every field of their event."""
EVERYTHING_MS = 1 << 52
"""A version-1 observation covers all time: it says nothing of where its window ended."""


@dataclass(frozen=True, slots=True)
class Change:
    """What follows from one observation."""

    record: MeetingRecord
    copy: CopyRecord | None
    """The observing mailbox' copy; None: it holds nothing of the meeting any more."""
    rooms: tuple[tuple[DateRecord, RoomRecord], ...] = ()
    """Whose public state changed."""
    declines: tuple[RoomDeclined, ...] = ()
    outcomes: tuple[RoomOutcome, ...] = ()
    """How published declines have ended."""
    forgotten: tuple[DateRecord, ...] = ()
    """Dates that are over."""
    owed: frozenset[str] = frozenset()
    """Mailboxes that have to be looked at again: their words could not be ordered."""


class DecisionRules(Protocol):
    """What makes a decision of an observation: `fold`, or the one that a replay tries out."""

    def __call__(self, meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
        """What one more observation changes; None when nothing."""
        ...


def fold(
    meeting: StoredMeeting,
    seen: CopyObservation,
    *,
    keys: TenantKeys,
    grace_ms: Callable[[str], int] = usual_grace_ms,
) -> Change | None:
    """
    Apply one observation.

    Args:
        meeting: As remembered; its copies may be opened when they are asked for.
        seen: The observation.
        keys: The tenant's.
        grace_ms: A provider → how long it is given to replace a room by itself.

    Returns:
        None when it changes nothing.
    """
    folding = _Folding(meeting, seen, keys, grace_ms)
    folding.run()
    return folding.change()


def rules_with(grace_ms: Callable[[str], int]) -> DecisionRules:
    """The rules under settings: `fold`, with the grace that they give each provider."""
    return partial(fold, grace_ms=grace_ms)


def is_fold(rules: DecisionRules) -> bool:
    """Whether these are the product's own rules, and none that a replay tries out."""
    return rules is fold or (isinstance(rules, partial) and rules.func is fold)


def fold_without_outcomes(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
    """As `fold`, by the rules before version 3: declines are the same, and nothing says how they end."""
    folding = _Folding(meeting, seen, keys, says_ends=False)
    folding.run()
    return folding.change()


@dataclass(slots=True)
class _Folding:
    """One observation on its way through the dates of a meeting."""

    meeting: StoredMeeting
    seen: CopyObservation
    keys: TenantKeys
    grace_ms: Callable[[str], int] = usual_grace_ms
    says_ends: bool = True
    before: CopyRecord | None = None
    copy: CopyRecord | None = None
    record: MeetingRecord = field(init=False)
    earlier: dict[str, DateRecord] = field(init=False)
    """Date → as it was before the observation, what was over by then closed."""
    endings: list[Ending] = field(default_factory=list)
    dates: dict[str, DateRecord] = field(init=False)
    forgotten: tuple[DateRecord, ...] = ()
    owed: set[str] = field(default_factory=set)
    others: Mapping[str, CopyRecord] = field(default_factory=dict)
    spoken: dict[str, int] = field(default_factory=dict)
    confirms: bool = False
    """Whether it says later of some date what another guest's copy had said."""
    words: dict[str, Word] = field(default_factory=dict)
    """Date → what the observing copy says of it and was not applied."""

    def run(self) -> None:
        """Walk over every date that the meeting or the copy knows."""
        now_ms = self.seen.observed_at_ms
        self.before = self.meeting.copies.get(self.seen.mailbox)
        self.others = OtherCopies(self.meeting.copies, self.seen.mailbox)
        self.record = self.meeting.record
        if self.says_ends:
            self.record, past = close_past(self.record, now_ms, self.keys)
            self.endings += past
        self.earlier = {date.ref: date for date in self.record.dates}
        self.record, self.forgotten = forget_past(self.record, now_ms, self.keys)
        if self.record.parked_baseline:
            self.seen = msgspec.structs.replace(self.seen, baseline=True)
        seen = self.seen
        self.record = _confirmed(_organized(self.record, seen, self._role()), seen)
        self.copy = copy_of(seen, self.before, self._role())
        self.dates = {date.ref: date for date in self.record.dates}
        self.spoken = dict(self.record.spoken)
        said = {date.ref: date for date in seen.dates if not is_long_past(date, now_ms)}
        refs = [*sorted(said, key=lambda ref: said[ref].start_ms), *(ref for ref in self.dates if ref not in said)]
        for ref in refs:
            after = self._after(self.dates.get(ref), said.get(ref))
            if after is not None and after.rooms:
                self.dates[ref] = after

    def change(self) -> Change | None:
        """What is different now."""
        before = self.meeting.record
        dates = tuple(map(self._closed, sorted(self.dates.values(), key=lambda date: (date.start_ms, date.ref))))
        speakers = {date.speaker for date in dates}
        is_baseline_owed = self.record.parked_baseline and not self._speaks()
        record = msgspec.structs.replace(
            self.record,
            dates=dates,
            spoken={mailbox: at_ms for mailbox, at_ms in sorted(self.spoken.items()) if mailbox in speakers},
            parked=False,
            parked_baseline=is_baseline_owed,
            parked_until_ms=(self.record.parked_until_ms or self.seen.observed_at_ms) if is_baseline_owed else 0,
        )
        copy = self._copy_after()
        if copy == self.before and _unstamped(record) == _unstamped(before) and not self.owed:
            return None
        if self.seen.mailbox in speakers and 0 < self.seen.window_end_ms < EVERYTHING_MS:
            record = msgspec.structs.replace(record, seen_until_ms=self.seen.window_end_ms)
        earlier = {(date.ref, room.room): room for date in before.dates for room in date.rooms}
        changed = [(date, room) for date in dates for room in date.rooms if room != earlier.get((date.ref, room.room))]
        return Change(
            record=record,
            copy=copy,
            rooms=tuple(
                (date, room) for date, room in changed if _public(room) != _public(earlier.get((date.ref, room.room)))
            ),
            declines=tuple(
                decline_event(room, date, record, self.keys)
                for date, room in changed
                if self._is_new_decline(date, room, earlier.get((date.ref, room.room)))
            ),
            outcomes=tuple(outcome_event(ending, record.meeting, self.keys) for ending in self.endings),
            forgotten=self.forgotten,
            owed=frozenset(self.owed),
        )

    def _closed(self, date: DateRecord) -> DateRecord:
        """The date, its declines closed that have ended."""
        if not self.says_ends:
            return date
        after, endings = close_answered(
            date,
            self.earlier.get(date.ref),
            self.record,
            now_ms=self.seen.observed_at_ms,
            asked=self._asked,
            grace_ms=self.grace_ms,
            keys=self.keys,
        )
        self.endings += endings
        return after

    def _asked(self, date: str) -> frozenset[str]:
        own = {self.copy.mailbox: self.copy} if self.copy else {}
        return mailboxes_asked(self.record, date, {**self.others, **own})

    def _speaks(self) -> bool:
        """Whether the observing copy can be believed about some date."""
        return self.copy is not None and any(may_speak(self.copy, entry) for entry in self.copy.dates)

    def _role(self) -> CopyRole:
        """
        An observation without dates does not know whose copy it is, but for one that its mailbox organised when it left.

        Somebody else may organise the meeting by now.
        """
        seen, organizer = self.seen, self.meeting.record.organizer_mailbox
        if seen.dates or not organizer:
            return seen.role
        return CopyRole.ORGANIZER if seen.mailbox == organizer else CopyRole.GUEST

    def _after(self, date: DateRecord | None, said: CopyDate | None) -> DateRecord | None:
        """What becomes of one date; None where nothing of it has to be remembered."""
        after = self._heard(date, said)
        if after is None and said is not None and said.rooms:
            after = unheard_date(said)
        return after if after is None or after.in_sight else self._named(after, said)

    def _heard(self, date: DateRecord | None, said: CopyDate | None) -> DateRecord | None:
        if said is not None and self.copy is not None and may_speak(self.copy, entry_of(said)):
            return self._ruled(date, said, word_of(said, self.seen), self.copy)
        if date is None or date.ends <= self.seen.observed_at_ms:
            self._ask_for_later_time(date)
            return date  # nobody clears a calendar backwards: a past date keeps its last state
        if said is None and self._lets_go(date):
            if self._is_stale(date):
                self.owed.add(self.seen.mailbox)
                return date
            return self._let_go(date)
        if date.in_sight and date.speaker == self.seen.mailbox:
            return self._succeeded(date)
        return date

    def _ask_for_later_time(self, date: DateRecord | None) -> None:
        """The speaker of a past date is gone: whoever shows the date at a later time is looked at anew."""
        is_gone = self.seen.sight is not Sight.READ
        if date is not None and is_gone and date.in_sight and date.speaker == self.seen.mailbox:
            self.owed |= {*mailboxes_with_later_time(date, self.seen.observed_at_ms, self.others)}

    def _ruled(self, date: DateRecord | None, said: CopyDate, word: Word, copy: CopyRecord) -> DateRecord | None:
        ruling = rule(word, copy, date, self.record, self.others)
        if date is None or ruling is Ruling.APPLIED:
            if date is not None and is_overtaken(word, copy, date, self.record.spoken):
                self.owed.add(copy.mailbox)
            return self._applied(date or unheard_date(said), word, copy)
        self.confirms = self.confirms or ruling is Ruling.CONFIRMED
        self.owed |= {copy.mailbox} if ruling is Ruling.OWED else set()
        if not agrees(word, date):
            self.words[said.ref] = word
        rooms = tuple(witness_before(room, word, self.keys) for room in date.rooms)
        return msgspec.structs.replace(date, rooms=rooms)

    def _applied(self, date: DateRecord, word: Word, copy: CopyRecord) -> DateRecord:
        """The copy's word is what is decided of the date."""
        now_ms, organizes = self.seen.observed_at_ms, copy.role is CopyRole.ORGANIZER
        known = {room.room: room for room in date.rooms}
        plain = Circumstances(now_ms, organizes)
        rooms = {
            name: answer_room(known.get(name), name, word, self._circumstances(plain, date, word, name), self.keys)
            for name in sorted(word.answers)
        }
        past = max(date.ends, word.ends_ms or word.end_ms) <= now_ms  # what is moved out of the past is not over
        rooms |= {
            name: drop_room(room, plain, held=True, sequence=word.sequence, past=past)
            for name, room in known.items()
            if name not in rooms
        }
        spoken_ms = word.observed_at_ms
        if date.speaker not in {"", copy.mailbox}:
            spoken_ms = max(spoken_ms, self.spoken.get(date.speaker, 0))
        self.spoken[copy.mailbox] = max(self.spoken.get(copy.mailbox, 0), spoken_ms)
        return DateRecord(
            ref=date.ref,
            start_ms=word.start_ms,
            end_ms=word.end_ms,
            begins_ms=word.begins_ms,
            ends_ms=word.ends_ms,
            seats=word.seats or date.seats,
            sequence=word.sequence,
            speaker=copy.mailbox,
            in_sight=True,
            rooms=tuple(rooms[name] for name in sorted(rooms)),
        )

    def _circumstances(self, plain: Circumstances, date: DateRecord, word: Word, room: str) -> Circumstances:
        entering = date.ref not in self.dates and 0 < self.record.seen_until_ms <= (word.begins_ms or word.start_ms)
        if not entering:
            return plain
        mark = mark_before(self.record, self.dates, word.start_ms, room, self.keys)
        return replace(plain, entering=mark)

    def _lets_go(self, date: DateRecord) -> bool:
        """Whether this is the organiser's copy, and has looked where the date was."""
        return self._role() is CopyRole.ORGANIZER and self.seen.covers(date.begins, date.ends)

    def _is_stale(self, date: DateRecord) -> bool:
        """Whether another copy has said something of the date since this one was looked at."""
        decided_ms = decided_stamp(date, self.record.spoken)[1]
        return date.speaker != self.seen.mailbox and decided_ms > self.seen.observed_at_ms

    def _let_go(self, date: DateRecord) -> DateRecord:
        at = Circumstances(self.seen.observed_at_ms, organizes=True)
        rooms = (drop_room(room, at, held=False, sequence=date.sequence, past=False) for room in date.rooms)
        self.spoken[self.seen.mailbox] = max(self.spoken.get(self.seen.mailbox, 0), self.seen.observed_at_ms)
        return msgspec.structs.replace(date, rooms=tuple(rooms), speaker=self.seen.mailbox, in_sight=True)

    def _succeeded(self, date: DateRecord) -> DateRecord:
        """The speaker cannot be believed about the date any more."""
        found = successor(date, self.record.spoken, self.others)
        if found is None:
            self.owed |= set(unresolved_mailboxes(date, self.others))
            rooms = tuple(out_of_sight(room, self.seen.observed_at_ms) for room in date.rooms)
            return msgspec.structs.replace(date, in_sight=False, rooms=rooms)
        copy, word = found
        if word is not None:
            return self._applied(date, word, copy)
        self.owed.add(copy.mailbox)  # what it said may be older than what was decided, and the same is not sent again
        _, confirmed_ms = confirmed_stamp(date, self.record.spoken, self.others)
        self.spoken[copy.mailbox] = max(self.spoken.get(copy.mailbox, 0), confirmed_ms)
        return msgspec.structs.replace(date, speaker=copy.mailbox)

    def _named(self, date: DateRecord, said: CopyDate | None) -> DateRecord:
        """A date of which nobody can be believed: its rooms are those that some connected copy names."""
        now_ms = self.seen.observed_at_ms
        if said is not None:
            date = moved_out_of_sight(date, said)
        known = {room.room: room for room in date.rooms}
        earlier = next((entry for entry in self.before.dates if entry.ref == date.ref), None) if self.before else None
        names = set(said.rooms) if said else set[str]()
        for name in sorted(names):
            room = known.get(name) or add_unwitnessed(name, date.start_ms, date.end_ms, now_ms)
            again = room.answer in OVER and earlier is not None and name not in earlier.rooms
            known[name] = (
                asked_again_out_of_sight(room, now_ms) if again else named_out_of_sight(room, now_ms, named=True)
            )
        for name in self._no_longer_named(date, said, earlier):
            known[name] = named_out_of_sight(known[name], now_ms, named=False)
        return msgspec.structs.replace(date, rooms=tuple(known[name] for name in sorted(known)))

    def _no_longer_named(self, date: DateRecord, said: CopyDate | None, earlier: CopyEntry | None) -> set[str]:
        if said is None or not said.credible or earlier is None:
            return set()
        lost = set(earlier.rooms) - set(said.rooms)
        lost &= {room.room for room in date.rooms}
        if not lost:
            return lost
        entries = (entry for copy in self.others.values() for entry in copy.dates if entry.ref == date.ref)
        return lost - {name for entry in entries for name in entry.rooms}

    def _copy_after(self) -> CopyRecord | None:
        """The copy's record, without dates that need no memory, and with the words that were not applied."""
        if self.copy is None or self.seen.sight is not Sight.READ:
            return self.copy
        earlier = {entry.ref: entry.word for entry in self.before.dates} if self.before else {}
        dates = tuple(
            msgspec.structs.replace(entry, word=keep_first_word(self.words.get(entry.ref), earlier.get(entry.ref)))
            for entry in self.copy.dates
            if entry.rooms or entry.ref in self.dates
        )
        confirmed_ms = self.before.confirmed_at_ms if self.before else 0
        if self.confirms:
            confirmed_ms = self.seen.observed_at_ms
        return msgspec.structs.replace(self.copy, dates=dates, confirmed_at_ms=confirmed_ms) if dates else None

    def _is_new_decline(self, date: DateRecord, room: RoomRecord, earlier: RoomRecord | None) -> bool:
        decline = current_decline(self.record.meeting, date.ref, room, self.keys)
        known = current_decline(self.record.meeting, date.ref, earlier, self.keys) if earlier else ""
        return bool(decline) and decline != known


def _organized(record: MeetingRecord, seen: CopyObservation, role: CopyRole) -> MeetingRecord:
    organizes = role is CopyRole.ORGANIZER and seen.sight is not Sight.WITHDRAWN
    mailbox = record.organizer_mailbox
    if organizes:
        mailbox = seen.mailbox
    elif mailbox == seen.mailbox and seen.sight is not Sight.BLIND:
        mailbox = ""
    return msgspec.structs.replace(record, organizer=seen.organizer or record.organizer, organizer_mailbox=mailbox)


def _confirmed(record: MeetingRecord, seen: CopyObservation) -> MeetingRecord:
    """A speaker's word held until its mailbox's last look: what others saw before that look is older."""
    if seen.unchanged_until_ms <= record.spoken.get(seen.mailbox, seen.unchanged_until_ms):
        return record
    return msgspec.structs.replace(record, spoken={**record.spoken, seen.mailbox: seen.unchanged_until_ms})


def _unstamped(record: MeetingRecord) -> MeetingRecord:
    """What has to differ for a record to be written: not the moments of looks that showed nothing new."""
    return msgspec.structs.replace(record, spoken={}, seen_until_ms=0)


def _public(room: RoomRecord | None) -> tuple[object, ...] | None:
    return (room.state, room.start_ms, room.end_ms, room.since_ms) if room else None
