"""Makes the kept records of a copy and of its dates out of one observation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from services.room_status.deciding.expiry import is_over
from shared.contracts.copy_observation import CopyDate, CopyObservation, Sight
from shared.contracts.meeting_state import CopyEntry, CopyRecord, DateRecord, Word
from shared.domain.attendees import CopyRole


class OtherCopies(Mapping[str, CopyRecord]):
    """The copies of a meeting but for one, opened when they are asked for."""

    def __init__(self, copies: Mapping[str, CopyRecord], without: str) -> None:
        """`without` names the mailbox that is left out."""
        self._copies = copies
        self._without = without

    def __getitem__(self, mailbox: str) -> CopyRecord:
        """Raises KeyError, also for the one that is left out."""
        if mailbox == self._without:
            raise KeyError(mailbox)
        return self._copies[mailbox]

    def __iter__(self) -> Iterator[str]:
        """By name."""
        return iter(sorted(mailbox for mailbox in self._copies if mailbox != self._without))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._copies) - (self._without in self._copies)


def copy_of(seen: CopyObservation, before: CopyRecord | None, role: CopyRole) -> CopyRecord | None:
    """Make a copy's record of what was just observed of it, no word kept yet; None: it holds nothing of the meeting."""
    match seen.sight:
        case Sight.WITHDRAWN:
            return None
        case Sight.BLIND:
            return msgspec.structs.replace(before, sight=Sight.BLIND) if before else None
        case Sight.READ:
            entries = [entry_of(date) for date in seen.dates if not is_long_past(date, seen.observed_at_ms)]
            return CopyRecord(
                mailbox=seen.mailbox,
                provider=seen.provider,
                role=role,
                dates=tuple(sorted(entries, key=lambda entry: entry.ref)),
                version=before.version if before else 0,
            )


def entry_of(date: CopyDate) -> CopyEntry:
    """Say what a copy's record holds of a date."""
    return CopyEntry(
        ref=date.ref,
        event_id=date.event_id,
        rooms=tuple(sorted(date.rooms)),
        credible=date.credible,
        can_change=date.can_change,
    )


def unheard_date(said: CopyDate) -> DateRecord:
    """A date of which no word was applied yet."""
    return DateRecord(
        ref=said.ref, start_ms=said.start_ms, end_ms=said.end_ms, begins_ms=said.begins_ms, ends_ms=said.ends_ms
    )


def moved_out_of_sight(date: DateRecord, said: CopyDate) -> DateRecord:
    """A date of which nobody can be believed is still where the calendars show it. What was witnessed keeps its own time."""
    unwitnessed_rooms = tuple(
        msgspec.structs.replace(room, start_ms=said.start_ms, end_ms=said.end_ms) if room.answer is None else room
        for room in date.rooms
    )
    return msgspec.structs.replace(unheard_date(said), **_kept(date), rooms=unwitnessed_rooms)


def _kept(date: DateRecord) -> dict[str, Any]:
    return {"seats": date.seats, "sequence": date.sequence, "speaker": date.speaker, "in_sight": date.in_sight}


def keep_first_word(word: Word | None, earlier: Word | None) -> Word | None:
    """A word that is only repeated keeps the moment at which it was said first: it is no news."""
    if word is None or earlier is None:
        return word
    same = msgspec.structs.replace(word, observed_at_ms=earlier.observed_at_ms, baseline=earlier.baseline)
    return earlier if same == earlier else word


def is_long_past(date: CopyDate, now_ms: int) -> bool:
    """Whether a date that a copy shows ended so long ago that nothing of it is kept."""
    return is_over(unheard_date(date), now_ms)
