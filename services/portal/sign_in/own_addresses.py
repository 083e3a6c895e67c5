"""What the provider's directory says of the addresses of somebody who signs in: asked as them, once a day at most."""

from __future__ import annotations

import msgspec

from services.portal.deps import Deps
from shared.contracts.rows import UserRow
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import DAY_MS
from shared.errors import ConsentRevokedError, KeyDestroyedError, RefusedError, RetryableError
from shared.grants.grant import IN_USE
from shared.organisations.addresses import keep_directory_addresses
from shared.registry import tables
from shared.runtime.logging import get_logger

_log = get_logger()


def refresh_addresses(deps: Deps, tenant: str, user: str, *, now: bool = False) -> bool:
    """
    Keep the addresses that the directory has of a person whose calendar is connected; a failure changes nothing.

    Args:
        deps: Stores, keys and providers.
        tenant: Their organisation.
        user: Who has just signed in.
        now: Whether to ask although it was asked within a day: they have just given the permission to.

    Returns:
        Whether the directory has named their addresses.
    """
    row = tables.users(deps.engine.registry).get(tenant, user)
    grant = tables.consents(deps.engine.registry).get(tenant, row.mailbox) if row else None
    if row is None or grant is None or grant.state not in IN_USE or not (now or _is_due(row, deps.clock.now_ms())):
        return False
    _note_asking(deps, tenant, user)  # first: a directory that does not answer delays one sign-in of theirs a day
    calendar = deps.providers[Provider(row.provider)]
    try:
        found = deps.broker.using(Mailbox(tenant, row.mailbox), calendar.own_addresses)
        if found.known:
            keep_directory_addresses(deps.engine.registry, deps.engine.keyring, tenant, user, found)
        return bool(found.known)
    except (ConsentRevokedError, KeyDestroyedError, RefusedError, RetryableError) as error:
        _log.info("addresses_not_read", tenant=tenant, user=user, kind=type(error).__name__)
        return False


def _is_due(row: UserRow, now_ms: int) -> bool:
    return now_ms - row.addresses_at_ms >= DAY_MS


def _note_asking(deps: Deps, tenant: str, user: str) -> None:
    at_ms = deps.clock.now_ms()
    tables.users(deps.engine.registry).change(
        tenant, user, lambda row: msgspec.structs.replace(row, addresses_at_ms=at_ms) if row else None
    )
