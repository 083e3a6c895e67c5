"""The chat channels of organisations: told of every room that says no to a meeting of somebody who can act on it."""

from __future__ import annotations

from collections.abc import Iterable

from services.notifier.channels.port import Notice, NoticeLine
from services.notifier.deciding.plan import Openness
from services.notifier.deciding.rungs import CHAT, zone_of
from services.notifier.notices import name_of_room
from services.notifier.outbox import Dispatch
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import NoticeRecipient
from shared.contracts.chat_rows import ChatChannel
from shared.contracts.rows import NotificationRow
from shared.domain.identity import Mailbox
from shared.meetings.prompts import Prompt
from shared.organisations import chat_channels
from shared.ports.clock import Clock
from shared.ports.engine import Engine

_NOTHING = NotificationRow(mail=False, first=False, day_before=False, hours_before=False, quiet=False)


class ChatRecipients:
    """The chat channels of a deployment's organisations. See `Recipients` for what each method does."""

    channel = CHAT

    def __init__(
        self, engine: Engine, clock: Clock, reader: PromptReader, public_url: str, *, may_act: bool = True
    ) -> None:
        """
        Read nothing yet.

        Args:
            public_url: Where people reach the portal, without a slash at its end.
            may_act: Whether its pages let them change a meeting.
        """
        self._engine = engine
        self._clock = clock
        self._reader = reader
        self._public_url = public_url
        self._may_act = may_act

    def mailboxes(self, tenant: str) -> list[Mailbox]:
        """The names under which the ledger keeps what each channel was told. Raises StoreUnavailableError, RowRefusedError."""
        return [Mailbox(tenant, each.id) for each in chat_channels.list_channels(self._engine.registry, tenant)]

    def find(self, mailbox: Mailbox) -> NoticeRecipient:
        """The channel; one that was removed is told nothing."""
        channel = chat_channels.find_channel(self._engine.registry, mailbox.tenant, mailbox.id)
        return NoticeRecipient(channel.id, _row_of(channel)) if channel else NoticeRecipient("", _NOTHING)

    def look_up(self, mailbox: Mailbox, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """Whether the prompt is open for anybody."""
        return self._reader.find_for_anybody(mailbox.tenant, meeting, prompt)

    def write(self, dispatch: Dispatch, prompts: Iterable[Prompt]) -> Notice | None:
        """The message: links lead whoever can act on a prompt, signed in, to its card; they prove nothing of their own."""
        tenant = dispatch.mailbox.tenant
        channel = chat_channels.find_channel(self._engine.registry, tenant, dispatch.user)
        if channel is None:
            return None
        shown = list(prompts)
        return Notice(
            id=dispatch.message,
            address=chat_channels.open_address(self._engine.keyring, tenant, channel),
            lines=tuple(self._line(tenant, each) for each in shown),
            zone=zone_of(_row_of(channel)),
            page=f"{self._public_url}/",
            stop=f"{self._public_url}/admin/chat",
            at_ms=self._clock.now_ms(),
            may_act=self._may_act,
            thread=shown[0].id if len(shown) == 1 else "",
            chat=channel.product,
        )

    def note_refusal(self, dispatch: Dispatch, now_ms: int, reason: str) -> None:
        """The administrators' page says so, and nothing more is posted until somebody tests the channel."""
        chat_channels.note_refusal(self._engine.registry, dispatch.mailbox.tenant, dispatch.user, now_ms, reason)

    def _line(self, tenant: str, prompt: Prompt) -> NoticeLine:
        name = name_of_room(self._engine.registry, tenant, prompt.room)
        return NoticeLine(name, prompt.begins_ms, prompt.ends_ms, f"{self._public_url}/prompts/{prompt.id}")


def is_chat(mailbox: Mailbox) -> bool:
    """Whether a chat channel is meant, and no person."""
    return mailbox.id.startswith(chat_channels.PREFIX)


def _row_of(channel: ChatChannel) -> NotificationRow:
    return NotificationRow(
        day_before=channel.reminders,
        hours_before=channel.reminders,
        quiet=False,
        zone=channel.zone,
        refused_at_ms=channel.refused_at_ms,
    )
