"""
The owner of one partition of events: it sends them to the endpoints of their organisation, and records what was taken.

Theory of operation. An event that is read is for each endpoint of its organisation. Its place on its topic joins the endpoint's
backlog, which is committed with the position: from then on it is sent until it is taken, or given up after three days.

- Backlogs hold places, never events, and a bounded number of them. What comes while a backlog is full is left on its topic, from
  an offset that the backlog remembers, and read again when there is room: an endpoint that is away costs no memory.
- One request at a time goes to an endpoint from each partition, so that the events of a meeting arrive in order unless one has to
  be repeated. The process's courier sends it, outside the transaction; then its result is committed. A process that dies between
  leaves the place in the backlog, and its successor sends the event again, under the same id, which is the event's own.
- Endpoints are looked at when something of theirs is due (`Appointments`): URL, secrets and whether it is paused are read from the
  registry for each attempt, so that whatever a person changes holds from the next one on.
- What is not taken is tried again after longer and longer waits. Once an endpoint takes something again after several failures,
  all that waits is due at once. One that answers 410, or takes nothing for three days, is paused until a person resumes it;
  the organisation's administrators get one mail (`pause_mails`).
"""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from services.notifier.appointments import Appointments
from services.notifier.webhooks.backlogs import Backlogs, backlog_change
from services.notifier.webhooks.courier import Courier, Ended, EndpointName, Parcel
from services.notifier.webhooks.deciding.backlog import next_at_ms, next_delivery
from services.notifier.webhooks.event_reader import EventReader
from services.notifier.webhooks.intake import Changed, EventIntake
from services.notifier.webhooks.pause_mails import PauseMails
from services.notifier.webhooks.preparation import Preparation
from services.notifier.webhooks.results import ResultBook
from shared.contracts.topics import WEBHOOKS
from shared.contracts.webhook_records import EndpointBacklog, backlog_key
from shared.domain.instants import MINUTE_MS
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim, Record, StateChange
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.lag import LagGauges
from shared.runtime.logging import get_logger
from shared.runtime.lost_input import note_lost_input

POLL_S = 0.25
RESULT_S = 0.05
"""How long a step waits for a result while requests are on their way."""
ENDPOINTS_A_STEP = 50
DRAIN_S = 8.0
BUSY_AGAIN_MS = 200
LOOK_AGAIN_MS = MINUTE_MS

logger = get_logger()


