"""From a provider's push to a prompt and back to an accepted room, over HTTP, on both engines and at both providers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.cast import assemble
from cli.stage import Stage, run_command, staged
from cli.story import TITLE, play

PROVIDERS = ["microsoft", "google"]
CONTENT = (TITLE, "Standing appointment", "cleo@", "ada@", "ben@")


def topic(stage: Stage, name: str) -> list[dict[str, object]]:
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


@pytest.mark.proves("E42", "E43", "D7", "D8", "D12", "S3", "E12")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_declined_room_is_told_once_prompted_once_and_rebooked(
    engine: str, servers: Mapping[str, str], provider: str
) -> None:
    with staged(engine=engine, seed=7, servers=servers, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as stage:
        tally = play(stage, assemble(stage, provider), print)
        assert tally.ok, tally
        told = topic(stage, "room-rejections")
        assert [event["type"] for event in told] == ["roomsync.room.declined.v1"]
        states = [status["state"] for status in topic(stage, "room-status") if status]
        assert states.count("pending") == 2
        assert states.index("pending") < states.index("declined") < states.index("accepted")
        assert leaks(stage.logs) == []


@pytest.mark.proves("D1")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_push_reconciliation_alone_finds_the_decline(provider: str) -> None:
    overrides = {"ROOMSYNC_PROMPT_GRACE_S": "0", "ROOMSYNC_RECONCILE_S": "1"}
    with staged(engine="embedded", seed=7, servers={}, overrides=overrides) as stage:
        who = assemble(stage, provider)
        import httpx  # noqa: PLC0415

        httpx.put(f"{stage.simulator}/sim/v1/faults", json={"pushOff": True}).raise_for_status()
        assert play(stage, who, print).ok
