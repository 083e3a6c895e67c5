"""What stands on topics for whoever may read them: committed records, read with `roomsync tail`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.demo.processes import run_command


@dataclass(frozen=True, slots=True)
class PublishedDecline:
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
class PublishedRoomState:
    """A state of one room of one occurrence."""

    tenant: str
    meeting: str
    occurrence: str
    room: str
    state: str
    ask: str
    since: str
    observed_at: str

    @property
    def where(self) -> tuple[str, str, str, str]:
        """Which room of which occurrence."""
        return self.tenant, self.meeting, self.occurrence, self.room


def read_declines(environ: Mapping[str, str]) -> list[PublishedDecline]:
    """Every decline event from the beginning, per partition in log order."""
    found = []
    for record in _records("room-rejections", environ):
        event, data = record["value"], record["value"]["data"]
        found.append(
            PublishedDecline(
                record["partition"], record["offset"], event["id"], data["tenantId"], data["meetingRef"],
                data["occurrenceRef"], data["roomId"], data["ask"], data["repeat"], data["organizerId"], data["provider"],
                data["observedAt"],
            )
        )  # fmt: skip
    return found


def read_ended(environ: Mapping[str, str]) -> list[str]:
    """The ids of the declines that have ended, each as often as an outcome says so."""
    return [record["value"]["data"]["declineId"] for record in _records("room-outcomes", environ)]


def read_states(environ: Mapping[str, str]) -> list[PublishedRoomState]:
    """Every state that was ever committed, per partition in log order."""
    return [
        PublishedRoomState(
            each["tenantId"], each["meetingRef"], each["occurrenceRef"], each["roomId"], each["state"], each["ask"],
            each["since"], each["observedAt"],
        )
        for each in (record["value"] for record in _records("room-status", environ))
        if each is not None
    ]  # fmt: skip


def newest(states: Iterable[PublishedRoomState]) -> list[PublishedRoomState]:
    """The last one of each room."""
    return list({each.where: each for each in states}.values())


def hints(environ: Mapping[str, str]) -> list[str]:
    """Every notification in the log, by what tells it from all others: Graph's subscription, Google's message number."""
    return [
        payload["subscriptionId"] if topic.endswith("graph") else payload["detail"].get("messageNumber", "")
        for topic in ("notifications.graph", "notifications.google")
        for payload in (record["value"]["payload"] for record in _records(topic, environ))
    ]


def _records(topic: str, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    lines = run_command(["tail", topic, "--from", "beginning", "--json"], dict(environ)).splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        if isinstance(record["value"], str):
            record["value"] = json.loads(record["value"])
    return records
