"""
What stands on topics for whoever may read them: committed records, as `roomsync tail --from beginning --json` prints them.

They are read in this process: a campaign reads dozens of times until all is told, and to start a process for each would take a
tenth of all the processor time that it takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from cli.common.engine import mute_logger
from cli.tail import as_dict, find_first_offsets, read_records
from shared.errors import RoomsyncError
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine


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
    """Raises RuntimeError: the log cannot be read now."""
    try:
        with mute_logger("kafka"), closing(open_engine(load(environ))) as engine:
            offsets = find_first_offsets(engine.log, topic, None)
            records = [as_dict(record) for record in read_records(engine.log, topic, offsets, follow=False)]
    except RoomsyncError as error:
        message = f"{topic} cannot be read: {error}"
        raise RuntimeError(message) from error
    for record in records:
        if isinstance(record["value"], str):
            record["value"] = json.loads(record["value"])
    return records
