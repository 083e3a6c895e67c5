"""What `room-rejections` has lost is told again by its owner alone: the same bytes, once, whoever asks how often."""

from __future__ import annotations

import msgspec
import pytest

from services.room_status.deciding.publications import SOURCE_HEADER
from services.room_status.replaying import recollection
from services.room_status.replaying.replay import REPAIRS_HEADER, PublicEvent
from services.room_status.replaying.slices import SLICE
from shared.contracts import envelope as envelopes
from shared.contracts import repair
from shared.contracts.envelope import Envelope
from shared.contracts.repair import Repair
from shared.contracts.topics import DEAD_LETTERS, OBSERVATIONS, REPAIRS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.domain.instants import DAY_MS
from shared.engines.embedded import EmbeddedEngine
from shared.errors import FencedError, StoreUnavailableError
from shared.ports.log import NewRecord
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying.recorder import Recorder

PARTITION = 0


def request_repair(recorder: Recorder, *ids: str, begin: int = 0, end: int = 1_000_000, times: int = 1) -> None:
    payload = msgspec.json.encode(Repair(begin=begin, end=end, ids=ids))
    value = envelopes.encode(Envelope(id="r", type=repair.TYPE, tenant="-", payload=msgspec.Raw(payload)))
    recorder.engine.log.append([NewRecord(REPAIRS.name, PARTITION, b"0", value)] * times)


def lose(engine: EmbeddedEngine, *lost: PublicEvent) -> None:
    """As if a broker had lost them: gone from the topic, and from nowhere else."""
    for each in lost:
        engine.log._records.remove(ROOM_REJECTIONS.name, PARTITION, [each.record.offset])  # type: ignore[union-attr]


def published(recorder: Recorder) -> dict[str, PublicEvent]:
    found = recollection.read_declines(recorder.engine.log, PARTITION)
    assert len({each.id for each in found}) == len(found), "an id was told twice"
    return {each.id: each for each in found}


@pytest.mark.proves("D11", "M1")
def test_what_the_topic_lost_is_told_again_with_the_same_bytes_and_only_once(
    recorder: Recorder, engine: EmbeddedEngine
) -> None:
    before = published(recorder)
    lost = list(before.values())[3:30:5]
    lose(engine, *lost)
    found = recorder.compared(PARTITION, 0, 1_000_000)
    assert [each.id for each in found.missing] == [each.id for each in lost]
    shown = engine.view.digest()
    request_repair(recorder, *(each.id for each in found.missing), times=2)
    for _ in range(3):
        recorder.step()
    request_repair(recorder, *before)
    recorder.claim()
    recorder.step()
    recorder.claim()
    passed = recorder.owners[PARTITION]._passed[REPAIRS.name]
    assert passed == engine.log.span(REPAIRS.name, PARTITION).end, "a wish that tells nothing is passed all the same"
    after = published(recorder)
    assert {name: each.value for name, each in after.items()} == {name: each.value for name, each in before.items()}
    assert recorder.compared(PARTITION, 0, 1_000_000).equal
    assert engine.view.digest() == shown, "a prompt is a query over these rows: none opens, none closes"
    headers = [dict(after[each.id].record.headers) for each in lost]
    assert [each[REPAIRS_HEADER] for each in headers] == [f"observations/0/{each.source}".encode() for each in lost]
    assert {each[SOURCE_HEADER].rpartition(b"/")[0] for each in headers} == {b"repairs/0"}


def test_an_owner_that_dies_over_a_repair_leaves_it_to_its_successor(
    recorder: Recorder, engine: EmbeddedEngine
) -> None:
    before = published(recorder)
    lost = list(before.values())[2:4]
    lose(engine, *lost)
    request_repair(recorder, *(each.id for each in lost))
    zombies = list(recorder.owners)
    recorder.owners = []
    engine.log.claim(ROOM_STATUS_STATION, PARTITION)  # fences, and dies at once
    with pytest.raises(FencedError):  # noqa: PT012 - a repair takes several steps
        zombies[PARTITION].step()
        while zombies[PARTITION]._repairs:
            zombies[PARTITION].step()
    assert published(recorder).keys() == before.keys() - {each.id for each in lost}
    recorder.claim()
    recorder.step()
    assert published(recorder).keys() == before.keys()


