"""The public contract: generated, fresh, and never narrower than what was once published."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from docs.generate import stale
from shared.contracts import published
from shared.contracts.topics import TOPICS
from tests.support.paths import ROOT, SAMPLES

V1 = SAMPLES / "contracts" / "v1"
SUBSCRIBER = ROOT / "docs" / "subscriber.py"


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Definition name → its properties, required names and types."""
    return dict(schema["$defs"])


def narrowings(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a reader of `old` relied on and `new` no longer promises."""
    found = []
    for name, definition in resolved(old).items():
        after = resolved(new).get(name)
        if after is None:
            found.append(f"{name} is gone")
            continue
        for field, kind in definition.get("properties", {}).items():
            now = after["properties"].get(field)
            if now is None:
                found.append(f"{name}.{field} is gone")
            elif now.get("type") != kind.get("type"):
                found.append(f"{name}.{field} changed its type")
        found += [
            f"{name}.{field} may now be absent"
            for field in definition.get("required", [])
            if field not in after.get("required", [])
        ]
    return found


def test_generated_documents_are_fresh() -> None:
    assert stale() == []


@pytest.mark.proves("D10")
@pytest.mark.parametrize("name", sorted(published.MESSAGES))
def test_schema_keeps_every_promise_of_version_one(name: str) -> None:
    old = json.loads((V1 / f"{name}.schema.json").read_text())
    assert narrowings(old, published.json_schema(name)) == []


@pytest.mark.parametrize("name", sorted(published.MESSAGES))
def test_a_removed_or_retyped_field_would_be_noticed(name: str) -> None:
    old = json.loads((V1 / f"{name}.schema.json").read_text())
    new = json.loads(json.dumps(old))
    fields = new["$defs"][name]["properties"]
    field = min(fields)
    del fields[field]
    assert narrowings(old, new)


@pytest.mark.proves("D10")
@pytest.mark.parametrize("name", sorted(published.MESSAGES))
def test_samples_old_and_new_validate_against_the_schema(name: str) -> None:
    schema = published.json_schema(name)
    jsonschema.validate(json.loads(published.samples()[name]), schema)
    jsonschema.validate(json.loads((V1 / f"{name}.sample.json").read_text()), schema)


@pytest.mark.parametrize("name", sorted(published.MESSAGES))
def test_readers_may_meet_fields_they_do_not_know(name: str) -> None:
    sample = json.loads(published.samples()[name]) | {"addedLater": 1}
    jsonschema.validate(sample, published.json_schema(name))


@pytest.mark.proves("D10")
def test_sample_subscriber_is_short_and_uses_nothing_of_ours() -> None:
    text = SUBSCRIBER.read_text()
    assert len(text.splitlines()) <= 40
    assert "shared" not in text
    assert "services" not in text


@pytest.mark.proves("D10", "D14")
@pytest.mark.parametrize("name", sorted(published.MESSAGES))
def test_schema_says_of_each_field_what_it_means_and_shows_one(name: str) -> None:
    for part, definition in published.json_schema(name)["$defs"].items():
        for field, schema in definition.get("properties", {}).items():
            assert "$ref" in schema or schema["examples"], f"{part}.{field} has no example"
            assert field == "data" or schema["description"], f"{part}.{field} is not described"


WRONG = {
    "another version of CloudEvents": ("RoomDeclined", ("specversion",), "0.3"),
    "another kind of event": ("RoomDeclined", ("type",), "roomsync.room.accepted.v1"),
    "another schema": ("RoomOutcome", ("dataschema",), "urn:roomsync:schema:RoomDeclined:1"),
    "no instant": ("RoomDeclined", ("data", "observedAt"), "yesterday"),
    "another provider": ("RoomDeclined", ("data", "provider"), "caldav"),
    "no number of repeats": ("RoomDeclined", ("data", "repeat"), -1),
    "an unknown reason": ("RoomOutcome", ("data", "reason"), "weather"),
    "an unknown type of end": ("RoomOutcome", ("type",), "roomsync.room.declined.v1"),
    "an unknown state": ("RoomStatus", ("state",), "booked"),
}


@pytest.mark.proves("D10", "D14")
@pytest.mark.parametrize("what", WRONG)
def test_schema_refuses_what_is_never_published(what: str) -> None:
    name, path, value = WRONG[what]
    sample = json.loads(published.samples()[name])
    within = sample
    for step in path[:-1]:
        within = within[step]
    within[path[-1]] = value
    checker = jsonschema.Draft202012Validator(published.json_schema(name))
    assert [error.json_path for error in checker.iter_errors(sample)]


@pytest.mark.proves("D10", "D14")
@pytest.mark.parametrize("name", ["RoomDeclined", "RoomOutcome"])
def test_event_names_the_schema_that_its_data_follows(name: str) -> None:
    event, schema = json.loads(published.samples()[name]), published.json_schema(name)
    place, _, pointer = event["dataschema"].partition("#/")
    assert place == schema["$id"]
    for step in pointer.split("/"):
        schema = schema[step]
    jsonschema.validate(event["data"], {**schema, "$defs": published.json_schema(name)["$defs"]})


ASYNCAPI = json.loads((SAMPLES / "contracts" / "asyncapi-3.0.0.schema.json").read_text())


def faults_of(document: dict[str, Any]) -> list[str]:
    return [error.json_path for error in jsonschema.Draft7Validator(ASYNCAPI).iter_errors(document)]


@pytest.mark.proves("D10", "D14")
def test_document_is_one_of_asyncapi_with_servers_bindings_and_headers() -> None:
    document = published.asyncapi()
    assert faults_of(document) == []
    assert {server["protocol"] for server in document["servers"].values()} == {"kafka", "kafka-secure"}
    public = {topic.name for topic in TOPICS if topic.public}
    assert {channel["bindings"]["kafka"]["topic"] for channel in document["channels"].values()} == public
    for message in document["components"]["messages"].values():
        assert message["headers"]["properties"]
        assert message["bindings"]["kafka"]["key"]


BROKEN = {
    "a server without a protocol": lambda it: it["servers"]["secured"].pop("protocol"),
    "an action that there is none of": lambda it: it["operations"]["receiveRoomOutcomes"].update(action="read"),
    "a binding of the wrong shape": lambda it: it["channels"]["roomStatus"]["bindings"]["kafka"].update(topic=7),
    "headers that are no object": lambda it: it["components"]["messages"]["RoomStatus"].update(headers=[]),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_document_that_is_none_of_asyncapi_would_be_noticed(fault: str) -> None:
    document = published.asyncapi()
    BROKEN[fault](document)
    assert faults_of(document)


@pytest.mark.parametrize("name", sorted(published.MESSAGES))
def test_examples_of_the_document_follow_its_schemas(name: str) -> None:
    document = published.asyncapi()
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    for example in document["components"]["messages"][name]["examples"]:
        jsonschema.Draft202012Validator(schema).validate(example["payload"])
