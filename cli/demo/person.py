"""Drives the portal as a person would: signs in, follows the live stream, takes a room. Only HTTP."""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event, and when it was seen (monotonic seconds)."""

    name: str
    data: dict[str, Any]
    at_s: float


class PortalSession:
    """A signed-in session. Reconnects its stream by itself, as a browser does."""

    def __init__(self, portal: str, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._http = httpx.Client(base_url=portal, timeout=30, follow_redirects=True)
        self._events: queue.Queue[StreamEvent] = queue.Queue()
        self.seen: list[StreamEvent] = []
        self._csrf = ""
        self._last_id = ""
        self._leaving = threading.Event()

    def sign_in(self, provider: str, address: str) -> None:
        """Sign in and connect the calendar, through the provider's own pages. Raises RuntimeError with the last page."""
        answer = self._http.get("/auth/login", params={"provider": provider, "login_hint": address})
        me = self._http.get("/v1/me")
        if me.is_error:
            message = (
                f"{address} could not sign in at {provider}: {answer.status_code} {answer.url}\n{answer.text[:600]}"
            )
            raise RuntimeError(message)
        self._csrf = me.json()["csrf"]
        self.connect()
        threading.Thread(target=self._follow, daemon=True).start()

    def connect(self) -> None:
        """Turn the switch of the profile on, and give the permission that the provider asks for, also once more."""
        asked = self._http.post("/v1/me/calendar/connect", headers={"X-CSRF-Token": self._csrf})
        asked.raise_for_status()
        back = self._http.get(asked.json()["location"])
        if back.is_error:
            message = f"the calendar could not be connected: {back.status_code} {back.url}\n{back.text[:600]}"
            raise RuntimeError(message)

    def get(self, path: str) -> Any:
        """Read from the API, again while a service is being restarted. Raises RuntimeError when patience is over."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = self._http.get(path)
                if not answer.is_server_error:
                    answer.raise_for_status()
                    return answer.json()
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                message = f"{path}: no answer within {self._patience_s:.0f} s"
                raise RuntimeError(message)
            time.sleep(0.2)

    def look_at(self, path: str) -> int:
        """Open a page or a resource as it is, whatever it answers; returns the status."""
        return self._http.get(path).status_code

    def page(self, path: str) -> str:
        """Open a page; its text, whatever its status."""
        return self._http.get(path).text

    def send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Send a change once, under a key of its own; the answer, whatever its status."""
        headers = {"Idempotency-Key": uuid.uuid4().hex, "X-CSRF-Token": self._csrf}
        return self._http.post(path, json=body, headers=headers)

    def take(self, prompt: str, room: str, also: Collection[str] = (), *, whole_series: bool = False) -> None:
        """
        Take the room; the same request is repeated under one idempotency key until it is answered.

        Args:
            prompt: The prompt's id.
            room: The room's id.
            also: Prompts for other dates of the series that it is to be taken for.
            whole_series: Change the series once instead of each date.
        """
        headers = {"Idempotency-Key": uuid.uuid4().hex, "X-CSRF-Token": self._csrf}
        body = {"roomId": room, "also": [*also], "wholeSeries": whole_series}
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = self._http.post(f"/v1/me/prompts/{prompt}/take", json=body, headers=headers)
                if not answer.is_server_error:
                    answer.raise_for_status()
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                message = f"taking a room was not answered within {self._patience_s:.0f} s"
                raise RuntimeError(message)
            time.sleep(0.2)

    def wait_for(self, name: str, *, states: Collection[str] = (), **fields: Any) -> StreamEvent:
        """
        Return the next event of that name whose data has these fields; those before it are kept in `seen`.

        Args:
            name: `room`, `prompt` or `prompt-closed`.
            states: Any of these will do, for `state`; empty: whatever it is.
        """
        deadline = time.monotonic() + self._patience_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                break
            self.seen.append(event)
            fits = all(event.data.get(key) == value for key, value in fields.items())
            if event.name == name and fits and (not states or event.data.get("state") in states):
                return event
        message = f"no {name} event with {fields} {states} within {self._patience_s:.0f} s; seen last: {self.seen[-3:]}"
        raise RuntimeError(message)

    def close(self) -> None:
        """Stop following."""
        self._leaving.set()
        self._http.close()

    def _follow(self) -> None:
        while not self._leaving.is_set():
            headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
            try:
                with self._http.stream("GET", "/v1/me/stream", headers=headers) as answer:
                    for event in self._parsed(answer.iter_lines()):
                        self._events.put(event)
            except (httpx.HTTPError, RuntimeError):
                self._leaving.wait(0.3)

    def _parsed(self, lines: Iterator[str]) -> Iterator[StreamEvent]:
        name, data = "message", ""
        for line in lines:
            if not line:
                if data:
                    yield StreamEvent(name, json.loads(data), time.monotonic())
                name, data = "message", ""
            elif line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()
            elif line.startswith("id:"):
                self._last_id = line[3:].strip()
