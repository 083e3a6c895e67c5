"""A record that would exceed its bound stops nobody: what led to it is put aside aloud, and the partition goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.room_status.deciding import sealing
from shared.runtime import metrics
from tests.support.office import AARE, BIRS, START_MS, Office


@pytest.mark.proves("B13", "D7")
def test_meeting_that_is_too_large_is_put_aside_aloud_and_the_decline_behind_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path)
    office.calendar.book("e1", **{AARE: "accepted", BIRS: "accepted"})
    office.calendar.book("e2", **{AARE: "accepted"}, start_ms=START_MS + 1)
    office.connect()
    labels = {"service": "room-status"}
    before = metrics.REGISTRY.get_sample_value("roomsync_parked_total", labels) or 0.0

    with monkeypatch.context() as small:
        small.setattr(sealing, "MAX_STATE_BYTES", 600)
        office.calendar.book("e1", **{AARE: "declined", BIRS: "declined"})
        office.calendar.book("e2", **{AARE: "declined"}, start_ms=START_MS + 1)
        office.hint()
        office.settle()
    assert len(office.declines()) == 1
    assert metrics.REGISTRY.get_sample_value("roomsync_parked_total", labels) == before + 1
    assert "meeting_parked" in capsys.readouterr().err
    (letter,) = office.topic("dead-letters")
    assert "bytes, and 600 are the bound" in letter["payload"]["reason"]

    office.calendar.book("e1", **{AARE: "declined", BIRS: "declined"}, start_ms=START_MS + 1)
    office.hint()
    office.settle()
    assert len(office.declines()) == 3
