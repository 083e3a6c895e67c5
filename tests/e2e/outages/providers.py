"""Both providers' notifications in a steady stream, for made-up mailboxes of every partition: what was answered, and when."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from cli.trigger.notifications import Push, make_google_push, make_graph_push, make_synthetic_mailboxes
from shared.domain.identity import Mailbox, partition_of
from shared.domain.proof import HookKeys
from tests.support.patience import PATIENCE_S
from tests.support.stalls import Stalls

RATE = 24
"""Requests a second: enough to meet every partition several times a second."""
SENDERS = 64
"""Nobody waits for a sender, even while each answer takes two seconds."""
MAILBOXES = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it went out and came back (monotonic seconds), and what it was for."""

    id: str
    partition: int
    sent_s: float
    done_s: float
    status: int

    @property
    def took_s(self) -> float:
        """How long the provider waited."""
        return self.done_s - self.sent_s

    @property
    def accepted(self) -> bool:
        """Whether the provider may forget it."""
        return self.status in (200, 202)


class Providers:
    """Sends at a steady rate from `__enter__` to `__exit__`, and remembers every answer."""

    def __init__(self, receiver: str, keys: HookKeys, partitions: int) -> None:
        """`receiver`: its address. `keys`: what signs client states."""
        parts = urlsplit(receiver)
        self._host, self._port = parts.hostname or "", parts.port
        self._keys = keys
        self._partitions = partitions
        self._mailboxes = make_synthetic_mailboxes(MAILBOXES)
        self._answers: list[Answer] = []
        self._over = threading.Event()
        self.stalls = Stalls()
        self._pacer = threading.Thread(target=self._pace, daemon=True)

    @property
    def answers(self) -> Sequence[Answer]:
        """So far, in the order in which they came back."""
        return tuple(self._answers)

    @property
    def accepted(self) -> set[str]:
        """The subscription or channel id of each item that was taken."""
        return {answer.id for answer in self._answers if answer.accepted}

    def since(self, at_s: float) -> list[Answer]:
        """Answers to what was sent after an instant."""
        return [answer for answer in self._answers if answer.sent_s >= at_s]

    def __enter__(self) -> Self:
        self.stalls.__enter__()
        self._pacer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pacer.join()
        self.stalls.__exit__()

    def _pace(self) -> None:
        began_s = time.monotonic()
        with ThreadPoolExecutor(SENDERS) as pool:
            for number in self._numbers():
                if self._over.wait(max(0.0, began_s + number / RATE - time.monotonic())):
                    return
                pool.submit(self._send, number)

    @staticmethod
    def _numbers() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def _send(self, number: int) -> None:
        mailbox = self._mailboxes[number // 2 % MAILBOXES]
        name, push = self._push(number, mailbox)
        sent_s = time.monotonic()
        try:
            status = self._posted(push)
        except (OSError, http.client.HTTPException):
            status = 0  # no answer at all: a promise broken, the tests say so
        partition = partition_of(mailbox.key, self._partitions)
        self._answers.append(Answer(name, partition, sent_s, time.monotonic(), status))

    def _push(self, number: int, mailbox: Mailbox) -> tuple[str, Push]:
        if number % 2:
            push = make_google_push(self._keys, mailbox, _guid, number)
            return push.headers["X-Goog-Channel-ID"], push
        push = make_graph_push(self._keys, mailbox, _guid, int(time.time() * 1000))
        return str(json.loads(push.body)["value"][0]["subscriptionId"]), push

    def _posted(self, push: Push) -> int:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request("POST", push.path, push.body, push.headers)
            got = connection.getresponse()
            got.read()
            return got.status


def _guid() -> str:
    return str(uuid.uuid4())
