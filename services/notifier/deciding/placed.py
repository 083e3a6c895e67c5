"""Which events of ours stand in a person's calendar, when they are to be looked at, and when they are to go. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from services.notifier.deciding.plan import KEPT_AFTER_START_MS, Ladders, Openness, RungStep
from services.notifier.deciding.rungs import CALENDAR, Rung, delivery_of
from shared.contracts.notification import DeliveryState, PromptLadder, RungDelivery
from shared.domain.instants import MINUTE_MS

LOOK_EVERY_MS = MINUTE_MS
LOOK_AT_LEAST_EVERY_MS = 10 * MINUTE_MS
PLACED_AFTER_START_MS = KEPT_AFTER_START_MS // 2
"""Of a long meeting the event goes while it lasts: the other half of the time that the ladder is kept is for trying again."""
SHARE_OF_AGE = 12
"""An event that has stood for so many minutes is looked at once a minute; an older one less often, to at least every ten."""


@dataclass(frozen=True, slots=True)
class PlacedReminder:
    """One event that may stand in a person's calendar."""

    message: str
    """What it tells of, and its `request_id`."""
    event: str
    """The calendar's name for it; "": not known."""
    begun_at_ms: int
    steps: tuple[RungStep, ...]

    @property
    def prompts(self) -> frozenset[str]:
        """The prompts that it tells of."""
        return frozenset(step.prompt for step in self.steps)


def find_placed(ladders: Ladders) -> list[PlacedReminder]:
    """The events that may stand, by message."""
    found: dict[str, list[tuple[RungStep, RungDelivery]]] = {}
    for step, delivery in _placed_steps(ladders.values()):
        found.setdefault(delivery.message, []).append((step, delivery))
    return [
        PlacedReminder(
            message,
            next((delivery.event for _, delivery in mine if delivery.event), ""),
            min(delivery.begun_at_ms for _, delivery in mine),
            tuple(step for step, _ in mine),
        )
        for message, mine in sorted(found.items())
    ]


def ended(
    found: Iterable[PlacedReminder], ladders: Ladders, openness: Mapping[str, Openness], now_ms: int, *, on: bool
) -> list[PlacedReminder]:
    """
    The events that are to be removed.

    Args:
        found: Those that stand.
        ladders: All of the person's.
        openness: What is known of their prompts; others are taken for unclear.
        now_ms: The present, in epoch milliseconds.
        on: Whether the person still wants to be reminded in their calendar.
    """
    return [
        each
        for each in found
        if not _is_being_made(each, ladders) and (not on or _is_over(each, ladders, openness, now_ms))
    ]


def look_at(found: Iterable[PlacedReminder], now_ms: int) -> int | None:
    """When the prompts of these are to be looked at again; None: there are none."""
    waits = [
        min(max((now_ms - each.begun_at_ms) // SHARE_OF_AGE, LOOK_EVERY_MS), LOOK_AT_LEAST_EVERY_MS) for each in found
    ]
    return now_ms + min(waits) if waits else None


def note_event(ladder: PromptLadder, step: RungStep, event: str) -> PromptLadder:
    """The ladder once the calendar has said what it calls the event."""
    return _changed(ladder, step, lambda delivery: msgspec.structs.replace(delivery, event=event))


def note_removed(ladder: PromptLadder, step: RungStep) -> PromptLadder:
    """The ladder once the event stands no longer."""
    return _changed(ladder, step, lambda delivery: msgspec.structs.replace(delivery, event="", placed=False))


def _changed(ladder: PromptLadder, step: RungStep, change: Callable[[RungDelivery], RungDelivery]) -> PromptLadder:
    delivery = delivery_of(ladder, step.rung, step.channel)
    if delivery is None:
        return ladder
    changed = {**ladder.deliveries, f"{step.channel}/{step.rung}": change(delivery)}
    return msgspec.structs.replace(ladder, deliveries=changed)


def _placed_steps(ladders: Iterable[PromptLadder]) -> Iterator[tuple[RungStep, RungDelivery]]:
    for ladder in ladders:
        for rung in Rung:
            delivery = delivery_of(ladder, rung, CALENDAR)
            if delivery is not None and delivery.placed:
                yield RungStep(ladder.prompt, rung, CALENDAR), delivery


def _is_being_made(each: PlacedReminder, ladders: Ladders) -> bool:
    """Whether it will be sent again: the plan decides whether it is of use."""
    deliveries = (delivery_of(ladders[step.prompt], step.rung, step.channel) for step in each.steps)
    return any(delivery is not None and delivery.state is DeliveryState.INTENT for delivery in deliveries)


def _is_over(each: PlacedReminder, ladders: Ladders, openness: Mapping[str, Openness], now_ms: int) -> bool:
    """Whether each of its prompts is closed, told by a later event, or of a meeting that has been going on for long."""
    past = {prompt for prompt in each.prompts if ladders[prompt].starts_ms + PLACED_AFTER_START_MS <= now_ms}
    past |= {step.prompt for step in each.steps if _is_superseded(ladders[step.prompt], step.rung)}
    return all(prompt in past or openness.get(prompt) is Openness.CLOSED for prompt in each.prompts)


def _is_superseded(ladder: PromptLadder, rung: Rung) -> bool:
    order = list(Rung)
    deliveries = (delivery_of(ladder, after, CALENDAR) for after in order[order.index(rung) + 1 :])
    return any(delivery is not None and delivery.state is DeliveryState.ACCEPTED for delivery in deliveries)
