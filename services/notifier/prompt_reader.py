"""Asks the view which prompts there are, for whom, and whether one is still open, by the rules that the pages go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.notifier.deciding.plan import Openness
from shared.contracts.meeting_state import declines_of, meeting_key
from shared.contracts.rows import ConsentRow, IntegrationState
from shared.crypto.meetings import StoredMeeting, open_copy, open_meeting
from shared.domain.identity import Mailbox, partition_of
from shared.domain.keys import TenantKeys
from shared.errors import RowRefusedError
from shared.meetings.prompts import Prompt, Viewer, view_meeting
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.registry import tables
from shared.registry.dismissals import DismissedPrompts
from shared.runtime.refused_rows import log_refused_row

GraceOf = Callable[[str], int]
"""Provider → how long a decline stands before its prompt opens, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who can act on a prompt."""

    mailbox: Mailbox
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Addressees:
    """Everybody who can act on a prompt, as far as that can be read."""

    known: tuple[Addressee, ...]
    complete: bool
    """False: somebody's row is refused, and it is not known whether they are one of them."""


class PromptReader:
    """Every method raises StoreUnavailableError, KeyDestroyedError, MalformedRecordError, NewerRecordError."""

    def __init__(self, engine: Engine, clock: Clock, grace_of: GraceOf) -> None:
        self._engine = engine
        self._clock = clock
        self._grace_of = grace_of

    def addressees(self, tenant: str, meeting: str, prompt: str) -> Addressees | None:
        """
        Everybody who can act on a prompt that is not closed; None while the view does not show its decline.

        A row that is refused keeps nobody else from being found.
        """
        keys = self._engine.keyring.keys(tenant)
        stored = self._meeting(keys, meeting)
        if stored is None or prompt not in _declines(stored, keys):
            return None
        found, complete = [], True
        for mailbox in stored.copies:
            try:
                consent = tables.consents(self._engine.registry).get(tenant, mailbox)
                shown = self._view(stored, keys, Mailbox(tenant, mailbox), consent, prompt)
            except RowRefusedError as error:
                log_refused_row(error)
                complete = False
                continue
            if shown is not None and shown.closing is None:
                found.append(Addressee(Mailbox(tenant, mailbox), shown))
        return Addressees(tuple(found), complete)

    def find(self, mailbox: Mailbox, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """Whether a prompt is open for the person of `mailbox` now, and how it reads."""
        tenant = tables.tenants(self._engine.registry).get(mailbox.tenant, "tenant")
        consent = tables.consents(self._engine.registry).get(mailbox.tenant, mailbox.id)
        if tenant is None or consent is None:
            return Openness.CLOSED, None
        if tenant.integration is not IntegrationState.ENABLED:
            return Openness.UNCLEAR, None
        keys = self._engine.keyring.keys(mailbox.tenant)
        stored = self._meeting(keys, meeting, only=mailbox.id)
        if stored is None and self._is_lost(keys.tenant, meeting):
            return Openness.UNCLEAR, None
        shown = self._view(stored, keys, mailbox, consent, prompt) if stored else None
        if shown is None or shown.closing is not None:
            return Openness.CLOSED, shown  # it was seen when its ladder began: what is not shown any more is gone
        return (Openness.OPEN if shown.open else Openness.UNCLEAR), shown

    def find_for_anybody(self, tenant: str, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """Whether a prompt is open for anybody now, and how it reads to one of them."""
        row = tables.tenants(self._engine.registry).get(tenant, "tenant")
        if row is None:
            return Openness.CLOSED, None
        if row.integration is not IntegrationState.ENABLED:
            return Openness.UNCLEAR, None
        found = self.addressees(tenant, meeting, prompt)
        if found is None:  # it was seen when its ladder began: what is not shown any more is gone
            return (Openness.UNCLEAR if self._is_lost(tenant, meeting) else Openness.CLOSED), None
        opened = next((each.prompt for each in found.known if each.prompt.open), None)
        if opened is not None:
            return Openness.OPEN, opened
        return (Openness.UNCLEAR if found.known or not found.complete else Openness.CLOSED), None

    def _view(
        self, stored: StoredMeeting, keys: TenantKeys, mailbox: Mailbox, consent: ConsentRow | None, prompt: str
    ) -> Prompt | None:
        if consent is None:
            return None
        dismissed = DismissedPrompts(self._engine.registry, mailbox.tenant, consent.user)
        viewer = Viewer(mailbox.id, self._clock.now_ms(), self._grace_of(consent.provider), dismissed)
        return next((each for each in view_meeting(stored, keys, viewer).prompts if each.id == prompt), None)

    def _is_lost(self, tenant: str, meeting: str) -> bool:
        """Whether the view has nothing of any meeting of this one's partition: it is being rebuilt, or will be."""
        partition = partition_of(meeting_key(tenant, meeting), self._engine.log.partitions)
        return self._engine.view.applied(partition) is None

    def _meeting(self, keys: TenantKeys, meeting: str, *, only: str = "") -> StoredMeeting | None:
        """The meeting's record with the copies of everybody, or of one mailbox."""
        row = self._engine.view.row(f"{keys.tenant}/{meeting}")
        if row is None or row.value is None:
            return None
        stored = open_meeting(row.key.encode(), row.value, keys)
        if stored.copies:
            return stored  # as 0.1.0 left it
        mailboxes = [only] if only else [owner.partition("/")[2] for owner in row.owners]
        rows = [self._engine.view.row(f"{row.key}/{mailbox}") for mailbox in mailboxes]
        copies = [open_copy(each.key.encode(), each.value, keys) for each in rows if each and each.value is not None]
        return StoredMeeting(stored.record, {copy.mailbox: copy for copy in copies})


def _declines(stored: StoredMeeting, keys: TenantKeys) -> set[str]:
    record = stored.record
    return {
        decline
        for date in record.dates
        for room in date.rooms
        for decline in declines_of(record.meeting, date.ref, room, keys)
    }
