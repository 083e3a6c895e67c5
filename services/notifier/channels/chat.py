"""The channel chat: one message in a Slack, Teams or Google Chat channel of an organisation, without anything out of a calendar."""

from __future__ import annotations

from services.notifier.channels.composition import LISTED, plain_name, when_words
from services.notifier.channels.port import Notice, SendAttempt, Sending, SendOutcome
from services.notifier.deciding.rungs import CHAT
from shared.contracts.chat_message import ChatLine, ChatMessage, refuses_for_good
from shared.runtime.chat_post import ChatPost
from shared.runtime.http_post import PostResult


class ChatSender:
    """Posts to the address that a notice names. Thread-safe."""

    name = CHAT

    def __init__(self, post: ChatPost) -> None:
        self._post = post

    def send(self, notice: Sending) -> SendAttempt:
        """Post one message, once."""
        if not isinstance(notice, Notice) or notice.chat is None:
            message = "administrators are told by mail, and every chat notice names its product"
            raise TypeError(message)
        return _attempt(self._post.send(notice.chat, notice.address, compose_chat(notice)))


def compose_chat(notice: Notice) -> ChatMessage:
    """The message that tells of `notice`: rooms and hours alone, and links that ask whoever follows them to sign in."""
    label = "Choose another room" if notice.may_act else "See which rooms are free"
    lines = [
        ChatLine(plain_name(each.room), when_words(each.starts_ms, each.ends_ms, notice.zone), each.link, label)
        for each in notice.lines[:LISTED]
    ]
    count, more = len(notice.lines), len(notice.lines) - len(lines)
    return ChatMessage(
        id=notice.id,
        heading="A meeting has lost its room" if count == 1 else f"{count} meetings have lost their room",
        lines=lines,
        closing=f"And {more} more: their people see them on their pages." if more else "",
        thread=notice.thread,
    )


def _attempt(result: PostResult) -> SendAttempt:
    if result.taken:
        return SendAttempt(SendOutcome.ACCEPTED)
    refused = refuses_for_good(result.status)
    reason = result.fault or str(result.status)
    return SendAttempt(SendOutcome.REFUSED if refused else SendOutcome.LATER, reason, result.retry_in_s)
