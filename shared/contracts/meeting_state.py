"""
What room_status remembers of a meeting, since version 2: one record of its dates and rooms, and one of each copy. Sealed at rest.

On `meeting-state`, `tenant/meeting` holds a MeetingRecord: per date and room the last witnessed answer, what was told of it
and whose word it was. It grows with the dates and rooms of the meeting and never with the people. `tenant/meeting/mailbox`
holds a CopyRecord: what that mailbox may do, and where its word differs from the decided one. An answer rewrites no
CopyRecord. Version 1 (`meeting_state_version_1`) kept everything in one record.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from shared.contracts.copy_observation import Sight
from shared.contracts.room_outcome import OutcomeReason
from shared.domain.attendees import Answer, CopyRole
from shared.domain.identity import key_text
from shared.domain.keys import TenantKeys

MEETING_TYPE = "meeting-record"
COPY_TYPE = "copy-record"
ENDED_COPY_TYPE = "ended-copy-record"
"""A copy that holds nothing of the meeting any more, until a sweep deletes its key. A deletion alone would not say upon which
observation it was made, and a replay that begins in the middle of a commit has to know that."""
VERSION = 3
"""Version 3 has the fields of version 2, compressed against `MEETING_DICTIONARY`."""


class RoomState(StrEnum):
    """What is true of one room of one occurrence."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RELEASED = "released"
    """It had accepted, and is no longer invited although the meeting goes on."""
    GONE = "gone"
    """No longer asked: the room was removed before it accepted, or the meeting is off."""
    UNKNOWN = "unknown"
    """No connected copy can be believed about it. Not the same as pending."""


OVER = (RoomState.GONE, RoomState.RELEASED)


