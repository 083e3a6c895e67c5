"""What is to be done for one mailbox, what a look makes of it, and when it is next due. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

import msgspec

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.references import References, answers
from shared.contracts.calendar_state import DueReason, LiveSubscription, MailboxState
from shared.domain.attendees import Answer
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from shared.domain.sighting import Window
from shared.meetings.confirmed_states import CONFIRMED_MS, UPCOMING_MS
from shared.providers.catalogue import profile_of

WINDOW_BACK_MS = DAY_MS
WINDOW_AHEAD_MS = 180 * DAY_MS
WINDOW_SLACK_MS = 2 * DAY_MS  # so that it lies ahead of every moment: the window moves on once a day, at any time of it
_EARLIER_WINDOW_MS = 63 * DAY_MS  # of a cursor whose state does not say where its window ends
ECHO_MS = 2 * SECOND_MS
"""Graph's delta lags behind its notifications ("processing delays", learn.microsoft.com/graph/delta-query-overview); no bound is
published, so that the pause doubles from here while the delta does not show what was announced."""
MAX_ECHOES = 4
FREE_EMPTY_LOOKS = 2
MAX_HINT_PAUSE_MS = 8 * SECOND_MS
SOON_MS = 2 * HOUR_MS
FAR_PACE_MS = 4 * HOUR_MS
FAR_FROM_MS = 15 * MINUTE_MS  # a setting below this is meant as it stands, whatever lies ahead
RENEW_AT = 0.7  # of the subscription's life: two more tries fit before it ends
MAX_BACKOFF_MS = 5 * MINUTE_MS
MAX_WAIT_MS = 6 * HOUR_MS  # whatever a provider's appointment says: a mailbox that nobody looks at tells nothing
MAX_ENDING_TRIES = 5  # of a replaced channel: what the provider will not end runs out by itself
SLOW_LOOK_MS = 30 * SECOND_MS
CONFIRMED_SLACK_MS = 2 * MINUTE_MS  # for the look itself, and since people are told to the minute when it was


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a mailbox is looked at without being asked, in milliseconds."""

    reconcile_ms: int
    pending_silent_ms: int
    grace_ms: int


class SubscriptionNeed(StrEnum):
    """What the subscription needs before the look."""

    NONE = "none"
    SUBSCRIBE = "subscribe"
    EXTEND = "extend"


def window_at(now_ms: int, mailbox: str = "", *, ahead_ms: int = WINDOW_AHEAD_MS) -> Window:
    """
    The stretch of time that is watched, in whole UTC days, so that a delta link lasts a day.

    Args:
        now_ms: Epoch milliseconds.
        mailbox: Its id says at what time of day the window moves on: the full looks that follow are spread over the day.
        ahead_ms: How far ahead of every moment it reaches at least. Another span holds from the next time it moves on: so what
            it brings into sight comes spread over a day, too.
    """
    moves_on_ms = int(_spread(mailbox) * DAY_MS) if mailbox else 0
    today = (now_ms - moves_on_ms) // DAY_MS * DAY_MS
    return Window(today - WINDOW_BACK_MS, today + ahead_ms + WINDOW_SLACK_MS)


def window_of(state: MailboxState) -> Window:
    """The window that the mailbox's cursor was made for."""
    return Window(state.window_start_ms, state.window_end_ms or state.window_start_ms + _EARLIER_WINDOW_MS)


def needs_full(state: MailboxState, window: Window) -> bool:
    """Whether the cursor is missing or belongs to another day's window (at Graph the window sits inside it)."""
    return not state.cursor or state.window_start_ms != window.start_ms


def repair(state: MailboxState, now_ms: int) -> SubscriptionNeed:
    """What the subscription needs now."""
    subscription = state.subscription
    if subscription is None or subscription.expires_at_ms <= now_ms:
        return SubscriptionNeed.SUBSCRIBE
    if state.due.get(DueReason.RENEW, renew_at(subscription)) <= now_ms:
        return SubscriptionNeed.EXTEND
    return SubscriptionNeed.NONE