class WebhookOwner:
    """Sends the events of one partition; see the head of this module."""

    def __init__(
        self,
        claim: Claim,
        engine: Engine,
        clock: Clock,
        courier: Courier,
        pauses: PauseMails,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        """Take over the restored backlogs: whatever waits is looked at in the first step."""
        self._claim = claim
        self._engine = engine
        self._clock = clock
        self._courier = courier
        self._pauses = pauses
        self._poll_s = poll_s
        self._backlogs = Backlogs(claim.state, cache(engine.keyring.keys))
        reader = EventReader(engine.log, claim.partition)
        self._intake = EventIntake(engine, clock, reader, self._backlogs)
        self._preparation = Preparation(engine, clock, reader)
        self._results = ResultBook(engine.registry, clock, claim.partition)
        self._appointments = Appointments[EndpointName]()
        self._backlog: Sequence[Record] = ()
        self._passed: Mapping[str, int] = dict(claim.position)
        self._on_the_way: set[EndpointName] = set()
        self._ended: Ended = queue.SimpleQueue()
        self._lag = LagGauges(engine.log, WEBHOOKS, claim.partition, clock)
        for name in self._backlogs.names():
            self._appointments.appoint(name, 0)
        # What retention took before this ever ran is no loss: nobody was to get it.
        note_lost_input(claim, WEBHOOKS.service, claim.position)
        self._commit([StateChange(key, None) for key in self._backlogs.unreadable])

    def step(self) -> None:
        """Take in one poll of input, record what was sent, and send what is due."""
        if not self._backlog:
            self._backlog = self._claim.read(0.0 if self._on_the_way else self._poll_s)
        if self._backlog:
            self._take_in(self._backlog)
            self._backlog = ()
        self._collect(RESULT_S if self._on_the_way else 0.0)
        self._record_results()
        self._pauses.record()
        self._send_what_is_due()
        self._lag.show(self._passed)

    def close(self) -> None:
        """Wait for what is on its way, and record what became of it."""
        self._courier.drain(DRAIN_S, also=self._pauses.outbox.under_way)
        self._collect(0.0)
        self._record_results()
        self._pauses.record()
        self._lag.close()

    def _take_in(self, records: Sequence[Record]) -> None:
        changed = self._intake.take(records, self._passed)
        position = {record.topic: record.offset + 1 for record in records}
        crash_point("webhooks.taking-in")
        self._keep(changed, position)
        self._passed = {**self._passed, **position}
        for topic, count in Counter(record.topic for record in records).items():
            metrics.RECORDS.labels(WEBHOOKS.service, topic).inc(count)

    def _collect(self, wait_s: float) -> None:
        """Note what has ended; it stays noted until it is recorded, whatever fails in between."""
        try:
            while True:
                self._results.note(*self._ended.get(timeout=wait_s) if wait_s else self._ended.get_nowait())
                wait_s = 0.0
        except queue.Empty:
            return

    def _record_results(self) -> None:
        ended = self._results.names()
        if not ended:
            return
        changed: Changed = dict(self._results.apply(self._backlogs.get))
        crash_point("webhooks.answered")
        self._keep(changed)
        crash_point("webhooks.recorded")
        paused = self._results.clear()
        self._on_the_way -= ended
        for name in ended:
            self._appoint(name)
        self._appointments.appoint_all(paused, self._clock.now_ms())  # its administrators are told at once

    def _send_what_is_due(self) -> None:
        due = self._appointments.due(self._clock.now_ms(), ENDPOINTS_A_STEP)
        for place, name in enumerate(due):
            if name in self._on_the_way:
                continue  # its result appoints it
            if not self._courier.has_room(name):
                self._appointments.appoint(name, self._clock.now_ms() + BUSY_AGAIN_MS)
                continue
            try:
                self._send_next(name)
            except KeyDestroyedError:
                self._keep({name: None})
            except MalformedRecordError as error:
                logger.warning("webhook_not_sent", webhook=name.id, error=str(error))
                self._appointments.appoint(name, self._clock.now_ms() + LOOK_AGAIN_MS)
            except Exception:
                self._appointments.appoint_all(due[place:], self._clock.now_ms())
                raise

    def _send_next(self, name: EndpointName) -> None:
        keys = self._engine.keyring.keys(name.tenant)
        backlog = self._backlogs.get(name) if self._backlogs.is_of(name, keys) else None
        webhook = self._preparation.find(name)
        if backlog is None or webhook is None:
            self._keep({name: None})
            return
        now_ms = self._clock.now_ms()
        if webhook.paused_at_ms:
            self._pauses.send_due(name, webhook)
        if webhook.paused_at_ms or not self._preparation.may_send(name.tenant):
            if backlog.waiting or backlog.unread or backlog.again:
                self._appointments.appoint(name, now_ms + LOOK_AGAIN_MS)
            return
        fuller = self._preparation.refill(name, webhook, backlog, self._passed)
        if fuller != backlog:
            self._keep({name: fuller})
        delivery = next_delivery(fuller, now_ms)
        if delivery is None:
            self._appoint(name)
            return
        parcel = self._preparation.parcel(name, webhook, delivery)
        if parcel is None:
            self._results.note_lost(name, delivery)
            self._record_results()
        else:
            self._begin(parcel)

    def _begin(self, parcel: Parcel) -> None:
        crash_point("webhooks.intended")
        if self._courier.try_send(parcel, self._ended):
            self._on_the_way.add(parcel.endpoint)
        else:
            self._appointments.appoint(parcel.endpoint, self._clock.now_ms() + BUSY_AGAIN_MS)

    def _appoint(self, name: EndpointName) -> None:
        backlog = self._backlogs.get(name)
        if backlog is not None:
            self._appointments.appoint_first(name, [next_at_ms(backlog)])

    def _keep(
        self, changed: Mapping[EndpointName, EndpointBacklog | None], position: Mapping[str, int] | None = None
    ) -> None:
        keys_of = cache(self._engine.keyring.keys)
        changes = []
        kept = dict[EndpointName, EndpointBacklog | None]()
        for name, backlog in changed.items():
            try:
                change = backlog_change(name, backlog, keys_of(name.tenant)) if backlog else None
            except KeyDestroyedError:
                change = None
            kept[name] = backlog if change else None
            changes.append(change or StateChange(backlog_key(*name), None))
        self._commit(changes, position)
        for name, backlog in kept.items():
            if backlog is None:
                self._backlogs.forget(name)
            else:
                self._backlogs.keep(name, backlog, keys_of(name.tenant))
                self._appoint(name)

    def _commit(self, changes: Sequence[StateChange], position: Mapping[str, int] | None = None) -> None:
        if changes or position:
            with metrics.COMMIT_SECONDS.labels(WEBHOOKS.service).time():
                self._claim.commit((), changes, position or {})