def test_an_owner_tells_nothing_that_its_own_facts_do_not_give(recorder: Recorder, engine: EmbeddedEngine) -> None:
    before = published(recorder)
    first, *_, last = before.values()
    lose(engine, first, last)
    assert first.source is not None
    request_repair(recorder, "d-invented", last.id, end=last.source or 0)
    request_repair(recorder, first.id, begin=first.source + 1)
    recorder.step()
    assert published(recorder).keys() == before.keys() - {first.id, last.id}


def test_a_wish_that_nobody_can_read_or_fulfil_is_a_dead_letter_and_the_partition_goes_on(
    recorder: Recorder, engine: EmbeddedEngine, clock: ManualClock
) -> None:
    lost = next(iter(published(recorder).values()))
    lose(engine, lost)
    clock.at_ms += 6 * DAY_MS
    request_repair(recorder, lost.id)
    engine.log.append([NewRecord(REPAIRS.name, PARTITION, b"0", b"no envelope")])
    recorder.step()
    buried = [record.value or b"" for record in engine.log.read(DEAD_LETTERS.name, PARTITION, 0)]
    assert len(buried) == 2
    assert b"retention is about to take" in buried[0]
    assert lost.id not in published(recorder)
    recorder.observe(30)
    recorder.settle()


def test_a_decline_that_the_states_never_counted_is_not_told_as_a_later_one_would_get_its_id(
    recorder: Recorder, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a release whose rules kept something quiet."""
    from services.room_status.deciding import room_transitions as rules  # noqa: PLC0415

    with monkeypatch.context() as patched:
        patched.setattr(rules, "_declined", lambda room, *_, **__: msgspec.structs.replace(room, quiet=True))
        begin = engine.log.span(OBSERVATIONS.name, PARTITION).end
        recorder.observe(40)
        recorder.settle()
    found = recorder.compared(PARTITION, begin, 1_000_000)
    assert found.missing
    before = published(recorder)
    request_repair(recorder, *(each.id for each in found.missing), begin=begin)
    recorder.step()
    assert published(recorder).keys() == before.keys()
    assert b"never counted" in (engine.log.read(DEAD_LETTERS.name, PARTITION, 0)[-1].value or b"")


@pytest.mark.proves("D11")
def test_observations_are_decided_between_the_slices_of_a_repair_and_told_once(
    recorder: Recorder, engine: EmbeddedEngine
) -> None:
    recorder.observe(1_500)
    recorder.settle()
    before = published(recorder)
    lost = list(before.values())[::7]
    lose(engine, *lost)
    request_repair(recorder, *before)
    owner = recorder.owners[PARTITION]
    steps = served = 0
    while steps == 0 or owner._repairs:
        recorder.observe(3)
        end = engine.log.span(OBSERVATIONS.name, PARTITION).end
        owner.step()
        steps += 1
        assert owner._passed[OBSERVATIONS.name] == end, "what has come is decided in the same step"
        served += len(engine.log.read(OBSERVATIONS.name, PARTITION, end - 3))
    found = published(recorder)
    assert steps > 1_500 / SLICE / engine.log.partitions
    assert served
    assert {each.id for each in lost} <= found.keys()
    assert {name: found[name].value for name in before} == {name: each.value for name, each in before.items()}


@pytest.mark.proves("D11")
def test_repair_of_what_is_decided_meanwhile_tells_nothing_twice(recorder: Recorder, engine: EmbeddedEngine) -> None:
    asked = list(published(recorder).values())[:2]
    lose(engine, *asked)
    request_repair(recorder, *(each.id for each in asked))
    owner = recorder.owners[PARTITION]
    owner.step()
    owner._told_lately |= {asked[0].id}  # as if its observation had been decided between two slices
    recorder.step()
    assert asked[0].id not in published(recorder)
    assert asked[1].id in published(recorder)


def test_repair_begins_anew_when_the_keyring_was_away(
    recorder: Recorder, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published(recorder)
    lost = list(before.values())[2:4]
    lose(engine, *lost)
    request_repair(recorder, *(each.id for each in lost))
    owner = recorder.owners[PARTITION]

    def away(tenant: str) -> None:
        raise StoreUnavailableError(tenant)

    with monkeypatch.context() as keyring:
        keyring.setattr(owner, "_keys_of", away)
        with pytest.raises(StoreUnavailableError):  # noqa: PT012 - a repair takes several steps
            for _ in range(1_000):
                owner.step()
    recorder.step()
    assert published(recorder).keys() == before.keys()