def renew_at(subscription: LiveSubscription) -> int:
    """When the subscription is to be extended, in epoch milliseconds."""
    life = subscription.expires_at_ms - subscription.made_at_ms
    return subscription.made_at_ms + int(life * (RENEW_AT - _spread(subscription.id) * 0.1))


def after_look(
    state: MailboxState,
    before: References,
    after: References,
    *,
    job: Job,
    full: bool,
    pace: Pace,
    now_ms: int,
) -> MailboxState:
    """
    The mailbox once a look has succeeded: failures forgotten, timers set anew.

    Args:
        state: Already carrying the look's cursor, window and subscription.
        before: What was known of its events when the look began.
        after: What is known of them now.
        job: What the look was to answer. While it shows fewer changes than pushes have announced, it is repeated (Graph only).
        full: Whether the look was a full one: what its window brings, or an audit corrects, nobody could have announced.
        pace: How often to look.
        now_ms: Epoch milliseconds.
    """
    changed = before != after
    unasked = not job.answers and (job.audit or _was_due(job, DueReason.RECONCILE))
    unannounced = changed and not full and unasked
    if unannounced and state.subscription and state.baseline_done:
        state = msgspec.structs.replace(state, doubted_at_ms=now_ms)
    unshown = _count_unshown(state, before, after, job)
    echo = _echo(state, job, now_ms, changed=changed) if unshown else {}
    due = _renewal(state, job, now_ms, at_once=unannounced) | echo
    due |= _confirmation(state, before, after, job, pace, now_ms) | _silence(
        state, after, job, pace, now_ms, changed=changed
    )
    every_ms = reconcile_every_ms(state, after, pace, now_ms)
    wait_ms = int(every_ms * (0.75 + 0.5 * _spread(state.provider + state.cursor)))
    due[DueReason.RECONCILE] = now_ms + min(wait_ms, _longest_wait_ms(every_ms, after, now_ms))
    echoes = _count_echoes(job, changed=changed) if echo else 0
    came_meanwhile = state.announced - job.state.announced  # which has a look of its own
    return msgspec.structs.replace(
        state,
        failures=0,
        looked_at_ms=now_ms,
        baseline_done=True,
        due=due,
        echoes=echoes,
        announced=came_meanwhile + (unshown if echo else 0),
    )


def reconcile_every_ms(state: MailboxState, references: References, pace: Pace, now_ms: int) -> int:
    """
    Say how long a mailbox may go without a look, by its next meeting with a room.

    A third of the pace while one begins within two hours, the pace itself within a day, four hours otherwise; never longer
    than the pace for a mailbox without a subscription or with one that is doubted.
    """
    next_ms = _next_start_ms(references, now_ms) - now_ms
    if next_ms <= SOON_MS:
        return pace.reconcile_ms // 3
    watched = state.subscription is not None and not state.doubted_at_ms
    if next_ms <= DAY_MS or not watched or pace.reconcile_ms < FAR_FROM_MS:
        return pace.reconcile_ms
    return max(pace.reconcile_ms, FAR_PACE_MS)


def _next_start_ms(references: References, now_ms: int) -> int:
    starts = (one.start_ms for one in references.values() if one.rooms and one.end_ms > now_ms)
    return min(starts, default=now_ms + 2 * DAY_MS)


def _longest_wait_ms(every_ms: int, references: References, now_ms: int) -> int:
    """
    Say how long the next look may be spread, so that what begins within a day is confirmed in time.

    A mailbox is looked at when its next meeting with a room comes within a day, and from then on so often that none of its room
    states is older than `CONFIRMED_MS`, if the pace is not slower by itself.
    """
    if every_ms <= CONFIRMED_MS:
        return CONFIRMED_MS - CONFIRMED_SLACK_MS
    ahead_ms = _next_start_ms(references, now_ms) - now_ms - UPCOMING_MS
    return max(ahead_ms, CONFIRMED_MS - CONFIRMED_SLACK_MS) if ahead_ms > 0 else 2 * every_ms


def hint_pause_ms(empty_looks: int) -> int:
    """
    Say how long after a hinted look the next one may begin, given how many in a row showed nothing.

    The first ones are free: a push is never late because of another. A notification that is replayed costs a look only every
    few seconds.
    """
    beyond = empty_looks - FREE_EMPTY_LOOKS
    return 0 if beyond < 0 else min(2 ** min(beyond, 16) * SECOND_MS, MAX_HINT_PAUSE_MS)


