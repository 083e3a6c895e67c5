"""Who is told: people, and chat channels of organisations. How they want it, whether a prompt concerns them, and what they get."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from services.notifier.channels.port import Notice
from services.notifier.deciding.plan import Openness
from services.notifier.deciding.rungs import MAIL
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Dispatch
from services.notifier.prompt_reader import PromptReader
from shared.contracts.rows import NotificationRow
from shared.domain.identity import Mailbox
from shared.meetings.prompts import Prompt
from shared.ports.registry import Registry
from shared.registry import tables


@dataclass(frozen=True, slots=True)
class NoticeRecipient:
    """Somebody who is told, as they want it now."""

    user: str
    """The person's id, or the chat channel's; "": there is nobody any more."""
    row: NotificationRow


class Recipients(Protocol):
    """One kind of them, each named by a mailbox. Every method may raise StoreUnavailableError and MalformedRecordError."""

    @property
    def channel(self) -> str:
        """By what they are told."""
        ...

    def find(self, mailbox: Mailbox) -> NoticeRecipient:
        """Who it is, and how they want to be told."""
        ...

    def look_up(self, mailbox: Mailbox, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """Whether a prompt is open for them now, and how it reads."""
        ...

    def write(self, dispatch: Dispatch, prompts: Iterable[Prompt]) -> Notice | None:
        """What they get; None: they are gone."""
        ...

    def note_refusal(self, dispatch: Dispatch, now_ms: int, reason: str) -> None:
        """Their address refuses messages for good: nothing is sent to it until somebody says otherwise."""
        ...


class People:
    """The people of a deployment."""

    channel = MAIL

    def __init__(
        self, registry: Registry, reader: PromptReader, writer: NoticeWriter, available: Collection[str]
    ) -> None:
        """`available`: the channels by which this deployment can tell."""
        self._registry = registry
        self._reader = reader
        self._writer = writer
        self._available = available

    def find(self, mailbox: Mailbox) -> NoticeRecipient:
        """As the protocol has it; whoever is not connected wants nothing."""
        user = self._writer.user_of(mailbox)
        row = self._writer.preferences(mailbox, user) if user else NotificationRow(mail=False)
        return NoticeRecipient(user or "", msgspec.structs.replace(row, mail=row.mail and MAIL in self._available))

    def look_up(self, mailbox: Mailbox, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """As the protocol has it."""
        return self._reader.find(mailbox, meeting, prompt)

    def write(self, dispatch: Dispatch, prompts: Iterable[Prompt]) -> Notice | None:
        """As the protocol has it."""
        return self._writer.write(dispatch.message, dispatch.mailbox, dispatch.user, prompts)

    def note_refusal(self, dispatch: Dispatch, now_ms: int, reason: str) -> None:
        """The person's profile says so, and no further mail goes to them until they switch it on again."""
        tables.notifications(self._registry).change(
            dispatch.mailbox.tenant,
            dispatch.user,
            lambda row: msgspec.structs.replace(row or NotificationRow(), refused_at_ms=now_ms, refusal=reason),
        )
