"""
What stands on topics of outgoing webhooks: requests of administrators on `webhook-requests`, positions on `webhook-state`.

A request stands in the partition that it concerns, and names endpoints and events by our own ids: nothing is secret. A position,
under `tenant/endpoint`, says which events of its partition are still to be sent to the endpoint. It is sealed.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

REQUEST_TYPE = "webhook-request"
BACKLOG_TYPE = "webhook-backlog"
TEST_EVENT_TYPE = "roomsync.webhook.test.v1"
"""Of the CloudEvent that is sent when somebody tries an endpoint."""


class RequestedAct(StrEnum):
    """What an administrator wants of an endpoint's deliveries."""

    TEST = "test"
    """Send an event that says nothing."""
    AGAIN = "again"
    """Send these events, or everything since an instant, once more."""
    RESUME = "resume"
    """Go on with an endpoint that was paused: what waits is due."""
    END = "end"
    """The endpoint was removed: forget what waits."""


class EventPlace(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An event and where it stands in the partition."""

    event: str
    type: str
    topic: str = ""
    """"" for a test's event, which stands nowhere."""
    offset: int = 0
    at_ms: int = 0
    """When a test's was asked for."""


class WebhookRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One request. The record's key is `tenant/endpoint`."""

    act: RequestedAct
    at_ms: int
    events: tuple[EventPlace, ...] = ()
    """To be sent: of TEST one, of AGAIN those that were named."""
    since_ms: int = 0
    """Of AGAIN: everything from then on; 0: `events` alone."""


class WaitingDelivery(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An event that is still to be sent."""

    number: int
    place: EventPlace
    begun_at_ms: int
    """When it was read, or its endpoint resumed: it is given up three days later."""
    attempts: int = 0
    retry_at_ms: int = 0
    seen_at_ms: int = 0
    """When the answer that the event tells of was seen at the provider; 0: not of a decline that was taken in as it came."""


class EventRange(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Records of a topic, from the first to the one before `end`."""

    first: int
    end: int


class EndpointBacklog(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What one endpoint is still to get of one partition."""

    waiting: tuple[WaitingDelivery, ...] = ()
    """In the order in which they are sent; at most 100."""
    unread: dict[str, int] = {}
    """Topic → offset from which on its events do not stand in `waiting`, up to the claim's position; of others all do."""
    again: dict[str, EventRange] = {}
    """Topic → what of it is to be sent once more."""
    numbered: int = 0
    """How many deliveries there were."""


def backlog_key(tenant: str, endpoint: str) -> bytes:
    """The key of an EndpointBacklog, and of a WebhookRequest."""
    return f"{tenant}/{endpoint}".encode()
