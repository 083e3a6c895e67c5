"""
Whose word counts, date by date. Pure.

Within one copy the log's order alone decides. Between copies:

- The organiser's copy speaks while it can be looked at and shows the date credibly. Once it holds nothing of the meeting any
  more, nobody says whether it is still connected: a guest's word then counts where both its `sequence` and its look are later,
  because a meeting can be restored.
- Otherwise, at Google alone, a guest's copy that shows the guest list speaks: the higher `sequence`, else the later look. At
  Microsoft a guest's copy does not carry other attendees' answers (microsoftgraph/microsoft-graph-docs#5281).
- An older word of another copy never takes a date back. Where two words are of the same moment and differ, none is applied.

A copy's word that was not applied is kept in its record if it differs from what was decided, so that it decides at once when
the speaker leaves, goes blind or loses the date, unless its look was before the speaker's last one: then its mailbox is looked
at anew. So is that of a copy without such a word, which succeeds at once. A guest's copy that loses a date says nothing of the
meeting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from services.room_status.deciding.room_transitions import answer_to
from shared.contracts.copy_observation import CopyDate, CopyObservation, Sight
from shared.contracts.meeting_state import OVER, CopyEntry, CopyRecord, DateRecord, MeetingRecord, Word
from shared.domain.attendees import CopyRole
from shared.providers.catalogue import profile_of

Stamp = tuple[int, int]
"""Google's sequence and when the look began: orders the words of different copies."""


class Ruling(StrEnum):
    """What becomes of one copy's word on a date."""

    APPLIED = "applied"
    CONFIRMED = "confirmed"
    """It says later what another guest's copy said before."""
    KEPT = "kept"
    """Another copy speaks."""
    OWED = "owed"
    """It cannot be ordered against what was decided: its mailbox has to be looked at again."""


def may_speak(copy: CopyRecord, entry: CopyEntry) -> bool:
    """Whether a copy can be believed about the rooms of a date now."""
    believed = copy.role is CopyRole.ORGANIZER or profile_of(copy.provider).traits.guests_see_answers
    return copy.sight is Sight.READ and entry.credible and believed


def word_of(date: CopyDate, seen: CopyObservation) -> Word:
    """What an observation says of one of its dates."""
    return Word(
        start_ms=date.start_ms,
        end_ms=date.end_ms,
        begins_ms=date.begins_ms,
        ends_ms=date.ends_ms,
        answers=date.rooms,
        answered=date.answered,
        seats=date.seats,
        sequence=date.sequence,
        observed_at_ms=seen.observed_at_ms,
        baseline=seen.baseline,
    )


def agrees(word: Word, date: DateRecord) -> bool:
    """Whether a word says of time and rooms what was decided."""
    decided = {room.room: room for room in date.rooms if room.answer not in {None, *OVER}}
    said = {room: answer_to(decided.get(room), room, word) for room in word.answers}
    time = (word.start_ms, word.end_ms)
    if (date.start_ms, date.end_ms) != time or said.keys() != decided.keys():
        return False
    return all(
        room.answer is said[name] and (room.start_ms, room.end_ms) == time and not room.unconfirmed
        for name, room in decided.items()
    )


def stamp_of(word: Word) -> Stamp:
    """Where a word stands among those of other copies."""
    return word.sequence, word.observed_at_ms


def decided_stamp(date: DateRecord, spoken: Mapping[str, int]) -> Stamp:
    """Where the word that was applied last stands. `spoken`: see `MeetingRecord`."""
    return date.sequence, spoken.get(date.speaker, 0)


def confirmed_stamp(date: DateRecord, spoken: Mapping[str, int], copies: Mapping[str, CopyRecord]) -> Stamp:
    """Where what was decided stands with the looks that confirmed it since. Opens every copy."""
    looks = [copy.confirmed_at_ms for copy, entry in _able(date.ref, copies) if entry.word is None]
    sequence, applied_ms = decided_stamp(date, spoken)
    return sequence, max([applied_ms, *looks])


