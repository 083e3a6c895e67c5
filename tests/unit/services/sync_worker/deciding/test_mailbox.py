"""One mailbox's timers: when it is due, what its subscription needs, how failures back off."""

from __future__ import annotations

import msgspec
import pytest

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.mailbox import (
    ECHO_MS,
    Pace,
    SubscriptionNeed,
    after_failure,
    after_look,
    hint_pause_ms,
    is_due,
    may_look,
    needs_full,
    reconcile_every_ms,
    repair,
    window_at,
    window_of,
)
from shared.contracts.calendar_state import DueReason, EventReference, LiveSubscription, MailboxState
from shared.domain.attendees import Answer
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.builders import NOW_MS, START_MS

PACE = Pace(reconcile_ms=900 * SECOND_MS, pending_silent_ms=600 * SECOND_MS, grace_ms=15 * SECOND_MS)
LIVE = LiveSubscription(id="s1", key_id="k1", made_at_ms=NOW_MS, expires_at_ms=NOW_MS + 7 * DAY_MS)


def a_state(provider: str = "microsoft", **changes: object) -> MailboxState:
    fields = {"cursor": "c", "window_start_ms": window_at(NOW_MS).start_ms, "subscription": LIVE} | changes
    return MailboxState(provider=provider, **fields)  # type: ignore[arg-type]


A_DATE = EventReference(
    event_id="e", uid="m", kind="single", start_ms=START_MS, end_ms=START_MS + HOUR_MS, rooms={"a": Answer.NONE}
)


def a_reference(answer: str) -> dict[str, EventReference]:
    return {"e": msgspec.structs.replace(A_DATE, rooms={"a": Answer(answer)})}


def after(
    state: MailboxState, before: dict[str, EventReference], now: dict[str, EventReference], **options: bool
) -> MailboxState:
    at_ms = max(NOW_MS, state.due.get(DueReason.ECHO, NOW_MS)) if options.get("when_due") else NOW_MS
    answers = frozenset({("notifications.graph", 1)}) if options.get("hinted") else frozenset()
    state = msgspec.structs.replace(state, announced=state.announced + len(answers))
    job = Job(Mailbox("t", "m"), state, answers, at_ms, hinted=options.get("hinted", False))
    return after_look(state, before, now, job=job, full=options.get("full", False), pace=PACE, now_ms=at_ms)


def test_missing_or_dead_subscription_is_made_anew() -> None:
    assert repair(a_state(subscription=None), NOW_MS) is SubscriptionNeed.SUBSCRIBE
    assert repair(a_state(), LIVE.expires_at_ms) is SubscriptionNeed.SUBSCRIBE
    assert repair(a_state(), NOW_MS) is SubscriptionNeed.NONE


@pytest.mark.proves("B1")
def test_subscription_is_extended_well_before_it_ends() -> None:
    assert repair(a_state(), NOW_MS + 5 * DAY_MS) is SubscriptionNeed.EXTEND
    renewed = after(a_state(), {}, {}).due[DueReason.RENEW]
    assert NOW_MS + 4 * DAY_MS < renewed < NOW_MS + 5 * DAY_MS


def test_new_day_asks_for_a_full_look() -> None:
    assert not needs_full(a_state(), window_at(NOW_MS))
    assert needs_full(a_state(), window_at(NOW_MS + DAY_MS))
    assert needs_full(a_state(cursor=""), window_at(NOW_MS))


def test_full_looks_are_spread_over_the_day_by_mailbox() -> None:
    names = [f"m-{number}" for number in range(500)]
    at_midnight = NOW_MS - NOW_MS % DAY_MS
    moved = [name for name in names if window_at(at_midnight - 1, name) != window_at(at_midnight + HOUR_MS, name)]
    assert 5 < len(moved) < 60
    for name in names:
        assert window_at(NOW_MS, name).end_ms >= NOW_MS + 60 * DAY_MS
        assert window_at(NOW_MS, name).start_ms <= NOW_MS - DAY_MS + 1


