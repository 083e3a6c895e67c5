"""Turns declines into prompts of people, and those into ladders; what cannot be read is put aside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

import msgspec

from services.notifier.deciding.plan import KEPT_AFTER_START_MS
from services.notifier.deciding.rungs import CHAT, MAIL
from services.notifier.ledger import Ledger, ladder_change, search_change
from services.notifier.prompt_reader import Addressee, PromptReader
from shared.contracts.decline_incident import DECLINE_TYPE, OrganisationDecline, counted_key
from shared.contracts.notification import PROMPT_TYPE, AddresseeSearch, PersonPrompt, PromptLadder, search_key
from shared.contracts.room_declined import TYPE, RoomDeclined
from shared.contracts.topics import NOTIFIER, ORGANISATION_DECLINES, PERSON_PROMPTS, ROOM_REJECTIONS
from shared.crypto.records import open_record, sealed_envelope
from shared.decoders import json_decoder
from shared.domain.identity import Mailbox, partition_of
from shared.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, from_rfc3339
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError, RowRefusedError
from shared.meetings.prompts import Prompt
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, Record, StateChange
from shared.runtime.dead_letters import bury
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

SEARCH_EVERY_MS = SECOND_MS
SEARCH_SELDOM_MS = MINUTE_MS
SEARCHED_OFTEN_MS = MINUTE_MS
SEARCHED_FOR_MS = HOUR_MS
"""A decline that no view shows for so long is of a meeting that is gone."""
SEARCHES_A_STEP = 50

logger = get_logger()


@dataclass(slots=True)
class Taken:
    """What follows from records or searches, to be committed."""

    outputs: list[NewRecord] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    begun: dict[Mailbox, list[PromptLadder]] = field(default_factory=dict)
    declines: dict[str, list[OrganisationDecline]] = field(default_factory=dict)
    """Organisation → its declines, to be counted."""
    searches: dict[bytes, AddresseeSearch | None] = field(default_factory=dict)
    """Searches that begin; None: that end."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom declines are told to."""

    reader: PromptReader
    channels: Collection[str]
    """By which this deployment can tell."""
    chat_channels: Callable[[str], Sequence[Mailbox]]
    """Organisation → its chat channels."""
    own_places: Mapping[str, Callable[[Mailbox], Sequence[Mailbox]]]
    """Channel → a person's mailbox → where they want to be told by it: their calendar, or their browsers."""

    @property
    def tells_people(self) -> bool:
        """Whether people get mail: without, no ladder of theirs begins."""
        return MAIL in self.channels


