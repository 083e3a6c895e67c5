"""Two organisations whose meetings change at random, one owner per partition, and a history that a replay can be held against."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.room_status.deciding.fold import DecisionRules, fold
from services.room_status.replaying import recollection
from services.room_status.replaying.replay import Comparison, PublicEvent, compare, compare_outcomes
from services.room_status.worker import RoomStatusOwner
from shared.contracts import observation
from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION
from shared.crypto.records import sealed_envelope
from shared.domain.identity import partition_of
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.organisations.enrolment import enrol
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from tests.contract.deployments import ManualClock
from tests.support.builders import an_observation, an_occurrence

ANSWERS = ("none", "accepted", "declined", "declined", "")
ROOMS = ("r-aare", "r-birs", "r-doubs")


@dataclass
class Recorder:
    """Writes observations as sync_worker would, and lets room_status fold them whenever the test says so."""

    engine: Engine
    clock: Clock
    seed: int = 1
    meetings: int = 12
    tenants: list[str] = field(default_factory=list)
    owners: list[RoomStatusOwner] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.tenants = [
            enrol(self.engine.registry, self.engine.keyring, provider=provider, directory=provider, name=provider)
            for provider in ("microsoft", "google")
        ]
        self.keys = {tenant: self.engine.keyring.keys(tenant) for tenant in self.tenants}

    def leave(self) -> None:
        """The owners let go."""
        for owner in self.owners:
            owner.close()
            owner._claim.close()
        self.owners = []

    def claim(self) -> None:
        """Owners take over (again)."""
        self.leave()
        self.owners = [
            RoomStatusOwner(self.engine.log.claim(ROOM_STATUS_STATION, partition), self.engine, self.clock, poll_s=0.0)
            for partition in range(self.engine.log.partitions)
        ]

    def observe(self, many: int = 1) -> None:
        """Calendars change, and looks record it."""
        self.engine.log.append([self._observation() for _ in range(many)])

    def step(self) -> None:
        """Every owner folds what there is, and makes all repairs that were asked for."""
        for owner in self.owners:
            owner.step()
            while owner._repairs:
                owner.step()

    def settle(self) -> None:
        """Until every owner has folded everything."""
        for partition, owner in enumerate(self.owners):
            end = self.engine.log.span(OBSERVATIONS.name, partition).end
            last = self.engine.log.read(OBSERVATIONS.name, partition, max(0, end - 3))
            while last and owner._passed.get(OBSERVATIONS.name, 0) <= last[-1].offset:
                owner.step()

    def live(self, clock: ManualClock, turns: int) -> None:
        """Hours pass: calendars change, owners fold now and then, sweep, and are followed by others."""
        for turn in range(turns):
            self.observe(self.chance.randrange(1, 16))
            clock.at_ms += self.chance.randrange(1, 4 * HOUR_MS)
            for _ in range(self.chance.randrange(4)):
                self.step()
            if turn % 9 == 8:
                self.claim()
        self.settle()

    def published(self) -> list[str]:
        """Decline ids on the topic."""
        return [
            each.id
            for number in range(self.engine.log.partitions)
            for each in recollection.read_declines(self.engine.log, number)
        ]

    def _observation(self) -> NewRecord:
        self.count += 1
        chance = self.chance
        # Meetings come and go: old ones are past after a while, and some are heard of once more when they are forgotten.
        newest = self.count // 50 * 4 + chance.randrange(self.meetings)
        tenant, name = chance.choice(self.tenants), f"m-{chance.choice((newest, newest, newest, newest % 16))}"
        now_ms = self.clock.now_ms()
        rooms = {room: answer for room in ROOMS if (answer := chance.choice(ANSWERS))}
        occurrence = an_occurrence(start_ms=now_ms - now_ms % DAY_MS + DAY_MS + chance.randrange(3) * HOUR_MS, **rooms)
        seen = an_observation(
            occurrence,
            meeting=name,
            mailbox=chance.choice(("m-ada", "m-ada", "m-ben")),
            provider="google",
            at_ms=now_ms,
            baseline=chance.random() < 0.1,
            withdrawn=chance.random() < 0.05,
        )
        key = f"{tenant}/{name}".encode()
        value = sealed_envelope(
            self.keys[tenant], seen, key=key, type=observation.TYPE, id=f"o-{self.count}", correlation="c"
        )
        return NewRecord(OBSERVATIONS.name, partition_of(key, self.engine.log.partitions), key, value)

    def keys_of(self, tenant: str) -> TenantKeys:
        return self.engine.keyring.keys(tenant)

    def compared(self, partition: int, begin: int, end: int, rules: DecisionRules = fold) -> Comparison:
        """One partition's range, redone and compared."""
        log = self.engine.log
        redone = recollection.replay(log, partition, begin, end, keys_of=self.keys_of, rules=rules)
        reached = recollection.first_unpassed_offset(log, partition)
        return compare(redone, recollection.read_declines(log, partition), begin=begin, end=end, reached=reached)

    def compared_outcomes(self, partition: int, begin: int, end: int) -> Comparison:
        """How declines ended in one partition's range, redone and compared."""
        log = self.engine.log
        redone = recollection.replay(log, partition, begin, end, keys_of=self.keys_of)
        reached = recollection.first_unpassed_offset(log, partition)
        published = recollection.read_outcomes(log, partition)
        return compare_outcomes(redone, published, begin=begin, end=end, reached=reached)

    def outcomes(self) -> list[PublicEvent]:
        """How declines ended, on all partitions."""
        log = self.engine.log
        return [each for number in range(log.partitions) for each in recollection.read_outcomes(log, number)]

    def ranges(self, many: int) -> Sequence[tuple[int, int, int]]:
        """Random ranges: partition, begin, end."""
        found = []
        for _ in range(many):
            partition = self.chance.randrange(self.engine.log.partitions)
            end = self.engine.log.span(OBSERVATIONS.name, partition).end
            begin, stop = sorted(self.chance.sample(range(end + 1), 2))
            found.append((partition, begin, stop))
        return found