class Word(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What one copy says of one date: its time, and each room's answer."""

    start_ms: int
    end_ms: int
    begins_ms: int = 0
    """The instants of an all-day date where the meeting is held; 0: as `start_ms` and `end_ms`."""
    ends_ms: int = 0
    answers: dict[str, Answer] = {}
    """Room id → answer."""
    answered: dict[str, int] = {}
    """Room id → when it gave its answer, by the provider's clock, where that is said."""
    seats: int = 0
    sequence: int = 0
    observed_at_ms: int = 0
    """When the copy was first seen to say so."""
    baseline: bool = False
    """It was said by the first look after a consent."""


class RoomRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One room of one date. Its ask and the ids of its declines follow from it by `ask_of` and `current_decline`."""

    room: str
    state: RoomState
    """What is shown: the answer while somebody can be believed about it."""
    answer: RoomState | None = None
    """What was last witnessed, whatever happened to our sight since: never UNKNOWN; None: nothing was."""
    start_ms: int
    """The time that the room was last asked for: with `end_ms` it names the ask."""
    end_ms: int
    asked_at_ms: int
    """When this ask was first observed."""
    answered_at_ms: int = 0
    """When the answer was first witnessed."""
    answer_given_ms: int = 0
    """The latest moment that the provider named for an answer to this ask, by its own clock; 0: it named none."""
    outdated_until_ms: int = 0
    """The same of answers to other times: one that was given then, or before, says nothing of the time that is asked for now."""
    since_ms: int
    """When the shown state was first observed."""
    quiet: bool = False
    """DECLINED and never announced: it stood when its owner connected, or the date was past."""
    unconfirmed: bool = False
    """A new time came together with an earlier time's refusal: pending until another look repeats it."""
    repeats: dict[str, int] = {}
    """Ask → declines announced so far."""
    earlier: int = 0
    """As many declines or more were announced of any ask that `repeats` no longer holds."""
    let_go: int | None = None
    """The sequence at which the organiser's copy let the room go; None: it did not."""
    follows: tuple[str, ...] = ()
    """Earlier declines of the series: whoever put the prompt of one of them away has put this one away."""
    put_away: tuple[str, ...] = ()
    """The mailboxes whose people put the prompt of the decline that stands away."""
    outcome: OutcomeReason | None = None
    """How the decline that stands has ended already, as was published; None: it is open, or none stands."""
    outcome_at_ms: int = 0
    awaiting: str = ""
    """A published decline that stands no longer, and whose end depends on an answer that is still awaited."""
    awaiting_from_ms: int = 0
    """When that decline was witnessed."""


class DateRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One date of a meeting."""

    ref: str
    """Pseudonym of the occurrence (`TenantKeys.occurrence`)."""
    start_ms: int
    end_ms: int
    begins_ms: int = 0
    """See `Word`."""
    ends_ms: int = 0
    seats: int = 0
    """How many people need a seat, organiser included; 0: not said."""
    sequence: int = 0
    speaker: str = ""
    """The mailbox whose word was last applied; "" before the first."""
    in_sight: bool = False
    """Whether the speaker can be believed now; False: its rooms are shown as unknown."""
    rooms: tuple[RoomRecord, ...] = ()

    def ends_of(self, room: RoomRecord) -> int:
        """
        The instant at which what `room` was asked for ends, epoch milliseconds.

        A room that was let go, or is out of sight, may have been asked for another time than the date has now.
        """
        return self.ends if room.end_ms == self.end_ms else room.end_ms

    def begins_of(self, room: RoomRecord) -> int:
        """The instant at which what `room` was asked for begins, epoch milliseconds, as `ends_of`."""
        return self.begins if room.start_ms == self.start_ms else room.start_ms

    @property
    def begins(self) -> int:
        """The instant at which the date begins, epoch milliseconds."""
        return self.begins_ms or self.start_ms

    @property
    def ends(self) -> int:
        """The instant at which the date ends, epoch milliseconds."""
        return self.ends_ms or self.end_ms


class SeriesMark(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a room stood on the last date of a series that was forgotten: a later date may only have come into sight."""

    start_ms: int
    quiet: bool = False
    declines: tuple[str, ...] = ()
    """The first and the last decline of the row, where they were announced."""
    put_away: tuple[str, ...] = ()
    """The mailboxes whose people put the last one's prompt away."""


class MeetingRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One meeting: what was witnessed and published of each date and room."""

    provider: str
    meeting: str
    organizer: str = ""
    """Keyed hash of the organiser."""
    organizer_mailbox: str = ""
    """The organiser's copy while its mailbox is connected."""
    dates: tuple[DateRecord, ...] = ()
    """By start and reference."""
    spoken: dict[str, int] = {}
    """Speaker → when the look began whose word was applied last."""
    seen_until_ms: int = 0
    """The end of the stretch that the last applied look covered; 0: not known."""
    marks: dict[str, SeriesMark] = {}
    """Room id → how it stood on the series' last forgotten date, if it had declined there."""
    parked: bool = False
    """An observation could not be kept because of its size: this is what was true before it."""
    parked_baseline: bool = False
    """What could not be kept was said by a first look after a consent: the next word that fits is as quiet as that one."""
    parked_until_ms: int = 0
    """When an observation fitted that says nothing of any date: `parked_baseline` ends a while after. 0: none did."""
    version: int = 0
    """Counts the changes: a replay sees by it whether a part of the past is missing."""


class CopyEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One date in one person's calendar."""

    ref: str
    event_id: str
    rooms: tuple[str, ...] = ()
    """The rooms that this copy names."""
    credible: bool = True
    can_change: bool = False
    word: Word | None = None
    """What this copy says, if it may speak and differs from what was decided."""


class CopyRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One connected copy of a meeting."""

    mailbox: str
    provider: str
    role: CopyRole = CopyRole.GUEST
    sight: Sight = Sight.READ
    dates: tuple[CopyEntry, ...] = ()
    confirmed_at_ms: int = 0
    """When the look began that last confirmed what another guest's copy had said."""
    version: int = 0


def meeting_key(tenant: str, meeting: str) -> bytes:
    """The key of a MeetingRecord."""
    return f"{tenant}/{meeting}".encode()


def meeting_of_key(key: bytes) -> str:
    """Read the meeting's pseudonym from a key that `meeting_key` made: a MeetingRecord's, or an observation's."""
    return key_text(key).partition("/")[2]


def copy_key(meeting: bytes, mailbox: str) -> bytes:
    """The key of a CopyRecord, by its meeting's key."""
    return meeting + b"/" + mailbox.encode()


def parts_of(key: bytes) -> tuple[bytes, str]:
    """A key's meeting key and mailbox; the mailbox is "" for a MeetingRecord's own key."""
    tenant, meeting, mailbox = (*key.split(b"/", 2), b"", b"")[:3]
    return tenant + b"/" + meeting, key_text(mailbox)


def ask_of(room: RoomRecord, keys: TenantKeys) -> str:
    """The pseudonym of the time that the room was last asked for."""
    return keys.ask(room.start_ms, room.end_ms)


def count_announced(room: RoomRecord, ask: str) -> int:
    """How many declines of `ask` were announced."""
    return room.repeats.get(ask, room.earlier)


def current_decline(meeting: str, occurrence: str, room: RoomRecord, keys: TenantKeys) -> str:
    """The id of the announced decline that was witnessed last and not answered since; "" when there is none."""
    if room.answer is not RoomState.DECLINED or room.quiet:
        return ""
    ask = ask_of(room, keys)
    return keys.decline(meeting, occurrence, room.room, ask, count_announced(room, ask) - 1)


def declines_of(meeting: str, occurrence: str, room: RoomRecord, keys: TenantKeys) -> Iterator[str]:
    """The ids of the declines of this room that were announced, the one that stands included."""
    for ask, count in sorted(room.repeats.items()):
        for repeat in range(count):
            yield keys.decline(meeting, occurrence, room.room, ask, repeat)


def open_decline(meeting: str, occurrence: str, room: RoomRecord, keys: TenantKeys) -> str:
    """The id of the published decline whose outcome has not been published; "" when there is none."""
    if room.awaiting:
        return room.awaiting
    return "" if room.outcome is not None else current_decline(meeting, occurrence, room, keys)
