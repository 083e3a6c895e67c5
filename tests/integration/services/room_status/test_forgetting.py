"""What is over leaves the memory in commits of bounded size, however much of it there is at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.room_status.deciding import batch
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.support.office import AARE, START_MS, Office

MEETINGS, RECORDS = 40, 12


@pytest.mark.proves("B8")
def test_meetings_that_are_over_together_are_forgotten_in_several_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    for number in range(MEETINGS):
        office.calendar.book(f"e{number}", **{AARE: "declined"})
    office.connect()
    monkeypatch.setattr(batch, "PIECE_RECORDS", RECORDS)
    commits: list[int] = []
    commit = office.status._claim.commit

    def counted(outputs: Sequence[Any], changes: Sequence[Any], position: Any) -> int:
        commits.append(len(outputs) + len(changes))
        return commit(outputs, changes, position)

    monkeypatch.setattr(office.status._claim, "commit", counted)
    office.clock.at_ms = START_MS + HOUR_MS + 2 * DAY_MS
    for _ in range(MEETINGS):
        office.status.step()
        office.clock.at_ms += 2_000
    assert len(commits) > MEETINGS * 3 // (RECORDS + 3)
    assert max(commits) < RECORDS + 3, "a piece ends with the meeting that fills it"
    last = {record.key: record.value for record in office.engine.log.read("room-status", 0, 0, limit=5_000)}
    assert (len(last), set(last.values())) == (MEETINGS, {None})
