"""Grants while their organisation's integration is switched off: kept for 120 hours, used for nothing, and woken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.contracts.command import Command, Connect, Sleep
from shared.contracts.rows import ConsentRow, ConsentState, IntegrationState, TenantRow
from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS
from shared.grants import grant
from shared.ports.registry import Registry
from shared.registry import tables

SLEEP_MS = 120 * HOUR_MS
"""How long grants outlive the integration: five days, to the millisecond."""

Send = Callable[[Mailbox, Command], None]


def is_off(row: TenantRow) -> bool:
    """Whether nobody's calendar may be looked at."""
    return row.integration is not IntegrationState.ENABLED


def switched_off_at_ms(row: TenantRow) -> int:
    """When it was switched off; means something while consents sleep."""
    return row.sleep_until_ms - SLEEP_MS


def is_awake(row: ConsentRow) -> bool:
    """Whether the grant has not been put to sleep, and is not gone either."""
    return row.state not in {ConsentState.SLEEPING, ConsentState.REVOKED}


def people(registry: Registry, tenant: str) -> Iterator[tuple[Mailbox, ConsentRow]]:
    """
    Every person's own grant; a test's belongs to nobody's calendar and is left out.

    So are rows that are refused: nobody looks with such a grant, and switching off must not fail for it.
    """
    own = {row.mailbox for _, row in tables.users(registry).scan_readable(tenant)}
    for mailbox, row in tables.consents(registry).scan_readable(tenant):
        if mailbox in own:
            yield Mailbox(tenant, mailbox), row


def put_to_sleep(registry: Registry, mailbox: Mailbox) -> bool:
    """
    The grant is kept, and used for nothing, until the organisation's sleep is over. Idempotent.

    Returns:
        Whether the mailbox may be looked at: False while the integration is off; True when it has been enabled meanwhile.
    """
    row = tables.tenants(registry).get(mailbox.tenant, "tenant")
    if row is None or not is_off(row):
        return row is not None
    until_ms = row.sleep_until_ms
    if not until_ms:
        tables.consents(registry).delete(mailbox.tenant, mailbox.id)
        return False
    tables.consents(registry).change(
        mailbox.tenant,
        mailbox.id,
        lambda now: grant.put_to_sleep(now, until_ms) if now else None,
        not_after_ms=grant.deadline,
    )
    row = tables.tenants(registry).get(mailbox.tenant, "tenant")
    if row is None or is_off(row):
        return False
    now_ms = until_ms - SLEEP_MS  # enabled while this was written: whoever woke the others may have missed this one
    tables.consents(registry).change(
        mailbox.tenant, mailbox.id, lambda now: grant.wake_up(now, now_ms) if now else None
    )
    return True


def send_all_to_sleep(registry: Registry, tenant: str, *, send: Send, now_ms: int) -> int:
    """Ask every connected mailbox's owner to let go; returns how many were asked."""
    awake = [mailbox for mailbox, row in people(registry, tenant) if is_awake(row)]
    for mailbox in awake:
        send(mailbox, Sleep(at_ms=now_ms))
    return len(awake)


def wake_all(registry: Registry, tenant: str, *, send: Send, now_ms: int) -> int:
    """
    Have every calendar that slept connected again, without its person doing anything. Idempotent.

    Call it once the data keys are the new ones (`finish_erasure`). Whoever slept with another calendar system than the
    organisation's sleeps on: only one is on at a time. So does whoever wants to be gone: their grant is kept for ending
    a subscription with, and is forgotten once that has been done.

    Returns:
        How many were woken.
    """
    organisation = tables.tenants(registry).get(tenant, "tenant")
    if organisation is None:
        return 0
    woken = 0
    for mailbox, row in list(people(registry, tenant)):
        stays = row.leaving_at_ms or row.provider != organisation.provider
        if row.state is ConsentState.SLEEPING and not stays:
            # The command first: should this process die in between, waking again finds the row asleep.
            send(mailbox, Connect(at_ms=now_ms))
            tables.consents(registry).change(
                mailbox.tenant, mailbox.id, lambda now: grant.wake_up(now, now_ms) if now else None
            )
            woken += 1
    return woken
