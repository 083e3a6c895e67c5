"""
The owner of one partition of observations: it decides what follows from them, commits it, and shows it to the view.

Theory of operation. One process owns a partition, fenced by the log (`shared.ports.log.Claim`); this class runs in that
partition's thread and is the only writer of its decisions, states and rows.

- The memory (`deciding.memory.Memory`) is what `meeting-state` holds: sealed records, opened one meeting at a time. It is
  restored with the claim and changed only after a commit, so it never holds what the log does not.
- A step takes one poll of input and decides it piece by piece (`deciding.decision`). Each piece is one commit: declines and public
  states first, then the records, then the position behind the piece's last observation. All of one observation stands in one
  piece. If the commit fails, the process ends; its successor restores and decides the same observations to the same bytes.
- A predecessor without transactions may have written events and died before its state: their ids are read from the tails of
  `room-rejections` and `room-outcomes` when the partition is claimed, and are not written again.
- After the commit the piece's rows go to the view (`view.projection`). The view may be away; it catches up.
- What cannot be read becomes a dead letter before its piece is committed; what would exceed its bound is parked. Both are
  counted and logged, and the partition goes on. A record of a later version ends the process.
- A word that cannot be ordered against another copy's asks for a look at its mailbox, after the commit. While the log takes no
  command, it is asked for again at each step; a process that ends meanwhile loses it, which costs nothing but the time to the
  next look. A decline that waits to be repeated asks until it is.
- Prompts that people put away come on `dismissals`: a poll of them is one commit. How a decline ended is published in the commit
  of the record that shows it closed, whether an observation, a dismissal or the sweep closed it.
- What a piece says of the rooms of an organisation's day is counted in records of their own, in the same commit (`tallies`).
- Requests of `replay --apply` are worked off a slice a step, so that new observations are decided in between.
- Each step sweeps the meetings that are due: declines of dates that are over are closed, what is long over is forgotten, looks
  are asked for. A heap holds the moments, so that nothing is walked through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import msgspec

from services.room_status.deciding.batch import Batch, PendingLook
from services.room_status.deciding.decision import decide, dismiss, sweep
from services.room_status.deciding.expiry import Expiry
from services.room_status.deciding.fold import DecisionRules, fold
from services.room_status.deciding.memory import Memory
from services.room_status.deciding.rows import rows_of
from services.room_status.replaying.repairs import mend
from services.room_status.replaying.slices import Slices
from services.room_status.tallies import Tallies
from services.room_status.view.projection import Projection
from shared.contracts.command import Reconcile
from shared.contracts.topics import (
    DISMISSALS,
    MEETING_STATE,
    OBSERVATIONS,
    REPAIRS,
    ROOM_OUTCOMES,
    ROOM_REJECTIONS,
    ROOM_STATUS_STATION,
)
from shared.decoders import json_decoder
from shared.domain.identity import is_text, key_text, tenant_of_key
from shared.domain.instants import HOUR_MS, SECOND_MS, from_rfc3339
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, LogUnavailableError
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim, NewRecord, Record
from shared.ports.view import Row
from shared.runtime import metrics
from shared.runtime.command_records import command_record
from shared.runtime.crash_points import crash_point
from shared.runtime.dead_letters import bury
from shared.runtime.lag import LagGauges
from shared.runtime.logging import get_logger
from shared.runtime.lost_input import note_lost_input
from shared.runtime.memory import release_freed_memory

POLL_S = 0.25
POSITION_EVERY_MS = HOUR_MS
"""How often the position is written although nothing changed: retention must not overtake it."""
SWEEP_EVERY_MS = 1_000
LOOKS_AT_ONCE = 500
"""How many commands a step appends at most."""
MOST_OWED = 10_000
"""So many looks wait at most for the log to take their commands; more are not asked for, as if their process had ended."""
FORGOTTEN_A_STEP = 200
"""How many meetings a step looks through for what is over."""
INPUT = OBSERVATIONS.name

logger = get_logger()


class RoomStatusOwner:
    """Folds the observations of one partition; see the head of this module."""

    def __init__(
        self,
        claim: Claim,
        engine: Engine,
        clock: Clock,
        *,
        poll_s: float = POLL_S,
        tail_check: bool = True,
        rules: DecisionRules = fold,
    ) -> None:
        """
        Take over the restored state, and what a torn predecessor had already announced.

        Args:
            poll_s: How long a step may wait.
            tail_check: False only in tests, which show that transactions do without it.
            rules: What observations are decided by.
        """
        self._claim = claim
        self._log = engine.log
        self._keyring = engine.keyring
        self._clock = clock
        self._poll_s = poll_s
        self._rules = rules
        self._memory = Memory(claim.state)
        self._note_foreign_keys()
        claim.state = {}  # held packed from here on
        release_freed_memory()
        self._tallies = Tallies(self._memory, self._keys_of, claim.partition)
        self._expiry = Expiry(self._memory.meetings())
        self._eras: dict[str, str] = {}
        self._told = frozenset(_event_ids(claim.tail() if tail_check else ()))
        self._projection = Projection(
            engine.view,
            self._log.topic_id(MEETING_STATE.name),
            claim.partition,
            whole=self._rows,
            clock=clock,
        )
        self._backlog: Sequence[Record] = ()
        self._repairs: list[Record] = []
        self._mending: Slices[Batch] | None = None
        self._owed: dict[PendingLook, None] = {}
        """Looks that the log has not taken the command for, in the order in which they came to be owed."""
        self._told_lately: set[str] = set()
        """Ids told since there are repairs to be made."""
        self._position_at_ms = 0
        self._swept_at_ms = clock.now_ms()
        self._passed: Mapping[str, int] = dict(claim.position)
        self._lag = LagGauges(self._log, ROOM_STATUS_STATION, claim.partition, clock)
        note_lost_input(claim, ROOM_STATUS_STATION.service)
        self._projection.restore(self._log.span(MEETING_STATE.name, claim.partition).end - 1)

    def step(self) -> None:
        """Fold one poll of input, commit it once and show it; then do one slice of the repairs that were asked for."""
        if not self._backlog:
            self._backlog = self._claim.read(0.0 if self._repairs else self._poll_s)
        if facts := [record for record in self._backlog if record.topic == INPUT]:
            self._fold(facts)
        if dismissals := [record for record in self._backlog if record.topic == DISMISSALS.name]:
            self._dismiss(dismissals)
        self._repairs += [record for record in self._backlog if record.topic == REPAIRS.name]
        self._backlog = ()
        if self._repairs:
            self._mend_a_slice(self._repairs[0])
        self._sweep_what_is_due(busy=bool(facts))
        self._ask_for_looks()
        self._projection.flush()
        self._lag.show(self._passed)

    def close(self) -> None:
        """Nothing is held that the log does not have."""
        self._lag.close()

    def _note_foreign_keys(self) -> None:
        for key in self._claim.state:
            if not is_text(key):
                logger.error("state_unreadable", partition=self._claim.partition, key=key_text(key))

    def _keys_of(self, tenant: str) -> TenantKeys:
        return self._keyring.keys(tenant)

    def _fold(self, facts: Sequence[Record]) -> None:
        keys_of = cache(self._keys_of)  # asked once an organisation and poll, not once a record
        while facts:
            batch = decide(
                facts,
                self._memory,
                partition=self._claim.partition,
                keys_of=keys_of,
                told=self._told,
                rules=self._rules,
            )
            piece, facts = facts[: batch.handled], facts[batch.handled :]
            self._bury(batch)
            position = {INPUT: piece[-1].offset + 1}
            self._commit(batch, position)
            self._measure(batch)
            self._pass(piece, position)

    def _measure(self, batch: Batch) -> None:
        """How long declines took to be told, and what was told too late."""
        now_ms = self._clock.now_ms()
        for decline in batch.decisions:
            seen_ms = from_rfc3339(json_decoder(_Timed).decode(decline.value or b"").time)
            metrics.TOLD_SECONDS.labels("topic").observe(max(now_ms - seen_ms, 0) / SECOND_MS)
        if batch.untold:
            metrics.ROOMLESS_UNTOLD.inc(batch.untold)
            logger.error("meeting_began_untold", partition=self._claim.partition, dates=batch.untold)

    def _dismiss(self, records: Sequence[Record]) -> None:
        batch = dismiss(
            records,
            self._memory,
            partition=self._claim.partition,
            keys_of=cache(self._keys_of),
            told=self._told,
        )
        self._bury(batch)
        position = {DISMISSALS.name: records[-1].offset + 1}
        self._commit(batch, position, always=True)
        self._pass(records, position)

    def _sweep_what_is_due(self, *, busy: bool) -> None:
        """
        Forget past dates of meetings that nobody observes, ask for looks, and now and then write the position alone.

        A busy step leaves this to the next; after a second it is done all the same.
        """
        now_ms = self._clock.now_ms()
        if busy and now_ms < self._swept_at_ms + SWEEP_EVERY_MS:
            return
        self._swept_at_ms = now_ms
        idle = now_ms >= self._position_at_ms + POSITION_EVERY_MS
        eras = self._eras_of_tenants() if idle else self._eras
        renewed = {tenant for tenant, era in eras.items() if self._eras.get(tenant) != era}
        if renewed:  # once, for however many: at the first look all are among them
            self._appoint((key for key in self._memory.meetings() if tenant_of_key(key) in renewed), 0)
        if not (due := self._expiry.due(now_ms, FORGOTTEN_A_STEP)) and not idle:
            return
        try:
            swept = sweep(
                self._memory,
                now_ms=now_ms,
                partition=self._claim.partition,
                keys_of=cache(self._keys_of),
                told=self._told,
                meetings=due,
            )
            if idle:
                self._tallies.expire(swept, now_ms, renewed)
            # With the position: a replay has to know between which observations a meeting was forgotten.
            self._commit(swept, self._passed, always=idle and self._passed != self._claim.position)
        except Exception:
            self._appoint(due, now_ms)  # a store is away: all of it is done again
            raise
        if idle:
            self._eras, self._position_at_ms = eras, now_ms
        self._appoint(due[swept.handled :], now_ms)  # what did not fit into this commit goes into the next

    def _appoint(self, meetings: Iterable[bytes], at_ms: int) -> None:
        for key in meetings:
            self._expiry.appoint(key, at_ms)

    def _eras_of_tenants(self) -> dict[str, str]:
        """
        Of each organisation that something is known of, the era of its keys; "" where they are destroyed.

        Everything of one whose era is not that of an hour ago is looked through. One that was not there an hour ago is among
        them: its keys may have been destroyed since, and made anew.
        """
        eras = {}
        for tenant in self._memory.tenants():
            try:
                eras[tenant] = self._keys_of(tenant).era
            except KeyDestroyedError:
                eras[tenant] = ""
        return eras

    def _mend_a_slice(self, wish: Record) -> None:
        self._mending = self._mending or mend(
            self._log,
            wish,
            partition=self._claim.partition,
            keys_of=self._keys_of,
            now_ms=self._clock.now_ms(),
            told=self._told_lately,
            rules=self._rules,
        )
        try:
            next(self._mending)
        except StopIteration as end:
            self._mended(wish, end.value)
        except Exception:
            self._mending = None  # a store is away: the repair begins anew when it is back
            raise

    def _mended(self, wish: Record, batch: Batch) -> None:
        self._bury(batch)
        position = {REPAIRS.name: wish.offset + 1}
        self._commit(batch, position, always=True)
        self._pass([wish], position)
        self._mending = None
        del self._repairs[0]
        if not self._repairs:
            self._told_lately.clear()
        logger.info("repaired", partition=self._claim.partition, told_again=len(batch.decisions))

    def _pass(self, records: Sequence[Record], position: Mapping[str, int]) -> None:
        metrics.RECORDS.labels(ROOM_STATUS_STATION.service, records[0].topic).inc(len(records))
        self._passed = {**self._passed, **position}

    def _bury(self, batch: Batch) -> None:
        for record, reason in batch.malformed:
            bury(self._log, record, reason=reason, service=ROOM_STATUS_STATION.service, now_ms=self._clock.now_ms())
            logger.warning("record_dead_lettered", topic=record.topic, offset=record.offset, reason=reason)
        for record, reason in batch.parked:
            bury(self._log, record, reason=reason, service=ROOM_STATUS_STATION.service, now_ms=self._clock.now_ms())
            metrics.PARKED.labels(ROOM_STATUS_STATION.service).inc()
            logger.error("meeting_parked", topic=record.topic, offset=record.offset, reason=reason)

    def _commit(self, batch: Batch, position: Mapping[str, int], *, always: bool = False) -> None:
        """`always`: also when nothing follows, so that the position does not fall behind what retention takes."""
        if batch.empty and not batch.malformed and not batch.parked and not always:
            self._after(batch)
            return
        self._tallies.enter(batch)
        crash_point("room-status.before-commit")
        events = [*batch.decisions, *batch.outcomes]
        if events:
            crash_point("room-status.telling")
        with metrics.COMMIT_SECONDS.labels(ROOM_STATUS_STATION.service).time():
            offset = self._claim.commit([*events, *batch.statuses], batch.changes, position)
        crash_point("room-status.after-commit")
        if self._repairs:
            self._told_lately |= set(_event_ids(events))
        self._memory.apply(batch.changes)
        for event in events:
            is_decline = event.topic == ROOM_REJECTIONS.name
            (metrics.DECLINES if is_decline else metrics.OUTCOMES).inc()
            what = "room_declined" if is_decline else "decline_ended"
            logger.info(what, partition=event.partition, key=event.key.decode())
        self._projection.add(batch.rows.values(), offset)
        crash_point("room-status.projected")
        self._after(batch)

    def _after(self, batch: Batch) -> None:
        """Appoint when the meetings are to be looked through, and note the looks that are owed."""
        for key, at_ms in batch.due.items():
            self._expiry.appoint(key, at_ms)
        free = max(MOST_OWED - len(self._owed), 0)
        self._owed |= dict.fromkeys(batch.owed[:free])

    def _ask_for_looks(self) -> None:
        """Command what is owed; what the log does not take now is asked for at the next step."""
        if not self._owed:
            return
        now_ms, partitions = self._clock.now_ms(), self._log.partitions
        looks = list(self._owed)[:LOOKS_AT_ONCE]
        wishes = [
            command_record(owed.mailbox, Reconcile(at_ms=now_ms, meetings=(owed.meeting,)), partitions)
            for owed in looks
        ]
        try:
            self._log.append(wishes)
        except LogUnavailableError as error:
            logger.warning("owed_looks_not_asked_for", looks=len(self._owed), error=str(error))
            return
        for owed in looks:
            del self._owed[owed]

    def _rows(self) -> list[Row]:
        rows = []
        for row in rows_of(self._memory, cache(self._keys_of)):
            if isinstance(row, Row):
                rows.append(row)
            else:
                logger.warning("state_unreadable", error=str(row))
        return rows


class _Timed(msgspec.Struct):
    """As much of a public event as says when it was seen."""

    time: str


class _Identified(msgspec.Struct):
    """As much of a public event as names it."""

    id: str


def _event_ids(records: Sequence[Record | NewRecord]) -> list[str]:
    return [
        json_decoder(_Identified).decode(record.value).id
        for record in records
        if record.topic in {ROOM_REJECTIONS.name, ROOM_OUTCOMES.name} and record.value
    ]
