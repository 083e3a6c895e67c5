"""
Counts the declines of the organisations of one partition, and records when they are too many at once (ADR 32).

Every decline comes once, in the partition of its organisation. It is kept on `notification-state` for a minute; when there are too
many, one incident takes their place, in the commit that passes them. The incident is then shown in the registry, where pages and
the owners of people read it, and where a person ends it. Whatever dies in between, the record is the truth: what it says is shown
again, and what ended the incident there is found by whoever takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from services.notifier.alarms import AlarmSender
from services.notifier.deciding import brake as rules
from services.notifier.ledger import Ledger, counted_change, incident_change
from shared.contracts.bounds import PIECE_RECORDS
from shared.contracts.decline_incident import (
    DeclineIncident,
    LikelyCause,
    OrganisationDecline,
    counted_key,
    incident_key,
)
from shared.contracts.rows import AuditRow
from shared.domain.instants import HOUR_MS, SECOND_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, RowRefusedError
from shared.organisations import decline_incidents
from shared.organisations.audit_chain import read_latest_acts
from shared.organisations.room_report import count_upcoming
from shared.ports.engine import Engine
from shared.ports.log import StateChange
from shared.registry import tables
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

LOOK_EVERY_MS = SECOND_MS
UPCOMING_KNOWN_MS = HOUR_MS
"""How long the number of an organisation's rooms to come is taken for the same: it is asked while a minute is suspicious alone."""
MOST_ACTS = 500
"""So many of the latest acts of administrators are looked through for a likely cause."""

Declines = Mapping[str, Collection[OrganisationDecline]]
"""Organisation → its declines that were read."""
Commit = Callable[[list[StateChange]], None]

logger = get_logger()


@dataclass(slots=True)
class DeclineCount:
    """What follows from declines, to be committed."""

    changes: list[StateChange] = field(default_factory=list)
    counted: dict[str, dict[str, OrganisationDecline]] = field(default_factory=dict)
    """Organisation → the declines that stay counted."""
    incidents: dict[str, DeclineIncident] = field(default_factory=dict)


