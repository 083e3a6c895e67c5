"""The people at the portal: they connect, see their rooms, and take another one. Only HTTP."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.truth import is_series, label_of

PATIENCE_S = 120.0
_AGAIN_S = 0.3


@dataclass(frozen=True, slots=True)
class Line:
    """One room as its organiser's page shows it."""

    title: str
    """Of a date of a series: its label."""
    room: str
    state: str
    tenant: str
    meeting_ref: str
    occurrence_ref: str
    room_id: str
    since: str


class Employee:
    """A signed-in session that asks again while services are being killed."""

    def __init__(self, portal: str, provider: str, address: str) -> None:
        self.provider, self.address = provider, address
        self._http = httpx.Client(base_url=portal, timeout=30, follow_redirects=True)
        self._me: dict[str, Any] = {}
        self._titles: dict[str, str] = {}
        """As shown so far: a page that ran out of time to ask the calendar shows none."""

    def connect(self) -> None:
        """Sign in, connect, and wait until the first look is done: what was declined before is not announced."""
        answer = self._http.get("/auth/login", params={"provider": self.provider, "login_hint": self.address})
        answer.raise_for_status()
        token = {"X-CSRF-Token": self._get("/v1/me")["csrf"]}
        asked = self._http.post("/v1/me/calendar/connect", headers=token).raise_for_status()
        self._http.get(asked.json()["location"]).raise_for_status()
        deadline_s = time.monotonic() + PATIENCE_S
        while (me := self._get("/v1/me"))["connection"]["state"] != "connected":
            if time.monotonic() > deadline_s:
                message = f"{self.address} is still {me['connection']}"
                raise RuntimeError(message)
            time.sleep(0.1)
        self._me = me

    @property
    def tenant(self) -> str:
        """As the product calls it."""
        return str(self._me["tenant"])

    def lines(self, patience_s: float = PATIENCE_S) -> list[Line] | None:
        """The rooms of the meetings that this person organises; None while the page says that it is not complete."""
        page = self._get("/v1/me/rooms", patience_s)
        rows = [row for row in page["rooms"] if row["organizer"]]
        self._titles |= {row["meetingRef"]: row["title"] for row in rows if row["title"]}
        if page["rebuilding"]:
            return None
        return [
            Line(
                label_of(self._titles[row["meetingRef"]], row["start"]), row["roomName"], row["state"], self.tenant,
                row["meetingRef"], row["occurrenceRef"], row["roomId"], row["since"],
            )
            for row in rows
            if row["meetingRef"] in self._titles
        ]  # fmt: skip

    def take_one(self, spare: set[str]) -> str:
        """
        Take the first room offered for the first open prompt whose meeting is not in `spare`.

        Returns:
            The meeting's title; "" when there was nothing to take.
        """
        for prompt in self._get("/v1/me/prompts")["prompts"]:
            if not prompt["open"] or not prompt["title"] or prompt["title"] in spare or is_series(prompt["title"]):
                continue
            offered = self._asked("GET", f"/v1/me/prompts/{prompt['id']}/choices")
            choices = offered.json()["choices"] if offered.is_success else []  # it may have closed a moment ago
            if choices and self._took(prompt["id"], choices[0]["roomId"]):
                return str(prompt["title"])
        return ""

    def take_series(self, spare: set[str]) -> tuple[str, list[str]]:
        """
        Take the first room offered for a whole series whose title is not in `spare`, with one change.

        Returns:
            The series' title, and the labels of its dates; "" and nothing when there was nothing to take.
        """
        found: dict[tuple[str, str, str], list[Any]] = {}
        for prompt in self._get("/v1/me/prompts")["prompts"]:
            if prompt["open"] and prompt["title"] and is_series(prompt["title"]) and prompt["title"] not in spare:
                found.setdefault((prompt["title"], prompt["meetingRef"], prompt["roomId"]), []).append(prompt)
        for (title, _, _), prompts in found.items():
            first, also = prompts[0]["id"], [each["id"] for each in prompts[1:]]
            offered = self._asked("GET", f"/v1/me/prompts/{first}/choices", params={"also": also})
            answer = offered.json() if offered.is_success else {}
            if answer.get("wholeSeries") and answer["choices"]:
                room = answer["choices"][0]["roomId"]
                if self._took(first, room, also=also, wholeSeries=True):
                    return title, [label_of(title, each["start"]) for each in prompts]
        return "", []

    def close(self) -> None:
        self._http.close()

    def _took(self, prompt: str, room: str, **more: Any) -> bool:
        headers = {"Idempotency-Key": uuid.uuid4().hex, "X-CSRF-Token": str(self._me["csrf"])}
        wish = {"roomId": room, **more}
        return self._asked("POST", f"/v1/me/prompts/{prompt}/take", headers=headers, json=wish).is_success

    def _get(self, path: str, patience_s: float = PATIENCE_S) -> Any:
        answer = self._asked("GET", path, patience_s)
        answer.raise_for_status()
        return answer.json()

    def _asked(self, method: str, path: str, patience_s: float = PATIENCE_S, **more: Any) -> httpx.Response:
        """Again and again while the answer is only late; the key makes it one wish. Raises RuntimeError after `patience_s`."""
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                answer = self._http.request(method, path, **more)
                if not answer.is_server_error:
                    return answer
                reason = answer.text[:300]
            except httpx.TransportError as error:
                reason = repr(error)
            if time.monotonic() > deadline_s:
                message = f"{method} {path}: no answer within {patience_s:.0f} s; last: {reason}"
                raise RuntimeError(message)
            time.sleep(_AGAIN_S)
