"""What the servers of a killed notifier got: each message by the id that it has there, as often as it came."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

from services.notifier.deciding.rungs import BROWSER, CALENDAR, CHAT, MAIL
from tests.integration.services.notifier.killed_desk import CHAT_PATH, PATH, PUSH_PATH, KilledDesk
from tests.integration.services.notifier.ladder_stories import WEBHOOK
from tests.support.mail_server import MailSink
from tests.support.webhook_receiver import Got

T = TypeVar("T")


class Arrivals:
    """Gives what has come since it was asked last."""

    def __init__(self, desk: KilledDesk, sink: MailSink) -> None:
        self._desk, self._sink = desk, sink
        self._counted = Counter[str]()
        self._events = set[str]()
        self.ids: dict[str, set[str]] = {channel: set() for channel in (MAIL, CALENDAR, BROWSER, CHAT, WEBHOOK)}
        """Channel → the ids of all messages that ever came; of chat, whose messages have none, the declines."""
        self.removals = 0
        """How often the removal of an event was asked for."""

    def take(self) -> Mapping[str, Counter[str]]:
        """Channel → the id of each message that has come → how often; fails if a message comes again after it had been told."""
        desk = self._desk
        fresh = {
            MAIL: [str(mail["Message-ID"]) for mail in self._fresh(MAIL, self._sink.mails)],
            BROWSER: [str(desk.browser.read(each)["id"]) for each in self._fresh(BROWSER, desk.got(PUSH_PATH))],
            CHAT: [_decline_in(each) for each in self._fresh(CHAT, desk.got(CHAT_PATH))],
            WEBHOOK: [each.id for each in self._fresh(WEBHOOK, desk.got(PATH))],
            CALENDAR: self._made(),
        }
        taken = {channel: Counter(ids) for channel, ids in fresh.items()}
        for channel, ids in taken.items():
            assert channel == CHAT or not ids.keys() & self.ids[channel], (channel, "told again long after")
            self.ids[channel] |= ids.keys()
        return taken

    def _fresh(self, channel: str, arrived: list[T]) -> list[T]:
        before, self._counted[channel] = self._counted[channel], len(arrived)
        return arrived[before:]

    def _made(self) -> list[str]:
        """The event that was made, as often as it was asked for: events of one message are one."""
        made, removed = self._desk.reminded.requests_since()
        self.removals += removed
        events = set(self._desk.reminded.events())
        fresh, self._events = events - self._events, events
        assert len(fresh) == bool(made), (made, "requests made", fresh)
        return [*fresh] * made


def _decline_in(got: Got) -> str:
    """The decline that a chat message leads to."""
    [decline] = set(re.findall(r"/prompts/(d-\w+)", json.dumps(json.loads(got.body)["blocks"])))
    return str(decline)
