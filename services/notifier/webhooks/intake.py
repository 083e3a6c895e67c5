"""Takes in a poll of input: which endpoints each event is for, and what administrators ask of deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from services.notifier.webhooks.backlogs import Backlogs
from services.notifier.webhooks.courier import EndpointName
from services.notifier.webhooks.deciding.backlog import add_event, add_named, add_range, resume
from services.notifier.webhooks.event_reader import EventReader, is_wanted, place_of, seen_at_ms
from shared.contracts import envelope as envelopes
from shared.contracts.topics import ROOM_OUTCOMES, ROOM_REJECTIONS, WEBHOOK_REQUESTS, WEBHOOKS
from shared.contracts.webhook_records import EndpointBacklog, RequestedAct, WebhookRequest
from shared.contracts.webhook_rows import Webhook
from shared.domain.identity import tenant_of_key
from shared.errors import KeyDestroyedError, MalformedRecordError, RowRefusedError
from shared.organisations.webhooks import list_webhooks
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Record
from shared.runtime.dead_letters import bury
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

SOURCES = (ROOM_REJECTIONS.name, ROOM_OUTCOMES.name)

logger = get_logger()

Changed = dict[EndpointName, EndpointBacklog | None]
"""Endpoint → its backlog as it is to be committed; None: it is forgotten."""


class EventIntake:
    """One partition's. Raises StoreUnavailableError, after which nothing was changed."""

    def __init__(self, engine: Engine, clock: Clock, reader: EventReader, backlogs: Backlogs) -> None:
        self._engine = engine
        self._clock = clock
        self._reader = reader
        self._backlogs = backlogs

    def take(self, records: Sequence[Record], passed: Mapping[str, int]) -> Changed:
        """
        What follows from one poll.

        Args:
            passed: Topic → before which offset its events have been taken in.
        """
        changed: Changed = {}
        webhooks_of = cache(self._webhooks)  # asked once an organisation and poll
        passed = dict(passed)
        for record in records:
            try:
                if record.topic == WEBHOOK_REQUESTS.name:
                    self._take_request(record, passed, changed)
                else:
                    self._take_event(record, webhooks_of(tenant_of_key(record.key)), changed)
                    passed[record.topic] = record.offset + 1
            except MalformedRecordError as error:
                now_ms = self._clock.now_ms()
                bury(self._engine.log, record, reason=str(error), service=WEBHOOKS.service, now_ms=now_ms)
                logger.warning("record_dead_lettered", topic=record.topic, offset=record.offset, reason=str(error))
        return changed

    def _webhooks(self, tenant: str) -> Sequence[Webhook]:
        try:
            webhooks = list_webhooks(self._engine.registry, tenant)
            if webhooks:
                self._engine.keyring.keys(tenant)
        except RowRefusedError as error:
            log_refused_row(error)
            return ()
        except KeyDestroyedError:
            return ()  # of before the organisation was switched off
        return webhooks

    def _take_event(self, record: Record, webhooks: Sequence[Webhook], changed: Changed) -> None:
        if not webhooks or record.value is None:
            return
        place, seen_ms = place_of(record), seen_at_ms(record)
        for webhook in webhooks:
            if is_wanted(webhook, place) and record.appended_at_ms >= webhook.made_at_ms:
                name = EndpointName(tenant_of_key(record.key), webhook.id)
                changed[name] = add_event(self._now(name, changed), place, self._clock.now_ms(), seen_ms)

    def _take_request(self, record: Record, passed: Mapping[str, int], changed: Changed) -> None:
        request = envelopes.payload_of(envelopes.decode(record.value or b""), WebhookRequest)
        tenant, _, endpoint = record.key.decode(errors="replace").partition("/")
        name = EndpointName(tenant, endpoint)
        try:
            backlog, now_ms = self._now(name, changed), self._clock.now_ms()
        except KeyDestroyedError:
            return  # the organisation was switched off since
        match request.act:
            case RequestedAct.END:
                changed[name] = None
            case RequestedAct.RESUME:
                changed[name] = resume(backlog, now_ms)
            case RequestedAct.TEST:
                changed[name] = add_named(backlog, request.events, now_ms)
            case RequestedAct.AGAIN:
                changed[name] = self._again(add_named(backlog, request.events, now_ms), request, passed)

    def _again(self, backlog: EndpointBacklog, request: WebhookRequest, passed: Mapping[str, int]) -> EndpointBacklog:
        if not request.since_ms:
            return backlog
        for topic in SOURCES:
            first = self._reader.first_since(topic, request.since_ms)
            backlog = add_range(backlog, topic, first, passed.get(topic, 0))
        return backlog

    def _now(self, name: EndpointName, changed: Changed) -> EndpointBacklog:
        if known := changed.get(name):
            return known
        keys = self._engine.keyring.keys(name.tenant)
        kept = self._backlogs.get(name) if self._backlogs.is_of(name, keys) else None
        return kept or EndpointBacklog()
