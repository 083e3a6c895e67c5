"""Rules that nobody outside can read, in the simulator, and what the product makes of the rooms' answers alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.demo.person import PortalSession
from cli.demo.processes import RunningSystem, run_command, start_system
from shared.domain.instants import HOUR_MS

DOMAIN = {"microsoft": "rules.test", "google": "rules-g.test"}
SOON = {"delayMs": [0, 100]}
RULES: dict[str, dict[str, Any]] = {
    "open": {"mode": "auto"},
    "short": {"mode": "auto", "maxDurationMinutes": 60},
    "near": {"mode": "auto", "maxLeadDays": 7},
    "approved": {"mode": "manual"},
    "weekly": {"mode": "manual"},
    "forbidden": {"mode": "forbid"},
    "club": {"mode": "group", "group": ["ben@"]},
    "silent": {"mode": "never"},
}
RULE_WORDS = ("resourceProcess", "calendarProcessing", "bookInPolicy", "maxDuration", "/rules")


@dataclass
class House:
    """One organisation on the running stage, with a room for every rule."""

    stage: RunningSystem
    provider: str
    sim: httpx.Client
    people: dict[str, PortalSession] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        return DOMAIN[self.provider]

    def room(self, name: str) -> str:
        return f"{name}@rooms.{self.domain}"

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.sim.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def book(self, room: str, *, who: str = "ada", days: int = 2, hours: int = 1, **more: Any) -> dict[str, Any]:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
        return self.post(
            "meetings",
            organizer=f"{who}@{self.domain}",
            title="Zebra",
            start=start.isoformat(),
            end=(start + timedelta(hours=hours)).isoformat(),
            rooms=[self.room(room)],
            **{"attendees": [], **more},
        )

    def changes(self) -> int:
        """How many changes of events have been sent to the provider."""
        told = self.sim.get("requests").json()
        requests = told if isinstance(told, list) else next(value for value in told.values() if isinstance(value, list))
        return sum(one["method"] == "PATCH" and "/events/" in one["path"] for one in requests)

    def dates(self, meeting: str) -> list[dict[str, str]]:
        """What each room truly answers on each date of a series: name → answer."""
        listed = self.sim.get("meetings").json()["meetings"]
        one = next(each for each in listed if each["id"] == meeting)
        return [
            {each["address"].partition("@")[0]: each["answer"] for each in date["rooms"]} for date in one["occurrences"]
        ]

    def wait_for_state(self, room: str, state: str, who: str = "ada") -> Any:
        """The next word on the person's live page that this room is in this state."""
        return self.people[who].wait_for("room", roomName=room, state=state)

    def prompted(self, room: str, who: str = "ada") -> Any:
        return self.people[who].wait_for("prompt", roomName=room)


def _built(stage: RunningSystem, provider: str, enter: Callable[[list[dict[str, Any]]], Path]) -> House:
    house = House(stage, provider, httpx.Client(base_url=f"{stage.simulator}/sim/v1", timeout=10))
    tenant = house.post("tenants", provider=provider, name="Rules", domain=house.domain)["id"]
    for name in ("ada", "ben"):
        user = house.post("users", tenant=tenant, name=name.title(), address=f"{name}@{house.domain}")
        house.post(f"users/{user['id']}/consents", granted=True)
    rooms = []
    for name, rules in RULES.items():
        group = {"group": [f"ben@{house.domain}"]} if "group" in rules else {}
        room = {"name": name, "address": house.room(name), "capacity": 6, "building": "North", "floor": "1"}
        made = house.post("rooms", tenant=tenant, rules={**SOON, **rules, **group}, **room)
        house.ids[name] = made["id"]
        rooms.append(room)
    arguments = ["--provider", provider, "--directory", tenant, "--name", "Rules", "--rooms", str(enter(rooms))]
    run_command(["tenants", "enable", *arguments], stage.environ)
    for name in ("ada", "ben"):
        house.people[name] = PortalSession(stage.portal)
        house.people[name].sign_in(provider, f"{name}@{house.domain}")
        _until_connected(house.people[name])
    return house


