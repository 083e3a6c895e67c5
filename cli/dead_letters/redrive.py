"""What a lost observation leaves behind, and carrying out what mends a dead letter."""

from __future__ import annotations

import msgspec

from cli.common.calendars import Calendars
from cli.common.records import all_records
from cli.dead_letters.open_letters import OpenLetter
from cli.dead_letters.remedy import Hopeless, Lost, Remedy, remedy_of
from services.sync_worker.deciding.references import meeting_of
from shared.contracts import envelope as envelopes
from shared.contracts import observation
from shared.contracts.command import TakeRoom
from shared.contracts.dead_letter import Act, DeadLetter
from shared.contracts.meeting_state import MeetingState
from shared.contracts.observation import Observation
from shared.contracts.rows import TakeRow, TakeState
from shared.contracts.topics import MEETING_STATE
from shared.crypto.records import open_envelope, opened
from shared.domain.identity import Mailbox
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.registry import tables
from shared.runtime.dead_letters import close_letter
from shared.runtime.wishes import wish_record


class Aftermath:
    """Gathers what `remedy_of` has to know, and sends what it says."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """Nothing is read before it is needed: hints and commands need no calendar."""
        self._engine = engine
        self._clock = clock
        self._calendars: Calendars | None = None
        self._memories: dict[int, dict[bytes, bytes | None]] = {}
        self._consents = tables.consents(engine.registry)

    def remedy_of(self, letter: DeadLetter) -> Remedy | Hopeless:
        """What mends it. Raises LogUnavailableError, StoreUnavailableError."""
        return remedy_of(
            letter,
            consent_of=lambda mailbox: self._consents.get(mailbox.tenant, mailbox.id),
            lost=lambda tenant, meeting: self._lost(letter, tenant, meeting),
            now_ms=self._clock.now_ms(),
        )

    def redrive(self, letter: OpenLetter, remedy: Remedy) -> None:
        """
        Ask first, then note that it was asked: whoever dies in between asks twice, which costs a look.

        Raises:
            LogUnavailableError, StoreUnavailableError: the letter stays open.
        """
        log = self._engine.log
        if remedy.failed_take:
            self._give_back(letter.letter, remedy.failed_take)
        log.append([wish_record(mailbox, wish, log.partitions, cause=letter.id) for mailbox, wish in remedy.wishes])
        close_letter(log, letter.letter, Act.REDRIVEN, partition=letter.partition, now_ms=self._clock.now_ms())

    def _give_back(self, letter: DeadLetter, take: TakeRoom) -> None:
        tenant = Mailbox.from_key(letter.key).tenant
        reason = "it could not be carried out in time; choose a room once more"

        def failed(row: TakeRow | None) -> TakeRow | None:
            if row is None or row.state is not TakeState.ASKED:
                return None
            return msgspec.structs.replace(row, state=TakeState.FAILED, reason=reason)

        tables.takes(self._engine.registry).change(tenant, take.take_id, failed)

    def _lost(self, letter: DeadLetter, tenant: str, meeting: str) -> Lost:
        copies = self._holding(tenant, meeting) | self._folded(letter, tenant, meeting)
        said = self._readable(letter)
        if said is not None and said.meeting == meeting:
            return Lost({Mailbox(tenant, said.mailbox)}, letter.failed_at_ms, said.baseline)
        named = Mailbox(tenant, _named(letter))
        return Lost({named} if named in copies else copies, self._appended_at_ms(letter))

    def _holding(self, tenant: str, meeting: str) -> set[Mailbox]:
        """Mailboxes whose references have an event of the meeting."""
        if self._calendars is None:
            self._calendars = Calendars(self._engine)
            self._calendars.refresh()
        found = set()
        for mailbox, references in self._calendars.references.items():
            if mailbox.tenant == tenant:
                known = {reference.event_id: reference for reference in references.values()}
                if any(meeting_of(known, event_id) == meeting for event_id in known):
                    found.add(mailbox)
        return found

    def _folded(self, letter: DeadLetter, tenant: str, meeting: str) -> set[Mailbox]:
        """Mailboxes whose copies room-status remembers: a lost "gone" is about one that holds the meeting no more."""
        if letter.partition not in self._memories:
            records = all_records(self._engine.log, MEETING_STATE.name, letter.partition)
            self._memories[letter.partition] = {record.key: record.value for record in records}
        newest = self._memories[letter.partition].get(f"{tenant}/{meeting}".encode())
        try:
            copies = opened(newest, self._engine.keyring.keys(tenant), MeetingState).copies if newest else {}
        except (KeyDestroyedError, MalformedRecordError):
            return set()
        return {Mailbox(tenant, name) for name in copies}

    def _readable(self, letter: DeadLetter) -> Observation | None:
        """The observation itself, if this version can read what its worker could not."""
        try:
            envelope = envelopes.decode(letter.value or b"")
            if envelope.type != observation.TYPE:
                return None
            return open_envelope(envelope, self._engine.keyring.keys(envelope.tenant), Observation)
        except (KeyDestroyedError, MalformedRecordError):
            return None

    def _appended_at_ms(self, letter: DeadLetter) -> int:
        """When it was said; when it was put aside, should the topic have forgotten it already."""
        found = self._engine.log.read(letter.topic, letter.partition, letter.offset, limit=1, committed=False)
        here = [record.appended_at_ms for record in found if record.offset == letter.offset]
        return here[0] if here else letter.failed_at_ms


def _named(letter: DeadLetter) -> str:
    """Whose copy an observation's own id names: `mailbox/meeting/instant`. "" when not even the envelope can be read."""
    try:
        return envelopes.decode(letter.value or b"").id.partition("/")[0]
    except MalformedRecordError:
        return ""
