"""Reads what choosing a remedy needs from log and registry, and sends the commands of a remedy."""

from __future__ import annotations

import msgspec

from cli.common.calendars import Calendars
from cli.common.records import read_all
from cli.dead_letters.open_letters import OpenLetter
from cli.dead_letters.remedy import LostObservation, NoRemedy, Remedy, choose_remedy
from services.room_status import operations as room_status
from services.sync_worker.operations import meeting_of
from shared.contracts import envelope as envelopes
from shared.contracts.command import TakeRoom
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.dead_letter import DeadLetter, LetterAction
from shared.contracts.meeting_state import meeting_key, parts_of
from shared.contracts.rows import TakeRow, TakeState
from shared.contracts.topics import MEETING_STATE
from shared.crypto.meetings import open_meeting
from shared.domain.identity import Mailbox, tenant_of_key
from shared.errors import KeyDestroyedError, MalformedRecordError, NewerRecordError
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.registry import tables
from shared.runtime.command_records import command_record
from shared.runtime.dead_letters import close_letter


class Redriver:
    """Gathers the inputs of `choose_remedy` for a dead letter, and carries the remedy out."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """Read nothing before it is needed: letters from notifications and commands need no calendars."""
        self._engine = engine
        self._clock = clock
        self._calendars: Calendars | None = None
        self._memories: dict[int, dict[bytes, bytes | None]] = {}
        self._consents = tables.consents(engine.registry)

    def find_remedy(self, letter: DeadLetter) -> Remedy | NoRemedy:
        """Choose the remedy for a letter. Raises LogUnavailableError, StoreUnavailableError."""
        return choose_remedy(
            letter,
            consent_of=lambda mailbox: self._consents.get(mailbox.tenant, mailbox.id),
            lost=lambda tenant, meeting: self._find_lost_observation(letter, tenant, meeting),
            now_ms=self._clock.now_ms(),
        )

    def redrive(self, letter: OpenLetter, remedy: Remedy) -> None:
        """
        Append the commands, then mark the letter redriven. A crash in between sends the commands twice, which costs a look.

        Raises:
            LogUnavailableError, StoreUnavailableError: the letter stays open.
        """
        log = self._engine.log
        if remedy.failed_take:
            self._fail_take(letter.letter, remedy.failed_take)
        log.append(
            [command_record(mailbox, wish, log.partitions, cause=letter.id) for mailbox, wish in remedy.commands]
        )
        close_letter(log, letter.letter, LetterAction.REDRIVEN, partition=letter.partition, now_ms=self._clock.now_ms())

    def _fail_take(self, letter: DeadLetter, take: TakeRoom) -> None:
        tenant = tenant_of_key(letter.key)
        reason = "it could not be carried out in time; choose a room once more"

        def failed(row: TakeRow | None) -> TakeRow | None:
            if row is None or row.state is not TakeState.ASKED:
                return None
            return msgspec.structs.replace(row, state=TakeState.FAILED, reason=reason)

        tables.takes(self._engine.registry).change(tenant, take.take_id, failed)

    def _find_lost_observation(self, letter: DeadLetter, tenant: str, meeting: str) -> LostObservation:
        copies = self._find_holders(tenant, meeting) | self._find_folded_copies(letter, tenant, meeting)
        seen = self._read_observation(letter)
        if seen is not None and seen.meeting == meeting:
            return LostObservation({Mailbox(tenant, seen.mailbox)}, letter.failed_at_ms, seen.baseline)
        named = Mailbox(tenant, _read_mailbox_id(letter))
        return LostObservation({named} if named in copies else copies, self._appended_at_ms(letter))

    def _find_holders(self, tenant: str, meeting: str) -> set[Mailbox]:
        """Return the mailboxes whose references have an event of the meeting."""
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

    def _find_folded_copies(self, letter: DeadLetter, tenant: str, meeting: str) -> set[Mailbox]:
        """Return the mailboxes whose copies stand in room_status's state: a lost "gone" is of one that has the meeting no more."""
        if letter.partition not in self._memories:
            records = read_all(self._engine.log, MEETING_STATE.name, letter.partition)
            self._memories[letter.partition] = {record.key: record.value for record in records}
        folded = self._memories[letter.partition]
        key = meeting_key(tenant, meeting)
        held = {parts_of(each)[1] for each, value in folded.items() if value and parts_of(each)[0] == key} - {""}
        newest = folded.get(key)
        try:
            if newest:
                found = open_meeting(key, newest, self._engine.keyring.keys(tenant))
                held |= {*found.copies, *found.record.spoken, found.record.organizer_mailbox} - {""}
        except (KeyDestroyedError, MalformedRecordError):
            return set()
        return {Mailbox(tenant, name) for name in held}

    def _read_observation(self, letter: DeadLetter) -> CopyObservation | None:
        """Return the observation itself, if this version can read what its worker could not."""
        try:
            envelope = envelopes.decode(letter.value or b"")
            return room_status.read_observation(letter.key, envelope, self._engine.keyring.keys(envelope.tenant))
        except (KeyDestroyedError, MalformedRecordError, NewerRecordError):
            return None

    def _appended_at_ms(self, letter: DeadLetter) -> int:
        """Return when the record was appended; when it became a letter, if its topic has forgotten it already."""
        if letter.offset < 0:
            return letter.failed_at_ms  # it was too large to be appended
        found = self._engine.log.read(letter.topic, letter.partition, letter.offset, limit=1, committed=False)
        here = [record.appended_at_ms for record in found if record.offset == letter.offset]
        return here[0] if here else letter.failed_at_ms


def _read_mailbox_id(letter: DeadLetter) -> str:
    """Return the mailbox in an observation's id (`mailbox/meeting/instant`); "" when the envelope cannot be read."""
    try:
        return envelopes.decode(letter.value or b"").id.partition("/")[0]
    except MalformedRecordError:
        return ""
