"""Who signed in with an address that was appointed: shown to who appoints, confirmed or refused, and without a right until then."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.rows import AppointmentRow, CandidateEntry
from shared.crypto.sealing import seal, unseal
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.organisations.appointments import grant_role
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables

MOST_CANDIDATES = 8
"""Of one appointment: the oldest goes. Two are usual (one account in each calendar system)."""
_MOST_REFUSED = 64


class Account(msgspec.Struct, frozen=True):
    """An account as its provider described it at its last sign-in."""

    provider: str
    subject: str
    """Entra's object id, Google's `sub`."""
    address: str
    name: str = ""
    """As its person or directory wrote it: to be recognised by, and proof of nothing."""


class Candidate(msgspec.Struct, frozen=True):
    """An account that waits to be confirmed, for those who appoint."""

    appointment: str
    user: str
    roles: tuple[str, ...]
    at_ms: int
    """When it signed in; 0: before it was appointed."""
    account: Account | None
    """None when its key is gone: it is described anew when it signs in again."""


def propose(
    registry: Registry, keyring: Keyring, tenant: str, row_id: str, user: str, account: Account, *, at_ms: int
) -> None:
    """
    Make `user` a candidate of the appointment `row_id`, if there is one and it has not been answered for them.

    Args:
        registry: Where appointments stand.
        keyring: Holds the tenant's consent key.
        tenant: Their organisation.
        row_id: `people.appointment_id` of the account's address.
        user: Their user id.
        account: As their provider describes them.
        at_ms: When they signed in; 0: before they were appointed.
    """
    sealed = seal(keyring.consent_key(tenant), msgspec.json.encode(account), purpose=_purpose(tenant, row_id, user))
    entry = CandidateEntry(provider=account.provider, sealed=sealed, at_ms=at_ms)

    def proposed(row: AppointmentRow | None) -> AppointmentRow | None:
        if row is None or not row.roles or user in row.refused or account.provider in row.confirmed:
            return None
        latest = [each for each in row.candidates.items() if each[0] != user][-(MOST_CANDIDATES - 1) :]
        return msgspec.structs.replace(row, candidates=dict([*latest, (user, entry)]))

    tables.appointments(registry).change(tenant, row_id, proposed)


def candidates(registry: Registry, keyring: Keyring, tenant: str) -> Iterator[Candidate]:
    """Everybody of the organisation who waits to be confirmed."""
    for row_id, row in tables.appointments(registry).scan(tenant):
        for user, entry in row.candidates.items() if row.roles else ():
            found = _account(keyring, tenant, row_id, user, entry)
            yield Candidate(row_id, user, row.roles, entry.at_ms, found)


def confirm(
    registry: Registry, keyring: Keyring, tenant: str, row_id: str, user: str, roles: Collection[str], in_use: str
) -> bool:
    """
    Give the candidate `user` the appointment's rights, for good.

    Args:
        registry: Where people and appointments stand.
        keyring: Holds the tenant's consent key.
        tenant: Their organisation.
        row_id: The appointment.
        user: The candidate.
        roles: What the one who confirms was shown; other roles than these are not given.
        in_use: The organisation's calendar system: once its account is confirmed, and none waits, the appointment is over.

    Returns:
        False, and nothing is changed: they are no such candidate (any more), the roles are others, or nobody can read who they are.
    """
    table = tables.appointments(registry)
    row = table.get(tenant, row_id)
    entry = row.candidates.get(user) if row else None
    if row is None or entry is None or set(row.roles) != set(roles):
        return False
    if _account(keyring, tenant, row_id, user, entry) is None or not grant_role(registry, tenant, user, *roles):
        return False

    def answered(now: AppointmentRow | None) -> AppointmentRow | None:
        return _without(now, user, confirmed=entry.provider) if now else None

    left = table.change(tenant, row_id, answered)
    if left is not None and not left.candidates and in_use in left.confirmed:
        table.delete(tenant, row_id)
    return True


def refuse(registry: Registry, tenant: str, row_id: str, user: str) -> bool:
    """Refuse the candidate `user`: the appointment goes on waiting for somebody else. Returns whether they were one."""
    refused = False

    def answered(row: AppointmentRow | None) -> AppointmentRow | None:
        nonlocal refused
        refused = row is not None and user in row.candidates
        return _without(row, user, refused=user) if row and refused else None

    tables.appointments(registry).change(tenant, row_id, answered)
    return refused


def _without(row: AppointmentRow, user: str, *, confirmed: str = "", refused: str = "") -> AppointmentRow:
    rest = {name: entry for name, entry in row.candidates.items() if name != user and entry.provider != confirmed}
    done = tuple(sorted({*row.confirmed, confirmed} - {""}))
    kept = (*row.refused, *filter(None, [refused]))[-_MOST_REFUSED:]
    return msgspec.structs.replace(row, candidates=rest, confirmed=done, refused=kept)


def _account(keyring: Keyring, tenant: str, row_id: str, user: str, entry: CandidateEntry) -> Account | None:
    try:
        plain = unseal(keyring.consent_key(tenant), entry.sealed, purpose=_purpose(tenant, row_id, user))
        return read_json(plain, Account)
    except (KeyDestroyedError, MalformedRecordError):
        return None


def _purpose(tenant: str, row_id: str, user: str) -> str:
    return f"candidate/{tenant}/{row_id}/{user}"
