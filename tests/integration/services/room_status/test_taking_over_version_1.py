"""A deployment that 0.1.0 filled is taken over, on either engine: nothing told twice, nothing lost, and the view as the topics."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from services.room_status.replaying.recollection import PastLostError, replay
from services.room_status.view.expected_rows import end_of, rows_at
from services.room_status.worker import RoomStatusOwner
from services.sync_worker.deciding.listed_rooms import ListedRooms
from shared.contracts import observation
from shared.contracts.calendar_state import MAILBOX_TYPE, DueReason, MailboxState
from shared.contracts.day_tally import is_tally
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.crypto.master import new_key
from shared.crypto.records import sealed_envelope
from shared.engines.distributed import ensure_topics
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.ports.view import digest_of
from shared.registry import tables
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.contract.deployments import ManualClock
from tests.support import servers
from tests.support.builders import KEYS, NOW_MS, an_observation
from tests.support.earlier_version import run_on_release, unpack_release


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The tree of 0.1.0."""
    return unpack_release(tmp_path)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of a deployment of one partition, on either engine."""
    own = {"ROOMSYNC_HOME": str(tmp_path / "home"), "ROOMSYNC_MASTER_KEY": new_key(), "ROOMSYNC_PARTITIONS": "1"}
    real = servers.settings(f"upgrade-{uuid.uuid4().hex[:8]}.") if request.param == "kafka" else {}
    return {"ROOMSYNC_ENGINE": request.param, **own, **real}


@pytest.fixture
def filled(earlier: Path, deployed: dict[str, str]) -> Iterator[tuple[Engine, str]]:
    """A deployment that 0.1.0 filled, opened by this version; and its organisation."""
    script = Path(__file__).with_name("play_earlier_version.py")
    tenant = run_on_release(earlier, str(script), str(NOW_MS), settings=deployed)
    settings = load(deployed)
    if settings.engine == "kafka":
        ensure_topics(settings.kafka_bootstrap, prefix=settings.topic_prefix, partitions=1, replication=1)
    engine = open_engine(settings)
    yield engine, tenant
    engine.close()


def test_its_rooms_are_followed_on(filled: tuple[Engine, str]) -> None:
    engine, tenant = filled
    rooms = ListedRooms.of(tables.rooms(engine.registry).scan(tenant))
    assert rooms.room_at("aare@rooms.old.test") == engine.keyring.keys(tenant).room("aare@rooms.old.test")


def declines(engine: Engine) -> list[tuple[str, str, int]]:
    events = [
        msgspec.json.decode(record.value or b"", type=RoomDeclined)
        for record in engine.log.read(ROOM_REJECTIONS.name, 0, 0)
    ]
    return [(event.data.meeting_ref, event.data.room_id, event.data.repeat) for event in events]


@pytest.mark.proves("D7", "M1")
def test_nothing_is_told_twice_and_nothing_is_lost(filled: tuple[Engine, str]) -> None:
    engine, tenant = filled
    keys = engine.keyring.keys(tenant)
    assert declines(engine) == [("m-stays", "told", 0), ("m-left", "told", 0)]
    seen = [
        an_observation(meeting="m-stays", told="declined", quiet="declined", fine="accepted", at_ms=NOW_MS + 10),
        an_observation(meeting="m-stays", withdrawn=True, at_ms=NOW_MS + 11),
        an_observation(
            meeting="m-stays", baseline=True, told="declined", quiet="declined", fine="declined", at_ms=NOW_MS + 12
        ),
        an_observation(meeting="m-left", told="declined", at_ms=NOW_MS + 13),
        an_observation(meeting="m-left", told="accepted", at_ms=NOW_MS + 14),
        an_observation(meeting="m-left", told="declined", at_ms=NOW_MS + 15),
    ]
    engine.log.append(
        [
            NewRecord(
                OBSERVATIONS.name,
                0,
                f"{tenant}/{each.meeting}".encode(),
                sealed_envelope(
                    keys, each, key=f"{tenant}/{each.meeting}".encode(), type=observation.TYPE, id=f"n-{number}"
                ),
            )
            for number, each in enumerate(seen)
        ]
    )
    owner = RoomStatusOwner(engine.log.claim(ROOM_STATUS_STATION, 0), engine, ManualClock(NOW_MS), poll_s=0.0)
    for _ in range(4):
        owner.step()
    owner.close()
    begin = engine.log.span(OBSERVATIONS.name, 0).end - len(seen)
    with pytest.raises(PastLostError, match="rules version 1"):
        replay(engine.log, 0, begin - 1, begin + 1, keys_of=engine.keyring.keys)
    redone = replay(engine.log, 0, begin, begin + len(seen), keys_of=engine.keyring.keys)
    assert [each.source for each in redone.declines] == [begin + 2, begin + 5]
    assert declines(engine)[2:] == [("m-stays", "fine", 0), ("m-left", "told", 1)]
    rows = rows_at(engine.log, 0, end_of(engine.log, 0), engine.keyring.keys)
    assert engine.view.digest() == digest_of(rows)
    assert len([row for row in rows if not is_tally(row.key.encode())]) == 4


@pytest.mark.proves("M7")
def test_the_first_version_reads_a_mailbox_whose_record_is_bound_to_its_key(earlier: Path) -> None:
    state = MailboxState(provider="google", cursor="cursor-7", due={DueReason.RECONCILE: NOW_MS})
    value = sealed_envelope(KEYS, state, key=f"{KEYS.tenant}/m-ada".encode(), type=MAILBOX_TYPE, id="m-ada")
    script = (
        "import sys; from shared.contracts.calendar_state import MailboxState; from shared.crypto.records import opened;"
        " from shared.domain.keys import TenantKeys; import msgspec;"
        f" keys = TenantKeys({KEYS.tenant!r}, {KEYS.data_key!r}, {KEYS.hash_key!r}, None);"
        " print(msgspec.json.encode(opened(bytes.fromhex(sys.argv[1]), keys, MailboxState)).decode())"
    )
    printed = run_on_release(earlier, "-c", script, value.hex())
    assert msgspec.json.decode(printed, type=MailboxState) == state
