"""The public contract as JSON Schema and AsyncAPI, generated from the types: what subscribers build against."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.room_state import RoomStatus
from shared.contracts.topics import ROOM_REJECTIONS, ROOM_STATUS, TOPICS

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
MESSAGES = {"RoomDeclined": RoomDeclined, "RoomStatus": RoomStatus}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one public message: `RoomDeclined` or `RoomStatus`."""
    return {"$schema": SCHEMA_DIALECT, "title": name, **msgspec.json.schema(MESSAGES[name])}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of the two public topics."""
    _, components = msgspec.json.schema_components(MESSAGES.values(), ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "roomsync",
            "version": "1.0.0",
            "description": "What roomsync tells back-end services: when a room says no, and where each room stands. "
            "Additive changes only; readers must ignore fields they do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "roomRejections": _channel(ROOM_REJECTIONS.name, "RoomDeclined", ROOM_REJECTIONS.what),
            "roomStatus": _channel(ROOM_STATUS.name, "RoomStatus", ROOM_STATUS.what),
        },
        "operations": {
            "receiveRoomRejections": _receive("roomRejections"),
            "receiveRoomStatus": _receive("roomStatus"),
        },
        "components": {
            "messages": {
                name: {"name": name, "payload": {"$ref": f"#/components/schemas/{name}"}} for name in MESSAGES
            },
            "schemas": components,
        },
    }


def samples() -> dict[str, bytes]:
    """One valid message of each kind, as its bytes stand on the topic."""
    declined = RoomDeclined(
        id="d-7n2qjv4k5m6p7r8s9t2u3v4w5x",
        source="/tenants/t-4f1c2b3a49585766",
        subject="rooms/r-c3u5x7z2b4d6f7h3j5l7n2p4r6",
        time="2026-11-23T09:30:00.250Z",
        partitionkey="m-a2c4e6g7i3k5m7o2q4s6u7w3y5",
        data=RoomDeclinedData(
            tenant_id="t-4f1c2b3a49585766",
            meeting_ref="m-a2c4e6g7i3k5m7o2q4s6u7w3y5",
            occurrence_ref="o-b3d5f7h2j4l6n7p3r5t7v2x4z6",
            room_id="r-c3u5x7z2b4d6f7h3j5l7n2p4r6",
            organizer_id="p-d4f6h7j3l5n7p2r4t6v7x3z5b7",
            provider="microsoft",
            ask="a-e5g7i2k4m6o7q3s5u7w2y4a6c7",
            repeat=0,
            observed_at="2026-11-23T09:30:00.250Z",
            href="/v1/room-rejections/d-7n2qjv4k5m6p7r8s9t2u3v4w5x",
        ),
    )
    status = RoomStatus(
        tenant_id=declined.data.tenant_id,
        meeting_ref=declined.data.meeting_ref,
        occurrence_ref=declined.data.occurrence_ref,
        room_id=declined.data.room_id,
        state="declined",
        ask=declined.data.ask,
        since=declined.time,
        observed_at=declined.time,
    )
    return {"RoomDeclined": msgspec.json.encode(declined), "RoomStatus": msgspec.json.encode(status)}


def topics_table() -> str:
    """The table of topics in Markdown, for the documentation."""
    lines = ["| topic | key | what | cleanup | public |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{topic.name}` | {topic.key} | {topic.what} | {topic.cleanup} | {'yes' if topic.public else ''} |"
        for topic in TOPICS
    ]
    return "\n".join(lines)


def _channel(address: str, message: str, what: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": what,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _receive(channel: str) -> dict[str, Any]:
    return {"action": "receive", "channel": {"$ref": f"#/channels/{channel}"}}
