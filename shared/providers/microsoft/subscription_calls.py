"""Subscriptions at Graph: making, prolonging and ending them."""

from __future__ import annotations

from shared.contracts.envelope import read_json
from shared.domain.instants import to_rfc3339
from shared.domain.sighting import Access, Subscription, SubscriptionRequest
from shared.errors import ConflictError, RetryableError, SubscriptionGoneError
from shared.providers.failures import Doing
from shared.providers.microsoft import wire
from shared.providers.microsoft.graph_reads import GraphReads, build_request, with_prefer
from shared.providers.microsoft.sdk import Method
from shared.providers.microsoft.subscriptions import is_ours, read_subscription, subscription_body
from shared.providers.microsoft.transport import GraphTransport


class SubscriptionCalls:
    """The subscriptions of one application. Thread-safe; one per process."""

    def __init__(self, transport: GraphTransport, reads: GraphReads) -> None:
        """Call through `transport`; `reads` follows links."""
        self._transport = transport
        self._subscriptions = transport.client.subscriptions
        self._reads = reads

    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Subscribe to the person's events. One of ours that stands in the way is ended: its client state is old."""
        try:
            return self._create(access, wish)
        except ConflictError:
            self._end_ours(access)
        try:
            return self._create(access, wish)
        except ConflictError as error:
            message = f"Graph still sees an older subscription: {error}"
            raise RetryableError(
                message, provider_status=error.provider_status, provider_code=error.provider_code
            ) from error

    def extend(self, access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        """Move the expiry. Renewing is reauthorising as well: never both within ten minutes."""
        item = self._subscriptions.by_subscription_id(subscription.id)
        body = {"expirationDateTime": to_rfc3339(wish.expires_at_ms)}
        request = build_request(Method.PATCH, item, body)
        return read_subscription(self._transport.send(Doing.SUBSCRIPTION, access, request))

    def delete(self, access: Access, subscription_id: str) -> None:
        """Delete it; already gone counts as done."""
        request = self._subscriptions.by_subscription_id(subscription_id).to_delete_request_information()
        try:
            self._transport.send(Doing.SUBSCRIPTION, access, request)
        except SubscriptionGoneError:
            return

    def _create(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        request = build_request(Method.POST, self._subscriptions, subscription_body(wish))
        return read_subscription(self._transport.send(Doing.SUBSCRIBING, access, request))

    def _end_ours(self, access: Access) -> None:
        request = with_prefer(self._subscriptions.to_get_request_information())
        while True:
            page = read_json(self._transport.send(Doing.SUBSCRIBING, access, request), wire.SubscriptionPage)
            for found in page.value:
                if is_ours(found, access.subject):
                    self.delete(access, found.id)
            if not page.next_link:
                return
            link = self._reads.follow(page.next_link, set())
            request = self._subscriptions.with_url(link).to_get_request_information()
