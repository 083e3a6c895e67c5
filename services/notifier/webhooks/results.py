"""What became of attempts, until it is recorded: the backlog, the endpoint's health, its log of deliveries, the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from services.notifier.webhooks.courier import EndpointName, Parcel
from services.notifier.webhooks.deciding.backlog import after_failure, after_success, make_due
from services.notifier.webhooks.delivery_log import delivery_entry, write_entry
from shared.contracts.rows import AuditRow
from shared.contracts.webhook_records import EndpointBacklog, WaitingDelivery
from shared.contracts.webhook_rows import PauseReason
from shared.domain.instants import SECOND_MS
from shared.errors import RowRefusedError
from shared.organisations import webhooks
from shared.organisations.audit_chain import append_act
from shared.ports.clock import Clock
from shared.ports.registry import Registry
from shared.runtime import metrics
from shared.runtime.http_post import PostResult
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

BACK_AFTER = 3
"""So many failures one after the other, and then a success, mean that the endpoint was away and is back."""
ACTOR = "roomsync"
"""Who pauses, in the audit."""
LOST = PostResult(fault="event-expired")

logger = get_logger()


class ResultBook:
    """One partition's. `apply` may be repeated after any error: what is noted stays until `clear`."""

    def __init__(self, registry: Registry, clock: Clock, partition: int) -> None:
        self._registry = registry
        self._clock = clock
        self._partition = partition
        self._noted: dict[EndpointName, tuple[int, PostResult]] = {}
        self._failures: Counter[EndpointName] = Counter()
        self._unaudited: set[EndpointName] = set()
        self._paused: set[EndpointName] = set()
        self._promised: dict[EndpointName, float] = {}
        for reason in PauseReason:  # from 0 on: Prometheus sees no increase in a series that begins with 1
            metrics.WEBHOOKS_PAUSED.labels(reason.value)

    def note(self, parcel: Parcel, result: PostResult) -> None:
        """An attempt has ended. At most one of an endpoint is under way."""
        self._noted[parcel.endpoint] = parcel.number, result
        metrics.WEBHOOK_ATTEMPTS.labels(_outcome(result)).inc()
        log = logger.info if result.taken else logger.warning
        log(
            "webhook_taken" if result.taken else "webhook_not_taken",
            webhook=parcel.endpoint.id,
            event_id=parcel.event,
            status=result.status,
            fault=result.fault,
        )

    def note_lost(self, name: EndpointName, delivery: WaitingDelivery) -> None:
        """Retention has taken the event before the endpoint did."""
        self._noted[name] = delivery.number, LOST
        metrics.WEBHOOK_ATTEMPTS.labels("expired").inc()
        logger.error("webhook_event_expired", webhook=name.id, event_id=delivery.place.event)

    def names(self) -> set[EndpointName]:
        """The endpoints of which something is noted."""
        return set(self._noted)

    def clear(self) -> set[EndpointName]:
        """Everything noted was committed. Returns the endpoints that were paused by it."""
        for name, (_, result) in self._noted.items():
            if result.taken:
                self._failures.pop(name, None)
            elif result is not LOST:
                self._failures[name] += 1
        for seconds in self._promised.values():
            metrics.TOLD_SECONDS.labels("webhook").observe(seconds)
        self._promised.clear()
        self._noted.clear()
        paused, self._paused = self._paused, set()
        return paused

    def apply(
        self, backlog_of: Callable[[EndpointName], EndpointBacklog | None]
    ) -> dict[EndpointName, EndpointBacklog]:
        """Write what administrators read, and return the backlogs as they are to be committed. Raises StoreUnavailableError."""
        changed = {}
        for name, (number, result) in self._noted.items():
            backlog = backlog_of(name)
            tried = next((each for each in backlog.waiting if each.number == number), None) if backlog else None
            if backlog is None or tried is None:
                continue  # it was removed meanwhile
            changed[name] = self._settle(name, backlog, tried, result)
        return changed

    def _settle(
        self, name: EndpointName, backlog: EndpointBacklog, tried: WaitingDelivery, result: PostResult
    ) -> EndpointBacklog:
        now_ms, later = self._clock.now_ms(), None
        if result.taken or result is LOST:
            after = after_success(backlog, tried.number)
            if result.taken and self._failures[name] >= BACK_AFTER:
                after = make_due(after, now_ms)
        else:
            retry_in_ms = int(result.retry_in_s * SECOND_MS)
            paused = self._note_failure(name, result, now_ms)
            after, later = after_failure(backlog, tried.number, now_ms, retry_in_ms=retry_in_ms, keep=paused)
        if result.taken and tried.seen_at_ms and not tried.attempts:  # an endpoint that failed is late by itself
            self._promised[name] = max(now_ms - tried.seen_at_ms, 0) / SECOND_MS
        try:
            if result.taken:
                webhooks.note_taken(self._registry, name.tenant, name.id)
            write_entry(self._registry, name, self._partition, delivery_entry(tried, result, now_ms, later))
        except RowRefusedError as error:
            log_refused_row(error)
        return after

    def _note_failure(self, name: EndpointName, result: PostResult, now_ms: int) -> bool:
        """Whether the endpoint is paused."""
        try:
            if webhooks.note_failure(self._registry, name.tenant, name.id, now_ms, gone=result.gone):
                self._paused.add(name)
                self._unaudited.add(name)  # until it is written: a repeat finds it paused already
            found = webhooks.find_webhook(self._registry, name.tenant, name.id)
            reason = found.paused_because if found else None
            if name in self._unaudited and reason:
                act = AuditRow(at_ms=now_ms, user=ACTOR, act="webhook.paused", about=name.id, outcome=reason.value)
                append_act(self._registry, name.tenant, act)
                self._unaudited.discard(name)
                metrics.WEBHOOKS_PAUSED.labels(reason.value).inc()
                logger.error("webhook_paused", webhook=name.id, tenant=name.tenant, reason=reason.value)
        except RowRefusedError as error:
            log_refused_row(error)
            return False
        return reason is not None


def _outcome(result: PostResult) -> str:
    if result.taken:
        return "taken"
    return "refused" if result.status else "unreachable"
