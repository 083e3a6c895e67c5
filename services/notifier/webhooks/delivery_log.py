"""Writes what was lately sent to an endpoint where its administrators read it: a few pages of rows, each overwritten in turn."""

from __future__ import annotations

from services.notifier.webhooks.courier import EndpointName
from shared.contracts.webhook_records import WaitingDelivery
from shared.contracts.webhook_rows import (
    PAGE_DELIVERIES,
    WebhookDeliveriesRow,
    WebhookDelivery,
    WebhookDeliveryState,
    deliveries_id,
    page_of,
)
from shared.domain.instants import DAY_MS
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.http_post import PostResult

KEPT_MS = 5 * DAY_MS


def delivery_entry(
    tried: WaitingDelivery, result: PostResult, now_ms: int, later: WaitingDelivery | None
) -> WebhookDelivery:
    """What is written of an attempt; `later`: the delivery as it waits now, None once it waits no more."""
    ended = WebhookDeliveryState.DELIVERED if result.taken else WebhookDeliveryState.FAILED
    return WebhookDelivery(
        number=tried.number,
        event=tried.place.event,
        type=tried.place.type,
        topic=tried.place.topic,
        offset=tried.place.offset,
        state=WebhookDeliveryState.WAITING if later else ended,
        attempts=tried.attempts + 1,
        status=result.status,
        fault=result.fault,
        at_ms=now_ms,
        retry_at_ms=later.retry_at_ms if later else 0,
    )


def write_entry(registry: Registry, endpoint: EndpointName, partition: int, entry: WebhookDelivery) -> None:
    """
    Put the entry on its page, in the place of an earlier one of the same number.

    A delivery that is tried for days may find later ones on its page: these stay, and it is not among the latest any more.

    Raises:
        StoreUnavailableError: try again.
    """
    lap = entry.number // PAGE_DELIVERIES

    def with_entry(row: WebhookDeliveriesRow | None) -> WebhookDeliveriesRow:
        written = row.deliveries if row else ()
        if row and any(each.number // PAGE_DELIVERIES > lap for each in written):
            return row
        kept = (each for each in written if each.number // PAGE_DELIVERIES == lap and each.number != entry.number)
        return WebhookDeliveriesRow(deliveries=(*kept, entry))

    tables.webhook_deliveries(registry).change(
        endpoint.tenant,
        deliveries_id(endpoint.id, partition, page_of(entry.number)),
        with_entry,
        not_after_ms=entry.at_ms + KEPT_MS,
    )
