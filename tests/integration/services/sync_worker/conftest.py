"""An office whose mailbox is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.office import AARE, Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Connected, with a meeting whose room has declined."""
    office = Office(tmp_path)
    office.connect()
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.settle()
    return office
