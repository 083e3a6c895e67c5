"""Two organisations in the simulator, and what their people do: book, move, cancel, decide for a room. Only HTTP."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from cli.demo.processes import run_command

PEOPLE = ("Ada", "Ben", "Cleo")
RULES = {
    "Aare": {"mode": "auto"},
    "Birs": {"mode": "forbid"},
    "Doubs": {"mode": "manual"},
    "Emme": {"mode": "auto"},
    "Rhein": {"mode": "forbid"},
}
"""Rooms that accept, that refuse, and one for which somebody decides, this way and that."""
ANSWER_MS = [50, 600]
MINUTE_MS, DAY_MS = 60_000, 86_400_000
SLOT_MS, LENGTH_MS = 30 * MINUTE_MS, 25 * MINUTE_MS
PATIENCE_S = 60.0
DATES = 3
"""Of a series."""
SERIES_AHEAD_MS = 60 * DAY_MS


@dataclass(frozen=True, slots=True)
class Office:
    """One organisation: ids of its people and rooms by name."""

    provider: str
    directory: str
    people: Mapping[str, str]
    """Name → address."""
    rooms: Mapping[str, str]
    """Name → address."""
    room_ids: Mapping[str, str]
    """The simulator's id → name."""


class Simulator:
    """The simulator's control API."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=f"{address}/sim/v1", timeout=PATIENCE_S)
        self._day_ms = int(time.time() * 1000) // DAY_MS * DAY_MS + DAY_MS
        self._slot = 0

    def close(self) -> None:
        self._http.close()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._sent("POST", path, body)

    def listed(self, path: str) -> list[dict[str, Any]]:
        answer = self._http.get(path)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()[path]
        return found

    def faults(self, **switches: Any) -> None:
        self._sent("PUT", "faults", switches)

    def book(self, organizer: str, title: str, rooms: list[str], guests: list[str]) -> dict[str, Any]:
        start_ms = self.fresh_slot()
        return self.post(
            "meetings",
            organizer=organizer,
            title=title,
            start=start_ms,
            end=start_ms + LENGTH_MS,
            rooms=rooms,
            attendees=guests,
        )

    def move(self, meeting: str, start_ms: int) -> None:
        self._sent("PATCH", f"meetings/{meeting}", {"start": start_ms, "end": start_ms + LENGTH_MS})

    def cancel(self, meeting: str) -> None:
        self._sent("DELETE", f"meetings/{meeting}", None)

    def book_series(self, organizer: str, title: str, rooms: list[str], guests: list[str]) -> dict[str, Any]:
        """A date a day, in weeks in which nothing else is booked."""
        start_ms = self.fresh_slot() + SERIES_AHEAD_MS
        times = {"start": start_ms, "end": start_ms + LENGTH_MS}
        recurrence = {"frequency": "daily", "interval": 1, "count": DATES}
        more = {"organizer": organizer, "title": title, "rooms": rooms, "attendees": guests}
        return self.post("meetings", recurrence=recurrence, **times, **more)

    def decide(self, room_address: str, meeting: str, answer: str, occurrence: int | None = None) -> None:
        """For all of it, or for one date of a series: its original start."""
        date = {} if occurrence is None else {"occurrence": occurrence}
        self.post(f"rooms/{room_address}/answers", meeting=meeting, answer=answer, **date)

    def fresh_slot(self) -> int:
        """A start that no other meeting ever had, within the next seven weeks."""
        self._slot += 1
        return self._day_ms + self._slot * SLOT_MS

    def _sent(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            message = f"{method} {path} {body}: {answer.status_code} {answer.text}"
            raise RuntimeError(message)
        found: dict[str, Any] = answer.json()
        return found


def assembled(simulator: Simulator, provider: str, environ: Mapping[str, str]) -> Office:
    """Make an organisation in the simulator and switch it on in the product."""
    domain = "contoso.test" if provider == "microsoft" else "acme.test"
    tenant = simulator.post("tenants", provider=provider, name=domain, domain=domain)["id"]
    people, rooms, ids, listed = {}, {}, {}, []
    for name in PEOPLE:
        people[name] = f"{name.lower()}@{domain}"
        user = simulator.post("users", tenant=tenant, name=name, address=people[name])
        simulator.post(f"users/{user['id']}/consents", granted=True)
    for name, rules in RULES.items():
        rooms[name] = f"{name.lower()}@rooms.{domain}"
        room = {"name": name, "address": rooms[name], "capacity": 8, "building": "Riverside", "floor": "4"}
        made = simulator.post("rooms", tenant=tenant, rules={**rules, "delayMs": ANSWER_MS}, **room)
        ids[made["id"]] = name
        listed.append(room)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(listed, file)
        file.flush()
        arguments = ["--provider", provider, "--directory", tenant, "--name", domain, "--rooms", file.name]
        run_command(["tenants", "enable", *arguments], environ)
    return Office(provider, tenant, people, rooms, ids)
