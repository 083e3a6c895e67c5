"""What is to be done for one mailbox, what a look makes of it, and when it is next due. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

import msgspec

from services.sync_worker.deciding.references import References, answers
from shared.contracts.calendar_state import DueReason, LiveSubscription, MailboxState
from shared.domain.attendees import Answer
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from shared.domain.sighting import Window
from shared.providers.catalogue import profile_of

WINDOW_BACK_MS = DAY_MS
WINDOW_AHEAD_MS = 60 * DAY_MS
ECHO_MS = 2 * SECOND_MS  # Graph's delta lags behind its notifications by about that; measured nowhere, kept short
RENEW_AT = 0.7  # of the subscription's life: two more tries fit before it ends
MAX_BACKOFF_MS = 5 * MINUTE_MS
MAX_WAIT_MS = 6 * HOUR_MS  # whatever a provider's appointment says: a mailbox that nobody looks at tells nothing
MAX_ENDING_TRIES = 5  # of a replaced channel: what the provider will not end runs out by itself
SLOW_LOOK_MS = 30 * SECOND_MS


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a mailbox is looked at without being asked, in milliseconds."""

    reconcile_ms: int
    pending_silent_ms: int
    grace_ms: int


class Repair(StrEnum):
    """What the subscription needs before the look."""

    NONE = "none"
    SUBSCRIBE = "subscribe"
    EXTEND = "extend"


def window_at(now_ms: int) -> Window:
    """The stretch of time that is watched: from yesterday, in whole UTC days, so that a delta link lasts a day."""
    today = now_ms - now_ms % DAY_MS
    return Window(today - WINDOW_BACK_MS, today + WINDOW_AHEAD_MS)


def window_from(start_ms: int) -> Window:
    """The window that a cursor was made for, by where it begins."""
    return Window(start_ms, start_ms + WINDOW_BACK_MS + WINDOW_AHEAD_MS)


def needs_full(state: MailboxState, now_ms: int) -> bool:
    """Whether the cursor is missing or belongs to another day's window (at Graph the window sits inside it)."""
    return not state.cursor or state.window_start_ms != window_at(now_ms).start_ms


def repair(state: MailboxState, now_ms: int) -> Repair:
    """What the subscription needs now."""
    subscription = state.subscription
    if subscription is None or subscription.expires_at_ms <= now_ms:
        return Repair.SUBSCRIBE
    if state.due.get(DueReason.RENEW, renew_at(subscription)) <= now_ms:
        return Repair.EXTEND
    return Repair.NONE


def renew_at(subscription: LiveSubscription) -> int:
    """When the subscription is to be extended, in epoch milliseconds."""
    life = subscription.expires_at_ms - subscription.made_at_ms
    return subscription.made_at_ms + int(life * (RENEW_AT - _spread(subscription.id) * 0.1))


def after_look(
    state: MailboxState,
    before: References,
    after: References,
    *,
    began_ms: int,
    hinted: bool,
    pace: Pace,
    now_ms: int,
) -> MailboxState:
    """
    The mailbox once a look has succeeded: failures forgotten, timers set anew.

    Args:
        state: Already carrying the look's cursor, window and subscription.
        began_ms: When the look began.
        hinted: Whether a push asked for this look; if it then shows nothing, one echo look follows where pushes may run ahead.
    """
    changed = before != after
    due = {DueReason.RECONCILE: now_ms + int(pace.reconcile_ms * (0.75 + 0.5 * _spread(state.provider + state.cursor)))}
    if state.subscription:
        asked = state.due.get(DueReason.RENEW, now_ms + 1) <= now_ms and state.subscription.made_at_ms < began_ms
        # A reauthorisation that was asked for while the look ran is still owed.
        due[DueReason.RENEW] = now_ms if asked else renew_at(state.subscription)
    runs_ahead = bool(state.provider) and profile_of(state.provider).traits.push_may_run_ahead
    if hinted and not changed and runs_ahead and DueReason.ECHO not in state.due:
        due[DueReason.ECHO] = now_ms + ECHO_MS
    if pace.grace_ms and _newly_declined(before, after):
        due[DueReason.CONFIRM] = now_ms + pace.grace_ms
    elif state.due.get(DueReason.CONFIRM, 0) > now_ms:
        due[DueReason.CONFIRM] = state.due[DueReason.CONFIRM]
    if _pending(after, now_ms):
        silent = state.due.get(DueReason.SILENT, 0)
        if silent > now_ms and not changed:
            due[DueReason.SILENT] = silent
        elif changed:
            due[DueReason.SILENT] = now_ms + pace.pending_silent_ms
    return msgspec.structs.replace(state, failures=0, looked_at_ms=now_ms, baseline_done=True, due=due)


def after_failure(state: MailboxState, *, retry_after_s: float | None, now_ms: int) -> MailboxState:
    """
    The mailbox once a look has failed: an appointment, the later of the provider's own and a growing one of ours.

    Args:
        state: With what the look's calls changed.
        retry_after_s: What the provider said; never trusted to be soon (0, negative, a date in the past), nor beyond six hours.
        now_ms: Epoch milliseconds.
    """
    failures = state.failures + 1
    ours_ms = int(min(2 ** min(failures, 16) * SECOND_MS, MAX_BACKOFF_MS) * (0.5 + _spread(state.cursor)))
    theirs_ms = int(min(retry_after_s or 0.0, MAX_WAIT_MS) * SECOND_MS)
    wait_ms = min(max(ours_ms, theirs_ms, 1), MAX_WAIT_MS)
    return msgspec.structs.replace(state, failures=failures, due={**state.due, DueReason.RETRY: now_ms + wait_ms})


def not_ended(subscription: LiveSubscription) -> LiveSubscription:
    """The replaced subscription after one more try that the provider refused."""
    return msgspec.structs.replace(subscription, ending_tries=subscription.ending_tries + 1)


def is_worth_ending(subscription: LiveSubscription, now_ms: int) -> bool:
    """Whether a replaced subscription is tried again: neither run out nor refused too often."""
    return subscription.ending_tries < MAX_ENDING_TRIES and subscription.expires_at_ms > now_ms


def is_due(state: MailboxState, now_ms: int) -> bool:
    """
    Whether a timer asks for a look now.

    While a retry is appointed, nothing else is due before it: a provider that said "later" is not asked earlier.
    """
    retry = state.due.get(DueReason.RETRY)
    if retry is not None:
        return retry <= now_ms
    return any(at <= now_ms for at in state.due.values())


def may_look(state: MailboxState, now_ms: int) -> bool:
    """Whether a hint may be answered now, or has to wait for the appointment."""
    return state.due.get(DueReason.RETRY, 0) <= now_ms


def made_due(state: MailboxState, reason: DueReason, at_ms: int) -> MailboxState:
    """The same mailbox with one more appointment; an earlier one of the same reason stands."""
    at_ms = min(at_ms, state.due.get(reason, at_ms))
    return msgspec.structs.replace(state, due={**state.due, reason: at_ms})


def _newly_declined(before: References, after: References) -> bool:
    earlier: Mapping[tuple[str, str], Answer] = answers(before)
    return any(
        answer is Answer.DECLINED and earlier.get(key) is not Answer.DECLINED for key, answer in answers(after).items()
    )


def _pending(references: References, now_ms: int) -> bool:
    return any(
        answer in {Answer.NONE, Answer.TENTATIVE}
        for reference in references.values()
        if reference.end_ms > now_ms
        for answer in (reference.rooms or {}).values()
    )


def _spread(text: str) -> float:
    """The same share of 1 for the same text: spreads timers without randomness."""
    return crc32(text.encode()) % 1000 / 1000
