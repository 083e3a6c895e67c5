"""
One person by all their addresses.

Who somebody is, their account says (Entra's object id, Google's `sub`). Invitations name them by an address, which need not be
the one they sign in with: all that are known are kept as keyed hashes, and find them wherever an address is looked up. No right
follows from one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from shared.contracts.rows import UserRow
from shared.domain.sighting import OwnAddresses
from shared.grants.vault import ConsentVault
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables

MOST_ALIASES = 64
"""Kept of one person: beyond them the earliest found go."""


def people_by_address(users: Iterable[tuple[str, UserRow]]) -> Mapping[str, tuple[str, UserRow]]:
    """
    Keyed hash of an address → user id and row of whose it is; of all people, or of all who are known by the addresses asked for.

    An address that somebody signs in with is theirs, whoever had it before; one that two others claim is nobody's.
    """
    signing_in: dict[str, tuple[str, UserRow]] = {}
    others: dict[str, tuple[str, UserRow] | None] = {}
    for user, row in users:
        signing_in[row.person] = (user, row)
        for alias in row.aliases:
            others[alias] = None if alias in others else (user, row)
    return {alias: whose for alias, whose in others.items() if whose is not None} | signing_in


def keep_directory_addresses(registry: Registry, keyring: Keyring, tenant: str, user: str, found: OwnAddresses) -> None:
    """
    Keep what the directory says of a person's addresses, in place of what it said before.

    Args:
        registry: Where people stand.
        keyring: Holds their organisation's keys.
        tenant: Their organisation.
        user: Their user id.
        found: As the directory lists them.

    Raises:
        KeyDestroyedError: the organisation was switched off.
    """
    keys = keyring.keys(tenant)
    hashes = [keys.person(address) for address in found.known]
    mail = ConsentVault(keyring).seal_mail(tenant, user, found.mail)
    mail_hash = keys.person(found.mail) if found.mail else ""

    def kept(row: UserRow | None) -> UserRow | None:
        if row is None:
            return None
        return msgspec.structs.replace(
            row,
            aliases=_bounded(row.person, hashes),
            mail_sealed=mail if mail_hash != row.person else b"",
        )

    tables.users(registry).change(tenant, user, kept)


def add_aliases(registry: Registry, tenant: str, user: str, hashes: Collection[str]) -> None:
    """Keep further keyed hashes of a person's addresses; nothing is written where all are known."""

    def added(row: UserRow | None) -> UserRow | None:
        if row is None or row.hashes.issuperset(hashes):
            return None
        return msgspec.structs.replace(row, aliases=_bounded(row.person, (*row.aliases, *sorted(hashes))))

    tables.users(registry).change(tenant, user, added)


def _bounded(person: str, hashes: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in dict.fromkeys(hashes) if each != person)[-MOST_ALIASES:]
