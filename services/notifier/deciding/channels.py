"""What one person, or one chat channel, is told by all of their channels together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.notifier.deciding.plan import Ladders, MessagePause, Openness, Plan, plan, prompts_to_look_up
from shared.contracts.rows import NotificationRow


def prompts_of_channels(ladders: Ladders, row: NotificationRow, now_ms: int, channels: Sequence[str]) -> frozenset[str]:
    """The prompts of which the plans of these channels have to know whether they are open."""
    return frozenset().union(*(prompts_to_look_up(ladders, row, now_ms, channel) for channel in channels))


def plan_channels(
    ladders: Ladders,
    row: NotificationRow,
    openness: Mapping[str, Openness],
    now_ms: int,
    pause: MessagePause | None,
    channels: Sequence[str],
) -> Plan:
    """The plans of these channels, of which there is at least one, as one; arguments as of `plan`."""
    plans = [plan(ladders, row, openness, now_ms, pause, channel) for channel in channels]
    return Plan(
        messages=tuple(message for each in plans for message in each.messages),
        settled={step: state for each in plans for step, state in each.settled.items()},
        expired=plans[0].expired,
        wake_at_ms=min((each.wake_at_ms for each in plans if each.wake_at_ms is not None), default=None),
    )
