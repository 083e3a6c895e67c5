"""Finds the mailboxes whose owners have connected them, in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cli.common.refused_rows import RefusedRows
from shared.contracts.rows import ConsentRow
from shared.domain.identity import Mailbox
from shared.grants.grant import IN_USE
from shared.organisations.enrolment import NOBODY
from shared.ports.registry import Registry
from shared.registry.tables import consents, directories

CONNECTED = IN_USE


@dataclass(frozen=True, slots=True)
class GrantedMailbox:
    """One person's grant and the mailbox it opens."""

    mailbox: Mailbox
    consent: ConsentRow


def list_tenants(registry: Registry) -> Iterator[str]:
    """Yield the id of every tenant that was ever enrolled, once, sorted. A row that is refused is named, and left out."""
    yield from sorted({row.tenant for _, row in directories(registry).scan_readable(NOBODY, RefusedRows())})


def list_readable_tenants(registry: Registry) -> list[str]:
    """Return the ids of all tenants whose row can be read, once, sorted: what is refused is for `roomsync doctor` to say."""
    return sorted({row.tenant for _, row in directories(registry).scan_readable(NOBODY)})


def read_grants(registry: Registry) -> Iterator[GrantedMailbox]:
    """Yield every person's grant, whatever its state; one that is refused is named, and left out. Raises StoreUnavailableError."""
    refuse = RefusedRows()
    for tenant in list_tenants(registry):
        for mailbox, row in consents(registry).scan_readable(tenant, refuse):
            yield GrantedMailbox(Mailbox(tenant, mailbox), row)


def find_connected_mailboxes(registry: Registry, provider: str) -> list[Mailbox]:
    """Return the mailboxes at `provider` whose grant is connecting, active or failing."""
    return [
        grant.mailbox
        for grant in read_grants(registry)
        if grant.consent.provider == provider and grant.consent.state in CONNECTED
    ]
