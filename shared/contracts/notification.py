"""
What the notifier keeps of telling people of their prompts. Sealed; no address, name or title stands in it.

On `person-prompts`, under the mailbox, a PersonPrompt says that a person is to be told of a prompt. On `notification-state`,
`tenant/mailbox/prompt` holds the PromptLadder: how far each rung of each channel has come for this person and prompt.
`tenant/prompt` holds an AddresseeSearch while it is not yet known whom a decline's prompt goes to.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

PROMPT_TYPE = "person-prompt"
LADDER_TYPE = "prompt-ladder"
SEARCH_TYPE = "addressee-search"


class PersonPrompt(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One prompt of one person, who is named by the record's key."""

    prompt: str
    """The decline's id."""
    meeting: str
    opened_at_ms: int
    starts_ms: int
    """When the meeting for which the room was asked begins."""


class DeliveryState(StrEnum):
    """How far a rung has come."""

    INTENT = "intent"
    """It is being sent, or will be sent again: whether the server has it is not known."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The server refuses this person for good."""
    GIVEN_UP = "given-up"
    """The server took it at no time while it would have been of use."""
    SKIPPED = "skipped"
    """Not told: the prompt was closed, the person wants none, or a later rung came first."""


class RungDelivery(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One rung of one channel."""

    state: DeliveryState
    message: str = ""
    """The id of the message that tells of it: the same at every attempt, and of all prompts that one digest tells of."""
    begun_at_ms: int = 0
    """When the message was first decided upon."""
    attempts: int = 0
    retry_at_ms: int = 0
    placed: bool = False
    """Whether an event that tells of it may stand in the person's calendar, and has to be removed once nothing is to be told."""
    event: str = ""
    """What the calendar calls that event; "" while the answer to its making is not known."""


class PromptLadder(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One prompt of one person, and what they were told of it."""

    prompt: str
    meeting: str
    opened_at_ms: int
    starts_ms: int
    deliveries: dict[str, RungDelivery] = {}
    """`channel/rung` → how far it has come; a rung without an entry is to come."""


class AddresseeSearch(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A decline of which it is not known yet whom its prompt goes to, or not of everybody."""

    prompt: str
    meeting: str
    declined_at_ms: int
    """When the decline was read here."""
    reached: tuple[str, ...] = ()
    """Mailboxes, and chat channels, that are being told already: somebody's row could not be read."""


def ladder_key(mailbox: bytes, prompt: str) -> bytes:
    """The key of a PromptLadder, by its mailbox's key."""
    return mailbox + b"/" + prompt.encode()


def search_key(tenant: str, prompt: str) -> bytes:
    """The key of an AddresseeSearch."""
    return f"{tenant}/{prompt}".encode()
