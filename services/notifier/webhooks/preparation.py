"""Reads what an attempt needs, in the moment of sending: the endpoint as it stands now, and the event from its topic."""

from __future__ import annotations

from collections.abc import Mapping

from services.notifier.webhooks.courier import EndpointName, Parcel
from services.notifier.webhooks.deciding.backlog import add_again, add_unread, wants_more
from services.notifier.webhooks.event_reader import EventReader, is_wanted
from services.notifier.webhooks.signature import delivery_headers
from shared.contracts.rows import IntegrationState
from shared.contracts.webhook_records import EndpointBacklog, WaitingDelivery
from shared.contracts.webhook_rows import Webhook
from shared.organisations.webhooks import find_webhook, open_target
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.registry import tables


class Preparation:
    """One partition's. Methods raise StoreUnavailableError, LogUnavailableError, KeyDestroyedError and MalformedRecordError."""

    def __init__(self, engine: Engine, clock: Clock, reader: EventReader) -> None:
        self._engine = engine
        self._clock = clock
        self._reader = reader

    def find(self, name: EndpointName) -> Webhook | None:
        """The endpoint as it stands; None once it was removed."""
        return find_webhook(self._engine.registry, name.tenant, name.id)

    def may_send(self, tenant: str) -> bool:
        """Whether the organisation has its integration on."""
        row = tables.tenants(self._engine.registry).get(tenant, "tenant")
        return row is not None and row.integration is IntegrationState.ENABLED

    def refill(
        self, name: EndpointName, webhook: Webhook, backlog: EndpointBacklog, passed: Mapping[str, int]
    ) -> EndpointBacklog:
        """The backlog with some of the events that were left on their topics, if it has room for them."""
        now_ms = self._clock.now_ms()
        for topic, first in list(backlog.unread.items()):
            if wants_more(backlog):
                end = passed.get(topic, 0)
                page = self._reader.page(
                    name.tenant,
                    topic,
                    first,
                    end,
                    lambda record, place: is_wanted(webhook, place) and record.appended_at_ms >= webhook.made_at_ms,
                )
                backlog = add_unread(backlog, topic, page.places, page.read_to, end, now_ms)
        for topic, known in list(backlog.again.items()):
            if wants_more(backlog):
                page = self._reader.page(
                    name.tenant, topic, known.first, known.end, lambda _, place: is_wanted(webhook, place)
                )
                backlog = add_again(backlog, topic, page.places, page.read_to, now_ms)
        return backlog

    def parcel(self, name: EndpointName, webhook: Webhook, delivery: WaitingDelivery) -> Parcel | None:
        """The request of one attempt; None when retention has taken the event."""
        body = self._reader.body(name.tenant, delivery.place)
        if body is None:
            return None
        target = open_target(self._engine.keyring, name.tenant, webhook)
        event = delivery.place.event
        headers = delivery_headers(event, body, target.secrets, self._clock.now_ms())
        return Parcel(name, delivery.number, event, target.url, headers, body)