def test_empty_look_after_a_hint_is_repeated_with_growing_pauses_at_microsoft_only() -> None:
    state, pauses = after(a_state(), {}, {}, hinted=True), []
    at_ms = NOW_MS
    while DueReason.ECHO in state.due:
        pauses.append((state.due[DueReason.ECHO] - at_ms) // SECOND_MS)
        at_ms = state.due[DueReason.ECHO]
        state = after(state, {}, {}, when_due=True)
    assert pauses == [2, 4, 8, 16]
    assert DueReason.ECHO not in after(a_state("google"), {}, {}, hinted=True).due


def test_second_hint_of_the_same_change_does_not_end_the_repeating() -> None:
    echoed = after(a_state(), {}, {}, hinted=True)
    assert after(echoed, {}, {}, hinted=True).due[DueReason.ECHO] == NOW_MS + ECHO_MS
    shown = after(echoed, {}, a_reference("none"), when_due=True)
    assert DueReason.ECHO not in shown.due
    assert shown.announced == 0


def test_look_that_shows_fewer_changes_than_were_announced_is_repeated_until_it_shows_them() -> None:
    one, both = a_reference("none"), a_reference("none") | {"f": msgspec.structs.replace(A_DATE, event_id="f")}
    state = after(a_state(announced=1), {}, one, hinted=True)
    assert state.due[DueReason.ECHO] == NOW_MS + ECHO_MS
    assert DueReason.ECHO not in after(state, one, both, when_due=True).due
    for _ in range(4):
        assert DueReason.ECHO in state.due
        state = after(state, one, one, when_due=True)
    assert DueReason.ECHO not in state.due, "whatever was announced besides was no change of ours"
    assert state.announced == 0


def test_dates_of_a_series_are_announced_by_one_notification() -> None:
    dates = {name: msgspec.structs.replace(A_DATE, event_id=name, master_id="s") for name in ("s1", "s2")}
    assert after(a_state(announced=1), {}, dates, hinted=True).announced == 1


def test_look_that_failed_leaves_what_was_announced_to_the_next() -> None:
    waiting = a_state(announced=1, due={DueReason.RETRY: NOW_MS})
    assert after(waiting, {}, {}).due[DueReason.ECHO] == NOW_MS + ECHO_MS


def test_change_that_no_push_announced_doubts_the_subscription_and_extends_it_at_once() -> None:
    reconciling = a_state(due={DueReason.RECONCILE: NOW_MS}, baseline_done=True)
    doubted = after(reconciling, a_reference("none"), a_reference("declined"))
    assert doubted.doubted_at_ms == NOW_MS
    assert repair(doubted, NOW_MS) is SubscriptionNeed.EXTEND
    assert not after(reconciling, a_reference("none"), a_reference("declined"), hinted=True).doubted_at_ms
    assert not after(reconciling, a_reference("none"), a_reference("declined"), full=True).doubted_at_ms
    assert not after(reconciling, a_reference("none"), a_reference("none")).doubted_at_ms


@pytest.mark.parametrize(
    ("starts_in_ms", "changes", "every_ms"),
    [
        (HOUR_MS, {}, 300 * SECOND_MS),
        (5 * HOUR_MS, {}, 900 * SECOND_MS),
        (3 * DAY_MS, {}, 4 * HOUR_MS),
        (3 * DAY_MS, {"subscription": None}, 900 * SECOND_MS),
        (3 * DAY_MS, {"doubted_at_ms": 1}, 900 * SECOND_MS),
    ],
)
def test_pace_follows_the_next_meeting_with_a_room(
    starts_in_ms: int, changes: dict[str, object], every_ms: int
) -> None:
    start_ms = NOW_MS + starts_in_ms
    known = {"e": msgspec.structs.replace(a_reference("accepted")["e"], start_ms=start_ms, end_ms=start_ms + HOUR_MS)}
    assert reconcile_every_ms(a_state(**changes), known, PACE, NOW_MS) == every_ms


def test_first_hints_are_answered_at_once_and_replayed_ones_ever_more_rarely() -> None:
    assert [hint_pause_ms(empty) // SECOND_MS for empty in range(7)] == [0, 0, 1, 2, 4, 8, 8]


@pytest.mark.proves("B10")
def test_new_decline_is_looked_at_again_after_the_grace_time() -> None:
    due = after(a_state("google"), a_reference("none"), a_reference("declined")).due
    assert due[DueReason.CONFIRM] == NOW_MS + 15 * SECOND_MS
    assert DueReason.CONFIRM not in after(a_state("google"), a_reference("declined"), a_reference("declined")).due


@pytest.mark.parametrize("reason", [DueReason.CONFIRM, DueReason.SILENT, DueReason.ECHO])
def test_appointment_that_comes_while_a_look_runs_is_not_answered_by_it(reason: DueReason) -> None:
    known = a_reference("none")
    waiting = a_state(due={reason: NOW_MS + 1})
    job = Job(Mailbox("t", "m"), waiting, frozenset(), NOW_MS)
    ended = after_look(waiting, known, known, job=job, full=False, pace=PACE, now_ms=NOW_MS + 2)
    assert ended.due[reason] == NOW_MS + 1


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


@pytest.mark.proves("B13")
def test_another_span_of_the_window_holds_from_the_next_time_it_moves_on() -> None:
    short, long = window_at(NOW_MS, ahead_ms=60 * DAY_MS), window_at(NOW_MS, ahead_ms=180 * DAY_MS)
    state = a_state(window_start_ms=short.start_ms, window_end_ms=short.end_ms)
    assert not needs_full(state, long), "a new setting makes no mailbox look at everything at once"
    assert window_of(state) == short
    assert needs_full(state, window_at(NOW_MS + DAY_MS, ahead_ms=180 * DAY_MS))


@pytest.mark.proves("B13")
def test_cursor_of_a_version_without_the_setting_has_the_window_that_it_had() -> None:
    window = window_of(a_state(window_start_ms=NOW_MS))
    assert (window.start_ms, window.end_ms) == (NOW_MS, NOW_MS + 63 * DAY_MS)


@pytest.mark.proves("M5")
@pytest.mark.parametrize("cursor", [f"c{number}" for number in range(40)])
@pytest.mark.parametrize("starts_in_ms", [HOUR_MS, 5 * HOUR_MS, DAY_MS, DAY_MS + MINUTE_MS])
def test_what_begins_within_a_day_is_looked_at_in_time_to_be_confirmed(starts_in_ms: int, cursor: str) -> None:
    due = looked_at_next_ms(starts_in_ms, cursor, PACE)
    assert 0 < due - NOW_MS <= 13 * MINUTE_MS


@pytest.mark.proves("M5")
@pytest.mark.parametrize("cursor", [f"c{number}" for number in range(40)])
def test_a_mailbox_is_looked_at_when_its_next_meeting_comes_within_a_day(cursor: str) -> None:
    assert looked_at_next_ms(DAY_MS + 2 * HOUR_MS, cursor, PACE) - NOW_MS <= 2 * HOUR_MS
    assert looked_at_next_ms(9 * DAY_MS, cursor, PACE) - NOW_MS >= 3 * HOUR_MS


@pytest.mark.parametrize("starts_in_ms", [5 * HOUR_MS, 9 * DAY_MS])
def test_a_slower_pace_stays_as_it_was_set(starts_in_ms: int) -> None:
    slow = Pace(reconcile_ms=2 * HOUR_MS, pending_silent_ms=0, grace_ms=0)
    assert looked_at_next_ms(starts_in_ms, "c1", slow) - NOW_MS >= 1.5 * HOUR_MS


def looked_at_next_ms(starts_in_ms: int, cursor: str, pace: Pace) -> int:
    """When the next look is due of a mailbox whose next meeting with a room begins so far ahead."""
    start_ms, state = NOW_MS + starts_in_ms, a_state(cursor=cursor)
    known = {"e": msgspec.structs.replace(a_reference("accepted")["e"], start_ms=start_ms, end_ms=start_ms + HOUR_MS)}
    job = Job(Mailbox("t", "m"), state, frozenset(), NOW_MS)
    return after_look(state, known, known, job=job, full=False, pace=pace, now_ms=NOW_MS).due[DueReason.RECONCILE]
