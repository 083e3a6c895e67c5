"""
Who administers an organisation: appointing by address, confirming who signed in with it, and dismissing.

Rights follow the account (Entra's object id, Google's `sub`), never the address: that only says who was meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from shared.contracts.rows import UserRow
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Role
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants.vault import ConsentVault
from shared.language.deciding.sentences import say
from shared.organisations.appointments import appoint, dismiss, list_appointed
from shared.organisations.candidates import Account, Candidate, candidates, confirm, propose, refuse
from shared.organisations.people import appointment_id, short_account
from shared.registry import tables

MAX_APPOINTMENTS = 1_000
"""Addresses of one organisation that somebody was appointed by and has not been confirmed for."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """One line of the page."""

    id: str
    """Of the person, or of the appointment of somebody who has not come yet."""
    address: str
    """"" when it cannot be read any more."""
    roles: tuple[str, ...]
    came: bool
    """Whether they have the roles; otherwise they have not come, or not been confirmed."""


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """Somebody who signed in with an address that was appointed, as the page shows them."""

    appointment: str
    user: str
    roles: tuple[str, ...]
    provider: str
    name: str
    """"" when it is not known."""
    address: str
    account: str
    """The directory's id of their account, in short; "" when nobody can read it any more."""
    at: str | None
    """When they signed in; None: before they were appointed."""


class AdministratorList:
    """What one subscription administrator may do with the list. Every method raises StoreUnavailableError."""

    def __init__(self, deps: Deps, person: Person) -> None:
        self._deps = deps
        self._person = person
        self._users = tables.users(deps.engine.registry)

    def all(self) -> list[Administrator]:
        """Those who have a role, and those who will when they come; nobody else is listed."""
        engine, tenant = self._deps.engine, self._person.tenant
        waiting = (
            Administrator(row_id, address, row.roles, came=False)
            for row_id, row, address in list_appointed(engine.registry, engine.keyring, tenant)
        )
        return sorted([*self._came(), *waiting], key=lambda each: (not each.came, each.address))

    def candidates(self) -> list[ShownCandidate]:
        """Who waits to be confirmed, the latest first."""
        engine = self._deps.engine
        found = candidates(engine.registry, engine.keyring, self._person.tenant)
        return [_shown(each) for each in sorted(found, key=lambda each: (-each.at_ms, each.user))]

    def appoint(self, address: str, role: Role) -> None:
        """
        Mean `role` for whoever has that address: accounts that have signed in with it, or do later, wait to be confirmed.

        One address may be two accounts, one of each calendar system: each is confirmed by itself.

        Args:
            address: In lower case.
            role: One that can be given.

        Raises:
            ProblemError: 409, as many addresses as may wait already.
        """
        engine, tenant = self._deps.engine, self._person.tenant
        known, in_use = self._accounts_at(address), read_organisation(self._deps, self._person.tenant)
        lacking = {user: row for user, row in known.items() if role not in row.roles}
        if not lacking and in_use.provider in {row.provider for row in known.values()}:
            return
        self._check_space(appointment_id(in_use, address))
        row_id = appoint(engine.registry, engine.keyring, tenant, in_use, address, role)
        for user, row in lacking.items():
            account = Account(row.provider, row.subject, address)
            propose(engine.registry, engine.keyring, tenant, row_id, user, account, at_ms=0)
        entries.record(self._deps, self._person, "role.offered", about=row_id, outcome=role.value)

    def confirm(self, row_id: str, user: str, roles: Collection[str]) -> None:
        """
        Give a candidate the rights of the appointment, as they were shown.

        Raises:
            ProblemError: 409, they do not wait for these any more, or nobody can read who they are.
        """
        engine, tenant = self._deps.engine, self._person.tenant
        in_use = read_organisation(self._deps, self._person.tenant).provider
        if not confirm(engine.registry, engine.keyring, tenant, row_id, user, roles, in_use):
            raise _no_candidate()
        for role in roles:
            entries.record(self._deps, self._person, "role.given", about=user, outcome=role)

    def refuse(self, row_id: str, user: str) -> None:
        """Refuse a candidate. Raises ProblemError: 409, they do not wait any more."""
        if not refuse(self._deps.engine.registry, self._person.tenant, row_id, user):
            raise _no_candidate()
        entries.record(self._deps, self._person, "role.refused", about=user)

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

    def _check_space(self, row_id: str) -> None:
        table = tables.appointments(self._deps.engine.registry)
        if table.get(self._person.tenant, row_id) is not None:
            return
        if sum(1 for _ in table.scan(self._person.tenant)) < MAX_APPOINTMENTS:
            return
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "appointments-full",
            say("{count} addresses wait for their people already, and more are not kept.").format(
                count=f"{MAX_APPOINTMENTS:,}"
            ),
            next_step=say("Dismiss some of those who have not come, then appoint this one: /admin/people"),
        )

    def _check_appointed(self, row_id: str, role: Role) -> None:
        row = tables.appointments(self._deps.engine.registry).get(self._person.tenant, row_id)
        if row is None or role not in row.roles:
            raise _nobody()

    def _chiefs(self) -> set[str]:
        return {user for user, row in self._having_rights().items() if Role.SUBSCRIPTION_ADMIN in row.roles}

    def _having_rights(self) -> Mapping[str, UserRow]:
        return self._users.find(self._person.tenant, {tables.ADMINISTRATORS})

    def _came(self) -> Iterator[Administrator]:
        vault = ConsentVault(self._deps.engine.keyring)
        for user, row in self._having_rights().items():
            try:
                address = vault.address_of(self._person.tenant, user, row)
            except (KeyDestroyedError, MalformedRecordError):
                address = ""
            yield Administrator(user, address, row.roles, came=True)

    def _accounts_at(self, address: str) -> Mapping[str, UserRow]:
        """User id → row of everybody who signed in with that address last, or is known by it as well."""
        tenant = self._person.tenant
        return self._users.find(tenant, {self._deps.engine.keyring.create(tenant).person(address)})


def _with(row: UserRow | None, role: Role) -> UserRow | None:
    return msgspec.structs.replace(row, roles=tuple(sorted({*row.roles, role.value}))) if row else None


def _without(row: UserRow | None, role: Role) -> UserRow | None:
    return msgspec.structs.replace(row, roles=tuple(word for word in row.roles if word != role)) if row else None


def _shown(each: Candidate) -> ShownCandidate:
    account = each.account
    return ShownCandidate(
        appointment=each.appointment,
        user=each.user,
        roles=each.roles,
        provider=account.provider if account else "",
        name=account.name if account else "",
        address=account.address if account else "",
        account=short_account(account.subject) if account else "",
        at=to_rfc3339(each.at_ms) if each.at_ms else None,
    )


def _nobody() -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "no-such-appointment",
        say("Nobody has this role there."),
        next_step=say("See /admin/people"),
    )


def _no_candidate() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "no-candidate",
        say("Nobody waits for this confirmation any more, or it is for other roles than you were shown."),
        next_step=say("Reload /admin/people; if an account cannot be read, have its person sign in again."),
    )


def _last_one() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "last-subscription-admin",
        say("There has to be one subscription administrator at least."),
        next_step=say("Appoint somebody else first, and wait until they have signed in."),
    )
