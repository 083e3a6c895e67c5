"""The owner of one partition of observations: fold, commit, swap the memory, project to the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from services.room_status.deciding.batch import Batch, decide, row_of, sweep
from services.room_status.replaying.repairs import mend
from services.room_status.view.projection import Projection
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.topics import MEETING_STATE, OBSERVATIONS, REPAIRS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.domain.instants import HOUR_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim, Record
from shared.ports.view import Row
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.dead_letters import bury
from shared.runtime.lag import LagGauges
from shared.runtime.logging import get_logger

POLL_S = 0.25
SWEEP_EVERY_MS = HOUR_MS
INPUT = OBSERVATIONS.name

logger = get_logger()


class RoomStatusOwner:
    """Folds the observations of one partition; see design §4, room_status."""

    def __init__(
        self, claim: Claim, engine: Engine, clock: Clock, *, poll_s: float = POLL_S, tail_check: bool = True
    ) -> None:
        """
        Take over the restored state, and what a torn predecessor had already said.

        Args:
            poll_s: How long a step may wait.
            tail_check: False only in tests, which show that transactions do without it.
        """
        self._claim = claim
        self._log = engine.log
        self._keyring = engine.keyring
        self._clock = clock
        self._poll_s = poll_s
        self._memory = dict(claim.state)
        self._told = frozenset(_decline_ids(claim.tail() if tail_check else ()))
        self._projection = Projection(
            engine.view,
            self._log.topic_id(MEETING_STATE.name),
            claim.partition,
            whole=self._rows,
            clock=clock,
        )
        self._backlog: Sequence[Record] = ()
        self._swept_at_ms = 0
        self._passed: Mapping[str, int] = dict(claim.position)
        self._lag = LagGauges(self._log, ROOM_STATUS_STATION, claim.partition, clock)
        self._note_lost_input()
        self._projection.restore(self._log.span(MEETING_STATE.name, claim.partition).end - 1)

    def step(self) -> None:
        """One poll: fold what came, write it out once, show it. Wishes to tell again wait until the facts are folded."""
        if not self._backlog:
            self._backlog = self._claim.read(self._poll_s)
        if facts := [record for record in self._backlog if record.topic == INPUT]:
            self._fold(facts)
            self._backlog = [record for record in self._backlog if record.topic != INPUT]
        elif self._backlog:
            self._mend(self._backlog)
            self._backlog = ()
        elif self._clock.now_ms() >= self._swept_at_ms + SWEEP_EVERY_MS:
            now_ms = self._clock.now_ms()
            partition = self._claim.partition
            swept = sweep(self._memory, now_ms=now_ms, partition=partition, keys_of=cache(self._keys_of))
            # With the position: a replay has to know between which observations a meeting was forgotten, and facts that
            # change nothing move it too, or retention would overtake it one day.
            self._commit(swept, self._passed, always=self._passed != self._claim.position)
            self._swept_at_ms = now_ms
        self._projection.flush()
        self._lag.show(self._passed)

    def close(self) -> None:
        """Nothing is held that the log does not have."""
        self._lag.close()

    def _note_lost_input(self) -> None:
        for topic, count in self._claim.lost.items():
            logger.error("input_lost_to_retention", topic=topic, partition=self._claim.partition, offsets=count)
            metrics.INPUT_LOST.labels(ROOM_STATUS_STATION.service, topic).inc(count)

    def _keys_of(self, tenant: str) -> TenantKeys:
        return self._keyring.keys(tenant)

    def _fold(self, facts: Sequence[Record]) -> None:
        batch = decide(
            facts,
            self._memory,
            partition=self._claim.partition,
            keys_of=cache(self._keys_of),  # asked once an organisation and batch, not once a record
            told=self._told,
        )
        self._bury(batch)
        position = {INPUT: facts[-1].offset + 1}
        self._commit(batch, position)
        self._pass(facts, position)

    def _mend(self, wishes: Sequence[Record]) -> None:
        batch = mend(
            self._log,
            wishes,
            partition=self._claim.partition,
            keys_of=self._keys_of,
            now_ms=self._clock.now_ms(),
        )
        self._bury(batch)
        position = {REPAIRS.name: wishes[-1].offset + 1}
        self._commit(batch, position, always=True)
        self._pass(wishes, position)
        logger.info("repaired", partition=self._claim.partition, wishes=len(wishes), told_again=len(batch.decisions))

    def _pass(self, records: Sequence[Record], position: Mapping[str, int]) -> None:
        metrics.RECORDS.labels(ROOM_STATUS_STATION.service, records[0].topic).inc(len(records))
        self._passed = {**self._passed, **position}

    def _bury(self, batch: Batch) -> None:
        for record, reason in batch.malformed:
            bury(self._log, record, reason=reason, service=ROOM_STATUS_STATION.service, now_ms=self._clock.now_ms())
            logger.warning("record_dead_lettered", topic=record.topic, offset=record.offset, reason=reason)

    def _commit(self, batch: Batch, position: Mapping[str, int], *, always: bool = False) -> None:
        """`always`: also when nothing follows, so that the position does not fall behind what retention takes."""
        if batch.empty and not batch.malformed and not always:
            return
        crash_point("room-status.before-commit")
        if batch.decisions:
            crash_point("room-status.telling")
        with metrics.COMMIT_SECONDS.labels(ROOM_STATUS_STATION.service).time():
            offset = self._claim.commit([*batch.decisions, *batch.statuses], batch.changes, position)
        crash_point("room-status.after-commit")
        metrics.DECLINES.inc(len(batch.decisions))
        for key, value in batch.states.items():
            if value is None:
                self._memory.pop(key, None)
            else:
                self._memory[key] = value
        for decline in batch.decisions:
            logger.info("room_declined", partition=decline.partition, key=decline.key.decode())
        self._projection.add(batch.rows.values(), offset)
        crash_point("room-status.projected")

    def _rows(self) -> list[Row]:
        rows = []
        keys_of = cache(self._keys_of)
        for key, value in self._memory.items():
            try:
                rows.append(row_of(key, value, keys_of(key.decode().partition("/")[0])))
            except (KeyDestroyedError, MalformedRecordError) as error:
                logger.warning("state_unreadable", error=str(error))
        return rows


def _decline_ids(tail: Sequence[Record]) -> list[str]:
    return [
        msgspec.json.decode(record.value, type=RoomDeclined).id
        for record in tail
        if record.topic == ROOM_REJECTIONS.name and record.value
    ]
