"""What a subscriber of the two public topics has been told: committed records, read with `roomsync tail`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.stage import run_command


@dataclass(frozen=True, slots=True)
class Telling:
    """One decline event, in the order of its partition."""

    partition: int
    offset: int
    id: str
    tenant: str
    meeting: str
    occurrence: str
    room: str
    ask: str
    repeat: int
    organizer: str
    provider: str
    observed_at: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The last state of one room of one occurrence."""

    tenant: str
    meeting: str
    occurrence: str
    room: str
    state: str
    ask: str


def tellings(environ: Mapping[str, str]) -> list[Telling]:
    """Every decline event from the beginning, per partition in log order."""
    found = []
    for record in _records("room-rejections", environ):
        event, data = record["value"], record["value"]["data"]
        found.append(
            Telling(
                record["partition"], record["offset"], event["id"], data["tenantId"], data["meetingRef"],
                data["occurrenceRef"], data["roomId"], data["ask"], data["repeat"], data["organizerId"], data["provider"],
                data["observedAt"],
            )
        )  # fmt: skip
    return found


def shown(environ: Mapping[str, str]) -> list[Shown]:
    """The newest record per key."""
    latest = {record["key"]: record["value"] for record in _records("room-status", environ)}
    return [
        Shown(each["tenantId"], each["meetingRef"], each["occurrenceRef"], each["roomId"], each["state"], each["ask"])
        for each in latest.values()
        if each is not None
    ]


def _records(topic: str, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    lines = run_command(["tail", topic, "--from", "beginning", "--json"], dict(environ)).splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        if isinstance(record["value"], str):
            record["value"] = json.loads(record["value"])
    return records
