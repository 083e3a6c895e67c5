"""Endpoints and deliveries as the page and the API show them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from services.portal.meetings.deciding.shapes import Json
from shared.contracts.webhook_rows import PauseReason, Webhook, WebhookDelivery, WebhookTarget
from shared.domain.instants import to_rfc3339

PAUSE_WORDS = {
    PauseReason.GONE: "It answered 410, which says that it wants nothing more.",
    PauseReason.FAILING: "It has taken nothing for three days.",
}


def endpoint_shape(webhook: Webhook, target: WebhookTarget | None) -> Json:
    """An endpoint; without `target`, which cannot be read any more, its URL is null."""
    state = "paused" if webhook.paused_at_ms else "failing" if webhook.failing_since_ms else "active"
    return {
        "id": webhook.id,
        "url": target.url if target else None,
        "types": list(webhook.types),
        "state": state,
        "madeAt": to_rfc3339(webhook.made_at_ms),
        "secrets": len(target.secrets) if target else 0,
        "failingSince": _instant(webhook.failing_since_ms),
        "pausedAt": _instant(webhook.paused_at_ms),
        "pausedBecause": webhook.paused_because.value if webhook.paused_because else None,
        "words": PAUSE_WORDS[webhook.paused_because] if webhook.paused_because else "",
    }


def delivery_shapes(deliveries: Iterable[WebhookDelivery]) -> list[Json]:
    """Deliveries, the latest first."""
    ordered = sorted(deliveries, key=lambda each: (each.at_ms, each.number), reverse=True)
    return [
        {
            "id": each.event,
            "type": each.type,
            "state": each.state.value,
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