def rule(
    word: Word, copy: CopyRecord, date: DateRecord | None, record: MeetingRecord, others: Mapping[str, CopyRecord]
) -> Ruling:
    """
    What becomes of the word that `copy`, which may speak, has just said of a date.

    Args:
        others: The meeting's other copies; opened only for a guest's word that is news.
    """
    if date is None or date.speaker in {"", copy.mailbox}:
        return Ruling.APPLIED
    organizes = copy.role is CopyRole.ORGANIZER
    if not organizes and date.in_sight and date.speaker == record.organizer_mailbox:
        is_later = word.sequence > date.sequence and word.observed_at_ms > record.spoken.get(date.speaker, 0)
        restored = is_later and date.speaker not in others
        return Ruling.APPLIED if restored else Ruling.KEPT
    said, decided = stamp_of(word), decided_stamp(date, record.spoken)
    if agrees(word, date) and word.sequence <= date.sequence:
        if organizes or not date.in_sight:
            return Ruling.APPLIED
        return Ruling.CONFIRMED if said > decided else Ruling.KEPT
    if said > decided and not organizes:
        decided = confirmed_stamp(date, record.spoken, others)
    if said > decided or (organizes and said == decided):
        return Ruling.APPLIED
    return Ruling.OWED if said == decided or not date.in_sight else Ruling.KEPT


def is_overtaken(word: Word, copy: CopyRecord, date: DateRecord, spoken: Mapping[str, int]) -> bool:
    """
    Whether a guest's word, though it brings a date back into sight, is from before what was decided.

    It was on its way when the speaker left: its calendar may show something else since. `spoken`: see `MeetingRecord`.
    """
    succeeds = not date.in_sight and date.speaker not in {"", copy.mailbox}
    return succeeds and copy.role is CopyRole.GUEST and stamp_of(word) <= decided_stamp(date, spoken)


def successor(
    date: DateRecord, spoken: Mapping[str, int], copies: Mapping[str, CopyRecord]
) -> tuple[CopyRecord, Word | None] | None:
    """
    The copy that speaks of a date now that its speaker does not, and the word to apply; None as word: what was decided stands.

    Args:
        spoken: See `MeetingRecord`.
        copies: The other connected copies.

    Returns:
        None when nobody can be believed.
    """
    able = list(_able(date.ref, copies))
    decided = confirmed_stamp(date, spoken, copies)
    newer = [(copy, entry.word) for copy, entry in able if entry.word and stamp_of(entry.word) > decided]
    if newer:
        return max(newer, key=lambda each: (each[0].role is CopyRole.ORGANIZER, stamp_of(each[1]), each[0].mailbox))
    agreeing = [copy for copy, entry in able if entry.word is None]
    return (
        (min(agreeing, key=lambda copy: (copy.role is not CopyRole.ORGANIZER, copy.mailbox)), None)
        if agreeing
        else None
    )


def unresolved_mailboxes(date: DateRecord, copies: Mapping[str, CopyRecord]) -> Iterator[str]:
    """Mailboxes that hold a date credibly with a word older than what was decided: a look at them would settle it."""
    return (copy.mailbox for copy, _ in _able(date.ref, copies))


def mailboxes_with_later_time(date: DateRecord, now_ms: int, copies: Mapping[str, CopyRecord]) -> Iterator[str]:
    """Mailboxes whose word, which was not applied, has moved a past date to a time that is not over by `now_ms`."""
    for copy, entry in _able(date.ref, copies):
        if entry.word and (entry.word.ends_ms or entry.word.end_ms) > now_ms:
            yield copy.mailbox


def _able(ref: str, copies: Mapping[str, CopyRecord]) -> Iterator[tuple[CopyRecord, CopyEntry]]:
    for mailbox in sorted(copies):
        copy = copies[mailbox]
        entry = next((each for each in copy.dates if each.ref == ref), None)
        if entry is not None and may_speak(copy, entry):
            yield copy, entry
