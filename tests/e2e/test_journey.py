"""From a provider's push to a prompt and back to an accepted room, over HTTP, on both engines and at both providers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from cli.demo.organisations import book_meeting, create_organisation, tomorrow_at
from cli.demo.person import PortalSession
from cli.demo.processes import RunningSystem, run_command, start_system
from cli.demo.story import TITLE, run_story

PROVIDERS = ["microsoft", "google"]
CONTENT = (TITLE, "Standing appointment", "cleo@", "ada@", "ben@")


def topic(stage: RunningSystem, name: str) -> list[dict[str, object]]:
    lines = run_command(["tail", name, "--from", "beginning", "--json"], stage.environ).splitlines()
    records = [json.loads(line) for line in lines]
    return [json.loads(each["value"]) if isinstance(each["value"], str) else each["value"] for each in records]


def leaks(home: Path) -> list[str]:
    """Files under the data directory that hold a title or a person's address in clear."""
    return [
        f"{path.name}: {word}"
        for path in home.rglob("*")
        if path.is_file()
        for word in CONTENT
        if word.encode() in path.read_bytes()
    ]


@pytest.mark.proves("E42", "E43", "D7", "D8", "D12", "D14", "S3", "E12")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_declined_room_is_told_once_prompted_once_and_rebooked(
    engine: str, servers: Mapping[str, str], provider: str
) -> None:
    with start_system(engine=engine, seed=7, servers=servers, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as stage:
        tally = run_story(stage, create_organisation(stage, provider), print)
        assert tally.ok, tally
        told = topic(stage, "room-rejections")
        assert [event["type"] for event in told] == ["roomsync.room.declined.v1"]
        (ended,) = topic(stage, "room-outcomes")
        assert (ended["type"], ended["data"]["reason"]) == ("roomsync.room.regained.v1", "rebooked")
        assert ended["data"]["declineId"] == told[0]["id"]
        states = [status["state"] for status in topic(stage, "room-status") if status]
        assert states.count("pending") == 2
        assert states.index("pending") < states.index("declined") < states.index("accepted")
        assert leaks(stage.logs) == []


@pytest.mark.proves("D1")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_push_reconciliation_alone_finds_the_decline(provider: str) -> None:
    overrides = {"ROOMSYNC_PROMPT_GRACE_S": "0", "ROOMSYNC_RECONCILE_S": "1"}
    with start_system(engine="embedded", seed=7, servers={}, overrides=overrides) as stage:
        who = create_organisation(stage, provider)
        httpx.put(f"{stage.simulator}/sim/v1/faults", json={"pushOff": True}).raise_for_status()
        assert run_story(stage, who, print).ok


@pytest.mark.proves("E8")
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("push", [True, False], ids=["by push", "by reconciliation"])
def test_a_change_in_the_calendar_shows_on_the_page_by_push_or_without(provider: str, *, push: bool) -> None:
    overrides = {"ROOMSYNC_RECONCILE_S": "900" if push else "1"}
    with start_system(engine="embedded", seed=7, servers={}, overrides=overrides) as stage:
        who, person = create_organisation(stage, provider), PortalSession(stage.portal)
        try:
            person.sign_in(provider, who.host["address"])
            made = book_meeting(stage, who, host="Ada", title=TITLE, room="Birs 4.14", at=tomorrow_at(9), guests=[])
            person.wait_for("room", state="accepted")
            with httpx.Client(base_url=f"{stage.simulator}/sim/v1") as sim:
                sim.put("faults", json={"pushOff": not push}).raise_for_status()
                moved = {"start": tomorrow_at(13).isoformat(), "end": tomorrow_at(14).isoformat()}
                sim.patch(f"meetings/{made['id']}", json=moved).raise_for_status()
            shown = person.wait_for("room", state="accepted", start=f"{tomorrow_at(13):%Y-%m-%dT%H:%M:%S}.000Z")
            assert shown.data["title"] == TITLE
        finally:
            person.close()
