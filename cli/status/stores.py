"""Counts mailboxes, grants, dead letters and prompts in log, view and registry."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from cli.common.calendars import Calendars
from cli.common.mailboxes import list_tenants, read_grants
from cli.common.records import read_all
from cli.dead_letters.open_letters import find_open_letters
from cli.status.facts import DeadLetterCounts, MailboxCounts
from services.portal import operations as portal
from services.sync_worker.operations import is_stale, renew_at, state_of
from shared.contracts.calendar_state import MailboxState
from shared.contracts.meeting_state import CopyRecord, parts_of
from shared.contracts.rows import ConsentRow, ConsentState
from shared.contracts.topics import CALENDAR_STATE, MEETING_STATE, POSITION_KEY
from shared.crypto.meetings import StoredMeeting, open_copy, open_meeting
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants.common_refusal import CommonRefusal, find_common_refusal
from shared.meetings.confirmed_states import ConfirmedStates
from shared.organisations.confirmed_reading import read_confirmed
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.redaction import mask_text

_LOOKED_AT = frozenset((ConsentState.ACTIVE, ConsentState.FAILING, ConsentState.SUSPENDED))
"""The states of a grant whose calendar has been looked at, and therefore is on the log."""


def count_mailboxes(engine: Engine, *, reconcile_ms: int, now_ms: int) -> dict[str, MailboxCounts]:
    """Count the mailboxes by provider, as `calendar-state` has them, and those that it lacks."""
    connected = [
        grant for grant in read_grants(engine.registry) if grant.consent.state in _LOOKED_AT
    ]  # first: it is behind
    calendars = Calendars(engine)
    calendars.refresh()
    found: dict[str, MailboxCounts] = {}
    for state in calendars.states.values():
        _count(found.setdefault(state.provider or "unknown", MailboxCounts()), state, reconcile_ms, now_ms)
    for grant in connected:
        found.setdefault(grant.consent.provider, MailboxCounts()).forgotten += grant.mailbox not in calendars.states
    return found


def is_registry_emptied(engine: Engine) -> bool:
    """Whether the registry has no organisation although the log has mailboxes: it was lost, or is another deployment's."""
    if next(list_tenants(engine.registry), None) is not None:
        return False
    partitions = range(engine.log.partitions)
    records = (record for number in partitions for record in read_all(engine.log, CALENDAR_STATE.name, number))
    return any(record.key != POSITION_KEY for record in records)


def count_grants(registry: Registry) -> dict[str, dict[str, int]]:
    """Return provider → state of the grant → how many."""
    counts: dict[str, Counter[str]] = {}
    for grant in read_grants(registry):
        counts.setdefault(grant.consent.provider, Counter())[str(grant.consent.state)] += 1
    return {provider: dict(counter) for provider, counter in counts.items()}


def find_common_refusals(registry: Registry) -> dict[str, CommonRefusal]:
    """Return organisation → what many of its grants are refused for, those left out where none is common."""
    by_tenant: dict[str, list[ConsentRow]] = {}
    for grant in read_grants(registry):
        by_tenant.setdefault(grant.mailbox.tenant, []).append(grant.consent)
    found = {tenant: find_common_refusal(rows) for tenant, rows in by_tenant.items()}
    return {tenant: each for tenant, each in found.items() if each is not None}


def count_dead_letters(engine: Engine) -> DeadLetterCounts:
    """Count the open dead letters, and find the newest."""
    found = list(find_open_letters(engine.log).values())
    if not found:
        return DeadLetterCounts(0)
    newest = found[-1].letter
    return DeadLetterCounts(len(found), newest.failed_at_ms, newest.id, mask_text(newest.reason))


def count_open_prompts(engine: Engine, *, grace_ms: Callable[[str], int], now_ms: int) -> int:
    """Count the open prompts of all organisations."""
    newest: dict[bytes, bytes | None] = {}
    for partition in range(engine.log.partitions):
        newest |= {record.key: record.value for record in read_all(engine.log, MEETING_STATE.name, partition)}
    newest.pop(POSITION_KEY, None)
    by_tenant: dict[str, dict[bytes, bytes]] = {}
    for key, value in newest.items():
        if value is not None:
            by_tenant.setdefault(key.decode().partition("/")[0], {})[key] = value
    return sum(_count_prompts(engine, tenant, records, grace_ms, now_ms) for tenant, records in by_tenant.items())


