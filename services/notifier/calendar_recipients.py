"""People's own calendars: who asked for it is reminded there of what they are told of, by an event that goes again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import msgspec

from services.notifier.channels.port import Notice
from services.notifier.deciding.plan import Openness
from services.notifier.deciding.rungs import CALENDAR, is_on
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Dispatch
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import NoticeRecipient
from shared.contracts.rows import NotificationRow
from shared.domain.identity import Mailbox, Provider
from shared.grants.oauth import missing_scopes
from shared.meetings.prompts import Prompt
from shared.ports.registry import Registry
from shared.registry import tables

PREFIX = "k-"
"""How the ledger's name of a calendar begins; the mailbox's own id follows, which begins otherwise."""
_NOTHING = NotificationRow(mail=False)


class CalendarRecipients:
    """The calendars of a deployment's people. See `Recipients` for what each method does."""

    channel = CALENDAR

    def __init__(
        self, registry: Registry, reader: PromptReader, writer: NoticeWriter, available: Collection[str]
    ) -> None:
        """`available`: the channels by which this deployment can tell."""
        self._registry = registry
        self._reader = reader
        self._writer = writer
        self._available = available

    def mailboxes(self, owner: Mailbox) -> list[Mailbox]:
        """The name under which the ledger keeps what a person's calendar was told, if they want that. Raises as the others do."""
        calendar = Mailbox(owner.tenant, f"{PREFIX}{owner.id}")
        return [calendar] if CALENDAR in self._available and is_on(self.find(calendar).row, CALENDAR) else []

    def find(self, mailbox: Mailbox) -> NoticeRecipient:
        """The person, as long as they want it and their permission covers it."""
        owner = owner_of(mailbox)
        consent = tables.consents(self._registry).get(owner.tenant, owner.id)
        if consent is None:
            return NoticeRecipient("", _NOTHING)
        row = self._writer.preferences(owner, consent.user)
        may_write = not missing_scopes(Provider(consent.provider), consent.scopes)
        wanted = msgspec.structs.replace(
            row,
            calendar=row.calendar and may_write and CALENDAR in self._available,
            refused_at_ms=row.calendar_refused_at_ms,
        )
        return NoticeRecipient(consent.user, wanted)

    def look_up(self, mailbox: Mailbox, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """As the protocol has it."""
        return self._reader.find(owner_of(mailbox), meeting, prompt)

    def write(self, dispatch: Dispatch, prompts: Iterable[Prompt]) -> Notice | None:
        """As the protocol has it."""
        owner = owner_of(dispatch.mailbox)
        notice = self._writer.write(dispatch.message, owner, dispatch.user, prompts)
        return replace(notice, calendar=owner) if notice else None

    def note_refusal(self, dispatch: Dispatch, now_ms: int, reason: str) -> None:
        """The person's profile says so, and nothing more is written until they switch it on again."""
        tables.notifications(self._registry).change(
            dispatch.mailbox.tenant,
            dispatch.user,
            lambda row: msgspec.structs.replace(
                row or NotificationRow(), calendar_refused_at_ms=now_ms, calendar_refusal=reason
            ),
        )


def is_calendar(mailbox: Mailbox) -> bool:
    """Whether somebody's own calendar is meant."""
    return mailbox.id.startswith(PREFIX)


def owner_of(mailbox: Mailbox) -> Mailbox:
    """The mailbox whose calendar it is."""
    return Mailbox(mailbox.tenant, mailbox.id.removeprefix(PREFIX))
