"""What one look at a person's ladders comes to."""

from __future__ import annotations

import pytest

from services.notifier.deciding.plan import LOOK_AGAIN_MS, Message, Openness, RungStep, intend, plan, prompts_to_look_up
from services.notifier.deciding.rungs import Rung
from shared.contracts.notification import DeliveryState, PromptLadder
from shared.contracts.rows import NotificationRow
from shared.domain.instants import DAY_MS, MINUTE_MS

OPENED_MS = 1_795_000_000_000
DUE_MS = OPENED_MS + MINUTE_MS
LADDER = PromptLadder(prompt="d", meeting="m", opened_at_ms=OPENED_MS, starts_ms=OPENED_MS + 3 * DAY_MS)
FIRST = RungStep("d", Rung.FIRST)
ROW = NotificationRow()


def test_nothing_is_looked_up_before_something_is_due() -> None:
    assert prompts_to_look_up({"d": LADDER}, ROW, DUE_MS - 1) == frozenset()
    assert prompts_to_look_up({"d": LADDER}, ROW, DUE_MS) == {"d"}
    assert plan({"d": LADDER}, ROW, {}, DUE_MS - 1).wake_at_ms == DUE_MS


def test_a_closed_prompt_is_settled_and_not_looked_at_again_before_its_next_rung() -> None:
    decided = plan({"d": LADDER}, ROW, {"d": Openness.CLOSED}, DUE_MS)
    assert decided.messages == ()
    assert decided.settled == {FIRST: DeliveryState.SKIPPED}
    assert decided.wake_at_ms == LADDER.starts_ms - DAY_MS


def test_an_unclear_one_is_looked_at_again() -> None:
    decided = plan({"d": LADDER}, ROW, {"d": Openness.UNCLEAR}, DUE_MS)
    assert (decided.messages, decided.settled) == ((), {})
    assert decided.wake_at_ms == DUE_MS + LOOK_AGAIN_MS


@pytest.mark.parametrize("openness", [Openness.OPEN, Openness.CLOSED])
def test_an_intent_is_sent_again_under_its_id_or_given_up(openness: Openness) -> None:
    intended = intend(LADDER, Rung.FIRST, "n-1", DUE_MS)
    again_ms = DUE_MS + 30_000
    assert plan({"d": intended}, ROW, {"d": openness}, again_ms - 1).messages == ()
    decided = plan({"d": intended}, ROW, {"d": openness}, again_ms)
    if openness is Openness.OPEN:
        assert decided.messages == (Message((FIRST,), "n-1"),)
    else:
        assert decided.settled == {FIRST: DeliveryState.GIVEN_UP}


def test_quiet_hours_are_slept_through() -> None:
    night = NotificationRow(zone="UTC", quiet_from="00:00", quiet_until="23:00")
    assert prompts_to_look_up({"d": LADDER}, night, DUE_MS) == frozenset()
    decided = plan({"d": LADDER}, night, {}, DUE_MS)
    assert decided.messages == ()
    assert decided.wake_at_ms is not None
    assert decided.wake_at_ms % DAY_MS == 23 * 60 * MINUTE_MS