def _until_connected(person: PortalSession) -> None:
    """What the first look finds declined is quiet: the story begins after it."""
    deadline = time.monotonic() + 60
    while person.get("/v1/me")["connection"]["state"] != "connected":
        assert time.monotonic() < deadline, "the calendar was not connected within 60 s"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def stage() -> Iterator[RunningSystem]:
    with start_system(engine="embedded", seed=7, servers={}, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as found:
        yield found


@pytest.fixture(scope="module", params=["microsoft", "google"])
def house(
    request: pytest.FixtureRequest, stage: RunningSystem, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    def enter(rooms: list[dict[str, Any]]) -> Path:
        path = tmp_path_factory.mktemp("rooms") / "rooms.json"
        path.write_text(json.dumps(rooms))
        return path

    found = _built(stage, request.param, enter)
    yield found
    for person in found.people.values():
        person.close()
    found.sim.close()


@pytest.mark.proves("E37")
def test_too_long_and_too_early_end_declined_and_within_the_limits_accepted(house: House) -> None:
    house.book("short", hours=2)
    house.wait_for_state("short", "declined")
    house.prompted("short")
    house.book("short", days=3)
    house.wait_for_state("short", "accepted")
    house.book("near", days=20)
    house.wait_for_state("near", "declined")
    house.book("near", days=4)
    house.wait_for_state("near", "accepted")


@pytest.mark.proves("E38")
@pytest.mark.parametrize(("answer", "days"), [("accepted", 5), ("declined", 6)])
def test_a_room_that_a_person_decides_for_stays_pending_and_then_follows_either_answer(
    house: House, answer: str, days: int
) -> None:
    meeting = house.book("approved", days=days)
    pending = house.wait_for_state("approved", "pending")
    mine = [room for room in house.people["ada"].get("/v1/me/rooms")["rooms"] if room["roomName"] == "approved"]
    assert "pending" in {room["state"] for room in mine}
    house.post(f"rooms/{house.ids['approved']}/answers", meeting=meeting["id"], answer=answer)
    followed = house.wait_for_state("approved", answer)
    assert followed.data["occurrenceRef"] == pending.data["occurrenceRef"]


@pytest.mark.proves("E39", "S6")
def test_a_forbidden_room_declines_everybody_and_never_has_the_meeting_in_its_calendar(house: House) -> None:
    for days, who in enumerate(("ada", "ben"), start=8):
        house.book("forbidden", who=who, days=days)
        house.wait_for_state("forbidden", "declined", who)
        house.prompted("forbidden", who)  # the meeting stands without its room, and its person has been told
        assert _in_its_calendar(house, "forbidden") == []


@pytest.mark.proves("E40")
def test_a_room_of_one_group_accepts_its_members_and_declines_others(house: House) -> None:
    house.book("club", who="ben", days=10)
    house.wait_for_state("club", "accepted", "ben")
    assert len(_in_its_calendar(house, "club")) == 1
    house.book("club", who="ada", days=11)
    house.wait_for_state("club", "declined", "ada")
    assert len(_in_its_calendar(house, "club")) == 1


@pytest.mark.proves("E42")
def test_a_room_that_never_answers_is_never_called_booked(house: House) -> None:
    house.book("silent", days=12)
    shown = house.wait_for_state("silent", "pending")
    assert "booked" not in json.dumps(shown.data).lower()


@pytest.mark.proves("B8")
def test_dates_of_a_series_are_decided_prompted_for_and_rebooked_date_by_date(house: House) -> None:
    ada, decided, lost = house.people["ada"], house.ids["weekly"], (2, 5)
    meeting = house.book("weekly", days=15, recurrence={"frequency": "daily", "interval": 1, "count": 10})
    keys = [date["occurrence"] for date in meeting["occurrences"]]
    house.post(f"rooms/{decided}/answers", meeting=meeting["id"], answer="accepted")
    for _ in keys:
        house.wait_for_state("weekly", "accepted")
    for date in lost:
        house.post(f"rooms/{decided}/answers", meeting=meeting["id"], answer="declined", occurrence=keys[date])
    prompts = _until(lambda: two if len(two := _open(ada)) == len(lost) else None)
    assert {each["series"]["words"] for each in prompts} == {"8 of 10 dates have the room."}
    later = {"start": keys[7] + 2 * HOUR_MS, "end": keys[7] + 3 * HOUR_MS}
    house.sim.patch(f"meetings/{meeting['id']}", json={**later, "occurrence": keys[7]}).raise_for_status()
    moved = "7 of 10 dates have the room. 1 has no answer yet."
    _until(lambda: {each["series"]["words"] for each in _open(ada)} == {moved})
    first, second = (each["id"] for each in prompts)
    choices = ada.get(f"/v1/me/prompts/{first}/choices?also={second}")["choices"]
    ada.take(first, next(each["roomId"] for each in choices if each["name"] == "open"), [second])
    _until(lambda: _open(ada) == [])
    shown = house.dates(meeting["id"])
    assert [date for date, rooms in enumerate(shown) if "open" in rooms] == [*lost]
    assert [date for date, rooms in enumerate(shown) if "weekly" not in rooms] == [*lost]


@pytest.mark.proves("B8", "E43")
def test_series_that_a_room_refused_as_a_whole_is_changed_once(house: House) -> None:
    ada, refusing, guest = house.people["ada"], "forbidden", f"ben@{house.domain}"
    daily = {"frequency": "daily", "interval": 1, "count": 4}
    asked = {each["id"] for each in _open(ada, refusing)}  # by other tests, for meetings of theirs
    meeting = house.book(refusing, days=40, recurrence=daily, attendees=[guest])

    def lost() -> list[Any]:
        return [each for each in _open(ada, refusing) if each["id"] not in asked]

    prompts = _until(lambda: four if len(four := lost()) == daily["count"] else None)
    first, *others = (each["id"] for each in prompts)
    before = house.changes()
    found = ada.get(f"/v1/me/prompts/{first}/choices?{'&'.join(f'also={each}' for each in others)}")
    assert (found["wholeSeries"], found["mails"]["words"]) == (True, "The guest gets 1 mail for the whole series.")
    room = next(each["roomId"] for each in found["choices"] if each["name"] == "open")
    ada.take(first, room, others, whole_series=True)
    _until(lambda: not lost())
    assert [set(rooms) for rooms in house.dates(meeting["id"])] == [{"open"}] * daily["count"]
    assert house.changes() == before + 1


@pytest.mark.proves("E41")
def test_rules_are_never_read_and_what_is_suggested_is_not_confirmed(house: House) -> None:
    house.book("forbidden", days=13)
    prompt = house.prompted("forbidden")
    choices = house.people["ada"].get(f"/v1/me/prompts/{prompt.data['id']}/choices")["choices"]
    assert choices
    assert {choice["label"] for choice in choices} == {"free now, not confirmed"}
    asked = json.dumps(house.sim.get("requests").json())
    assert not [word for word in RULE_WORDS if word in asked]


def _open(person: PortalSession, room: str = "weekly") -> list[Any]:
    """The prompts for the room of the series."""
    return [each for each in person.get("/v1/me/prompts")["prompts"] if each["roomName"] == room]


def _until(found: Callable[[], Any]) -> Any:
    """What `found` finds, once it finds something."""
    deadline = time.monotonic() + 60
    while not (it := found()):
        assert time.monotonic() < deadline, "not within 60 s"
        time.sleep(0.1)
    return it


def _in_its_calendar(house: House, room: str) -> list[dict[str, Any]]:
    """What the simulated room's own calendar holds."""
    answer = house.sim.get(f"rooms/{house.ids[room]}/calendar")
    answer.raise_for_status()
    held: list[dict[str, Any]] = answer.json()["calendar"]
    return held
