"""After a whole journey no store, topic, log or temporary file holds a word of anybody's calendar."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.demo.person import PortalSession
from cli.demo.processes import RunningSystem, run_command, start_system
from tests.support.emptiness import Place, found, in_files, in_redis, in_topics

TITLE, BODY, PLACE = "Quaggasitzung XVII", "Okapiverhandlungen", "Tapirterrasse"
HOST, GUEST, OUTSIDER = "Wilhelmina Nebelhorn", "Eusebius Zwetschge", "Fritzi Fernweh"
PAGES = ("/", "/v1/me", "/v1/me/rooms", "/v1/me/prompts?include=closed", "/day", "/month", "/profile", "/v1/me/agenda")


def words(domain: str) -> list[str]:
    return [
        TITLE,
        BODY,
        PLACE,
        HOST,
        GUEST,
        OUTSIDER,
        f"nebelhorn@{domain}",
        f"zwetschge@{domain}",
        "fernweh@elsewhere",
    ]


@contextlib.contextmanager
def temporary_files_watched() -> Iterator[list[Path]]:
    """What appears in the system's temporary directory meanwhile, as this product names it."""
    where = Path(tempfile.gettempdir())
    before = set(where.glob("roomsync*"))
    new: list[Path] = []
    yield new
    new.extend(set(where.glob("roomsync*")) - before)


def organisation(stage: RunningSystem, provider: str, domain: str) -> str:
    """In the simulator, and switched on in the product; returns the organiser's id there."""
    with httpx.Client(base_url=f"{stage.simulator}/sim/v1", timeout=10) as sim:
        tenant = _posted(sim, "tenants", provider=provider, name="Markers", domain=domain)["id"]
        host = _posted(sim, "users", tenant=tenant, name=HOST, address=f"nebelhorn@{domain}")["id"]
        _posted(sim, "users", tenant=tenant, name=GUEST, address=f"zwetschge@{domain}")
        _posted(sim, f"users/{host}/consents", granted=True)
        rooms = []
        for name, rules in (("one", {"mode": "forbid"}), ("two", {"mode": "auto"})):
            room = {"name": name, "address": f"{name}@rooms.{domain}", "capacity": 9, "building": "B", "floor": "1"}
            _posted(sim, "rooms", tenant=tenant, rules={"delayMs": [0, 100], **rules}, **room)
            rooms.append(room)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(rooms))
        file.flush()
        wanted = ["--provider", provider, "--directory", tenant, "--name", "Markers", "--rooms", file.name]
        run_command(["tenants", "enable", *wanted], stage.environ)
    return str(host)


def journey(stage: RunningSystem, provider: str, domain: str, host: str) -> None:
    """Connected, booked, declined, prompted, looked at on every page, rebooked, accepted."""
    person = PortalSession(stage.portal)
    try:
        person.sign_in(provider, f"nebelhorn@{domain}")
        _until_connected(person)
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        with httpx.Client(base_url=f"{stage.simulator}/sim/v1", timeout=10) as sim:
            _posted(
                sim,
                "meetings",
                organizer=host,
                title=TITLE,
                body={"contentType": "text", "content": BODY},
                locations=[{"displayName": PLACE}],
                start=start.isoformat(),
                end=(start + timedelta(hours=1)).isoformat(),
                rooms=[f"one@rooms.{domain}"],
                attendees=[f"zwetschge@{domain}", "fernweh@elsewhere.example"],
            )
        prompt = person.wait_for("prompt").data
        assert prompt["title"] == TITLE, "the words must have passed through, or nothing is shown by their absence"
        choice = person.get(f"/v1/me/prompts/{prompt['id']}/choices")["choices"][0]
        for page in PAGES:
            person.look_at(page)
        person.take(prompt["id"], choice["roomId"])
        person.wait_for("room", roomName="two", state="accepted")
    finally:
        person.close()


def kept(stage: RunningSystem, servers: Mapping[str, str]) -> Iterator[Place]:
    yield from in_files(stage.logs)
    yield from in_topics(stage.environ)
    for name in ("VIEW", "REGISTRY"):
        if url := servers.get(f"ROOMSYNC_{name}_REDIS_URL"):
            yield from in_redis(url, servers["ROOMSYNC_TOPIC_PREFIX"])


@pytest.mark.proves("M2", "E33")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_no_word_of_the_calendar_is_kept_anywhere(engine: str, servers: Mapping[str, str], provider: str) -> None:
    domain = f"{provider}-markers.test"
    overrides = {"ROOMSYNC_PROMPT_GRACE_S": "0", "ROOMSYNC_LOG_LEVEL": "debug"}
    with (
        temporary_files_watched() as new,
        start_system(engine=engine, seed=7, servers=servers, overrides=overrides) as stage,
    ):
        journey(stage, provider, domain, organisation(stage, provider, domain))
        places = list(kept(stage, servers))
    assert len(places) > 20, "nothing was searched"
    assert found([*places, *in_files(*new)], words(domain)) == []


def _until_connected(person: PortalSession) -> None:
    deadline = time.monotonic() + 60
    while person.get("/v1/me")["connection"]["state"] != "connected":
        assert time.monotonic() < deadline, "the calendar was not connected within 60 s"
        time.sleep(0.1)


def _posted(sim: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = sim.post(path, json=body)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made
