"""Hints: position never passes a hint that no committed look has answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync_worker.deciding.hints import Hints
from shared.domain.identity import Mailbox

ADA, BEN = Mailbox("t-1", "m-ada"), Mailbox("t-1", "m-ben")
TOPIC = "notifications.graph"


def test_position_waits_for_the_lowest_hint_that_is_still_owed() -> None:
    hints = Hints()
    for offset, mailbox in ((3, ADA), (5, BEN), (8, ADA)):
        hints.owe(mailbox, TOPIC, offset)
        hints.read(TOPIC, offset)
    assert hints.position() == {TOPIC: 3}
    hints.discharge(ADA, hints.pending(ADA))
    assert hints.position() == {TOPIC: 5}
    assert hints.position({BEN: hints.pending(BEN)}) == {TOPIC: 9}


@pytest.mark.proves("B5")
def test_hints_during_a_look_cost_one_more_look_however_many_they_are() -> None:
    hints = Hints()
    hints.owe(ADA, TOPIC, 0)
    answered = hints.pending(ADA)
    for offset in range(1, 50):
        hints.owe(ADA, TOPIC, offset)
    hints.discharge(ADA, answered)
    assert hints.waiting() == (ADA,)
    hints.discharge(ADA, hints.pending(ADA))
    assert hints.waiting() == ()


@given(st.lists(st.tuples(st.sampled_from([ADA, BEN]), st.booleans()), max_size=60))
def test_nothing_owed_lies_below_the_position(steps: list[tuple[Mailbox, bool]]) -> None:
    """Any interleaving of reading and discharging: what is owed would be read again after a restart."""
    hints, owed = Hints(), set[tuple[Mailbox, int]]()
    for offset, (mailbox, discharge) in enumerate(steps):
        hints.owe(mailbox, TOPIC, offset)
        hints.read(TOPIC, offset)
        owed.add((mailbox, offset))
        if discharge:
            hints.discharge(mailbox, hints.pending(mailbox))
            owed = {(other, at) for other, at in owed if other != mailbox}
        position = hints.position().get(TOPIC, 0)
        assert all(at >= position for _, at in owed)
        assert position == min((at for _, at in owed), default=offset + 1)
