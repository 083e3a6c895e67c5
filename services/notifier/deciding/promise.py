"""Which first messages are promised to come soon after their prompt opened: those that nothing holds back on purpose. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.notifier.deciding.plan import CROWD_SPAN_MS, MessagePause, RungStep
from services.notifier.deciding.rungs import Rung, due_at, quiet_until
from shared.contracts.notification import PromptLadder
from shared.contracts.rows import NotificationRow


def promised_from(
    step: RungStep,
    ladders: Mapping[str, PromptLadder],
    row: NotificationRow,
    pause: MessagePause | None,
    message: str,
) -> int | None:
    """
    When the time began within which a message was promised, epoch milliseconds.

    Args:
        step: What it tells of.
        ladders: All of the person's.
        row: What the person prefers.
        pause: When messages of the organisation were held last.
        message: Its id.

    Returns:
        None for reminders, and for what waited for the end of the person's quiet hours, of an incident or of other messages.
    """
    due_ms = due_at(ladders[step.prompt], step.rung)
    others = (
        each
        for ladder in ladders.values()
        for name, each in ladder.deliveries.items()
        if name.startswith(f"{step.channel}/")
    )
    crowded = any(
        each.message not in {"", message} and due_ms - CROWD_SPAN_MS < each.begun_at_ms <= due_ms for each in others
    )
    waits = quiet_until(row, due_ms) > due_ms or crowded or (pause is not None and pause.covers(due_ms))
    return None if step.rung is not Rung.FIRST or waits else ladders[step.prompt].opened_at_ms