class DeclineBrake:
    """One partition's organisations."""

    def __init__(self, partition: int, engine: Engine, ledger: Ledger, alarms: AlarmSender, commit: Commit) -> None:
        """Take over the incidents of `ledger`, which are shown again."""
        self._engine = engine
        self._ledger = ledger
        self._alarms = alarms
        self._commit = commit
        self._gauge = metrics.DECLINE_INCIDENTS_OPEN.labels(str(partition))
        self._upcoming: dict[str, tuple[int, int]] = {}
        self._looked_at_ms = 0
        self._gauge.set(len(ledger.incidents))

    def count(self, declines: Declines, now_ms: int) -> DeclineCount:
        """What follows from these declines. Raises StoreUnavailableError."""
        found = DeclineCount()
        for tenant, more in declines.items():
            try:
                self._count(tenant, more, self._engine.keyring.keys(tenant), now_ms, found)
            except KeyDestroyedError:
                continue
        return found

    def note(self, counted: DeclineCount) -> None:
        """Take over what was committed."""
        for tenant, declines in counted.counted.items():
            if declines:
                self._ledger.counted[tenant] = declines
            else:
                self._ledger.counted.pop(tenant, None)
        for tenant, incident in counted.incidents.items():
            if tenant not in self._ledger.incidents:
                metrics.DECLINE_INCIDENTS.inc()
                logger.error("many_declines_at_once", tenant=tenant, incident=incident.id, declines=incident.declines)
                self._looked_at_ms = 0
            self._ledger.incidents[tenant] = incident
        self._gauge.set(len(self._ledger.incidents))

    def step(self, now_ms: int) -> None:
        """Once a second: show incidents, send their alarms, end those that are over. Raises StoreUnavailableError."""
        self._record_alarms()
        if 0 <= now_ms - self._looked_at_ms < LOOK_EVERY_MS:
            return
        self._looked_at_ms = now_ms
        self._forget_old(now_ms)
        for tenant, incident in list(self._ledger.incidents.items()):
            try:
                self._look_at(tenant, incident, now_ms)
            except RowRefusedError as error:
                log_refused_row(error)

    def close(self) -> None:
        """Record what became of alarms that were on their way."""
        self._record_alarms()
        self._gauge.set(0)

    def _count(
        self, tenant: str, more: Collection[OrganisationDecline], keys: TenantKeys, now_ms: int, found: DeclineCount
    ) -> None:
        fresh = {each.prompt: rules.as_read(each, now_ms) for each in more if rules.is_counted_at(each, now_ms)}
        if incident := self._ledger.incidents.get(tenant):
            if fresh:
                self._set_incident(tenant, rules.go_on(incident, len(fresh), now_ms), keys, found)
            return
        known = self._ledger.counted.get(tenant, {})
        window = rules.in_window((known | fresh).values())
        kept = {each.prompt: each for each in window}
        if rules.is_suspected(window) and rules.is_incident(
            len(window), upcoming := self._count_upcoming(keys, now_ms)
        ):
            name, cause = keys.incident(window[0].prompt), self._likely_cause(tenant, window, now_ms)
            begun = rules.begin(name, window, upcoming, cause, now_ms)
            self._set_incident(tenant, self._alarms.with_alarms(begun, keys), keys, found)
            kept = {}
        found.changes += [StateChange(counted_key(tenant, each), None) for each in known if each not in kept]
        found.changes += [counted_change(kept[each], keys) for each in fresh if each in kept]
        found.counted[tenant] = kept

    def _set_incident(self, tenant: str, incident: DeclineIncident, keys: TenantKeys, found: DeclineCount) -> None:
        found.incidents[tenant] = incident
        found.changes.append(incident_change(incident, keys))

    def _count_upcoming(self, keys: TenantKeys, now_ms: int) -> int:
        count, until_ms = self._upcoming.get(keys.tenant, (0, 0))
        if now_ms >= until_ms:
            count = count_upcoming(self._engine.view, self._engine.registry, keys, now_ms)
            self._upcoming[keys.tenant] = (count, now_ms + UPCOMING_KNOWN_MS)
        return count

    def _likely_cause(self, tenant: str, declines: Collection[OrganisationDecline], now_ms: int) -> LikelyCause:
        buildings = {
            room: building for room in {each.room for each in declines} if (building := self._building(tenant, room))
        }
        acts = [rules.RoomAct(each.at_ms, each.act, each.about) for each in self._latest_acts(tenant, now_ms)]
        return rules.likely_cause(declines, buildings, acts, now_ms)

    def _latest_acts(self, tenant: str, now_ms: int) -> list[AuditRow]:
        try:
            return read_latest_acts(self._engine.registry, tenant, now_ms - rules.ACT_MS, MOST_ACTS)
        except RowRefusedError as error:
            log_refused_row(error)
            return []

    def _building(self, tenant: str, room: str) -> str:
        try:
            row = tables.rooms(self._engine.registry).get(tenant, room)
        except RowRefusedError as error:
            log_refused_row(error)
            return ""
        return row.building if row else ""

    def _forget_old(self, now_ms: int) -> None:
        """In few commits, whatever the number of organisations."""
        left = DeclineCount()
        for tenant, declines in list(self._ledger.counted.items()):
            if old := set(rules.outgrown(declines.values(), now_ms)):
                left.changes += [StateChange(counted_key(tenant, each), None) for each in sorted(old)]
                left.counted[tenant] = {key: each for key, each in declines.items() if key not in old}
            if len(left.changes) >= PIECE_RECORDS:
                self._forget(left)
                left = DeclineCount()
        self._forget(left)

    def _forget(self, left: DeclineCount) -> None:
        if left.changes:
            self._commit(left.changes)
            self.note(left)

    def _look_at(self, tenant: str, incident: DeclineIncident, now_ms: int) -> None:
        row = decline_incidents.publish(self._engine.registry, tenant, incident)
        crash_point("notifier.incident-shown")
        if row is not None and row.over_at_ms:
            self._end(tenant, incident, "released" if row.released_at_ms else "quiet")
        elif rules.quiet_at(incident) <= now_ms:
            # Shown first: whoever takes over in between finds it over, and forgets it.
            decline_incidents.end(self._engine.registry, tenant, incident.id, now_ms)
            self._end(tenant, incident, "quiet")
        else:
            self._send_alarms(tenant, incident, now_ms)

    def _end(self, tenant: str, incident: DeclineIncident, why: str) -> None:
        self._commit([StateChange(incident_key(tenant), None)])
        del self._ledger.incidents[tenant]
        self._gauge.set(len(self._ledger.incidents))
        logger.info("many_declines_over", tenant=tenant, incident=incident.id, declines=incident.declines, why=why)

    def _send_alarms(self, tenant: str, incident: DeclineIncident, now_ms: int) -> None:
        if intended := self._alarms.intend(incident, now_ms):
            self._keep(tenant, intended)
            crash_point("notifier.alarm-intended")
            self._alarms.send(tenant, incident, intended)

    def _record_alarms(self) -> None:
        for tenant, settle in self._alarms.results():
            if incident := self._ledger.incidents.get(tenant):
                self._keep(tenant, settle(incident))

    def _keep(self, tenant: str, incident: DeclineIncident) -> None:
        try:
            self._commit([incident_change(incident, self._engine.keyring.keys(tenant))])
        except KeyDestroyedError:
            self._end(tenant, incident, "keys-destroyed")
            return
        self._ledger.incidents[tenant] = incident