def count_confirmed(engine: Engine, *, now_ms: int) -> ConfirmedStates:
    """Count the states of rooms on dates that begin within a day, of all organisations, and the confirmed ones among them."""
    found = ConfirmedStates()
    for tenant in list_tenants(engine.registry):
        with contextlib.suppress(KeyDestroyedError):  # switched off: nothing of it is said
            found += read_confirmed(engine.view, engine.registry, engine.keyring.keys(tenant), now_ms)
    return found


def find_rebuilding_partitions(engine: Engine) -> list[int]:
    """Return the partitions of the view that have applied nothing of the present topic, although it has records."""
    topic_id = engine.log.topic_id(MEETING_STATE.name)
    found = []
    for partition in range(engine.log.partitions):
        applied = engine.view.applied(partition)
        if applied is None or applied.topic_id != topic_id:
            span = engine.log.span(MEETING_STATE.name, partition)
            found += [partition] if span.end > span.begin else []
    return found


def _count(counts: MailboxCounts, state: MailboxState, reconcile_ms: int, now_ms: int) -> None:
    word = state_of(state)
    counts.held += word != "leaving"
    counts.connecting += word == "connecting"
    counts.failing += word == "failing"
    counts.stale += is_stale(state, reconcile_ms, now_ms)
    counts.doubted += state.connected and state.doubted_at_ms > 0
    counts.heard_at_ms = max(counts.heard_at_ms, state.heard_at_ms)
    counts.looked_at_ms = max(counts.looked_at_ms, state.looked_at_ms)
    if state.connected and state.baseline_done:
        counts.oldest_look_ms = min(counts.oldest_look_ms or state.looked_at_ms, state.looked_at_ms)
        _count_subscription(counts, state, now_ms)


def _count_subscription(counts: MailboxCounts, state: MailboxState, now_ms: int) -> None:
    live = state.subscription
    if live is None or live.expires_at_ms <= now_ms:
        counts.unwatched += 1
    elif live.expires_at_ms <= now_ms + DAY_MS:
        counts.expiring += 1
        counts.late += now_ms > renew_at(live) + HOUR_MS


def _count_prompts(
    engine: Engine, tenant: str, records: Mapping[bytes, bytes], grace_ms: Callable[[str], int], now_ms: int
) -> int:
    try:
        keys = engine.keyring.keys(tenant)
    except KeyDestroyedError:
        return 0
    dismissed = _dismissed(engine.registry, tenant)
    meetings = _opened(records, keys)
    return sum(
        portal.count_open_prompts(
            each, keys, now_ms=now_ms, grace_ms=grace_ms(each.record.provider), dismissed=dismissed
        )
        for each in meetings
    )


def _dismissed(registry: Registry, tenant: str) -> dict[str, set[str]]:
    """Mailbox → the declines whose prompts its person has put away. A row's id begins with the decline."""
    mailboxes = {user: row.mailbox for user, row in tables.users(registry).scan(tenant)}
    found: dict[str, set[str]] = {}
    for name, row in tables.dismissals(registry).scan(tenant):
        if row.user in mailboxes:
            found.setdefault(mailboxes[row.user], set()).add(name.partition("/")[0])
    return found


def _opened(records: Mapping[bytes, bytes], keys: TenantKeys) -> Iterator[StoredMeeting]:
    """Each meeting with its copies; what cannot be read is left out."""
    meetings: dict[bytes, StoredMeeting] = {}
    copies: dict[bytes, dict[str, CopyRecord]] = {}
    for key, value in records.items():
        meeting, mailbox = parts_of(key)
        try:
            if mailbox:
                copies.setdefault(meeting, {})[mailbox] = open_copy(key, value, keys)
            else:
                meetings[meeting] = open_meeting(key, value, keys)
        except (KeyDestroyedError, MalformedRecordError):
            continue
    for key, each in meetings.items():
        yield StoredMeeting(each.record, copies.get(key) or each.copies)
