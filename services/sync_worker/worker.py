"""
The owner of one partition of mailboxes: reads input, sends looks out, commits what they bring.

Input is hints (a provider says that a mailbox changed) and commands (a person or an operator wants something). Neither carries
content: both only say that a mailbox is to be looked at. A look asks the provider for everything since the mailbox's cursor; what
it brings is merged into the references, and each meeting that it touched is observed anew, in whole.

One step does five things. It takes input in, which owes a mailbox a look and remembers the offset of the record that asked. It
begins looks: the schedule hands out people first, then pushes, then appointments, and a mailbox has one look at a time. It gives
a look that takes long a durable appointment in place of its hints, so that input moves on. It commits what has finished: the
observations, the references and the mailbox in one transaction with the position of the input, which is the lowest offset that no
committed look has answered. And it says what has to be said outside the log, which is repeated until it is done.

Looks run on the threads of a pool and touch nothing of the owner's: they are given a job and give back an outcome. A look that
fails gives its mailbox an appointment, the later of the provider's and a growing one of ours, and keeps what it made there.

When the owner dies, nothing but looks in flight is lost: their hints were not discharged, and its successor reads them again. When
another owner has the partition, the commit is refused and the process ends. A step costs nothing for a mailbox at rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor
from functools import cache

import msgspec

from services.sync_worker.confirmed_gauges import ConfirmedGauges
from services.sync_worker.consent_notes import ConsentNotes
from services.sync_worker.deciding import mailbox as mailboxes
from services.sync_worker.deciding.audit_rotation import AuditRotation
from services.sync_worker.deciding.hints import Hints, Offset
from services.sync_worker.deciding.intake import spread_gap, take_in
from services.sync_worker.deciding.job import ASLEEP, Job, Outcome
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.mailbox import Pace, hint_pause_ms, next_due_ms
from services.sync_worker.deciding.packed_references import NO_REFERENCES, pack_references
from services.sync_worker.deciding.pieces import CommitPart, cut_into_commits
from services.sync_worker.deciding.references import find_room_starts
from services.sync_worker.deciding.schedule import Priority, Schedule
from services.sync_worker.deciding.settlement import Settled, mailbox_part, postpone_look, settle
from services.sync_worker.drift_notes import note_drift
from services.sync_worker.freshness import Freshness
from services.sync_worker.gauges import MailboxGauges
from services.sync_worker.left_mailboxes import LeftMailboxes
from services.sync_worker.looking.look import Looker
from services.sync_worker.looking.own_data import OwnData
from services.sync_worker.looks_in_flight import LooksInFlight
from services.sync_worker.memory import TrackedMailbox, forget_destroyed, restore_mailboxes
from services.sync_worker.organisation_state import OrganisationReader, OrganisationState
from shared.contracts.calendar_state import DueReason, MailboxState
from shared.contracts.topics import SYNC_WORKER
from shared.domain.identity import Mailbox
from shared.errors import KeyDestroyedError, MalformedRecordError, StoreUnavailableError
from shared.grants.broker import ConsentBroker
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim, Record
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.dead_letters import bury
from shared.runtime.lag import LagGauges
from shared.runtime.logging import get_logger
from shared.runtime.lost_input import note_lost_input
from shared.runtime.memory import release_freed_memory

POLL_S = 0.05
BUSY_POLL_S = 0.01
SAVE_POSITION_EVERY_MS = 60_000
SHOW_EVERY_MS = 1_000
FORGOTTEN_A_STEP = 100
"""How many mailboxes that left a step looks through for meetings that have ended."""
APPOINTMENTS_AT_ONCE = 16
"""Looks in flight beyond which appointments wait."""

logger = get_logger()


class SyncOwner:
    """Keeps the mailboxes of one partition right; see design §4, sync_worker."""

    def __init__(
        self,
        claim: Claim,
        engine: Engine,
        clock: Clock,
        *,
        looker: Looker,
        broker: ConsentBroker,
        pool: Executor,
        rooms_of: Callable[[str], ListedRooms],
        pace_of: Callable[[str], Pace],
        own_data: OwnData | None = None,
        audits: AuditRotation | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        """
        Take over the restored mailboxes.

        Args:
            pool: Where looks run, shared by all partitions of the process.
            rooms_of: Tenant → its list of rooms.
            pace_of: Provider → how often to look without being asked.
            own_data: Forgets what people said of dates that are gone; None: nobody keeps any.
            audits: Whose references are compared with the calendar, and when; None: nobody's.
            poll_s: How long a step may wait for input.
        """
        self._claim = claim
        self._engine = engine
        self._clock = clock
        self._in_flight = LooksInFlight(looker, pool, own_data)
        self._organisations = OrganisationReader(broker, engine.keyring, rooms_of)
        self._pace_of = pace_of
        self._audits = audits or AuditRotation(cycle_ms=0, calls_per_minute=1)
        self._poll_s = poll_s
        self._held, self._unreadable = restore_mailboxes(claim.state, engine.keyring)
        self._left = LeftMailboxes(claim.state, engine.keyring)
        self._forgotten = forget_destroyed(claim.state, engine.keyring)
        claim.state = {}  # read, and held packed from here on
        release_freed_memory()
        self._hints = Hints()
        self._backlog: list[Record] = []
        self._saved_at_ms = clock.now_ms()
        looked = [mailbox for mailbox, held in self._held.items() if held.state.baseline_done]
        self._notes = ConsentNotes(broker, looker, pool, first_looks=looked)
        self._lag = LagGauges(engine.log, SYNC_WORKER, claim.partition, clock)
        self._gauges = MailboxGauges(claim.partition, pace_of)
        self._freshness = Freshness(engine.registry, pool)
        self._confirmed = ConfirmedGauges(claim.partition, self._audits)
        self._schedule = Schedule()
        self._show_at_ms = 0
        note_lost_input(claim, SYNC_WORKER.service)
        if claim.lost:
            spread_gap(self._held, now_ms=clock.now_ms())
        for mailbox, held in self._held.items():
            held.room_starts = find_room_starts(held.references, clock.now_ms())
            self._appoint(mailbox)

    def step(self) -> None:
        """One round: read, begin what is owed or due, commit what is finished."""
        self._forget_erased()
        self._take_in()
        self._begin()
        self._postpone_slow()
        self._commit_finished()
        self._put_to_sleep()
        self._notes.write_first_looks()
        self._forget_ended()
        self._save_position()
        self._show()

    def close(self) -> None:
        """Looks in flight are let go: their hints were not discharged, the next owner repeats them."""
        self._in_flight.close()
        self._lag.close()
        self._gauges.close()
        self._confirmed.close()

    def _forget_erased(self) -> None:
        if self._forgotten:
            self._claim.commit([], self._forgotten, self._hints.position())
            self._forgotten = []

    def _take_in(self) -> None:
        waits = self._in_flight or self._schedule.ready()
        self._backlog += self._claim.read(BUSY_POLL_S if waits else self._poll_s)
        while self._backlog:
            record = self._backlog[0]
            try:
                self._plan(
                    take_in(record, self._held, self._hints, now_ms=self._clock.now_ms(), unreadable=self._unreadable)
                )
            except MalformedRecordError as error:
                self._bury(record, str(error))
            self._hints.read(record.topic, record.offset)
            metrics.RECORDS.labels(SYNC_WORKER.service, record.topic).inc()
            del self._backlog[0]

    def _bury(self, record: Record, reason: str) -> None:
        bury(self._engine.log, record, reason=reason, service=SYNC_WORKER.service, now_ms=self._clock.now_ms())
        logger.warning("record_dead_lettered", topic=record.topic, offset=record.offset, reason=reason)

    def _plan(self, noticed: Iterable[Mailbox]) -> None:
        """Give the mailboxes that input was about their place: a hint is answered now, or as soon as the last ones allow."""
        now_ms = self._clock.now_ms()
        for mailbox in noticed:
            held = self._held.get(mailbox)
            if held is None or mailbox in self._in_flight:
                continue
            earliest_ms = held.hinted_look_at_ms + hint_pause_ms(held.empty_looks)
            if not self._hints.pending(mailbox):
                self._appoint(mailbox)
            elif held.priority is Priority.PUSH and earliest_ms > now_ms:
                self._schedule.appoint(mailbox, min(earliest_ms, next_due_ms(held.state) or earliest_ms), Priority.PUSH)
            else:
                self._schedule.make_ready(mailbox, held.priority, now_ms)

    def _appoint(self, mailbox: Mailbox) -> None:
        held = self._held[mailbox]
        priority = held.priority if held.state.failures else Priority.APPOINTMENT
        may = mailboxes.may_be_audited(held.state)
        turn_ms = self._audits.turn_ms(mailbox, self._clock.now_ms()) if may else None
        due = [at_ms for at_ms in (next_due_ms(held.state), turn_ms) if at_ms is not None]
        self._schedule.appoint(mailbox, min(due, default=None), priority)

    def _begin(self) -> None:
        now_ms = self._clock.now_ms()
        for released in self._audits.release(now_ms):
            if released in self._held and released not in self._in_flight:
                self._appoint(released)
        self._schedule.release(now_ms)
        while mailbox := self._schedule.take(self._allowed()):
            held = self._held.get(mailbox)
            if held is None or mailbox in self._in_flight:
                continue
            owed = bool(self._hints.pending(mailbox))
            if owed and not mailboxes.may_look(held.state, now_ms):
                self._leave_to_appointment(mailbox, held)
            elif owed:
                self._send(mailbox, held, now_ms)
            elif mailboxes.may_be_audited(held.state) and self._audits.admit(mailbox, now_ms):
                self._send(mailbox, held, now_ms, audit=True)
            elif mailboxes.is_due(held.state, now_ms):
                self._send(mailbox, held, now_ms)
            else:
                self._appoint(mailbox)

    def _allowed(self) -> tuple[Priority, ...]:
        """Appointments beyond a few wait here, where a push can still overtake them, and not in the pool."""
        return tuple(Priority) if len(self._in_flight) < APPOINTMENTS_AT_ONCE else (Priority.PERSON, Priority.PUSH)

    def _leave_to_appointment(self, mailbox: Mailbox, held: TrackedMailbox) -> None:
        """The appointment is durable and will begin later than these hints: it answers them. What is owed is made durable too."""
        answered = self._hints.pending(mailbox)
        if held.state.owed or held.asked:
            with contextlib.suppress(KeyDestroyedError):  # its tenant was erased: nothing of it is owed any more
                state = held.remembering(held.state)
                part = mailbox_part(mailbox, state, self._engine.keyring.keys(mailbox.tenant))
                self._commit({mailbox: Settled([part], state, held.references)}, {mailbox: answered})
        self._hints.discharge(mailbox, answered)
        if mailbox in self._held:
            self._appoint(mailbox)

    def _send(self, mailbox: Mailbox, held: TrackedMailbox, now_ms: int, *, audit: bool = False) -> None:
        held.job = Job(
            mailbox,
            held.state,
            self._hints.pending(mailbox),
            now_ms,
            priority=held.priority,
            hinted=held.hinted,
            full=held.full,
            audit=audit,
            takes=tuple(held.takes.values()),
            correlation=held.correlation,
            trace=held.trace,
            references=held.references,
        )
        held.hinted_look_at_ms = now_ms if held.hinted else held.hinted_look_at_ms
        held.hinted, held.priority = False, Priority.APPOINTMENT
        self._in_flight.begin(held.job)

    def _commit_finished(self) -> None:
        outcomes = self._in_flight.finished()
        if not outcomes:
            return
        drained = outcomes
        standing = cache(self._organisations.read)
        try:
            outcomes = [self._still_wanted(outcome, standing(outcome.job.mailbox.tenant)) for outcome in drained]
            settled = {
                outcome.job.mailbox: self._settle(outcome, standing(outcome.job.mailbox.tenant)) for outcome in outcomes
            }
        except StoreUnavailableError:
            self._in_flight.give_back(drained)  # nothing was written: settle them again when the store is back
            raise
        self._commit(
            {mailbox: result for mailbox, result in settled.items() if result},
            {outcome.job.mailbox: outcome.job.answers for outcome in outcomes},
        )
        for outcome in outcomes:
            self._finish(outcome)

    def _still_wanted(self, outcome: Outcome, standing: OrganisationState) -> Outcome:
        """
        What a look brought, unless its integration was switched off or its tenant's keys were changed while it ran.

        Nothing of it is told then: the mailbox is looked at once more at once, and lets go.
        """
        mailbox = outcome.job.mailbox
        if outcome.look is None:
            return outcome
        if standing.refused:
            before = outcome.job.state  # what its calls made stays on record; what it read is read again
            state = msgspec.structs.replace(
                outcome.state,
                cursor=before.cursor,
                window_start_ms=before.window_start_ms,
                window_end_ms=before.window_end_ms,
            )
            return dataclasses.replace(outcome, state=state, look=None)
        if standing.enabled and standing.keys and not self._is_of_another_era(mailbox, standing.keys.era):
            return outcome
        due = {DueReason.RECONCILE: self._clock.now_ms()}
        self._held[mailbox].state = msgspec.structs.replace(self._held[mailbox].state, asleep=True, due=due)
        return dataclasses.replace(outcome, look=None, again=True)

    def _is_of_another_era(self, mailbox: Mailbox, era: str) -> bool:
        """Its references were named under keys that have been destroyed since."""
        held = self._held[mailbox]
        fresh = held.packed == NO_REFERENCES and not held.state.baseline_done
        held.era = era if fresh or not held.era else held.era
        return held.era != era

    def _settle(self, outcome: Outcome, standing: OrganisationState) -> Settled | None:
        mailbox = outcome.job.mailbox
        if standing.keys is None:
            return None  # its tenant was erased while the look ran
        return settle(
            self._held[mailbox],
            outcome,
            keys=standing.keys,
            rooms=standing.rooms,
            pace=self._pace_of(outcome.state.provider),
            partitions=self._engine.log.partitions,
            now_ms=self._clock.now_ms(),
            kept=self._left.ends_of(mailbox, standing.keys.era),
        )

    def _commit(self, settled: dict[Mailbox, Settled], answered: dict[Mailbox, Collection[Offset]]) -> None:
        """In pieces: the offsets of a mailbox are discharged with its last."""
        self._bury_parked(settled)
        unwritten = {mailbox: offsets for mailbox, offsets in answered.items() if mailbox not in settled}
        for piece in cut_into_commits({mailbox: result.parts for mailbox, result in settled.items()}):
            done = {mailbox: answered.get(mailbox, ()) for mailbox in piece.finished}
            self._commit_piece(piece, done | unwritten)
            for mailbox in piece.finished:
                self._take_over(mailbox, settled[mailbox])

    def _commit_piece(self, piece: CommitPart, answered: Mapping[Mailbox, Collection[Offset]]) -> None:
        crash_point("sync-worker.before-commit")
        with metrics.COMMIT_SECONDS.labels(SYNC_WORKER.service).time():
            self._claim.commit(piece.observations, piece.changes, self._hints.position(answered))
        crash_point("sync-worker.after-commit")
        self._saved_at_ms = self._clock.now_ms()
        for mailbox, offsets in answered.items():
            self._hints.discharge(mailbox, offsets)

    def _take_over(self, mailbox: Mailbox, result: Settled) -> None:
        """What was committed of a mailbox."""
        held = self._held[mailbox]
        metrics.OBSERVATIONS.labels(held.state.provider).inc(sum(len(part.observations) for part in result.parts))
        if result.left is not None:
            self._left.note(mailbox, result.left)
        note_drift(mailbox, held.state, result)
        if result.state is None:
            self._let_go(mailbox)
        else:
            if pack_references(result.references.values()) != held.packed:
                held.room_starts = find_room_starts(result.references, self._clock.now_ms())
            held.state, held.asked, held.references = result.state, False, result.references
            held.snapshots = held.snapshots if result.snapshots is None else result.snapshots

    def _bury_parked(self, settled: Mapping[Mailbox, Settled]) -> None:
        """What cannot be written becomes a dead letter, once as long as it is so and its owner lives."""
        for mailbox, result in settled.items():
            held = self._held[mailbox]
            if result.parked is None:
                continue
            for parked in result.parked:
                if parked.source.offset in held.parked:
                    continue
                self._bury(parked.source, parked.reason)
                metrics.PARKED.labels(SYNC_WORKER.service).inc()
                logger.error("meeting_parked", tenant=mailbox.tenant, mailbox=mailbox.id, reason=parked.reason)
            held.parked = frozenset(parked.source.offset for parked in result.parked)

    def _let_go(self, mailbox: Mailbox) -> None:
        connecting = self._held.pop(mailbox).connecting
        self._schedule.forget(mailbox)
        self._freshness.forget(mailbox)
        if connecting and self._hints.pending(mailbox):  # reconnected while the look that found it gone was running
            self._held[mailbox] = TrackedMailbox(MailboxState(provider=""), connecting=True, priority=Priority.PERSON)
        else:
            self._hints.discharge(mailbox, self._hints.pending(mailbox))

    def _finish(self, outcome: Outcome) -> None:
        mailbox, look = outcome.job.mailbox, outcome.look
        kind = "none" if look is None else "full" if look.full else "incremental"
        result = "revoked" if outcome.gone else "retry" if look is None else "committed" if look.seen else "empty"
        metrics.LOOKS.labels(outcome.state.provider, kind, result).inc()
        if outcome.gone == ASLEEP:
            self._notes.note_sleeper(mailbox)
        self._in_flight.end(mailbox)
        if outcome.job.audit:
            self._audits.end(mailbox, outcome.calls, self._clock.now_ms())
        held = self._held.get(mailbox)
        if held is None:
            self._audits.forget(mailbox)
            return
        held.job = None
        if outcome.rejoin:
            held.connecting, held.full, held.era = True, False, ""
        if look is None:
            held.priority = min(held.priority, outcome.job.priority)
        else:
            self._succeeded(mailbox, held, outcome)
        self._plan([mailbox])

    def _succeeded(self, mailbox: Mailbox, held: TrackedMailbox, outcome: Outcome) -> None:
        self._freshness.note(mailbox, held.state, held.count_kept(), self._clock.now_ms())
        held.full = held.full and not outcome.job.full
        if outcome.job.hinted:
            held.empty_looks = 0 if outcome.job.references != held.references else held.empty_looks + 1
        for take_id in {take.take_id for take in outcome.job.takes} - outcome.waiting_takes:
            held.takes.pop(take_id, None)
        if held.connecting or not outcome.job.state.baseline_done or self._notes.is_refused(mailbox):
            held.connecting = False
            self._notes.note_first_look(mailbox)

    def _put_to_sleep(self) -> None:
        """After the commit: what is on record as asleep has let go."""
        for mailbox in self._notes.write_sleepers(self._held.keys()):
            due = {DueReason.RECONCILE: self._clock.now_ms()}
            self._held[mailbox] = TrackedMailbox(MailboxState(provider="", due=due))
            self._appoint(mailbox)

    def _postpone_slow(self) -> None:
        now_ms = self._clock.now_ms()
        settled: dict[Mailbox, Settled] = {}
        answered: dict[Mailbox, Collection[Offset]] = {}
        for job in self._in_flight.jobs():
            mailbox = job.mailbox
            slow = job.answers and now_ms - job.started_at_ms > mailboxes.SLOW_LOOK_MS
            if slow and self._hints.pending(mailbox) & job.answers and mailbox in self._held:
                with contextlib.suppress(KeyDestroyedError):  # its tenant was erased: nobody waits for it any more
                    keys = self._engine.keyring.keys(mailbox.tenant)
                    settled[mailbox] = postpone_look(self._held[mailbox], mailbox, keys=keys, now_ms=now_ms)
                    answered[mailbox] = job.answers
        if settled:
            self._commit(settled, answered)

    def _forget_ended(self) -> None:
        """Of mailboxes that left nothing is kept beyond the end of their meetings."""
        kept, changes = self._left.ended(self._clock.now_ms(), self._engine.keyring, FORGOTTEN_A_STEP)
        if changes:
            self._claim.commit([], changes, self._hints.position())
        for mailbox, left in kept.items():
            self._left.note(mailbox, left)

    def _save_position(self) -> None:
        """Hints that ask for nothing move the position too, or retention would overtake it one day."""
        now_ms = self._clock.now_ms()
        if now_ms - self._saved_at_ms > SAVE_POSITION_EVERY_MS and self._hints.position() != self._claim.position:
            self._commit({}, {})

    def _show(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms >= self._show_at_ms:
            self._show_at_ms = now_ms + SHOW_EVERY_MS
            self._lag.show({**self._claim.position, **self._hints.position()})
        self._gauges.show(lambda: [held.state for held in self._held.values()], now_ms)
        self._confirmed.show(self._held.values, now_ms)
