"""
What one person is told now, in which messages, and when to look again. Pure.

A message tells of one prompt, or, as a digest, of several: once three or more prompts of a person have opened, are due or were
told within five minutes, or a third message would follow within them, one message tells of all that are left, and the next one
follows five minutes later at the earliest. So nobody gets more than two messages in any five minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from services.notifier.deciding.rungs import (
    CALENDAR,
    MAIL,
    Rung,
    delivery_of,
    due_at,
    is_wanted,
    of_use_until,
    quiet_until,
    to_come,
)
from shared.contracts.notification import DeliveryState, PromptLadder, RungDelivery
from shared.contracts.rows import NotificationRow
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

CROWD = 3
CROWD_SPAN_MS = 5 * MINUTE_MS
LOOK_AGAIN_MS = MINUTE_MS
"""While it cannot be told whether a prompt is open."""
FIRST_RETRY_MS = 30 * SECOND_MS
LONGEST_RETRY_MS = HOUR_MS
KEPT_AFTER_START_MS = DAY_MS
"""A ladder is remembered until then, so that a decline that is published again tells nobody again."""

Ladders = Mapping[str, PromptLadder]
"""Prompt → how far the person's ladder has come."""


class Openness(StrEnum):
    """What the view says of a prompt of this person."""

    OPEN = "open"
    CLOSED = "closed"
    UNCLEAR = "unclear"
    """It is not shown yet, is out of sight, or the view has nothing of it."""


@dataclass(frozen=True, slots=True, order=True)
class RungStep:
    """One rung of one prompt, by one channel."""

    prompt: str
    rung: Rung
    channel: str = MAIL


@dataclass(frozen=True, slots=True)
class Message:
    """One message by one channel: which steps it tells of; `id` is "" for a new one."""

    steps: tuple[RungStep, ...]
    id: str = ""

    @property
    def channel(self) -> str:
        """What it is sent by."""
        return self.steps[0].channel


