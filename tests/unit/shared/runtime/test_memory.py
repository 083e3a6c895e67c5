"""Memory that was freed goes back to the machine, though pages between are in use."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from shared.runtime.memory import release_freed_memory


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps what was freed")
def test_freed_pages_between_used_ones_are_given_back() -> None:
    held = [bytes(1_000) for _ in range(100_000)]
    pinned = held[::100]
    del held
    before = resident_bytes()
    release_freed_memory()
    assert before - resident_bytes() > 40_000_000
    assert len(pinned) == 1_000
