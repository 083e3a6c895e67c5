"""An office to switch off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.shared.organisations.switching import OffOffice


@pytest.fixture
def office(tmp_path: Path) -> OffOffice:
    """Enabled; nobody is connected yet."""
    return OffOffice(tmp_path)
