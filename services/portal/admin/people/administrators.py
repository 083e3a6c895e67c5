"""Who administers an organisation: appointing and dismissing, by address, also before somebody has signed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from services.portal.admin.audit import entries
from services.portal.admin.integration.overview import organisation
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from shared.contracts.rows import UserRow
from shared.domain.roles import Role
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants.vault import ConsentVault
from shared.organisations.appointments import appoint, appointed, dismiss
from shared.registry import tables

APPOINTABLE = (Role.SUBSCRIPTION_ADMIN, Role.BUILDING_ADMIN)
MAX_ADDRESS_CHARS = 320


@dataclass(frozen=True, slots=True)
class Administrator:
    """One line of the page."""

    id: str
    """Of the person, or of the appointment of somebody who has not come yet."""
    address: str
    """"" when it cannot be read any more."""
    roles: tuple[str, ...]
    came: bool
    """Whether they have signed in since."""


class AdministratorList:
    """One subscription administrator's hand on the list. Every method raises StoreUnavailableError."""

    def __init__(self, deps: Deps, person: Person) -> None:
        """Nothing is read yet."""
        self._deps = deps
        self._person = person
        self._users = tables.users(deps.engine.registry)

    def all(self) -> list[Administrator]:
        """Those who have a role, and those who will when they come; nobody else is listed."""
        engine, tenant = self._deps.engine, self._person.tenant
        waiting = (
            Administrator(row_id, address, row.roles, came=False)
            for row_id, row, address in appointed(engine.registry, engine.keyring, tenant)
        )
        return sorted([*self._came(), *waiting], key=lambda each: (not each.came, each.address))

    def appoint(self, address: str, role: Role) -> None:
        """
        Give `role` to whoever has that address, now or when they come.

        One address may be two accounts, one of each calendar system: every account has the role, and one of the system in use
        that has not come yet gets it when it does.

        Raises:
            ProblemError: 422, it is no address.
        """
        wanted = _checked(address)
        engine, tenant = self._deps.engine, self._person.tenant
        known, in_use = self._accounts_at(wanted), organisation(self._deps, self._person)
        given = list(known)
        for user in known:
            self._users.change(tenant, user, lambda row: _with(row, role))
        if in_use.provider not in known.values():
            given.append(appoint(engine.registry, engine.keyring, tenant, in_use, wanted, role))
        for row_id in given:
            entries.record(self._deps, self._person, "role.given", about=row_id, outcome=role.value)

    def dismiss(self, row_id: str, role: Role) -> None:
        """
        Take `role` away, at once: it is read with every request.

        Raises:
            ProblemError: 404; 409 for the last subscription administrator.
        """
        if row_id.startswith("a-"):
            self._check_appointed(row_id, role)
            dismiss(self._deps.engine.registry, self._person.tenant, row_id, role)
        else:
            self._dismiss(row_id, role)
        entries.record(self._deps, self._person, "role.taken", about=row_id, outcome=role.value)

    def _dismiss(self, user: str, role: Role) -> None:
        tenant = self._person.tenant
        row = self._users.get(tenant, user)
        if row is None or role not in row.roles:
            raise _nobody()
        if role is Role.SUBSCRIPTION_ADMIN and self._chiefs() == {user}:
            raise _last_one()
        self._users.change(tenant, user, lambda row: _without(row, role))
        if role is Role.SUBSCRIPTION_ADMIN and not self._chiefs():
            # Two took it from each other at the same moment: this one gives it back.
            self._users.change(tenant, user, lambda row: _with(row, role))
            raise _last_one()

    def _check_appointed(self, row_id: str, role: Role) -> None:
        row = tables.appointments(self._deps.engine.registry).get(self._person.tenant, row_id)
        if row is None or role not in row.roles:
            raise _nobody()

    def _chiefs(self) -> set[str]:
        return {user for user, row in self._users.scan(self._person.tenant) if Role.SUBSCRIPTION_ADMIN in row.roles}

    def _came(self) -> Iterator[Administrator]:
        vault = ConsentVault(self._deps.engine.keyring)
        for user, row in self._users.scan(self._person.tenant):
            if not row.roles:
                continue
            try:
                address = vault.address_of(self._person.tenant, user, row)
            except (KeyDestroyedError, MalformedRecordError):
                address = ""
            yield Administrator(user, address, row.roles, came=True)

    def _accounts_at(self, address: str) -> dict[str, str]:
        """User id → provider of everybody who has signed in with that address."""
        vault, found = ConsentVault(self._deps.engine.keyring), {}
        for user, row in self._users.scan(self._person.tenant):
            try:
                if vault.address_of(self._person.tenant, user, row) == address:
                    found[user] = row.provider
            except (KeyDestroyedError, MalformedRecordError):
                continue  # sealed by a key that is gone: they get their role when they sign in again
        return found


def _with(row: UserRow | None, role: Role) -> UserRow | None:
    return msgspec.structs.replace(row, roles=tuple(sorted({*row.roles, role.value}))) if row else None


def _without(row: UserRow | None, role: Role) -> UserRow | None:
    return msgspec.structs.replace(row, roles=tuple(word for word in row.roles if word != role)) if row else None


def _checked(address: str) -> str:
    wanted = address.strip().lower()
    local, _, domain = wanted.rpartition("@")
    if not local or not domain or len(wanted) > MAX_ADDRESS_CHARS or any(sign.isspace() for sign in wanted):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-address",
            "This is not an e-mail address.",
            next_step="Give the address of the work account they sign in with.",
        )
    return wanted


def _nobody() -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, "no-such-role", "Nobody has this role there.", next_step="See /admin/people"
    )


def _last_one() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "last-subscription-admin",
        "There has to be one subscription administrator at least.",
        next_step="Appoint somebody else first, and wait until they have signed in.",
    )