def next_due_ms(state: MailboxState) -> int | None:
    """When a timer asks for the next look; a retry that is appointed stands for all of them."""
    retry = state.due.get(DueReason.RETRY)
    return retry if retry is not None else min(state.due.values(), default=None)


def _was_due(job: Job, reason: DueReason) -> bool:
    return job.state.due.get(reason, job.started_at_ms + 1) <= job.started_at_ms


def _renewal(state: MailboxState, job: Job, now_ms: int, *, at_once: bool) -> dict[DueReason, int]:
    if not state.subscription:
        return {}
    asked = state.due.get(DueReason.RENEW, now_ms + 1) <= now_ms and state.subscription.made_at_ms < job.started_at_ms
    # A reauthorisation that was asked for while the look ran is still owed; a doubted subscription is extended at once.
    return {DueReason.RENEW: now_ms if asked or at_once else renew_at(state.subscription)}


def _count_unshown(state: MailboxState, before: References, after: References, job: Job) -> int:
    """Count what was announced and is not shown; 0 where notifications do not run ahead of what a look shows."""
    announced = max(job.state.announced, DueReason.ECHO in job.state.due)  # earlier versions did not count
    if not announced or not state.provider or not profile_of(state.provider).traits.push_may_run_ahead:
        return 0
    return max(announced - _count_changed_events(before, after), 0)


def _echo(state: MailboxState, job: Job, now_ms: int, *, changed: bool) -> dict[DueReason, int]:
    if changed or _is_first_echo(job):
        return {DueReason.ECHO: now_ms + ECHO_MS}
    waiting = state.due.get(DueReason.ECHO, 0)
    if waiting > job.started_at_ms:
        return {DueReason.ECHO: waiting}
    repeats = _was_due(job, DueReason.ECHO) and (job.hinted or job.state.echoes < MAX_ECHOES)
    return {DueReason.ECHO: now_ms + (ECHO_MS << min(job.state.echoes, MAX_ECHOES))} if repeats else {}


def _is_first_echo(job: Job) -> bool:
    """Whether the look is no repetition itself: a notification that is replayed does not begin anew each time."""
    return not _was_due(job, DueReason.ECHO) and (job.hinted or DueReason.ECHO not in job.state.due)


def _count_echoes(job: Job, *, changed: bool) -> int:
    return 1 if changed or _is_first_echo(job) else min(job.state.echoes + _was_due(job, DueReason.ECHO), MAX_ECHOES)


def _count_changed_events(before: References, after: References) -> int:
    """Count what may have been announced by one notification each: the dates of a series are one event."""
    changed = (
        after.get(event_id) or before[event_id]
        for event_id in before.keys() | after.keys()
        if before.get(event_id) != after.get(event_id)
    )
    return len({reference.master_id or reference.event_id for reference in changed})


def _confirmation(
    state: MailboxState, before: References, after: References, job: Job, pace: Pace, now_ms: int
) -> dict[DueReason, int]:
    if pace.grace_ms and _newly_declined(before, after):
        return {DueReason.CONFIRM: now_ms + pace.grace_ms}
    waiting = state.due.get(DueReason.CONFIRM, 0)
    return {DueReason.CONFIRM: waiting} if waiting > job.started_at_ms else {}


def _silence(
    state: MailboxState, after: References, job: Job, pace: Pace, now_ms: int, *, changed: bool
) -> dict[DueReason, int]:
    if not _pending(after, now_ms):
        return {}
    if changed:
        return {DueReason.SILENT: now_ms + pace.pending_silent_ms}
    waiting = state.due.get(DueReason.SILENT, 0)
    return {DueReason.SILENT: waiting} if waiting > job.started_at_ms else {}


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


def may_be_audited(state: MailboxState) -> bool:
    """Whether what is held can be compared with the calendar: it was read to the end, and the last look succeeded."""
    return state.connected and state.baseline_done and not state.asleep and not state.failures


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
