"""The port of a channel: what is to be told, and what became of it. One contract suite holds every channel to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from shared.contracts.browser_rows import PushTarget
from shared.contracts.chat_rows import ChatProduct
from shared.domain.identity import Mailbox
from shared.language.deciding.negotiation import PLAIN, Manner


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One prompt, without anything out of a calendar: the room's name is the organisation's own."""

    room: str
    starts_ms: int
    ends_ms: int
    link: str
    """The address of the prompt's card, signed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person is told at once; made in the moment of sending and kept nowhere."""

    id: str
    """The same at every attempt."""
    address: str
    lines: tuple[NoticeLine, ...]
    zone: ZoneInfo | None
    """The person's zone; None: not known."""
    page: str
    """The address of the person's own page."""
    stop: str
    """The address that switches the channel off, signed."""
    at_ms: int
    may_act: bool = True
    """Whether the page lets them choose another room; False: this deployment only observes."""
    thread: str = ""
    """What messages of one prompt have in common, for chat that shows them below each other; "" for a digest."""
    chat: ChatProduct | None = None
    """Which product `address`, a chat channel's, speaks to."""
    calendar: Mailbox | None = None
    """Whose own calendar is written to, by the channel of that name."""
    browser: PushTarget | None = None
    """Which browser shows it, by the channel of that name."""
    manner: Manner = PLAIN
    """How the person is written to."""


@dataclass(frozen=True, slots=True)
class ReminderEnd:
    """An event in a person's calendar that has nothing to tell any more."""

    id: str
    """Of the message that it told of."""
    calendar: Mailbox
    event: str
    """The calendar's name for it; "": not known."""
    since_ms: int
    """When it was made, at the earliest."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class AlarmNotice:
    """What an administrator is told of an incident; made in the moment of sending and kept nowhere."""

    id: str
    """The same at every attempt."""
    address: str
    declines: int
    upcoming: int
    cause: str
    """What the declines have in common, as a sentence."""
    page: str
    """The address of the page that ends the incident."""
    profile: str
    stop: str
    """The address that switches the channel off, signed."""
    at_ms: int
    manner: Manner = PLAIN
    """How the administrator is written to."""


@dataclass(frozen=True, slots=True)
class PauseNotice:
    """What an administrator is told of an endpoint that is paused; made in the moment of sending and kept nowhere."""

    id: str
    """The same at every attempt."""
    address: str
    host: str
    """Of the endpoint; "" when its address cannot be read any more."""
    gone: bool
    """Whether it answered that it wants nothing more; False: it has taken nothing for three days."""
    page: str
    """The address of the page that resumes it."""
    profile: str
    stop: str
    """The address that switches the channel off, signed."""
    at_ms: int
    manner: Manner = PLAIN
    """How the administrator is written to."""


AnyNotice = Notice | AlarmNotice | PauseNotice
Sending = AnyNotice | ReminderEnd
"""What a channel is given; one that cannot do it raises TypeError."""


class SendOutcome(StrEnum):
    """What became of an attempt."""

    ACCEPTED = "accepted"
    """The server has taken it over."""
    REFUSED = "refused"
    """The server refuses this person for good."""
    LATER = "later"
    """Anything else: it is to be tried again."""


@dataclass(frozen=True, slots=True)
class SendAttempt:
    """How one attempt ended."""

    outcome: SendOutcome
    reason: str = ""
    """The server's codes, or the kind of fault: no text of the server's, which may repeat the address."""
    retry_in_s: float = 0.0
    """How long the server asks to be left alone."""
    event: str = ""
    """What the calendar calls the event that was made."""


class NoticeChannel(Protocol):
    """One way of telling somebody. Thread-safe."""

    name: str

    def send(self, notice: Sending) -> SendAttempt:
        """Send once. Takes a bounded time; raises nothing that the server or the network can cause."""
        ...
