"""`roomsync replay`: refuses what cannot be replayed, reports what differs, repairs through the owner and only if asked."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from services.room_status.replaying import recollection
from shared.contracts.topics import REPAIRS, ROOM_REJECTIONS
from shared.domain.instants import DAY_MS, to_rfc3339
from shared.engines.embedded import EmbeddedEngine
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying.conftest import Roomsync
from tests.integration.services.room_status.replaying.recorder import Recorder
from tests.support.builders import NOW_MS

START = to_rfc3339(NOW_MS)
LATER = to_rfc3339(NOW_MS + 1000)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--from", LATER, "--to", START), "exchange them"),
        (("--from", to_rfc3339(NOW_MS - 5 * DAY_MS)), "or later"),
        (("--from", START, "--to", to_rfc3339(NOW_MS + 99 * DAY_MS)), "in the future"),
        (("--from", "yesterday"), "must be an instant"),
        (("--from", START, "--tenant", "t-nobody"), "no such organisation"),
        ((), "--from"),
    ],
)
def test_a_range_that_cannot_be_replayed_is_refused_with_what_to_do(
    roomsync: Roomsync, clock: ManualClock, arguments: tuple[str, ...], advice: str
) -> None:
    clock.at_ms += 60_000
    code, said = roomsync("replay", *arguments)
    assert code == 2
    assert advice in said


def test_a_range_without_observations_is_called_so_and_not_only_equal(roomsync: Roomsync, clock: ManualClock) -> None:
    clock.at_ms += 60_000
    code, said = roomsync("replay", "--from", START)
    assert code == 0
    assert "nothing was observed in this range" in said


def test_a_report_that_cannot_be_kept_is_refused_before_anything_is_asked(
    recorder: Recorder, engine: EmbeddedEngine, roomsync: Roomsync, tmp_path: Path
) -> None:
    del recorder
    lost = recollection.read_declines(engine.log, 1)[2]
    engine.log._records.remove(ROOM_REJECTIONS.name, 1, [lost.record.offset])  # type: ignore[union-attr]
    code, said = roomsync("replay", "--from", START, "--apply", "--report", str(tmp_path / "nowhere" / "report.json"))
    assert (code, "nowhere" in said) == (2, True)
    assert engine.log.span(REPAIRS.name, 1).end == 0


def test_what_was_asked_and_nobody_told_names_where_to_look(
    recorder: Recorder, engine: EmbeddedEngine, roomsync: Roomsync
) -> None:
    del recorder  # and with it room_status
    lost = recollection.read_declines(engine.log, 1)[2]
    engine.log._records.remove(ROOM_REJECTIONS.name, 1, [lost.record.offset])  # type: ignore[union-attr]
    code, said = roomsync("replay", "--from", START, "--apply", "--wait-s", "0.1")
    assert code == 1
    assert "1 asked of room_status, and not published yet: `roomsync status`" in said


@pytest.mark.proves("D11")
def test_the_report_names_what_is_missing_and_apply_mends_it_once(
    recorder: Recorder, engine: EmbeddedEngine, roomsync: Roomsync, tmp_path: Path
) -> None:
    code, said = roomsync("replay", "--from", START)
    assert (code, said.splitlines()[-1]) == (0, "equal")
    lost = recollection.read_declines(engine.log, 1)[2]
    engine.log._records.remove(ROOM_REJECTIONS.name, 1, [lost.record.offset])  # type: ignore[union-attr]
    code, said = roomsync("replay", "--from", START, "--apply", "--dry-run", "--json")
    assert (code, [each["id"] for each in json.loads(said)["missing"]]) == (1, [lost.id])
    assert engine.log.span(REPAIRS.name, 1).end == 0, "a dry run asks for nothing"
    stop = threading.Event()
    working = threading.Thread(target=lambda: [recorder.step() for _ in iter(lambda: stop.wait(0.05), True)])
    working.start()
    try:
        code, said = roomsync("replay", "--from", START, "--apply", "--report", str(tmp_path / "report.json"))
    finally:
        stop.set()
        working.join()
    assert code == 0, said
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["equal"], report["asked"], report["counts"]["missing"]) == (True, 1, 0)
    wishes = engine.log.span(REPAIRS.name, 1)
    code, said = roomsync("replay", "--from", START, "--apply", "--json")
    assert (code, json.loads(said)["asked"]) == (0, 0)
    assert engine.log.span(REPAIRS.name, 1) == wishes, "there was nothing left to ask for"
    assert sorted(recorder.published()) == sorted(set(recorder.published()))


@pytest.mark.proves("D11")
def test_one_organisation_is_replayed_alone(recorder: Recorder, roomsync: Roomsync) -> None:
    counts = [
        json.loads(roomsync("replay", "--from", START, "--json", *arguments)[1])["counts"]["same"]
        for arguments in ((), *(("--tenant", tenant) for tenant in recorder.tenants))
    ]
    assert counts[0] == counts[1] + counts[2] == len(recorder.published())
    assert min(counts) > 0


def test_what_nobody_decided_yet_is_a_finding_of_its_own(
    recorder: Recorder, roomsync: Roomsync, clock: ManualClock
) -> None:
    recorder.observe(40)
    clock.at_ms += 1
    code, said = roomsync("replay", "--from", START, "--wait-s", "0")
    assert code == 1
    assert "undecided" in said
    assert "missing" not in said
