"""What log, view and registry tell of mailboxes, consents, dead letters and prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from cli.common.calendars import Calendars
from cli.common.mailboxes import grants, tenants_of
from cli.common.records import all_records
from cli.dead_letters.open_letters import open_letters
from cli.status.facts import Letters, Watched
from services.portal.meetings.deciding.prompts import Viewer, sight
from services.sync_worker.deciding.mailbox import renew_at
from services.sync_worker.gauges import is_stale, state_of
from shared.contracts.calendar_state import MailboxState
from shared.contracts.meeting_state import MeetingState
from shared.contracts.rows import ConsentState
from shared.contracts.topics import CALENDAR_STATE, MEETING_STATE, POSITION_KEY
from shared.crypto.records import opened
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.redaction import masked

_LOOKED_AT = frozenset((ConsentState.ACTIVE, ConsentState.FAILING))
"""Whose calendar has been looked at, and is on the log therefore."""


def watched(engine: Engine, *, reconcile_ms: int, now_ms: int) -> dict[str, Watched]:
    """Provider → its mailboxes, as `calendar-state` has them, and those that it lacks."""
    connected = [grant for grant in grants(engine.registry) if grant.consent.state in _LOOKED_AT]  # first: it is behind
    calendars = Calendars(engine)
    calendars.refresh()
    found: dict[str, Watched] = {}
    for state in calendars.states.values():
        _count(found.setdefault(state.provider or "unknown", Watched()), state, reconcile_ms, now_ms)
    for grant in connected:
        found.setdefault(grant.consent.provider, Watched()).forgotten += grant.mailbox not in calendars.states
    return found


def emptied(engine: Engine) -> bool:
    """Whether the registry knows no organisation although the log holds somebody's mailbox: it was lost, or is another's."""
    if next(tenants_of(engine.registry), None) is not None:
        return False
    partitions = range(engine.log.partitions)
    records = (record for number in partitions for record in all_records(engine.log, CALENDAR_STATE.name, number))
    return any(record.key != POSITION_KEY for record in records)


def consent_counts(registry: Registry) -> dict[str, dict[str, int]]:
    """Provider → consent state → how many."""
    counts: dict[str, Counter[str]] = {}
    for grant in grants(registry):
        counts.setdefault(grant.consent.provider, Counter())[str(grant.consent.state)] += 1
    return {provider: dict(counter) for provider, counter in counts.items()}


def letters(engine: Engine) -> Letters:
    """How many are open, and the newest of them."""
    found = list(open_letters(engine.log).values())
    if not found:
        return Letters(0)
    newest = found[-1].letter
    return Letters(len(found), newest.failed_at_ms, newest.id, masked(newest.reason))


def open_prompts(engine: Engine, *, grace_ms: Callable[[str], int], now_ms: int) -> int:
    """How many prompts wait for somebody, over all organisations."""
    newest: dict[bytes, bytes | None] = {}
    for partition in range(engine.log.partitions):
        newest |= {record.key: record.value for record in all_records(engine.log, MEETING_STATE.name, partition)}
    newest.pop(POSITION_KEY, None)
    by_tenant: dict[str, list[bytes]] = {}
    for key, value in newest.items():
        if value is not None:
            by_tenant.setdefault(key.decode().partition("/")[0], []).append(value)
    return sum(_prompts(engine, tenant, values, grace_ms, now_ms) for tenant, values in by_tenant.items())


def rebuilding(engine: Engine) -> list[int]:
    """Partitions of the view that have nothing applied, or another topic's past, although there is something to apply."""
    topic_id = engine.log.topic_id(MEETING_STATE.name)
    found = []
    for partition in range(engine.log.partitions):
        applied = engine.view.applied(partition)
        if applied is None or applied.topic_id != topic_id:
            span = engine.log.span(MEETING_STATE.name, partition)
            found += [partition] if span.end > span.begin else []
    return found


def _count(counts: Watched, state: MailboxState, reconcile_ms: int, now_ms: int) -> None:
    word = state_of(state)
    counts.held += word != "leaving"
    counts.connecting += word == "connecting"
    counts.failing += word == "failing"
    counts.stale += is_stale(state, reconcile_ms, now_ms)
    counts.heard_at_ms = max(counts.heard_at_ms, state.heard_at_ms)
    counts.looked_at_ms = max(counts.looked_at_ms, state.looked_at_ms)
    if state.connected and state.baseline_done:
        counts.oldest_look_ms = min(counts.oldest_look_ms or state.looked_at_ms, state.looked_at_ms)
        _count_subscription(counts, state, now_ms)


def _count_subscription(counts: Watched, state: MailboxState, now_ms: int) -> None:
    live = state.subscription
    if live is None or live.expires_at_ms <= now_ms:
        counts.unwatched += 1
    elif live.expires_at_ms <= now_ms + DAY_MS:
        counts.expiring += 1
        counts.late += now_ms > renew_at(live) + HOUR_MS


def _prompts(engine: Engine, tenant: str, values: list[bytes], grace_ms: Callable[[str], int], now_ms: int) -> int:
    try:
        keys = engine.keyring.keys(tenant)
    except KeyDestroyedError:
        return 0
    dismissed = frozenset(name for name, _ in tables.dismissals(engine.registry).scan(tenant))
    return sum(_open_in(value, keys, dismissed, grace_ms, now_ms) for value in values)


def _open_in(
    value: bytes, keys: TenantKeys, dismissed: frozenset[str], grace_ms: Callable[[str], int], now_ms: int
) -> int:
    try:
        meeting = opened(value, keys, MeetingState)
    except (KeyDestroyedError, MalformedRecordError):
        return 0
    seen = sight(meeting, keys, Viewer(meeting.voice, now_ms, grace_ms(meeting.provider), dismissed))
    return sum(prompt.open for prompt in seen.prompts)
