"""Replaying recorded observations on the embedded engine: the same declines, byte for byte, and nothing written."""

from __future__ import annotations

import pytest

from shared.contracts.topics import TOPICS
from tests.integration.replay.recorder import Recorder


def written(recorder: Recorder) -> dict[tuple[str, int], int]:
    """Where every partition of every topic ends."""
    log = recorder.engine.log
    return {(t.name, p): log.span(t.name, p).end for t in TOPICS for p in range(log.partitions)}


@pytest.mark.proves("M1", "D11")
def test_any_range_gives_the_same_declines_byte_for_byte_twice_in_a_row(recorder: Recorder) -> None:
    before, view = written(recorder), recorder.engine.view.digest()
    same = 0
    for partition, begin, end in recorder.ranges(50):
        for _ in range(2):
            found = recorder.compared(partition, begin, end)
            assert found.equal, (partition, begin, end, found)
            same += len(found.same)
    assert same > 500
    assert (written(recorder), recorder.engine.view.digest()) == (before, view)
