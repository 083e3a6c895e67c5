"""What one administrator, or one back-end service, may do with the organisation's webhooks. Each act is written down."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from services.portal.admin.audit import entries
from services.portal.admin.webhooks.deciding.presentation import (
    DeliveryShape,
    WebhookShape,
    delivery_shapes,
    endpoint_shape,
)
from services.portal.admin.webhooks.deciding.webhook_form import read_redelivery, read_webhook
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.service_callers import Caller
from shared.contracts.webhook_records import TEST_EVENT_TYPE, EventPlace, RequestedAct, WebhookRequest, backlog_key
from shared.contracts.webhook_rows import PAGES, Webhook, WebhookDelivery, WebhookTarget, deliveries_id
from shared.domain.identity import partition_of
from shared.domain.webhook_address import hosts_of
from shared.errors import KeyDestroyedError, MalformedRecordError, RefusedError
from shared.language.deciding.sentences import say
from shared.organisations import webhooks
from shared.registry import tables
from shared.runtime.webhook_requests import webhook_request_record

_TEST_ID_BYTES = 10


class WebhookList:
    """Every method raises StoreUnavailableError; those that ask something of the deliveries LogUnavailableError as well."""

    def __init__(self, deps: Deps, caller: Caller) -> None:
        """Raise ProblemError (409) where this deployment sends no webhooks."""
        if not deps.settings.sends_webhooks:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "webhooks-off",
                say("This deployment sends no webhooks."),
                next_step=say(
                    "Ask whoever operates roomsync to set ROOMSYNC_WEBHOOKS=on; the feed serves without: /v1/room-rejections"
                ),
            )
        self._deps = deps
        self._caller = caller
        self._registry = deps.engine.registry

    def all(self) -> list[WebhookShape]:
        """The endpoints, oldest first."""
        found = webhooks.list_webhooks(self._registry, self._caller.tenant)
        return [endpoint_shape(each, self._target(each)) for each in found]

    def one(self, endpoint: str) -> WebhookShape:
        """One of them. Raises ProblemError: 404."""
        webhook = self._find(endpoint)
        return endpoint_shape(webhook, self._target(webhook))

    def add(self, sent: Mapping[str, Any]) -> tuple[WebhookShape, str]:
        """
        Add an endpoint; gives it and its secret, which nobody can read again.

        Raises:
            ProblemError: 422; 409, there are as many as may be.
            KeyDestroyedError: the organisation has not switched the integration on.
        """
        url, types = read_webhook(sent, hosts_of(self._deps.settings.webhook_allowed_hosts))
        engine, now_ms = self._deps.engine, self._deps.clock.now_ms()
        try:
            added, secret = webhooks.add_webhook(
                self._registry, engine.keyring, self._caller.tenant, url, types, now_ms
            )
        except RefusedError as error:
            raise _full() from error
        self._record("webhook.added", added.id)
        return endpoint_shape(added, WebhookTarget(url=url, secrets=(secret,))), secret

    def remove(self, endpoint: str) -> None:
        """Remove an endpoint with what waits for it. Raises ProblemError: 404."""
        if not webhooks.remove_webhook(self._registry, self._caller.tenant, endpoint):
            raise _no_such_webhook()
        self._record("webhook.removed", endpoint)
        log = self._deps.engine.log
        self._ask(endpoint, RequestedAct.END, range(log.partitions))
        for partition in range(log.partitions):
            for page in range(PAGES):
                row = deliveries_id(endpoint, partition, page)
                tables.webhook_deliveries(self._registry).delete(self._caller.tenant, row)

    def test(self, endpoint: str) -> str:
        """Have an event sent that says nothing; gives its id. Raises ProblemError: 404; 409 while it is paused."""
        if self._find(endpoint).paused_at_ms:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "webhook-paused",
                say("Nothing is sent to this endpoint: it is paused."),
                next_step=say("Resume it first: POST /v1/webhooks/…/resume, or the button on /admin/webhooks"),
            )
        event = f"test-{secrets.token_hex(_TEST_ID_BYTES)}"
        own = partition_of(backlog_key(self._caller.tenant, endpoint), self._deps.engine.log.partitions)
        self._ask(
            endpoint,
            RequestedAct.TEST,
            [own],
            (EventPlace(event=event, type=TEST_EVENT_TYPE, at_ms=self._deps.clock.now_ms()),),
        )
        self._record("webhook.tested", endpoint)
        return event

    def deliveries(self, endpoint: str) -> list[DeliveryShape]:
        """The latest deliveries, newest first. Raises ProblemError: 404."""
        self._find(endpoint)
        return delivery_shapes(each for _, each in self._deliveries(endpoint))

    def redeliver(self, endpoint: str, sent: Mapping[str, Any]) -> None:
        """
        Have events sent again: those named, which have to stand among the deliveries, or everything since an instant.

        Raises:
            ProblemError: 404, there is no such endpoint, or one of the ids is not among its deliveries; 422.
        """
        self._find(endpoint)
        since_ms, ids = read_redelivery(sent)
        if since_ms:
            self._ask(endpoint, RequestedAct.AGAIN, range(self._deps.engine.log.partitions), since_ms=since_ms)
        else:
            for partition, places in self._places(endpoint, ids).items():
                self._ask(endpoint, RequestedAct.AGAIN, [partition], tuple(places.values()))
        self._record("webhook.redelivered", endpoint)

    def add_secret(self, endpoint: str) -> str:
        """Make a second secret, which signs beside the older one; gives it. Raises ProblemError: 404; 409, there are two."""
        try:
            secret = webhooks.add_secret(self._registry, self._deps.engine.keyring, self._caller.tenant, endpoint)
        except RefusedError as error:
            raise _secrets(
                title=say("There are two secrets already."), next_step=say("End the older one first.")
            ) from error
        if secret is None:
            raise _no_such_webhook()
        self._record("webhook.secret-added", endpoint)
        return secret

    def end_older_secret(self, endpoint: str) -> None:
        """Sign with the newest secret alone. Raises ProblemError: 404; 409, there is one alone."""
        try:
            known = webhooks.end_older_secret(self._registry, self._deps.engine.keyring, self._caller.tenant, endpoint)
        except RefusedError as error:
            raise _secrets(title=say("There is one secret alone."), next_step=say("Make a new one first.")) from error
        if not known:
            raise _no_such_webhook()
        self._record("webhook.secret-ended", endpoint)

    def resume(self, endpoint: str) -> None:
        """Send to a paused endpoint again, first what has waited. Raises ProblemError: 404."""
        if not webhooks.resume_webhook(self._registry, self._caller.tenant, endpoint):
            raise _no_such_webhook()
        self._ask(endpoint, RequestedAct.RESUME, range(self._deps.engine.log.partitions))
        self._record("webhook.resumed", endpoint)

    def _find(self, endpoint: str) -> Webhook:
        found = webhooks.find_webhook(self._registry, self._caller.tenant, endpoint)
        if found is None:
            raise _no_such_webhook()
        return found

    def _target(self, webhook: Webhook) -> WebhookTarget | None:
        try:
            return webhooks.open_target(self._deps.engine.keyring, self._caller.tenant, webhook)
        except (KeyDestroyedError, MalformedRecordError):
            return None

    def _deliveries(self, endpoint: str) -> Iterator[tuple[int, WebhookDelivery]]:
        table = tables.webhook_deliveries(self._registry)
        for partition in range(self._deps.engine.log.partitions):
            for page in range(PAGES):
                row = table.get(self._caller.tenant, deliveries_id(endpoint, partition, page))
                yield from ((partition, each) for each in (row.deliveries if row else ()))

    def _places(self, endpoint: str, ids: tuple[str, ...]) -> dict[int, dict[str, EventPlace]]:
        """Partition → id → where the event stands. A test's event stands nowhere, and is not sent again."""
        found = dict[int, dict[str, EventPlace]]()
        for partition, each in self._deliveries(endpoint):
            if each.event in ids and each.topic:
                place = EventPlace(event=each.event, type=each.type, topic=each.topic, offset=each.offset)
                found.setdefault(partition, {})[each.event] = place
        if {event for places in found.values() for event in places} != set(ids):
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "no-such-delivery",
                say("Some of these events are not among the endpoint's latest deliveries; nothing is sent again."),
                next_step=say("Ask for everything since an instant instead: `since`. Events are kept for five days."),
            )
        return found

    def _ask(
        self,
        endpoint: str,
        act: RequestedAct,
        partitions: range | list[int],
        events: tuple[EventPlace, ...] = (),
        since_ms: int = 0,
    ) -> None:
        request = WebhookRequest(act=act, at_ms=self._deps.clock.now_ms(), events=events, since_ms=since_ms)
        tenant = self._caller.tenant
        self._deps.engine.log.append(
            [webhook_request_record(tenant, endpoint, request, partition) for partition in partitions]
        )

    def _record(self, act: str, endpoint: str) -> None:
        entries.record_for(self._deps, self._caller.tenant, self._caller.name, act, endpoint)


def _no_such_webhook() -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "no-such-webhook",
        say("There is no such webhook."),
        next_step=say("See /v1/webhooks, or /admin/webhooks"),
    )


def _full() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "webhooks-full",
        say("There are {most} webhooks already, and more are not kept.").format(most=webhooks.MOST_ENDPOINTS),
        next_step=say("Remove one that is no longer used, then add this one."),
    )


def _secrets(*, title: str, next_step: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "webhook-secrets", title, next_step=next_step)
