"""Which mailboxes are connected, by the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.identity import Mailbox
from shared.organisations.enrolment import NOBODY
from shared.ports.registry import Registry
from shared.registry.tables import consents, directories

CONNECTED = frozenset((ConsentState.CONNECTING, ConsentState.ACTIVE, ConsentState.FAILING))


@dataclass(frozen=True, slots=True)
class Connected:
    """One person's grant and the mailbox it opens."""

    mailbox: Mailbox
    consent: ConsentRow


def tenants_of(registry: Registry) -> Iterator[str]:
    """Every tenant that was ever enrolled, once."""
    yield from sorted({row.tenant for _, row in directories(registry).scan(NOBODY)})


def grants(registry: Registry) -> Iterator[Connected]:
    """Every person's grant, whatever its state."""
    for tenant in tenants_of(registry):
        for mailbox, row in consents(registry).scan(tenant):
            yield Connected(Mailbox(tenant, mailbox), row)


def connected(registry: Registry, provider: str) -> list[Mailbox]:
    """Mailboxes at `provider` whose owner is connected at the moment."""
    return [
        grant.mailbox
        for grant in grants(registry)
        if grant.consent.provider == provider and grant.consent.state in CONNECTED
    ]