@dataclass(frozen=True, slots=True)
class MessagePause:
    """When messages of an organisation were held, because many of its rooms said no at once."""

    began_at_ms: int
    over_at_ms: int = 0
    """0 while it lasts."""

    @property
    def lasts(self) -> bool:
        """Whether messages are held."""
        return not self.over_at_ms

    def covers(self, due_at_ms: int) -> bool:
        """Whether what was due then had to wait."""
        return self.began_at_ms <= due_at_ms < self.over_at_ms


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows for one person."""

    messages: tuple[Message, ...] = ()
    settled: Mapping[RungStep, DeliveryState] = field(default_factory=dict)
    """Steps of which nothing will be told any more."""
    expired: tuple[str, ...] = ()
    """Prompts whose ladder is to be forgotten."""
    wake_at_ms: int | None = None
    """When to look again; None: when something new is known."""


def wake_at(ladders: Iterable[PromptLadder], channel: str = MAIL) -> int | None:
    """When something of these is due at the earliest, whatever the person prefers; None: of none."""
    ladders = list(ladders)
    moments = [moment for ladder in ladders for _, moment in to_come(ladder, channel)]
    return min([*moments, *(_expires_at(ladder) for ladder in ladders)], default=None)


def prompts_to_look_up(ladders: Ladders, row: NotificationRow, now_ms: int, channel: str = MAIL) -> frozenset[str]:
    """The prompts of which the plan has to know whether they are open; none while nothing is due or every hour is quiet."""
    due = _due(ladders, now_ms, channel)
    if quiet_until(row, now_ms) > now_ms or not any(_may_be_sent(step, ladders, row, now_ms) for step in due):
        return frozenset()
    return frozenset(step.prompt for step in (*due, *_early(ladders, row, now_ms, channel)))


def plan(
    ladders: Ladders,
    row: NotificationRow,
    openness: Mapping[str, Openness],
    now_ms: int,
    pause: MessagePause | None = None,
    channel: str = MAIL,
) -> Plan:
    """
    Decide what one person is told by one channel.

    Args:
        ladders: All of the person's.
        row: What the person prefers.
        openness: The prompts of `prompts_to_look_up`; others are taken for unclear.
        now_ms: The present, in epoch milliseconds.
        pause: When messages were held last. What had to wait is told in one message.
        channel: By what they are told.
    """
    due = _due(ladders, now_ms, channel)
    settled = {
        step: _end_of(step, ladders)
        for step in due
        if not _may_be_sent(step, ladders, row, now_ms) or openness.get(step.prompt) is Openness.CLOSED
    }
    expired = tuple(sorted(ladder.prompt for ladder in ladders.values() if _expires_at(ladder) <= now_ms))
    tellable = [step for step in due if step not in settled]
    messages, waits = _tell(tellable, ladders, row, openness, now_ms, pause, channel)
    told = {step for message in messages for step in message.steps}
    moments = [*waits, *_moments_ahead(ladders, told, now_ms, channel)]
    moments += [_expires_at(ladder) for ladder in ladders.values() if ladder.prompt not in expired]
    return Plan(messages, settled, expired, min(moments, default=None))


def intend(ladder: PromptLadder, rung: Rung, message: str, now_ms: int, channel: str = MAIL) -> PromptLadder:
    """The ladder once it is decided that `message` tells of this rung: an attempt begins."""
    earlier = delivery_of(ladder, rung, channel)
    attempts = earlier.attempts if earlier else 0
    delivery = RungDelivery(
        state=DeliveryState.INTENT,
        message=message,
        begun_at_ms=earlier.begun_at_ms if earlier else now_ms,
        attempts=attempts + 1,
        retry_at_ms=now_ms + retry_after_ms(attempts + 1),
        placed=channel == CALENDAR,
    )
    return _with(ladder, rung, channel, delivery)


def settle(ladder: PromptLadder, rung: Rung, state: DeliveryState, channel: str = MAIL) -> PromptLadder:
    """The ladder once a rung has come to its end."""
    delivery = delivery_of(ladder, rung, channel) or RungDelivery(state=state)
    placed = delivery.placed and state is not DeliveryState.REFUSED
    return _with(ladder, rung, channel, msgspec.structs.replace(delivery, state=state, retry_at_ms=0, placed=placed))


def postpone(ladder: PromptLadder, step: RungStep, until_ms: int) -> PromptLadder:
    """The ladder once the server has asked to be left alone until then: it is asked no sooner than it would have been."""
    delivery = delivery_of(ladder, step.rung, step.channel)
    if delivery is None or delivery.state is not DeliveryState.INTENT:
        return ladder
    return _with(
        ladder,
        step.rung,
        step.channel,
        msgspec.structs.replace(delivery, retry_at_ms=max(delivery.retry_at_ms, until_ms)),
    )


def retry_after_ms(attempts: int) -> int:
    """How long after an attempt, counted from 1, the next one follows."""
    return min(FIRST_RETRY_MS << min(attempts - 1, 16), LONGEST_RETRY_MS)


def _with(ladder: PromptLadder, rung: Rung, channel: str, delivery: RungDelivery) -> PromptLadder:
    return msgspec.structs.replace(ladder, deliveries={**ladder.deliveries, f"{channel}/{rung}": delivery})


def _due(ladders: Ladders, now_ms: int, channel: str) -> list[RungStep]:
    return sorted(
        RungStep(ladder.prompt, rung, channel)
        for ladder in ladders.values()
        for rung, moment in to_come(ladder, channel)
        if moment <= now_ms
    )


def _early(ladders: Ladders, row: NotificationRow, now_ms: int, channel: str) -> list[RungStep]:
    """Prompts that have opened and whose minute is not over: a digest tells of them as well."""
    if not is_wanted(row, Rung.FIRST, channel):
        return []
    return sorted(
        RungStep(ladder.prompt, Rung.FIRST, channel)
        for ladder in ladders.values()
        if delivery_of(ladder, Rung.FIRST, channel) is None
        and ladder.opened_at_ms <= now_ms < due_at(ladder, Rung.FIRST)
    )


def _may_be_sent(step: RungStep, ladders: Ladders, row: NotificationRow, now_ms: int) -> bool:
    until_ms = of_use_until(ladders[step.prompt], step.rung, row, step.channel)
    return is_wanted(row, step.rung, step.channel) and now_ms < until_ms


def _end_of(step: RungStep, ladders: Ladders) -> DeliveryState:
    """What becomes of a step that is not told any more."""
    known = delivery_of(ladders[step.prompt], step.rung, step.channel)
    return DeliveryState.SKIPPED if known is None else DeliveryState.GIVEN_UP


def _tell(
    tellable: list[RungStep],
    ladders: Ladders,
    row: NotificationRow,
    openness: Mapping[str, Openness],
    now_ms: int,
    pause: MessagePause | None,
    channel: str,
) -> tuple[tuple[Message, ...], list[int]]:
    """The messages to be sent now, and when to look again at what is held back."""
    quiet_end_ms = quiet_until(row, now_ms)
    if not tellable or quiet_end_ms > now_ms:
        return (), [quiet_end_ms] * bool(tellable)
    shown = [step for step in tellable if openness.get(step.prompt) is Openness.OPEN]
    waits = [now_ms + LOOK_AGAIN_MS] * (len(shown) < len(tellable))
    retries, fresh = _by_message(shown, ladders)
    had_to_wait = pause is not None and any(pause.covers(due_at(ladders[each.prompt], each.rung)) for each in fresh)
    if not had_to_wait and not _is_crowded(fresh, ladders, now_ms, channel):
        return (*retries, *(Message((step,)) for step in fresh)), waits
    free_at_ms = max((begun + CROWD_SPAN_MS for begun in _begun(ladders.values(), channel)), default=now_ms)
    if not fresh or free_at_ms > now_ms:
        return retries, [*waits, *[free_at_ms] * bool(fresh)]
    early = [step for step in _early(ladders, row, now_ms, channel) if openness.get(step.prompt) is Openness.OPEN]
    return (*retries, Message(tuple(sorted([*fresh, *early])))), waits


def _by_message(shown: list[RungStep], ladders: Ladders) -> tuple[tuple[Message, ...], list[RungStep]]:
    """Messages that are sent again, and the steps that no message tells of yet."""
    retries: dict[str, list[RungStep]] = {}
    fresh: list[RungStep] = []
    for step in shown:
        delivery = delivery_of(ladders[step.prompt], step.rung, step.channel)
        (fresh if delivery is None else retries.setdefault(delivery.message, [])).append(step)
    return tuple(Message(tuple(steps), message) for message, steps in sorted(retries.items())), fresh


def _is_crowded(fresh: Collection[RungStep], ladders: Ladders, now_ms: int, channel: str) -> bool:
    """Whether there are many prompts, or the steps would be a third message within the span: a prompt has several rungs."""
    deliveries = (each for ladder in ladders.values() for each in _deliveries(ladder, channel))
    sent = {each.message for each in deliveries if each.message and each.begun_at_ms > now_ms - CROWD_SPAN_MS}
    return len(_crowd(fresh, ladders, now_ms, channel)) >= CROWD or len(sent) + len(fresh) >= CROWD


def _crowd(fresh: Iterable[RungStep], ladders: Ladders, now_ms: int, channel: str) -> set[str]:
    """The prompts that opened, are due or were told within the span."""
    since_ms = now_ms - CROWD_SPAN_MS
    opened = {ladder.prompt for ladder in ladders.values() if since_ms < ladder.opened_at_ms <= now_ms}
    told = {
        ladder.prompt for ladder in ladders.values() if any(begun > since_ms for begun in _begun([ladder], channel))
    }
    return opened | told | {step.prompt for step in fresh}


def _begun(ladders: Iterable[PromptLadder], channel: str) -> Iterator[int]:
    """When the messages of a channel were decided upon."""
    return (each.begun_at_ms for ladder in ladders for each in _deliveries(ladder, channel) if each.message)


def _deliveries(ladder: PromptLadder, channel: str) -> Iterator[RungDelivery]:
    return (each for rung in Rung if (each := delivery_of(ladder, rung, channel)))


def _moments_ahead(ladders: Ladders, told: set[RungStep], now_ms: int, channel: str) -> Iterator[int]:
    """The moments of steps that are not due yet."""
    for ladder in ladders.values():
        for rung, moment in to_come(ladder, channel):
            if moment > now_ms and RungStep(ladder.prompt, rung, channel) not in told:
                yield moment


def _expires_at(ladder: PromptLadder) -> int:
    return ladder.starts_ms + KEPT_AFTER_START_MS
