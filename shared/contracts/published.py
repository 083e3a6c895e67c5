"""
The public contract as JSON Schema and AsyncAPI, generated from the types: what subscribers build against.

Fields, their types and their descriptions come from the structs of the messages. What a type cannot say of its values (constants,
enumerations, formats) stands in one table below; examples come from the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.contracts import room_declined, room_outcome
from shared.contracts.described import described_members
from shared.contracts.meeting_state import RoomState
from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.room_outcome import CLOSED_TYPE, REGAINED_TYPE, OutcomeReason, RoomOutcome, RoomOutcomeData
from shared.contracts.room_state import RoomStatus
from shared.contracts.topics import ROOM_OUTCOMES, ROOM_REJECTIONS, ROOM_STATUS, TOPICS, Cleanup, Topic
from shared.domain.identity import Provider

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
MESSAGES: Mapping[str, type[msgspec.Struct]] = {
    "RoomDeclined": RoomDeclined,
    "RoomOutcome": RoomOutcome,
    "RoomStatus": RoomStatus,
}
SUBSCRIBER_GROUP = "subscriber-"
"""How the names of consumer groups begin in which the shipped rights let subscribers read."""
_PARTS: Mapping[str, type[msgspec.Struct]] = {
    **MESSAGES,
    "RoomDeclinedData": RoomDeclinedData,
    "RoomOutcomeData": RoomOutcomeData,
}
_INSTANT = {"format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
"""With a pattern, since validators take a format for a comment unless they are told otherwise."""
_EVENT = {
    "specversion": {"const": "1.0"},
    "source": {"format": "uri-reference"},
    "time": _INSTANT,
    "datacontenttype": {"const": "application/json"},
}
_FACTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "RoomDeclined": _EVENT
    | {"type": {"const": room_declined.TYPE}, "dataschema": {"const": room_declined.DATA_SCHEMA, "format": "uri"}},
    "RoomDeclinedData": {
        "provider": {"enum": [each.value for each in Provider]},
        "repeat": {"minimum": 0},
        "observedAt": _INSTANT,
        "href": {"format": "uri-reference"},
    },
    "RoomOutcome": _EVENT
    | {
        "type": {"enum": [REGAINED_TYPE, CLOSED_TYPE]},
        "dataschema": {"const": room_outcome.DATA_SCHEMA, "format": "uri"},
    },
    "RoomOutcomeData": {"at": _INSTANT},
    "RoomStatus": {
        "state": {"enum": [each.value for each in RoomState]},
        "since": _INSTANT,
        "observedAt": _INSTANT,
    },
}
"""Struct → field → what its values are held to."""
_HEADERS = {
    "content-type": "`application/cloudevents+json; charset=UTF-8`, as CloudEvents' binding for Kafka has it.",
    "correlation-id": "One journey: the id of the push or command that began it. It may be absent.",
    "traceparent": "W3C Trace Context of the same journey. It may be absent.",
    "source-position": "The record that the event was decided upon: `topic/partition/offset`. It may be absent.",
    "rules-version": "The version of the rules that decided it.",
}
_STATUS_HEADERS = ("correlation-id", "traceparent")


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one public message, one of `MESSAGES`."""
    schema = msgspec.json.schema(MESSAGES[name])
    definitions = {part: _detailed(part, definition) for part, definition in schema["$defs"].items()}
    return {
        "$schema": SCHEMA_DIALECT,
        "$id": f"urn:roomsync:schema:{name}:1",
        "title": name,
        **schema,
        "$defs": definitions,
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of the public topics."""
    _, components = msgspec.json.schema_components(MESSAGES.values(), ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "roomsync",
            "version": "1.1.0",
            "description": "What roomsync tells back-end services: when a room says no, how that ended, and where each room"
            " stands. Additive changes only; readers must ignore fields they do not know.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "secured": _server("kafka-secure", "SCRAM over TLS: as the shipped brokers and rights want it.")
            | {"security": [{"$ref": "#/components/securitySchemes/scram"}]},
            "local": _server("kafka", "Brokers that ask nobody who they are: for development alone."),
        },
        "channels": {
            "roomRejections": _channel(ROOM_REJECTIONS, "RoomDeclined"),
            "roomOutcomes": _channel(ROOM_OUTCOMES, "RoomOutcome"),
            "roomStatus": _channel(ROOM_STATUS, "RoomStatus"),
        },
        "operations": {
            "receiveRoomRejections": _receive("roomRejections"),
            "receiveRoomOutcomes": _receive("roomOutcomes"),
            "receiveRoomStatus": _receive("roomStatus"),
        },
        "components": {
            "messages": {name: _message(name) for name in MESSAGES},
            "schemas": {part: _detailed(part, definition) for part, definition in components.items()},
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "The login of a subscriber."}},
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
    ended_at = "2026-11-23T09:34:10.000Z"
    outcome = RoomOutcome(
        id="c-7n2qjv4k5m6p7r8s9t2u3v4w5x",
        source=declined.source,
        type=REGAINED_TYPE,
        subject=declined.subject,
        time=ended_at,
        partitionkey=declined.partitionkey,
        data=RoomOutcomeData(
            decline_id=declined.id,
            tenant_id=declined.data.tenant_id,
            room_id=declined.data.room_id,
            reason=OutcomeReason.REBOOKED,
            at=ended_at,
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
    found = {"RoomDeclined": declined, "RoomOutcome": outcome, "RoomStatus": status}
    return {name: msgspec.json.encode(sample) for name, sample in found.items()}


def topics_table() -> str:
    """The table of topics in Markdown, for the documentation."""
    lines = ["| topic | key | what | cleanup | public |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{topic.name}` | {topic.key} | {topic.what} | {topic.cleanup} | {'yes' if topic.public else ''} |"
        for topic in TOPICS
    ]
    return "\n".join(lines)


def _detailed(part: str, definition: dict[str, Any]) -> dict[str, Any]:
    """A definition with what its values are held to, a description and an example of each field."""
    if part == OutcomeReason.__name__:
        return _reasons(definition)
    kind, example = _PARTS[part], _examples()[part]
    described, facts = described_members(kind), _FACTS[part]
    fields = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
    properties = {}
    for name, schema in definition["properties"].items():
        properties[name] = {**schema, **facts.get(name, {})}
        if text := described.get(fields[name]):
            properties[name]["description"] = text
        if not isinstance(example[name], dict):
            properties[name]["examples"] = [example[name]]
    return {**definition, "properties": properties}


def _reasons(definition: dict[str, Any]) -> dict[str, Any]:
    described = described_members(OutcomeReason)
    alternatives = [{"const": each.value, "description": described[each.name]} for each in OutcomeReason]
    return {**definition, "oneOf": alternatives}


def _examples() -> dict[str, dict[str, Any]]:
    """Struct → a message or the part of one, as JSON."""
    found = {name: msgspec.json.decode(sample) for name, sample in samples().items()}
    return found | {f"{name}Data": event["data"] for name, event in found.items() if "data" in event}


def _server(protocol: str, description: str) -> dict[str, Any]:
    return {
        "host": "{bootstrap}",
        "protocol": protocol,
        "description": description,
        "variables": {
            "bootstrap": {
                "description": "Host and port of a broker of your deployment (ROOMSYNC_KAFKA_BOOTSTRAP).",
                "default": "localhost:9092",
            }
        },
    }


def _channel(topic: Topic, message: str) -> dict[str, Any]:
    kept: dict[str, Any] = {"cleanup.policy": [topic.cleanup.value]}
    if topic.cleanup is Cleanup.DELETE:
        kept["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "description": f"{topic.what}. A deployment may put a prefix before the name (ROOMSYNC_TOPIC_PREFIX).",
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": kept, "bindingVersion": "0.5.0"}},
    }


def _message(name: str) -> dict[str, Any]:
    is_event = name != "RoomStatus"
    headers = {
        header: {"type": "string", "description": text}
        for header, text in _HEADERS.items()
        if is_event or header in _STATUS_HEADERS
    }
    key = "`tenant/meeting`: one meeting's events keep their order." if is_event else "`tenant/occurrence/room`"
    return {
        "name": name,
        "contentType": "application/cloudevents+json" if is_event else "application/json",
        "headers": {"type": "object", "properties": headers},
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": "sample", "payload": msgspec.json.decode(samples()[name])}],
    }


def _receive(channel: str) -> dict[str, Any]:
    group = {"type": "string", "pattern": f"^{SUBSCRIBER_GROUP}", "description": "The shipped rights refuse others."}
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"kafka": {"groupId": group, "bindingVersion": "0.5.0"}},
    }
