"""
What is posted to a chat channel, as each product takes it. Pure.

- Slack: `{"text", "blocks"}`, answered by 200 and `ok` (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
  A section holds 3,000 characters and a message 50 blocks (https://docs.slack.dev/reference/block-kit/blocks/section-block).
  `&`, `<` and `>` are escaped, so that a room's name notifies nobody (https://docs.slack.dev/messaging/formatting-message-text).
- Teams: a Workflow that was made from "when a Teams webhook request is received" takes a message with an Adaptive Card, answered by
  202; 28 KB (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using). A TextRun shows
  its text as it stands: Markdown is not read in it (https://adaptivecards.io/explorer/TextRun.html).
- Google Chat: `{"text"}`, 32,000 bytes; a `threadKey` puts messages below each other, and a `requestId` that is known makes no
  second message (https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from shared.contracts.chat_rows import ChatProduct

CONTENT_TYPE = "application/json; charset=UTF-8"
_CARD = "application/vnd.microsoft.card.adaptive"
_PASSING = frozenset({408, 425, 429})
"""Answers below 500 that say "later": timeout, too early, too many."""
_ANGLES = str.maketrans(
    {"<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"}
)
SHOWN_IN_NOTIFICATIONS = 3
_CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One prompt."""

    room: str
    when: str
    link: str
    label: str
    """What the link does."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message in words."""

    id: str
    """The same at every attempt."""
    heading: str
    lines: Sequence[ChatLine] = ()
    closing: str = ""
    thread: str = ""
    """What messages of one prompt have in common; "": it stands alone."""


def refuses_for_good(status: int) -> bool:
    """
    Whether an answer says that this address takes no message any more, or never did.

    Slack names a channel that is archived (410), gone (404) or closed to us (403):
    https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks.
    """
    return status in _CLIENT_ERRORS and status not in _PASSING


def chat_request(product: ChatProduct, address: str, message: ChatMessage) -> tuple[str, bytes]:
    """URL and JSON body of the request that posts a message to a channel's address."""
    match product:
        case ChatProduct.SLACK:
            return address, msgspec.json.encode(_slack(message))
        case ChatProduct.TEAMS:
            return address, msgspec.json.encode(_teams(message))
        case ChatProduct.GOOGLE_CHAT:
            once = {"requestId": message.id}
            if message.thread:
                once["messageReplyOption"] = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
            joint = "&" if "?" in address else "?"
            return f"{address}{joint}{urlencode(once)}", msgspec.json.encode(_google(message))


def _slack(message: ChatMessage) -> dict[str, Any]:
    lines = [
        f"*{_escape(each.room)}*, {_escape(each.when)}\n<{each.link}|{_escape(each.label)}>" for each in message.lines
    ]
    texts = [_escape(message.heading), *lines, *([_escape(message.closing)] if message.closing else [])]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
    shown = [message.heading, *(f"{each.room}, {each.when}" for each in message.lines[:SHOWN_IN_NOTIFICATIONS])]
    return {"text": _escape(". ".join(shown)), "blocks": blocks}  # the text alone is shown in notifications


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: ChatMessage) -> dict[str, Any]:
    body = [_run(message.heading)]
    for each in message.lines:
        action = {"type": "Action.OpenUrl", "title": each.label, "url": each.link}
        body += [_run(each.room, f", {each.when}"), {"type": "ActionSet", "actions": [action]}]
    if message.closing:
        body.append(_run(message.closing))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    return {"type": "message", "attachments": [{"contentType": _CARD, "contentUrl": None, "content": card}]}


def _run(strong: str, plain: str = "") -> dict[str, Any]:
    runs = [{"type": "TextRun", "text": strong, "weight": "Bolder"}]
    return {"type": "RichTextBlock", "inlines": [*runs, *([{"type": "TextRun", "text": plain}] if plain else [])]}


def _google(message: ChatMessage) -> dict[str, Any]:
    lines = [
        f"*{_plain(each.room)}*, {_plain(each.when)}\n<{each.link}|{_plain(each.label)}>" for each in message.lines
    ]
    texts = [_plain(message.heading), *lines, *([_plain(message.closing)] if message.closing else [])]
    body: dict[str, Any] = {"text": "\n\n".join(texts)}
    return body | {"thread": {"threadKey": message.thread}} if message.thread else body


def _plain(text: str) -> str:
    """Without the signs that begin a link or a mention: no way of escaping them is documented."""
    return text.translate(_ANGLES)
