"""Creates the demo's organisation at a provider (three people, five rooms) and books meetings in the simulator."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from cli.demo.processes import RunningSystem, run_command
from shared.domain.identity import Provider

PEOPLE = ("Ada", "Ben", "Cleo")
ROOMS: tuple[dict[str, Any], ...] = (
    {"name": "Aare 4.12", "capacity": 6, "building": "Riverside", "floor": "4", "equipment": ["Screen"]},
    {"name": "Birs 4.14", "capacity": 8, "building": "Riverside", "floor": "4", "equipment": ["Screen", "Whiteboard"]},
    {"name": "Doubs 4.20", "capacity": 6, "building": "Riverside", "floor": "4", "accessible": True},
    {"name": "Emme 3.02", "capacity": 10, "building": "Riverside", "floor": "3", "equipment": ["Video conference"]},
    {"name": "Rhein 1.01", "capacity": 20, "building": "Hillside", "floor": "1", "accessible": True},
)
REFUSING = "Aare 4.12"
"""The room that declines."""
_DOMAINS = {Provider.MICROSOFT: "contoso.test", Provider.GOOGLE: "acme.test"}
SWITCHED_OFF_DOMAIN = "fabrikam.test"
"""Of the organisation that is left for its administrator to switch on."""
_REFUSES_BY_RULE = {Provider.MICROSOFT: False, Provider.GOOGLE: True}
"""Whether the refusing room declines by a rule, since a conflict would be declined at once there."""
ANSWER_MS = [700, 1500]
LEAD = timedelta(days=1)
ACCEPTED_S = 30.0


@dataclass(frozen=True, slots=True)
class Organisation:
    """One simulated organisation: its people by name, its rooms by name."""

    provider: str
    directory: str
    people: dict[str, dict[str, Any]]
    rooms: dict[str, dict[str, Any]]

    @property
    def host(self) -> dict[str, Any]:
        """The person whose meetings the story is about."""
        return self.people[PEOPLE[0]]


def create_organisation(system: RunningSystem, provider: str) -> Organisation:
    """Create the organisation in the simulator, and enable it in the product. Raises RuntimeError, httpx.HTTPError."""
    domain = _DOMAINS[Provider(provider)]
    who = _simulate(system, provider, domain)
    _enable(system, provider, who.directory, _title_of(domain), who.rooms)
    return who


def create_switched_off(system: RunningSystem, provider: str) -> Organisation:
    """
    Create an organisation that has not switched the integration on; its first person is appointed administrator.

    Raises RuntimeError, httpx.HTTPError.
    """
    who = _simulate(system, provider, SWITCHED_OFF_DOMAIN)
    account = ["--provider", provider, "--directory", who.directory, "--account", str(who.host["id"])]
    run_command(["tenants", "admin", *account], system.environ)
    return who


def _simulate(system: RunningSystem, provider: str, domain: str) -> Organisation:
    with httpx.Client(base_url=f"{system.simulator}/sim/v1", timeout=10) as sim:
        tenant = _post(sim, "tenants", provider=provider, name=_title_of(domain), domain=domain)
        if provider == Provider.MICROSOFT:  # as an Entra administrator has to, first of all
            _post(sim, f"tenants/{tenant['id']}/consent", granted=True)
        people = {
            name: _post(sim, "users", tenant=tenant["id"], name=name, address=f"{name.lower()}@{domain}")
            for name in PEOPLE
        }
        rooms = {
            str(room["name"]): _post(
                sim,
                "rooms",
                tenant=tenant["id"],
                address=f"{str(room['name']).split()[0].lower()}@rooms.{domain}",
                rules=_rules(provider, str(room["name"]), people["Ben"]["address"]),
                **room,
            )
            for room in ROOMS
        }
        for person in people.values():
            _post(sim, f"users/{person['id']}/consents", granted=True)
    return Organisation(provider, tenant["id"], people, rooms)


def _title_of(domain: str) -> str:
    return domain.partition(".")[0].title()


def book_meeting(
    system: RunningSystem, who: Organisation, *, host: str, title: str, room: str, at: datetime, guests: list[str]
) -> dict[str, Any]:
    """Book an hour with a room in `host`'s own calendar, as Outlook or Google Calendar would."""
    with httpx.Client(base_url=f"{system.simulator}/sim/v1", timeout=10) as sim:
        return _post(
            sim,
            "meetings",
            organizer=who.people[host]["id"],
            title=title,
            start=at.isoformat(),
            end=(at + timedelta(hours=1)).isoformat(),
            rooms=[who.rooms[room]["address"]],
            attendees=[who.people[guest]["address"] for guest in guests],
        )


