"""One notification that somebody sends over and over costs few looks, and makes no true one late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.office import AARE, Office

REPLAYED = 1_000
EVERY_S = 0.25
FEW = 60
"""In 250 seconds: a look in eight seconds, and one of four is repeated with growing pauses."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Ada is connected."""
    office = Office(tmp_path)
    office.connect()
    yield office
    office.engine.close()


@pytest.mark.proves("D2")
def test_notification_that_is_replayed_a_thousand_times_costs_few_looks(office: Office) -> None:
    before = len(office.calendar.looks)
    office.hint()
    office.settle()
    assert len(office.calendar.looks) == before + 1, "the first is answered at once"
    for _ in range(REPLAYED):
        office.hint()
        office.clock.at_ms += int(EVERY_S * 1_000)
        office.sync.step()
    office.settle()
    assert before + 10 < len(office.calendar.looks) <= before + FEW

    office.calendar.book("e1", **{AARE: "declined"})
    office.hint()
    office.after(8)
    assert len(office.states()) == 1, "what is true is seen within the pause"
