"""What a pushed request deserves: an echo, an acknowledgement with the hints it gave, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.change_notification import ChangeNotification
from shared.domain.identity import Mailbox


@dataclass(frozen=True, slots=True)
class Hint:
    """One proven item: whose mailbox to look at again, and what will stand on the topic."""

    mailbox: Mailbox
    notification: ChangeNotification


@dataclass(frozen=True, slots=True)
class Echo:
    """Graph's handshake: answer 200 with exactly this text."""

    token: str


@dataclass(frozen=True, slots=True)
class Accept:
    """
    Acknowledge once every hint is durable.

    Items without valid proof, and items that make no sense, are acknowledged too, without effect: a sender that may be
    an attacker learns nothing, and one bad item never costs the others theirs.
    """

    hints: tuple[Hint, ...] = ()
    forged: int = 0
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with this 4xx: the request as a whole is none that the provider could have sent."""

    status: int
    reason: str
    """A word for metrics and for the problem document's `code`."""
    next: str
    """What the sender should do."""


Verdict = Echo | Accept | Refuse