def read_organisation(system: RunningSystem, provider: str) -> Organisation:
    """Read back from the simulator the organisation that `create_organisation` made."""
    with httpx.Client(base_url=f"{system.simulator}/sim/v1", timeout=10) as sim:
        tenant = next(found for found in _list(sim, "tenants") if found["provider"] == provider)
        people = {found["name"]: found for found in _list(sim, "users") if found["tenant"] == tenant["id"]}
        rooms = {found["name"]: found for found in _list(sim, "rooms") if found["tenant"] == tenant["id"]}
    return Organisation(provider, tenant["id"], people, rooms)


def ensure_decline(system: RunningSystem, who: Organisation, at: datetime) -> str:
    """
    Make sure that the first room will decline Ada at that hour, after a moment; returns why, in words.

    Outlook's room is taken by Ben. Google declines conflicts at once, so there the room is one that only Ben may book.
    """
    if _REFUSES_BY_RULE[Provider(who.provider)]:
        return "a room that only Ben may book, by a rule that nobody else can read"
    booked = book_meeting(system, who, host="Ben", title="Standing appointment", room=REFUSING, at=at, guests=[])
    _wait_accepted(system, booked["id"])
    return "an hour that Ben already has"


def tomorrow_at(hour: int) -> datetime:
    """Return that hour of tomorrow, UTC."""
    return (datetime.now(UTC) + LEAD).replace(hour=hour, minute=0, second=0, microsecond=0)


def _rules(provider: str, room: str, only: str) -> dict[str, Any]:
    if room == REFUSING and _REFUSES_BY_RULE[Provider(provider)]:
        return {"mode": "group", "group": [only], "delayMs": ANSWER_MS}
    return {"mode": "auto", "delayMs": ANSWER_MS}


def _wait_accepted(system: RunningSystem, meeting: str) -> None:
    """Wait until the simulated room has accepted that meeting. Raises RuntimeError after `ACCEPTED_S` seconds."""
    with httpx.Client(base_url=f"{system.simulator}/sim/v1", timeout=10) as sim:
        deadline = time.monotonic() + ACCEPTED_S
        while time.monotonic() < deadline:
            facts = [fact for fact in _list(sim, "history") if fact["kind"] == "room-answered"]
            if any(fact["answer"] == "accepted" and fact["meeting"] == meeting for fact in facts):
                return
            time.sleep(0.1)
    message = f"the simulated {REFUSING} did not accept Ben's meeting within {ACCEPTED_S:.0f} s"
    raise RuntimeError(message)


def _enable(system: RunningSystem, provider: str, directory: str, name: str, rooms: dict[str, dict[str, Any]]) -> None:
    listed = [
        {key: room[key] for key in ("address", "name", "capacity", "building", "floor", "equipment", "accessible")}
        for room in rooms.values()
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(listed, file)
        file.flush()
        arguments = ["--provider", provider, "--directory", directory, "--name", name, "--rooms", str(Path(file.name))]
        run_command(["tenants", "enable", *arguments], system.environ)


def _post(sim: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = sim.post(path, json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _list(sim: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = sim.get(path)
    answer.raise_for_status()
    found = answer.json()
    return list(found[path] if isinstance(found, dict) else found)
