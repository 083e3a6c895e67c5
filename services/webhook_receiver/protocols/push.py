"""What a request to a hook is, once a provider's protocol has read it: a handshake, notifications, or nothing of the provider's."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.change_notification import ChangeNotification
from shared.domain.identity import Mailbox


@dataclass(frozen=True, slots=True)
class Hint:
    """One notification with valid proof: the mailbox to look at again, and what will stand on the topic."""

    mailbox: Mailbox
    notification: ChangeNotification


@dataclass(frozen=True, slots=True)
class Handshake:
    """Graph asks whether this address is ours: it is answered 200 with exactly this text."""

    token: str


@dataclass(frozen=True, slots=True)
class Notifications:
    """
    A batch that is acknowledged once every hint of it is durable.

    Items without valid proof (`forged`) and items that make no sense (`malformed`) are acknowledged too, without effect: a
    sender that may be an attacker learns nothing, and one bad item never costs the others theirs.
    """

    hints: tuple[Hint, ...] = ()
    forged: int = 0
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class UnreadablePush:
    """A request that the provider could not have sent: it is answered with this 4xx."""

    status: int
    reason: str
    """A word for metrics and for the problem document's `code`."""
    next: str
    """What the sender should do."""


ReadPush = Handshake | Notifications | UnreadablePush
