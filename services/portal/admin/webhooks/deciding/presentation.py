"""Endpoints and deliveries as the page and the API show them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from services.portal.interface.fields import Count, DeclineId, Instant, WebhookId
from shared.contracts.room_declined import TYPE
from shared.contracts.webhook_rows import PauseReason, Webhook, WebhookDelivery, WebhookDeliveryState, WebhookTarget
from shared.domain.instants import to_rfc3339
from shared.language.deciding.sentences import say

PAUSE_WORDS = {
    PauseReason.GONE: say("It answered 410, which says that it wants nothing more."),
    PauseReason.FAILING: say("It has taken nothing for three days."),
}
STAGE_WORDS = {"active": say("active"), "failing": say("failing"), "paused": say("paused")}
DELIVERY_WORDS = {
    WebhookDeliveryState.WAITING: say("waiting"),
    WebhookDeliveryState.DELIVERED: say("delivered"),
    WebhookDeliveryState.FAILED: say("failed"),
}


WebhookStage = Literal["active", "failing", "paused"]
EventType = Annotated[str, Meta(examples=[TYPE])]


class WebhookShape(TypedDict):
    """An address of the organisation's that events are sent to."""

    id: WebhookId
    url: Annotated[str, Meta(examples=["https://hooks.contoso.test/rooms"])] | None
    """Null when it cannot be read any more."""
    types: list[EventType]
    """The events that it wants; none: all."""
    state: WebhookStage
    madeAt: Instant
    secrets: Count
    """How many sign: two while one follows the other."""
    failingSince: Instant | None
    pausedAt: Instant | None
    pausedBecause: PauseReason | None
    words: Annotated[str, Meta(examples=["It has taken nothing for three days."])]
    """Why it is paused."""


class DeliveryShape(TypedDict):
    """An event that was sent to an endpoint, or is to be."""

    id: DeclineId
    type: EventType
    state: WebhookDeliveryState
    attempts: Count
    status: Annotated[int, Meta(examples=[200])] | None
    """What the endpoint answered last."""
    fault: Annotated[str, Meta(examples=["timed out"])] | None
    at: Instant
    next: Instant | None
    """When it is tried again."""
    test: bool
    """Whether it was asked for as a test: such an event is not sent again."""


def endpoint_shape(webhook: Webhook, target: WebhookTarget | None) -> WebhookShape:
    """An endpoint; without `target`, which cannot be read any more, its URL is null."""
    state: WebhookStage = "paused" if webhook.paused_at_ms else "failing" if webhook.failing_since_ms else "active"
    return {
        "id": webhook.id,
        "url": target.url if target else None,
        "types": list(webhook.types),
        "state": state,
        "madeAt": to_rfc3339(webhook.made_at_ms),
        "secrets": len(target.secrets) if target else 0,
        "failingSince": _instant(webhook.failing_since_ms),
        "pausedAt": _instant(webhook.paused_at_ms),
        "pausedBecause": webhook.paused_because or None,
        "words": PAUSE_WORDS[webhook.paused_because] if webhook.paused_because else "",
    }


def delivery_shapes(deliveries: Iterable[WebhookDelivery]) -> list[DeliveryShape]:
    """Deliveries, the latest first."""
    ordered = sorted(deliveries, key=lambda each: (each.at_ms, each.number), reverse=True)
    return [
        {
            "id": each.event,
            "type": each.type,
            "state": each.state,
            "attempts": each.attempts,
            "status": each.status or None,
            "fault": each.fault or None,
            "at": to_rfc3339(each.at_ms),
            "next": _instant(each.retry_at_ms),
            "test": not each.topic,
        }
        for each in ordered
    ]


def _instant(at_ms: int) -> str | None:
    return to_rfc3339(at_ms) if at_ms else None
