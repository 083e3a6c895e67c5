"""Deciding over records: what a torn predecessor already told is not told again, and erased tenants are forgotten."""

from __future__ import annotations

import json

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.confirmation import CONFIRM_AFTER_MS
from services.room_status.deciding.decision import decide, sweep
from services.room_status.deciding.packed_records import is_ended
from shared.contracts import observation
from shared.contracts.observation import Observation
from shared.crypto.records import sealed_envelope
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError
from shared.ports.log import Record
from tests.support.builders import KEYS, NOW_MS, START_MS, an_observation, an_occurrence


def keys_of(tenant: str) -> TenantKeys:
    assert tenant == KEYS.tenant
    return KEYS


def erased(tenant: str) -> TenantKeys:
    raise KeyDestroyedError(tenant)


def a_record(seen: Observation, offset: int = 0) -> Record:
    key = f"{KEYS.tenant}/{seen.meeting}".encode()
    value = sealed_envelope(KEYS, seen, key=key, type=observation.TYPE, id=f"o{offset}")
    return Record("observations", 0, offset, key, value, (), 0)


def decided(*seen: Observation, told: frozenset[str] = frozenset()) -> Batch:
    records = [a_record(each, offset) for offset, each in enumerate(seen)]
    return decide(records, {}, partition=0, keys_of=keys_of, told=told)


@pytest.mark.proves("D7")
def test_decline_that_a_torn_predecessor_told_is_not_told_again_but_its_state_is_written() -> None:
    first = decided(an_observation(a="declined"))
    (decline,) = [json.loads(record.value or b"")["id"] for record in first.decisions]
    again = decided(an_observation(a="declined"), told=frozenset({decline}))
    assert again.decisions == []
    assert again.states.keys() == first.states.keys()


@pytest.mark.proves("D10")
def test_decline_is_a_cloud_event_to_a_foreign_reader() -> None:
    (told,) = decided(an_observation(a="declined")).decisions
    read = from_kafka_event(KafkaMessage(dict(told.headers), told.key, told.value or b""))
    assert dict(told.headers)["content-type"].startswith(b"application/cloudevents+json")
    assert read.get_type() == "roomsync.room.declined.v1"
    assert read.get_source() == f"/tenants/{KEYS.tenant}"
    assert read.get_extension("partitionkey")
    assert read.get_data()["tenantId"] == KEYS.tenant


def test_two_observations_of_one_meeting_in_one_batch_build_on_each_other() -> None:
    batch = decided(an_observation(a="none"), an_observation(a="declined"))
    assert len(batch.decisions) == 1
    assert len(batch.statuses) == 2


def test_erased_tenants_observation_is_forgotten_and_is_no_dead_letter() -> None:
    batch = decide([a_record(an_observation(a="declined"))], {}, partition=0, keys_of=erased, told=frozenset())
    assert batch.empty
    assert batch.malformed == []


def test_past_and_erased_meetings_are_swept_with_their_public_states() -> None:
    memory = {key: value for key, value in decided(an_observation(a="none")).states.items() if value}
    over_ms = START_MS + HOUR_MS + DAY_MS + 1
    assert sweep(memory, now_ms=over_ms - 2, partition=0, keys_of=keys_of).empty
    swept = sweep(memory, now_ms=over_ms, partition=0, keys_of=keys_of)
    assert set(swept.states.values()) == {None}
    assert [record.value for record in swept.statuses] == [None]
    assert set(sweep(memory, now_ms=0, partition=0, keys_of=erased).states.values()) == {None}


@pytest.mark.proves("B9")
def test_decline_that_came_with_a_new_time_asks_for_a_look_until_it_is_repeated() -> None:
    moved = an_occurrence(start_ms=START_MS + HOUR_MS, a="declined")
    batch = decided(an_observation(a="declined"), an_observation(moved, at_ms=NOW_MS + 1))
    assert len(batch.decisions) == 1
    ((key, first_ms),) = batch.due.items()
    assert first_ms == NOW_MS + 1 + CONFIRM_AFTER_MS
    memory = {key: value for key, value in batch.states.items() if value}

    early = sweep(memory, now_ms=first_ms - 1, partition=0, keys_of=keys_of)
    assert early.owed == []
    asked = sweep(memory, now_ms=first_ms, partition=0, keys_of=keys_of)
    assert [(owed.mailbox.id, owed.meeting) for owed in asked.owed] == [("m-ada", "m-planning")]
    assert asked.due[key] == first_ms + CONFIRM_AFTER_MS

    repeated = decide(
        [a_record(an_observation(moved, at_ms=first_ms))], memory, partition=0, keys_of=keys_of, told=frozenset()
    )
    assert len(repeated.decisions) == 1
    assert repeated.due[key] > first_ms + HOUR_MS


def test_state_that_cannot_be_read_is_kept_for_a_version_that_can() -> None:
    memory = dict.fromkeys(decided(an_observation(a="none")).states, b'{"type":"of a later version"')
    assert sweep(memory, now_ms=START_MS + 9 * DAY_MS, partition=0, keys_of=keys_of).empty


def test_record_that_is_nested_without_end_is_no_ended_copy() -> None:
    assert not is_ended(b'{"x":' + b"[" * 100_000)
