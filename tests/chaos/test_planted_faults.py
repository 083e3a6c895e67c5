"""Faults that can no longer be planted look for nothing: the sources have moved on, and the fault has to be written anew."""

from __future__ import annotations

import pytest

from tests.chaos.deployment import ROOT
from tests.chaos.planted_faults import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_can_still_be_planted(fault: Fault) -> None:
    for name, old, new in fault.edits:
        text = (ROOT / name).read_text()
        assert text.count(old) == 1, f"{name} no longer has exactly one {old!r}"
        compile(text.replace(old, new), name, "exec")
