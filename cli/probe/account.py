"""Finds the connected person whose grant the probe uses, and opens an access token of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cli.common.mailboxes import CONNECTED, read_grants
from shared.domain.identity import Mailbox, Provider
from shared.domain.sighting import Access
from shared.errors import KeyDestroyedError
from shared.grants.broker import ConsentBroker
from shared.grants.vault import ConsentVault
from shared.ports.engine import Engine
from shared.registry.tables import users
from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings


def find_person(engine: Engine, provider: Provider, address: str) -> Mailbox:
    """
    Return the mailbox of the connected person with this address; without one, of the only person connected.

    Raises:
        click.UsageError: there is no such person, or several are connected and none was named.
    """
    connected = dict(_connected(engine, provider))
    chosen = [mailbox for mailbox, known in connected.items() if not address or known.lower() == address.lower()]
    if len(chosen) == 1:
        return chosen[0]
    if address or not connected:
        who = address or "nobody"
        message = f"{who} is not connected at {provider}: sign in at roomsync's pages, connect the calendar, try again"
    else:
        message = f"{len(connected)} people are connected at {provider}: name a test account with --person ADDRESS"
    raise click.UsageError(message)


def open_access(engine: Engine, settings: Settings, mailbox: Mailbox) -> Access:
    """Return an access token of the person. Raises RoomsyncError: the grant is over, suspended, or cannot be refreshed."""
    broker = ConsentBroker(engine.registry, engine.keyring, settings, SystemClock())
    try:
        return broker.access(mailbox)
    finally:
        broker.close()


def _connected(engine: Engine, provider: Provider) -> Iterator[tuple[Mailbox, str]]:
    """Mailbox and address of everybody connected at the provider."""
    vault, people = ConsentVault(engine.keyring), users(engine.registry)
    for grant in read_grants(engine.registry):
        if grant.consent.provider != provider or grant.consent.state not in CONNECTED:
            continue
        row = people.get(grant.mailbox.tenant, grant.consent.user)
        try:
            if row is not None:
                yield grant.mailbox, vault.address_of(grant.mailbox.tenant, grant.consent.user, row)
        except KeyDestroyedError:
            continue  # their organisation was switched off
