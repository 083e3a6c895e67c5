"""A pilot that only observes, from connecting to the prompt, and what follows once it may write. Embedded engine, over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cli.demo.organisations import (
    REFUSING,
    Organisation,
    book_meeting,
    create_organisation,
    ensure_decline,
    tomorrow_at,
)
from cli.demo.person import PortalSession
from cli.demo.processes import SERVICES, RunningSystem, run_command, start_system
from deploy.local.processes import free_ports
from tests.support.patience import PATIENCE_S

TITLE = "Budget review"
HOURS = (10, 13, 15)
SUBSCRIPTIONS = ("/subscriptions", "/events/watch", "/channels/stop")
ASKING = ("/getSchedule", "/freeBusy", "/token", "/authorize", "/login")
WRITE_SCOPES = {"Calendars.ReadWrite", "https://www.googleapis.com/auth/calendar.events.owned"}


def eventually(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {PATIENCE_S:.0f} s")


def restart_services(stage: RunningSystem, writes: str) -> None:
    """Stop the services and start them again over the same stores, on the same ports."""
    child = stage.services
    child.process.send_signal(signal.SIGTERM)
    child.process.wait(PATIENCE_S)
    assert child.reader is not None
    child.reader.join()
    child.ready.clear()
    with child.log.open("a") as log:
        child.process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "run", *SERVICES],
            env={**stage.environ, "ROOMSYNC_WRITES": writes},
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
    child.reader = threading.Thread(target=child.follow, daemon=True)
    child.reader.start()
    eventually(lambda: child.ready.keys() >= set(SERVICES), "services ready again")


def requests(stage: RunningSystem) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = httpx.get(f"{stage.simulator}/sim/v1/requests").raise_for_status().json()["requests"]
    return listed


def written(stage: RunningSystem) -> list[str]:
    """Requests to a calendar that change more than subscriptions."""
    return [
        f"{each['method']} {each['path']}"
        for each in requests(stage)
        if each["method"] != "GET" and not any(word in each["path"] for word in (*SUBSCRIPTIONS, *ASKING))
    ]


def announced(stage: RunningSystem) -> list[str]:
    """Ids of the declines on the public topic, each as often as it stands there."""
    lines = run_command(["tail", "room-rejections", "--from", "beginning", "--json"], stage.environ).splitlines()
    values = [json.loads(line)["value"] for line in lines]
    return [(json.loads(each) if isinstance(each, str) else each)["id"] for each in values]


def is_connected(person: PortalSession) -> bool:
    return bool(person.get("/v1/me")["connection"]["state"] == "connected")


def make_refusing(stage: RunningSystem, who: Organisation) -> None:
    """The first room will decline Ada at each of the hours: Ben has it then, or a rule at Google forbids it to her."""
    for number, hour in enumerate(HOURS, 1):
        ensure_decline(stage, who, tomorrow_at(hour))
        if who.provider == "microsoft":
            eventually(lambda number=number: count_accepted(stage) >= number, "the hour is Ben's")


def count_accepted(stage: RunningSystem) -> int:
    facts = httpx.get(f"{stage.simulator}/sim/v1/history").raise_for_status().json()["history"]
    return sum(fact["kind"] == "room-answered" and fact.get("answer") == "accepted" for fact in facts)


def a_declined_meeting(stage: RunningSystem, who: Organisation, person: PortalSession, hour: int) -> dict[str, Any]:
    """Book as Outlook or Google Calendar does; the prompt that follows from the room's refusal."""
    at = tomorrow_at(hour)
    made = book_meeting(stage, who, host="Ada", title=TITLE, room=REFUSING, at=at, guests=[])
    assert made["id"]
    start = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    return eventually(
        lambda: next((each for each in person.get("/v1/me/prompts")["prompts"] if each["start"] == start), None),
        "the prompt",
    )


@pytest.mark.proves("B19")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_a_pilot_observes_and_goes_on_to_write_without_telling_anything_twice(provider: str) -> None:
    receiver, portal = free_ports(2)
    settings = {
        "ROOMSYNC_WRITES": "off",
        "ROOMSYNC_PROMPT_GRACE_S": "0",
        "ROOMSYNC_RECEIVER_PORT": str(receiver),
        "ROOMSYNC_PORTAL_PORT": str(portal),
    }
    with start_system(engine="embedded", seed=7, servers={}, overrides=settings) as stage:
        who, person = create_organisation(stage, provider), PortalSession(stage.portal)
        try:
            make_refusing(stage, who)
            person.sign_in(provider, who.host["address"])
            eventually(lambda: is_connected(person), "connected")
            assert not set(person.get("/v1/me/calendar")["permissions"]) & WRITE_SCOPES
            prompt = a_declined_meeting(stage, who, person, 10)
            room = person.get(f"/v1/me/prompts/{prompt['id']}/choices")["choices"][0]["roomId"]
            assert prompt["link"].startswith("https://")
            refused = person.send(f"/v1/me/prompts/{prompt['id']}/take", {"roomId": room})
            assert (refused.status_code, refused.json()["code"]) == (403, "writes-off")
            page = person.page("/")
            assert "Needs a new room" in page
            assert "/take" not in page
            assert prompt["link"] in page.replace("&amp;", "&")
            assert len(announced(stage)) == 1
            assert any(any(word in each["path"] for word in SUBSCRIPTIONS) for each in requests(stage))
            assert written(stage) == []

            restart_services(stage, "on")
            assert person.get("/v1/me")["writing"] == "reconnect"
            [kept] = person.get("/v1/me/prompts")["prompts"]
            assert kept["id"] == prompt["id"], "the references are as they were"
            refused = person.send(f"/v1/me/prompts/{prompt['id']}/take", {"roomId": room})
            assert (refused.status_code, refused.json()["code"]) == (409, "read-only-permission")
            second = a_declined_meeting(stage, who, person, 13)
            assert len(announced(stage)) == 2, "reading goes on until then"
            assert written(stage) == []

            person.connect()
            eventually(lambda: is_connected(person), "connected again")
            assert person.get("/v1/me")["writing"] == "on"
            assert {each["id"] for each in person.get("/v1/me/prompts")["prompts"]} == {prompt["id"], second["id"]}
            person.take(prompt["id"], room)
            eventually(
                lambda: any(
                    (each["roomId"], each["state"], each["start"]) == (room, "accepted", prompt["start"])
                    for each in person.get("/v1/me/rooms")["rooms"]
                ),
                "the other room accepted",
            )
            assert [each.partition(" ")[0] for each in written(stage)] == ["PATCH"]
            assert sorted(announced(stage)) == sorted({prompt["id"], second["id"]}), "nothing is told twice"

            restart_services(stage, "off")
            assert person.get("/v1/me")["writing"] == "off"
            refused = person.send(f"/v1/me/prompts/{second['id']}/take", {"roomId": room})
            assert (refused.status_code, refused.json()["code"]) == (403, "writes-off")
            third = a_declined_meeting(stage, who, person, 15)
            assert sorted(announced(stage)) == sorted({prompt["id"], second["id"], third["id"]})
            assert len(written(stage)) == 1
        finally:
            person.close()
