"""One mailbox's timers: when it is due, what its subscription needs, how failures back off."""

from __future__ import annotations

import pytest

from services.sync_worker.deciding.mailbox import (
    ECHO_MS,
    Pace,
    Repair,
    after_failure,
    after_look,
    is_due,
    may_look,
    needs_full,
    repair,
    window_at,
)
from shared.contracts.calendar_state import DueReason, EventReference, LiveSubscription, MailboxState
from shared.domain.attendees import Answer
from shared.domain.instants import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.builders import NOW_MS, START_MS

PACE = Pace(reconcile_ms=900 * SECOND_MS, pending_silent_ms=600 * SECOND_MS, grace_ms=15 * SECOND_MS)
LIVE = LiveSubscription(id="s1", key_id="k1", made_at_ms=NOW_MS, expires_at_ms=NOW_MS + 7 * DAY_MS)


def a_state(provider: str = "microsoft", **changes: object) -> MailboxState:
    fields = {"cursor": "c", "window_start_ms": window_at(NOW_MS).start_ms, "subscription": LIVE} | changes
    return MailboxState(provider=provider, **fields)  # type: ignore[arg-type]


def a_reference(answer: str) -> dict[str, EventReference]:
    reference = EventReference(
        event_id="e", uid="m", kind="single", start_ms=START_MS, end_ms=START_MS + HOUR_MS, rooms={"a": Answer(answer)}
    )
    return {"e": reference}


def after(
    state: MailboxState, before: dict[str, EventReference], now: dict[str, EventReference], **options: bool
) -> MailboxState:
    hinted = options.get("hinted", False)
    return after_look(state, before, now, began_ms=NOW_MS, hinted=hinted, pace=PACE, now_ms=NOW_MS)


def test_missing_or_dead_subscription_is_made_anew() -> None:
    assert repair(a_state(subscription=None), NOW_MS) is Repair.SUBSCRIBE
    assert repair(a_state(), LIVE.expires_at_ms) is Repair.SUBSCRIBE
    assert repair(a_state(), NOW_MS) is Repair.NONE


@pytest.mark.proves("B1")
def test_subscription_is_extended_well_before_it_ends() -> None:
    assert repair(a_state(), NOW_MS + 5 * DAY_MS) is Repair.EXTEND
    renewed = after(a_state(), {}, {}).due[DueReason.RENEW]
    assert NOW_MS + 4 * DAY_MS < renewed < NOW_MS + 5 * DAY_MS


def test_new_day_asks_for_a_full_look() -> None:
    assert not needs_full(a_state(), NOW_MS)
    assert needs_full(a_state(), NOW_MS + DAY_MS)
    assert needs_full(a_state(cursor=""), NOW_MS)


def test_empty_look_after_a_hint_is_repeated_once_at_microsoft_only() -> None:
    echoed = after(a_state(), {}, {}, hinted=True)
    assert echoed.due[DueReason.ECHO] == NOW_MS + ECHO_MS
    assert DueReason.ECHO not in after(echoed, {}, {}, hinted=True).due
    assert DueReason.ECHO not in after(a_state("google"), {}, {}, hinted=True).due


@pytest.mark.proves("B10")
def test_new_decline_is_looked_at_again_after_the_grace_time() -> None:
    due = after(a_state("google"), a_reference("none"), a_reference("declined")).due
    assert due[DueReason.CONFIRM] == NOW_MS + 15 * SECOND_MS
    assert DueReason.CONFIRM not in after(a_state("google"), a_reference("declined"), a_reference("declined")).due


@pytest.mark.proves("B7")
def test_pending_room_is_looked_at_again_after_ten_silent_minutes() -> None:
    asked = after(a_state(), {}, a_reference("none"))
    assert asked.due[DueReason.SILENT] == NOW_MS + 600 * SECOND_MS
    assert DueReason.SILENT not in after(a_state(), a_reference("none"), a_reference("accepted")).due


@pytest.mark.proves("B11")
def test_appointment_of_the_provider_is_kept_and_nothing_is_due_before_it() -> None:
    state = after_failure(a_state(due={DueReason.RECONCILE: NOW_MS}), retry_after_s=7.128, now_ms=NOW_MS)
    assert state.due[DueReason.RETRY] == NOW_MS + 7128
    assert not is_due(state, NOW_MS + 7127)
    assert not may_look(state, NOW_MS + 7127)
    assert is_due(state, NOW_MS + 7128)
    assert may_look(state, NOW_MS + 7128)


@pytest.mark.proves("B11")
def test_failures_without_an_appointment_back_off_up_to_a_bound() -> None:
    state, waits = a_state(), []
    for _ in range(20):
        state = after_failure(state, retry_after_s=None, now_ms=NOW_MS)
        waits.append(state.due[DueReason.RETRY] - NOW_MS)
    assert waits == sorted(waits)
    assert waits[-1] <= 8 * 60 * SECOND_MS
    assert after(state, {}, {}).failures == 0
    assert DueReason.RETRY not in after(state, {}, {}).due
