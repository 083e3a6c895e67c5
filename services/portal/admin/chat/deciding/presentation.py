"""Chat channels as the page and the API show them. Pure."""

from __future__ import annotations

from typing import Annotated, TypedDict
from urllib.parse import urlsplit

from msgspec import Meta

from services.portal.interface.fields import ChatChannelId, Instant
from shared.contracts.chat_message import refuses_for_good
from shared.contracts.chat_rows import ChatChannel, ChatProduct
from shared.domain.instants import to_rfc3339
from shared.language.deciding.sentences import say

PRODUCT_WORDS = {
    ChatProduct.SLACK: "Slack",
    ChatProduct.TEAMS: "Microsoft Teams",
    ChatProduct.GOOGLE_CHAT: "Google Chat",
}
_FAULT_WORDS = {
    "address-refused": say("Its address leads to none of the hosts that chat may be posted to."),
    "timeout": say("The product did not answer in time."),
    "no-such-host": say("There is no such host."),
    "tls": say("Its certificate could not be verified."),
    "redirect": say("It answered with a redirect, which is not followed: enter the address that the product gave you."),
}


class ChatChannelShape(TypedDict):
    """A chat channel of the organisation that is told of rooms that say no."""

    id: ChatChannelId
    product: ChatProduct
    name: Annotated[str, Meta(examples=["#rooms"])]
    host: Annotated[str, Meta(examples=["hooks.slack.com"])] | None
    """Of its address, which nobody is shown whole again; null when it cannot be read any more."""
    zone: Annotated[str, Meta(examples=["Europe/Zurich"])] | None
    """In which hours are written; null: UTC."""
    reminders: bool
    """Whether it is told again a day and two hours before the meeting."""
    madeAt: Instant
    refusedAt: Instant | None
    """When its address refused a message for good: nothing is posted until a test is taken."""
    refusal: Annotated[str, Meta(examples=["404"])] | None


class ChatTestShape(TypedDict):
    """How a test message went."""

    taken: bool
    status: Annotated[int, Meta(examples=[200])] | None
    """What the product answered; null: nothing."""
    words: Annotated[str, Meta(examples=["The product has taken the message."])]


def channel_shape(channel: ChatChannel, address: str | None) -> ChatChannelShape:
    """A channel; `address`: None when it cannot be read any more."""
    return {
        "id": channel.id,
        "product": channel.product,
        "name": channel.name,
        "host": urlsplit(address).hostname if address else None,
        "zone": channel.zone or None,
        "reminders": channel.reminders,
        "madeAt": to_rfc3339(channel.made_at_ms),
        "refusedAt": to_rfc3339(channel.refused_at_ms) if channel.refused_at_ms else None,
        "refusal": channel.refusal or None,
    }


def test_shape(status: int, fault: str, *, taken: bool) -> ChatTestShape:
    """How a test went, by the answer's status, or why there was none that counts."""
    if taken:
        words: str = say("The product has taken the message: look into the channel.")
    elif fault:
        words = _FAULT_WORDS.get(fault, say("The product did not answer."))
    elif refuses_for_good(status):
        words = say(
            "The product answered {status}: this address takes no message. Make a new one there, and add it here."
        ).format(status=status)
    else:
        words = say("The product answered {status}, which passes: test again in a while.").format(status=status)
    return {"taken": taken, "status": status or None, "words": words}
