"""Subscriptions in Graph's form: what we ask for, what it confirms, and which of those it lists are ours. Pure."""

from __future__ import annotations

from typing import Any

from shared.contracts.envelope import read_json
from shared.domain.instants import from_rfc3339, to_rfc3339
from shared.domain.sighting import Subscription, SubscriptionRequest
from shared.errors import MalformedRecordError
from shared.providers.microsoft import wire

RESOURCE = "/me/events"  # the only event path that a delegated token may subscribe to


def subscription_body(wish: SubscriptionRequest) -> dict[str, Any]:
    """The body of a create call. The lifecycle address can be set at creation only."""
    return {
        "resource": RESOURCE,
        "changeType": "created,updated,deleted",
        "notificationUrl": wish.notification_url,
        "lifecycleNotificationUrl": wish.lifecycle_url,
        "clientState": wish.client_state,
        "expirationDateTime": to_rfc3339(wish.expires_at_ms),
    }


def read_subscription(body: bytes) -> Subscription:
    """Read a create or update answer. Raises MalformedRecordError."""
    answer = read_json(body, wire.GraphSubscription)
    try:
        expires_at_ms = from_rfc3339(answer.expiration_date_time)
    except ValueError as error:
        message = f"expirationDateTime {answer.expiration_date_time[:40]!r} cannot be read"
        raise MalformedRecordError(message) from error
    return Subscription(answer.id, "", expires_at_ms)


def is_ours(listed: wire.GraphSubscription, subject: str) -> bool:
    """
    Whether a listed subscription is on the events of the person with id `subject`.

    A delegated list holds this application's subscriptions for the signed-in person only, so the resource decides.
    Graph does not say whether it gives `me` back or the person's id.
    """
    path, person = (listed.resource or "").strip("/").lower(), subject.lower()
    return path in {"me/events", f"users/{person}/events", f"users('{person}')/events"}
