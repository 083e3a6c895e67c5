"""The channel browser: a notice that one of a person's browsers shows, without anything out of a calendar."""

from __future__ import annotations

import base64
import hashlib

import msgspec

from services.notifier.channels.composition import plain_name, when_words
from services.notifier.channels.port import Notice, SendAttempt, Sending, SendOutcome
from services.notifier.channels.web_push import PushMessage, WebPush
from services.notifier.deciding.rungs import BROWSER
from shared.domain.instants import DAY_MS, MINUTE_MS, SECOND_MS
from shared.language.catalogues import catalogue_for
from shared.language.deciding.sentences import Sentence, say, say_many, translate
from shared.runtime.http_post import PostResult

SHOWN = 3
"""How many prompts a digest names: a notice has a few lines, and the page has all."""
KEPT_AT_MOST_MS = DAY_MS
KEPT_AT_LEAST_MS = MINUTE_MS
_TOPIC_BYTES = 24
_CLIENT_ERRORS = range(400, 500)
_PASSING = frozenset({401, 403, 408, 425, 429})
"""
Answers below 500 that say nothing of the browser or the message: who we are was not believed (RFC 8292 §2), which is ours to
mend, or it is to be tried later.
"""


class BrowserNotice(msgspec.Struct, frozen=True):
    """What our service worker is given (`services/portal/static/notices/worker.js`)."""

    id: str
    """The same at every attempt."""
    title: str
    body: str
    lang: str
    tag: str
    """A notice replaces one of the same tag that still stands."""
    open: str
    """Where a click leads."""
    stop: str
    """What is posted to switch such notices off."""
    off: str
    """The button that does."""


class BrowserSender:
    """Sends to the browser that a notice names. Thread-safe."""

    name = BROWSER

    def __init__(self, push: WebPush) -> None:
        self._push = push

    def send(self, notice: Sending) -> SendAttempt:
        """Send one message, once."""
        if not isinstance(notice, Notice) or notice.browser is None:
            message = "administrators are told by mail, and every notice for a browser says which"
            raise TypeError(message)
        shown = compose_browser_notice(notice)
        push = PushMessage(
            text=msgspec.json.encode(shown),
            topic=topic_of(notice.browser.endpoint, shown.tag),
            keep_s=keep_ms(notice) // SECOND_MS,
            at_ms=notice.at_ms,
        )
        return _attempt(self._push.send(notice.browser, push))


def compose_browser_notice(notice: Notice) -> BrowserNotice:
    """What the browser shows: rooms and hours as a mail has them; a digest leads to the person's page."""
    count = len(notice.lines)
    catalogue = catalogue_for(notice.manner)
    lines: list[Sentence | str] = []
    for each in notice.lines[:SHOWN]:
        room = plain_name(translate(each.room, catalogue))
        lines.append(_LINE.format(room=room, when=when_words(each.starts_ms, each.ends_ms, notice.zone, notice.manner)))
    if count > SHOWN:
        lines.append(say("And {count} more").format(count=count - SHOWN))
    title = say_many("{count} meeting has lost its room", "{count} meetings have lost their room", count)
    return BrowserNotice(
        id=notice.id,
        title=translate(title, catalogue),
        body="\n".join(translate(each, catalogue) for each in lines),
        lang=notice.manner.language,
        tag=notice.thread or notice.id,
        open=notice.lines[0].link if count == 1 else notice.page,
        stop=notice.stop,
        off=translate(_OFF, catalogue),
    )


_LINE = say("{room} said no: {when}")
_OFF = say("Switch off")


def topic_of(endpoint: str, tag: str) -> str:
    """Names what a message is about to its push service, which learns no id of ours by it and cannot compare two browsers."""
    digest = hashlib.sha256(f"{endpoint}\n{tag}".encode()).digest()[:_TOPIC_BYTES]
    return base64.urlsafe_b64encode(digest).decode()


def keep_ms(notice: Notice) -> int:
    """How long the message is of use to a browser that is away: until the last of its meetings begins, a day at most."""
    last_ms = max(each.starts_ms for each in notice.lines)
    return min(max(last_ms - notice.at_ms, KEPT_AT_LEAST_MS), KEPT_AT_MOST_MS)


def _attempt(result: PostResult) -> SendAttempt:
    if result.taken:
        return SendAttempt(SendOutcome.ACCEPTED)
    refused = result.status in _CLIENT_ERRORS and result.status not in _PASSING
    reason = result.fault or str(result.status)
    return SendAttempt(SendOutcome.REFUSED if refused else SendOutcome.LATER, reason, result.retry_in_s)