class DeclineIntake:
    """One partition's. Methods raise StoreUnavailableError, after which nothing was changed."""

    def __init__(self, partition: int, engine: Engine, clock: Clock, addressed: Addressed, ledger: Ledger) -> None:
        self._partition = partition
        self._engine = engine
        self._clock = clock
        self._addressed = addressed
        self._ledger = ledger
        self._next_search_ms = 0

    def take(self, records: Sequence[Record]) -> Taken:
        """What follows from one poll of input."""
        taken = Taken()
        keys_of = cache(self._engine.keyring.keys)  # asked once an organisation and poll
        for record in records:
            try:
                if record.topic == ROOM_REJECTIONS.name:
                    self._take_decline(record, taken)
                    continue
                keys = keys_of(record.key.decode().partition("/")[0])
                if record.topic == ORGANISATION_DECLINES.name:
                    decline = open_record(record.key, record.value or b"", keys, OrganisationDecline)
                    taken.declines.setdefault(keys.tenant, []).append(decline)
                else:
                    self._begin(record, keys, taken)
            except KeyDestroyedError:
                continue  # of before the organisation was switched off
            except (MalformedRecordError, ValueError) as error:
                now_ms = self._clock.now_ms()
                bury(self._engine.log, record, reason=str(error), service=NOTIFIER.service, now_ms=now_ms)
                logger.warning("record_dead_lettered", topic=record.topic, offset=record.offset, reason=str(error))
        return taken

    def search(self) -> Taken:
        """Try some of the searches again, if it is time."""
        taken, now_ms = Taken(), self._clock.now_ms()
        if now_ms < self._next_search_ms or not self._ledger.searches:
            return taken
        young = False
        for key, search in list(islice(self._ledger.searches.items(), SEARCHES_A_STEP)):
            left = self._search_one(key, search, taken)
            ended = left is None or search.declined_at_ms + SEARCHED_FOR_MS <= now_ms
            if left is None or ended:
                taken.changes.append(StateChange(key, None))
                taken.searches[key] = None
            elif left != search:
                self._remember(key.decode().partition("/")[0], left, taken)
            else:  # behind the others, so that each has its turn
                self._ledger.searches[key] = self._ledger.searches.pop(key)
            young = young or (not ended and now_ms < search.declined_at_ms + SEARCHED_OFTEN_MS)
        self._next_search_ms = now_ms + (SEARCH_EVERY_MS if young else SEARCH_SELDOM_MS)
        return taken

    def note(self, taken: Taken) -> None:
        """Take over what was committed of the searches."""
        for key, search in taken.searches.items():
            if search is None:
                self._ledger.searches.pop(key, None)
            else:
                self._ledger.searches[key] = search
                self._next_search_ms = 0

    def _search_one(self, key: bytes, search: AddresseeSearch, taken: Taken) -> AddresseeSearch | None:
        """The search as it goes on; None: it has ended. What cannot be read of one meeting keeps nothing else waiting."""
        try:
            return self._seek(key.decode().partition("/")[0], search, taken)
        except MalformedRecordError as error:
            logger.warning("search_failed", prompt=search.prompt, error=str(error))
            return search

    def _remember(self, tenant: str, search: AddresseeSearch, taken: Taken) -> None:
        taken.changes.append(search_change(search, self._engine.keyring.keys(tenant)))
        taken.searches[search_key(tenant, search.prompt)] = search

    def _take_decline(self, record: Record, taken: Taken) -> None:
        try:
            event = json_decoder(RoomDeclined).decode(record.value or b"")
        except (msgspec.DecodeError, RecursionError) as error:
            message = f"not a decline: {error}"
            raise MalformedRecordError(message) from error
        if event.type != TYPE:
            return
        taken.outputs.append(self._organisation_decline(event))
        search = AddresseeSearch(prompt=event.id, meeting=event.data.meeting_ref, declined_at_ms=self._clock.now_ms())
        tenant = event.data.tenant_id
        if left := self._search_one(search_key(tenant, search.prompt), search, taken):
            self._remember(tenant, left, taken)

    def _organisation_decline(self, event: RoomDeclined) -> NewRecord:
        """The decline again, for whoever counts those of its organisation."""
        data = event.data
        payload = OrganisationDecline(
            prompt=event.id,
            observed_at_ms=from_rfc3339(data.observed_at),
            room=data.room_id,
            organizer=data.organizer_id,
            provider=data.provider,
        )
        key, keys = counted_key(data.tenant_id, event.id), self._engine.keyring.keys(data.tenant_id)
        value = sealed_envelope(keys, payload, key=key, type=DECLINE_TYPE, id=event.id)
        partition = partition_of(data.tenant_id.encode(), self._engine.log.partitions)
        return NewRecord(ORGANISATION_DECLINES.name, partition, key, value)

    def _seek(self, tenant: str, search: AddresseeSearch, taken: Taken) -> AddresseeSearch | None:
        """Have those told of whom it is known that the prompt goes to them. Returns the search as it goes on, or None."""
        try:
            found = self._addressed.reader.addressees(tenant, search.meeting, search.prompt)
            keys = self._engine.keyring.keys(tenant)
        except KeyDestroyedError:
            return None
        if found is None:
            return search
        recipients = self._recipients_of(tenant, found.known)
        fresh = {mailbox: prompt for mailbox, prompt in recipients.items() if mailbox.id not in search.reached}
        taken.outputs += [self._person_prompt(mailbox, prompt, search, keys) for mailbox, prompt in fresh.items()]
        reached = (*search.reached, *(mailbox.id for mailbox in fresh))
        return None if found.complete else msgspec.structs.replace(search, reached=reached)

    def _recipients_of(self, tenant: str, addressees: Sequence[Addressee]) -> dict[Mailbox, Prompt]:
        """Who is told, and how the prompt reads to them: its people, and the organisation's chat channels as the first of them."""
        people = {each.mailbox: each.prompt for each in addressees} if self._addressed.tells_people else {}
        people |= {place: each.prompt for each in addressees for place in self._own_places(each.mailbox)}
        if not addressees:
            return people
        earliest = min((each.prompt for each in addressees), key=lambda prompt: prompt.opens_at_ms)
        return people | dict.fromkeys(self._chat_channels(tenant), earliest)

    def _chat_channels(self, tenant: str) -> Sequence[Mailbox]:
        if CHAT not in self._addressed.channels:
            return ()
        try:
            return self._addressed.chat_channels(tenant)
        except RowRefusedError as error:
            log_refused_row(error)
            return ()

    def _own_places(self, mailbox: Mailbox) -> list[Mailbox]:
        found: list[Mailbox] = []
        for channel, places_of in self._addressed.own_places.items():
            if channel in self._addressed.channels:
                try:
                    found += places_of(mailbox)
                except RowRefusedError as error:
                    log_refused_row(error)
        return found

    def _person_prompt(self, mailbox: Mailbox, prompt: Prompt, search: AddresseeSearch, keys: TenantKeys) -> NewRecord:
        payload = PersonPrompt(
            prompt=prompt.id,
            meeting=search.meeting,
            opened_at_ms=max(prompt.opens_at_ms, prompt.since_ms),
            starts_ms=prompt.begins_ms,
        )
        value = sealed_envelope(keys, payload, key=mailbox.key, type=PROMPT_TYPE, id=f"{prompt.id}/{mailbox.id}")
        return NewRecord(
            PERSON_PROMPTS.name, partition_of(mailbox.key, self._engine.log.partitions), mailbox.key, value
        )

    def _begin(self, record: Record, keys: TenantKeys, taken: Taken) -> None:
        """A ladder, unless the person is being told of this prompt already, or it is long over."""
        mailbox = Mailbox.from_key(record.key)
        told = open_record(record.key, record.value or b"", keys, PersonPrompt)
        begun = taken.begun.setdefault(mailbox, [])
        known = told.prompt in self._ledger.ladders_of(mailbox) or any(each.prompt == told.prompt for each in begun)
        if known or told.starts_ms + KEPT_AFTER_START_MS <= self._clock.now_ms():
            return
        ladder = PromptLadder(
            prompt=told.prompt, meeting=told.meeting, opened_at_ms=told.opened_at_ms, starts_ms=told.starts_ms
        )
        begun.append(ladder)
        taken.changes.append(ladder_change(mailbox, ladder, keys))
