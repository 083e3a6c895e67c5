"""What the registry keeps of outgoing webhooks: an organisation's endpoints, and what was lately sent to each."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.notification import RungDelivery
from shared.domain.instants import DAY_MS

FAILING_FOR_MS = 3 * DAY_MS
"""So long an endpoint may take nothing before it is paused, and an event may be refused before it is given up."""
SECRET_PREFIX = "whsec_"  # noqa: S105  # how secrets begin, by the specification of Standard Webhooks


class _WebhookRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    pass


class PauseReason(StrEnum):
    """Why nothing is sent to an endpoint."""

    GONE = "gone"
    """It answered 410: whoever runs it wants nothing more."""
    FAILING = "failing"
    """It has taken nothing for three days."""


class Webhook(_WebhookRow, frozen=True, kw_only=True):
    """One endpoint."""

    id: str
    sealed: bytes
    """Its WebhookTarget under the tenant's consent key."""
    types: tuple[str, ...] = ()
    """The types of the events that are sent; none: all."""
    made_at_ms: int
    """Events of before are sent only if somebody asks for them."""
    failing_since_ms: int = 0
    """The first failure since something was last taken; 0: it takes what is sent."""
    paused_at_ms: int = 0
    """0: it is not paused."""
    paused_because: PauseReason | None = None
    pause_mails: dict[str, RungDelivery] = {}
    """User → how far the mail has come by which this administrator hears of the pause; empty while nobody was to hear."""


class WebhooksRow(_WebhookRow, frozen=True, kw_only=True):
    """The endpoints of an organisation, oldest first. Table `webhooks`, id the word `endpoints`."""

    endpoints: tuple[Webhook, ...]


class WebhookTarget(_WebhookRow, frozen=True, kw_only=True):
    """What of an endpoint is secret; it stands sealed in its row."""

    url: str
    secrets: tuple[str, ...]
    """`whsec_` and the key in base64, oldest first; two while one takes the other's place. Each signs."""


class WebhookDeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    """It is to be sent, or sent again."""
    DELIVERED = "delivered"
    """The endpoint answered 2xx."""
    FAILED = "failed"
    """It was given up after three days."""


class WebhookDelivery(_WebhookRow, frozen=True, kw_only=True):
    """One event and one endpoint."""

    number: int
    """Counts the deliveries of the endpoint in this partition."""
    event: str
    """The event's id, which is the `webhook-id`."""
    type: str
    topic: str = ""
    """Where the event stands, with `offset`; "" for a test's, which stands nowhere."""
    offset: int = 0
    state: WebhookDeliveryState
    attempts: int = 0
    status: int = 0
    """Of the last answer; 0: there was none."""
    fault: str = ""
    """Why there was no answer, or none that counts: a word of ours."""
    at_ms: int
    """Of the last attempt, or when the event was read."""
    retry_at_ms: int = 0
    """When it is sent next; 0: it is not."""


class WebhookDeliveriesRow(_WebhookRow, frozen=True, kw_only=True):
    """Some of an endpoint's latest deliveries. Table `webhook-deliveries`, id `endpoint/partition.page`; kept five days."""

    deliveries: tuple[WebhookDelivery, ...]


PAGE_DELIVERIES = 50
PAGES = 5
"""Of each partition: 250 deliveries, 1,000 with four partitions."""


def page_of(number: int) -> int:
    """On which page a delivery stands."""
    return number // PAGE_DELIVERIES % PAGES


def deliveries_id(endpoint: str, partition: int, page: int) -> str:
    """The id of a WebhookDeliveriesRow."""
    return f"{endpoint}/{partition}.{page}"
