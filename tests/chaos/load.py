"""Notifications with valid proof for the campaign's own mailboxes, many at once, and which of them were acknowledged."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from cli.demo.processes import run_command

BATCH = 50
"""Items in one of Graph's collections."""
PATIENCE_S = 120.0
_AGAIN_S = 0.05
_MAILBOXES = 3
"""Connected at each provider."""


@dataclass(frozen=True, slots=True)
class Push:
    """One request as `roomsync trigger --print` shows it."""

    path: str
    headers: Mapping[str, str]
    body: str


class Load:
    """Sends what a provider might send; whatever was acknowledged has to stand in the log."""

    def __init__(self, receiver: str, environ: Mapping[str, str]) -> None:
        """`receiver`: its address. The proofs are asked for once: they are what a subscription carries for days."""
        self._http = httpx.Client(base_url=receiver, timeout=5.0)
        self._graph, self._google = (_printed(kind, environ) for kind in ("graph", "google"))
        self.acknowledged: set[str] = set()
        """The id of each item that was answered with 200 or 202."""
        self._number = time.time_ns()

    def close(self) -> None:
        self._http.close()

    def burst(self, items: int) -> None:
        """Send until `items` more were acknowledged, one of Google's for each of Graph's collections."""
        enough = len(self.acknowledged) + items
        deadline_s = time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < enough and time.monotonic() < deadline_s:
            if not (self._send(*self._collection()) and self._send(*self._message())):
                time.sleep(_AGAIN_S)

    def one(self, and_then: Callable[[], None]) -> bool:
        """Send one collection; `and_then` runs within a millisecond of its being acknowledged."""
        push, ids = self._collection()
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            if self._send(push, ids, and_then):
                return True
            time.sleep(_AGAIN_S)
        return False

    def _send(self, push: Push, ids: Sequence[str], and_then: Callable[[], None] = lambda: None) -> bool:
        try:
            answer = self._http.post(push.path, headers=dict(push.headers), content=push.body)
        except httpx.TransportError:
            return False  # dead, frozen, or just being started: nothing was promised
        if not answer.is_success:
            return False
        and_then()
        self.acknowledged.update(ids)
        return True

    def _collection(self) -> tuple[Push, list[str]]:
        """Items of all mailboxes at Graph, each with a subscription id of its own to be found by."""
        ids = [str(uuid.uuid4()) for _ in range(BATCH)]
        items = [{**_item(self._graph[nth % len(self._graph)]), "subscriptionId": one} for nth, one in enumerate(ids)]
        return replace(self._graph[0], body=json.dumps({"value": items})), ids

    def _message(self) -> tuple[Push, list[str]]:
        """One of Google's: its channel belongs to the proof, so that its number is what it is found by."""
        self._number += 1
        push = self._google[self._number % len(self._google)]
        return replace(push, headers={**push.headers, "X-Goog-Message-Number": str(self._number)}), [str(self._number)]


def _printed(kind: str, environ: Mapping[str, str]) -> list[Push]:
    lines = run_command(["trigger", kind, "--count", str(_MAILBOXES), "--print"], dict(environ)).splitlines()
    return [Push(each["path"], each["headers"], each["body"]) for each in map(json.loads, lines)]


def _item(push: Push) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(push.body)["value"][0]
    return item
