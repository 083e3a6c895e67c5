"""What becomes of an organisation's data and consents after switching off: destroyed, re-made, woken or ended. From any process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import msgspec

from shared.contracts.command import Command, Connect, Sleep
from shared.contracts.erasure import KeyClass
from shared.contracts.rows import ConsentRow, ConsentState, IntegrationState, LeaseRow, RoomRow, TenantRow, UserRow
from shared.domain.identity import Mailbox
from shared.domain.instants import MINUTE_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants import grant
from shared.grants.vault import ConsentVault
from shared.organisations.integration import SLEEP_MS, Act, after
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables

_LEASE_MS = MINUTE_MS

Send = Callable[[Mailbox, Command], None]
Erase = Callable[[], None]


def is_off(row: TenantRow) -> bool:
    """Whether nobody's calendar may be looked at."""
    return row.integration is not IntegrationState.ENABLED


def switched_off_at_ms(row: TenantRow) -> int:
    """When it was switched off; means something while consents sleep."""
    return row.sleep_until_ms - SLEEP_MS


def people(registry: Registry, tenant: str) -> Iterator[tuple[Mailbox, ConsentRow]]:
    """Every person's own grant; a test's belongs to nobody's calendar and is left out."""
    own = {row.mailbox for _, row in tables.users(registry).scan(tenant)}
    for mailbox, row in tables.consents(registry).scan(tenant):
        if mailbox in own:
            yield Mailbox(tenant, mailbox), row


def is_awake(row: ConsentRow) -> bool:
    """Whether the grant has not been put to sleep, and is not gone either."""
    return row.state not in {ConsentState.SLEEPING, ConsentState.REVOKED}


def unpair(registry: Registry, tenant: str) -> None:
    """Part every room from its calendar; the rows and the addresses stay. Idempotent."""
    table = tables.rooms(registry)
    for room_id, _ in table.scan(tenant):
        table.change(tenant, room_id, lambda row: msgspec.structs.replace(row, paired=False) if row else None)


def finish_erasure(registry: Registry, keyring: Keyring, tenant: str, *, erase: Erase, now_ms: int) -> bool:
    """
    Destroy the data keys that disabling doomed, and re-make under new ones what stays. Idempotent.

    Args:
        erase: Destroys the tenant's data keys, after putting that on record.
        now_ms: For the lease: no two processes do this at once.

    Returns:
        Whether nothing is left to be done; False while another process is at it.
    """
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is None or not row.doomed_era:
        return True
    with_lease = _leased(registry, tenant, "data", now_ms)
    if not with_lease:
        return False
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is not None and row.doomed_era:
        if _era(keyring, tenant) == row.doomed_era:
            erase()
        _remake(registry, keyring, tenant)
        tables.delete_with(registry, tenant, KeyClass.DATA)
        doomed = row.doomed_era
        tables.tenants(registry).change(tenant, "tenant", lambda now: _undoomed(now, doomed))
    tables.leases(registry).delete(tenant, "data")
    return True


def end_sleep(registry: Registry, keyring: Keyring, tenant: str, *, erase: Erase, now_ms: int) -> bool:
    """
    Once the 120 hours are over: destroy the consents' key, and delete the consents and everybody but the administrators.

    Args:
        erase: Destroys the tenant's consent key, after putting that on record.
        now_ms: Before `sleep_until_ms` nothing is done.

    Returns:
        Whether nothing is left to be done.
    """
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is None or not row.sleep_until_ms or now_ms < row.sleep_until_ms:
        return True
    if not _leased(registry, tenant, "consents", now_ms):
        return False
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is not None and row.sleep_until_ms and now_ms >= row.sleep_until_ms:
        erase()
        _delete_people(registry, tenant)
        keyring.create(tenant)
        tables.tenants(registry).change(tenant, "tenant", lambda now: _over(now, now_ms))
    tables.leases(registry).delete(tenant, "consents")
    return True


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
                mailbox.tenant, mailbox.id, lambda now: grant.awake(now, now_ms) if now else None
            )
            woken += 1
    return woken


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
        lambda now: grant.asleep(now, until_ms) if now else None,
        not_after_ms=grant.deadline,
    )
    row = tables.tenants(registry).get(mailbox.tenant, "tenant")
    if row is None or is_off(row):
        return False
    now_ms = until_ms - SLEEP_MS  # enabled while this was written: whoever woke the others may have missed this one
    tables.consents(registry).change(mailbox.tenant, mailbox.id, lambda now: grant.awake(now, now_ms) if now else None)
    return True


def send_all_to_sleep(registry: Registry, tenant: str, *, send: Send, now_ms: int) -> int:
    """Ask every connected mailbox's owner to let go; returns how many were asked."""
    awake = [mailbox for mailbox, row in people(registry, tenant) if is_awake(row)]
    for mailbox in awake:
        send(mailbox, Sleep(at_ms=now_ms))
    return len(awake)


def _leased(registry: Registry, tenant: str, what: str, now_ms: int) -> bool:
    row = LeaseRow(token=secrets.token_hex(8))
    return tables.leases(registry).add(tenant, what, row, not_after_ms=now_ms + _LEASE_MS)


def _era(keyring: Keyring, tenant: str) -> str:
    try:
        return keyring.keys(tenant).era
    except KeyDestroyedError:
        return ""


def _remake(registry: Registry, keyring: Keyring, tenant: str) -> None:
    keys = keyring.create(tenant)
    _rename_rooms(registry, tenant, keys)
    users, vault = tables.users(registry), ConsentVault(keyring)
    for user_id, row in list(users.scan(tenant)):
        try:
            person = keys.person(vault.address_of(tenant, user_id, row))
        except (KeyDestroyedError, MalformedRecordError):
            continue  # nobody can read their address any more: their next sign-in writes it anew
        users.change(tenant, user_id, lambda now, person=person: _named(now, person))  # type: ignore[misc]


def _rename_rooms(registry: Registry, tenant: str, keys: TenantKeys) -> None:
    table = tables.rooms(registry)
    for room_id, row in list(table.scan(tenant)):
        fresh = keys.room(row.address)
        if fresh != room_id:
            table.change(tenant, fresh, lambda there, row=row: there or _parted(row))  # type: ignore[misc]
            table.delete(tenant, room_id)


def _parted(row: RoomRow) -> RoomRow:
    return msgspec.structs.replace(row, paired=False)


def _named(row: UserRow | None, person: str) -> UserRow | None:
    return msgspec.structs.replace(row, person=person) if row else None


def _delete_people(registry: Registry, tenant: str) -> None:
    """A grant past its deadline is not shown by a scan: it is deleted by the name that its person gives it."""
    for _, row in tables.users(registry).scan(tenant):
        tables.consents(registry).delete(tenant, row.mailbox)
    tables.delete_with(registry, tenant, KeyClass.CONSENT)


def _undoomed(row: TenantRow | None, doomed: str) -> TenantRow | None:
    if row is None or row.doomed_era != doomed:
        return None
    return msgspec.structs.replace(row, doomed_era="")


def _over(row: TenantRow | None, now_ms: int) -> TenantRow | None:
    if row is None or not row.sleep_until_ms or now_ms < row.sleep_until_ms:
        return None
    if row.integration is IntegrationState.ENABLED:
        return msgspec.structs.replace(row, sleep_until_ms=0)
    return after(row, Act.SLEEP_OVER, now_ms)
