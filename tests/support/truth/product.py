"""The product under a history: the records that workers would write and fold, without stores, and what people would be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import partial

import msgspec

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.confirmation import mailboxes_to_ask
from services.room_status.deciding.decision import decide, dismiss, sweep
from services.room_status.deciding.sealing import MAX_STATE_BYTES
from services.sync_worker.deciding.left_meetings import leave_out_ended, meetings_to_keep
from services.sync_worker.deciding.references import blind, changed_meetings, observe, withdraw
from shared.contracts import copy_observation
from shared.contracts.calendar_state import EventReference
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.meeting_state import RoomState, copy_key, meeting_key
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import OBSERVATIONS
from shared.crypto.meetings import StoredMeeting, open_copy, open_meeting
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer
from shared.domain.identity import Provider
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, Window
from shared.meetings.prompts import Prompt, Viewer, view_meeting
from shared.ports.log import NewRecord, Record
from shared.runtime.dismissal_records import dismissal_record
from tests.support.truth.model import DAY_MS, NONE, ORGANISER, PEOPLE, WINDOW_MS, Ask, Word

KEYS = TenantKeys("t-truth", b"d" * 32, b"h" * 32, b"c" * 32)
MEETING = KEYS.meeting("truth", "series")
OCCURRENCES = {KEYS.occurrence(MEETING, str(number)): number for number in range(8)}
REFS = {number: ref for ref, number in OCCURRENCES.items()}


class Product:
    """One meeting of one organisation; what it remembers is bytes, as after any restart."""

    bound = MAX_STATE_BYTES

    def __init__(self, provider: Provider, *, guests_can_change: bool) -> None:
        """At Microsoft guests neither see answers nor can change anything."""
        self.provider = provider
        self.guests_can_change = guests_can_change and provider is Provider.GOOGLE
        self.believed: Collection[str] = PEOPLE if provider is Provider.GOOGLE else (ORGANISER,)
        self.says_when = provider is Provider.MICROSOFT
        """Whether the calendar says when a room answered."""
        self._memory: dict[bytes, bytes] = {}
        self._records: list[Record] = []
        self._decisions: list[NewRecord] = []
        self._outcomes: list[NewRecord] = []
        self._acts: list[Callable[[dict[bytes, bytes]], Batch]] = []
        """Everything that was decided upon, in order: observations, dismissals and sweeps."""
        self._asks: dict[str, int] = {}
        self._references: dict[str, dict[str, EventReference]] = {}
        self._left: dict[str, dict[str, int]] = {}
        """Person → what was kept of their meetings when they disconnected."""
        self._blind: set[str] = set()
        self._looked_ms: dict[str, int] = {}
        """Person → when their last committed look began, unless they could not be looked at since."""
        self._asked: set[str] = set()
        """Whose look has been asked for, because somebody's word could not be ordered or taken for granted."""

    def hear(self, word: Word) -> None:
        """
        A look is committed, and folded. The first one after a consent observes what was kept of the meeting too.

        One that shows what its copy showed before says nothing, unless its mailbox was asked or could not be looked at.
        """
        before, after = self._references.get(word.person, {}), self._references_of(word)
        self._references[word.person] = after
        anew = word.baseline or word.person in {*self._blind, *self._asked, *self._asked_of(word.at_ms)}
        self._blind.discard(word.person)
        self._asked.discard(word.person)
        looked_ms, self._looked_ms[word.person] = self._looked_ms.get(word.person, 0), word.at_ms
        if not anew and not changed_meetings(before, after, {MEETING}, keys=KEYS):
            return
        left = leave_out_ended(self._left.pop(word.person, {}), word.at_ms) if word.baseline else {}
        observed = observe(
            after, {MEETING} if before or after else (), provider=self.provider, mailbox=word.person, keys=KEYS,
            now_ms=word.at_ms, baseline=word.baseline, left=left.keys(),
            window=Window(word.at_ms - DAY_MS, word.at_ms + WINDOW_MS), unchanged_until_ms=looked_ms,
        )  # fmt: skip
        self._fold(observed)

    def withdraw(self, person: str, at_ms: int) -> None:
        """The person's mailbox is not connected any more."""
        known = self._references.pop(person, {})
        self._left[person] = meetings_to_keep(known, self._left.get(person, {}), now_ms=at_ms)
        looked_ms = self._looked_ms.pop(person, 0)
        self._fold(withdraw(known, provider=self.provider, mailbox=person, now_ms=at_ms, unchanged_until_ms=looked_ms))

    def blind(self, person: str, at_ms: int) -> None:
        """The person's mailbox cannot be looked at for a while."""
        known = self._references.get(person, {})
        self._blind.add(person)
        looked_ms = self._looked_ms.pop(person, 0)
        self._fold(blind(known, provider=self.provider, mailbox=person, now_ms=at_ms, unchanged_until_ms=looked_ms))

    def dismiss(self, person: str, decline: str, at_ms: int) -> None:
        """The person puts a prompt away."""
        put_away = PromptDismissal(meeting=MEETING, decline=decline, mailbox=person, at_ms=at_ms)
        sent = dismissal_record(KEYS.tenant, put_away, 1)
        record = Record(sent.topic, 0, 0, sent.key, sent.value, (), at_ms)
        self._do(partial(dismiss, [record], partition=0, keys_of=lambda _: KEYS, told=frozenset()))

    def sweep(self, now_ms: int) -> None:
        """The owner looks for what is over."""
        self._do(partial(sweep, now_ms=now_ms, partition=0, keys_of=lambda _: KEYS))

    def outcomes(self) -> list[RoomOutcome]:
        """How declines ended, in order."""
        return [msgspec.json.decode(each.value or b"", type=RoomOutcome) for each in self._outcomes]

    def published_declines(self) -> dict[str, int]:
        """The ids of the declines that were told, each with its date."""
        events = (msgspec.json.decode(each.value or b"", type=RoomDeclined) for each in self._decisions)
        return {event.id: OCCURRENCES[event.data.occurrence_ref] for event in events}

    def all_prompts(self, person: str, now_ms: int, dismissed: Collection[str]) -> tuple[Prompt, ...]:
        """The person's prompts, closed ones included."""
        meeting = self._meeting()
        viewer = Viewer(person, now_ms, 0, frozenset(dismissed))
        return view_meeting(meeting, KEYS, viewer).prompts if meeting else ()

    def is_asking(self, occurrence: str) -> bool:
        """Whether a room of the date has yet to answer, as far as is known."""
        meeting = self._meeting()
        dates = meeting.record.dates if meeting else ()
        found = (room for date in dates if date.ref == occurrence for room in date.rooms)
        return any(room.answer in {RoomState.PENDING, None} for room in found)

    def restart(self) -> None:
        """Another owner restores what stands on the log."""
        self._memory = dict(self._memory)

    def declines(self) -> Counter[Ask]:
        """How often each ask was told to have been declined."""
        found: Counter[Ask] = Counter()
        for decision in self._decisions:
            data = msgspec.json.decode(decision.value or b"", type=RoomDeclined).data
            found[OCCURRENCES[data.occurrence_ref], data.room_id, self._asks[data.ask]] += 1
        return found

    def states(self, now_ms: int) -> dict[tuple[int, str], str]:
        """The state of each room of each date that is not over."""
        meeting = self._meeting()
        if meeting is None:
            return {}
        return {
            (OCCURRENCES[date.ref], room.room): room.state.value
            for date in meeting.record.dates
            if date.ends > now_ms
            for room in date.rooms
        }

    def is_quiet(self, number: int, room: str) -> bool:
        """Whether the decline that stands was kept quiet."""
        meeting = self._meeting()
        return meeting is not None and any(
            each.quiet
            for date in meeting.record.dates
            if date.ref == REFS[number]
            for each in date.rooms
            if each.room == room
        )

    def prompts(self, person: str, now_ms: int, dismissed: Collection[str]) -> dict[str, tuple[int, str]]:
        """The person's open prompts: id → date and room."""
        meeting = self._meeting()
        if meeting is None:
            return {}
        viewer = Viewer(person, now_ms, 0, frozenset(dismissed))
        shown = view_meeting(meeting, KEYS, viewer).prompts
        return {each.id: (OCCURRENCES[each.occurrence], each.room) for each in shown if each.open}

    def sizes(self) -> dict[str, int]:
        """Each record's size in bytes."""
        return {key.decode(): len(value) for key, value in self._memory.items()}

    def decided(self) -> list[bytes]:
        """The declines as they were told, byte for byte."""
        return [decision.value or b"" for decision in self._decisions]

    def ended(self) -> list[bytes]:
        """How declines ended, as was told, byte for byte."""
        return [outcome.value or b"" for outcome in self._outcomes]

    def replayed(self) -> tuple[list[bytes], list[bytes]]:
        """The declines, and how they ended, that deciding everything again gives."""
        memory: dict[bytes, bytes] = {}
        batches = [_applied(act(memory), memory) for act in self._acts]
        declines = [each.value or b"" for batch in batches for each in batch.decisions]
        return declines, [each.value or b"" for batch in batches for each in batch.outcomes]

    def _meeting(self) -> StoredMeeting | None:
        key = meeting_key(KEYS.tenant, MEETING)
        if key not in self._memory:
            return None
        copies = {
            person: open_copy(copy_key(key, person), self._memory[copy_key(key, person)], KEYS)
            for person in PEOPLE
            if copy_key(key, person) in self._memory
        }
        return StoredMeeting(open_meeting(key, self._memory[key], KEYS).record, copies)

    def _asked_of(self, at_ms: int) -> Collection[str]:
        """Whose look at the meeting has been asked for, because a decline waits to be confirmed."""
        meeting = self._meeting()
        return mailboxes_to_ask(meeting.record, at_ms) if meeting else ()

    def _references_of(self, word: Word) -> dict[str, EventReference]:
        organizes, believed = word.person == ORGANISER, word.person in self.believed
        for _, date in word.dates:
            self._asks[KEYS.ask(date.start_ms, date.end_ms)] = date.start_ms
        return {
            f"{word.person}-{number}": EventReference(
                event_id=f"{word.person}-{number}",
                uid=MEETING,
                kind=EventKind.OCCURRENCE,
                slot=str(number),
                start_ms=date.start_ms,
                end_ms=date.end_ms,
                organizer="p-organiser",
                is_organizer=organizes,
                shows_guests=True,
                rooms={room: Answer(said if believed else NONE) for room, said in date.shown().items()},
                answered=dict(date.given) if self.says_when and believed else {},
                seats=2,
                sequence=word.sequence if self.provider is Provider.GOOGLE else 0,
                can_change=self.guests_can_change,
            )
            for number, date in word.dates
        }

    def _fold(self, observed: Iterable[CopyObservation]) -> None:
        for seen in observed:
            key = meeting_key(KEYS.tenant, MEETING)
            value = sealed_envelope(KEYS, seen, key=key, type=copy_observation.TYPE, id=f"o-{len(self._records)}")
            record = Record(OBSERVATIONS.name, 0, len(self._records), key, value, (), seen.observed_at_ms)
            self._records.append(record)
            self._do(partial(decide, [record], partition=0, keys_of=lambda _: KEYS, told=frozenset()))

    def _do(self, act: Callable[[dict[bytes, bytes]], Batch]) -> None:
        self._acts.append(act)
        batch = _applied(act(self._memory), self._memory)
        self._decisions += batch.decisions
        self._outcomes += batch.outcomes
        self._asked |= {each.mailbox.id for each in batch.owed}


def _applied(batch: Batch, memory: dict[bytes, bytes]) -> Batch:
    for key, value in batch.states.items():
        if value is None:
            memory.pop(key, None)
        else:
            memory[key] = value
    return batch
