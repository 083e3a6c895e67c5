"""From a proven identity to a person of ours: their organisation, their row, their grant, and the wish to be connected."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import msgspec

from services.portal.deps import Deps
from services.portal.meetings.takes import append_command
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.own_addresses import refresh_addresses
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.contracts.command import Connect
from shared.contracts.rows import AppointmentRow, IntegrationState, TenantRow, UserRow
from shared.crypto.sealing import seal
from shared.domain.roles import Role
from shared.errors import LogUnavailableError, RefusedError
from shared.grants.oauth import Granted
from shared.organisations.appointments import appoint_account, list_appointed
from shared.organisations.candidates import Account, propose
from shared.organisations.enrolment import enrol, tenant_of
from shared.organisations.people import account_appointment_id, appointment_id, mailbox_id, user_id
from shared.providers.catalogue import profile_of
from shared.registry import tables
from shared.runtime.logging import get_logger

_log = get_logger()

FIRST = "first"
"""The appointment that says that somebody was the first of their organisation."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who was let in."""

    tenant: str
    user: str


def admit(deps: Deps, identity: Identity) -> Admitted:
    """
    Let a person in whose provider vouches for them, while their organisation has switched this on.

    Raises:
        RefusedSignInError: it has not, or it uses the other calendar system.
    """
    tenant, row = _enabled_tenant(deps, identity)
    user = enter(deps, tenant, row, identity)
    if refresh_addresses(deps, tenant, user):
        _propose(deps, tenant, row, user, identity)
    return Admitted(tenant, user)


def connect(deps: Deps, identity: Identity, grant: Granted, expected: str) -> Admitted:
    """
    Keep the grant of a person who is signed in, and have their calendar connected.

    Args:
        deps: Stores and keys.
        identity: As their provider vouches.
        grant: What they allowed.
        expected: The user who was sent to connect their own calendar.

    Raises:
        RefusedSignInError: their organisation has not switched this on, they are somebody else than was sent, or the grant
            will not last.
    """
    tenant, row = _enabled_tenant(deps, identity)
    if user_id(row, identity.provider, identity.subject) != expected:
        raise RefusedSignInError(Cause.OTHER_PERSON)
    user = enter(deps, tenant, row, identity)
    try:
        mailbox = deps.broker.store_grant(tenant, user, grant)
    except RefusedError as error:
        raise RefusedSignInError(Cause.NO_REFRESH_TOKEN) from error
    try:
        require_directory(deps, tenant, identity)
    except RefusedSignInError:
        deps.broker.forget(mailbox)
        raise
    if refresh_addresses(deps, tenant, user, now=True):
        _propose(deps, tenant, row, user, identity)
    _welcomed(deps, tenant, user)
    try:
        append_command(deps, mailbox, Connect(at_ms=deps.clock.now_ms()))
    except LogUnavailableError as error:  # the grant is kept, and the workers read off it what nobody could tell them
        _log.warning("connect_not_sent", tenant=tenant, mailbox=mailbox.id, error=str(error))
    return Admitted(tenant, user)


def _welcomed(deps: Deps, tenant: str, user: str) -> None:
    """Whoever has connected need not be asked whether they want to, not even after taking it back."""
    now_ms = deps.clock.now_ms()
    tables.users(deps.engine.registry).change(
        tenant,
        user,
        lambda row: msgspec.structs.replace(row, welcomed_at_ms=row.welcomed_at_ms or now_ms) if row else None,
    )


def recognise(deps: Deps, identity: Identity) -> Admitted:
    """
    Let a person in without a word about their calendar, whatever state the integration is in.

    Raises:
        RefusedSignInError: nobody has ever set this up for their organisation.
    """
    tenant, row = _tenant(deps, identity)
    return Admitted(tenant, enter(deps, tenant, row, identity))


def require_directory(deps: Deps, tenant: str, identity: Identity) -> None:
    """
    Ask once more whether the person's directory is the organisation's, after their session or grant was written.

    Whoever gives a directory up ends what its people have after letting nobody in any more: so that either finds the other.

    Raises:
        RefusedSignInError: it has been given up meanwhile.
    """
    if tenant_of(deps.engine.registry, identity.provider, identity.directory) != tenant:
        raise RefusedSignInError(Cause.NOT_ENABLED)


def _enabled_tenant(deps: Deps, identity: Identity) -> tuple[str, TenantRow]:
    tenant, row = _tenant(deps, identity)
    if row.integration is not IntegrationState.ENABLED:
        raise RefusedSignInError(Cause.NOT_ENABLED, contact=row.contact)
    if not _is_in_use(row, identity):
        raise RefusedSignInError(Cause.OTHER_CALENDAR, contact=row.contact)
    return tenant, row


def _is_in_use(row: TenantRow, identity: Identity) -> bool:
    """Whether the organisation connects calendars of the identity's directory, which has been found to be its own."""
    several = profile_of(identity.provider).several_directories
    return row.provider == identity.provider and (several or row.directory.lower() == identity.directory)


def _tenant(deps: Deps, identity: Identity) -> tuple[str, TenantRow]:
    engine = deps.engine
    tenant = tenant_of(engine.registry, identity.provider, identity.directory)
    if tenant is None and deps.settings.open_enrolment:
        name = identity.address.rpartition("@")[2]
        tenant = enrol(
            engine.registry, engine.keyring, provider=identity.provider, directory=identity.directory, name=name
        )
        if identity.administers:
            _appoint_first(deps, tenant, identity)
    row = tables.tenants(engine.registry).get(tenant, "tenant") if tenant else None
    if tenant is None or row is None:
        raise RefusedSignInError(Cause.NOT_ENABLED)
    return tenant, row


def _appoint_first(deps: Deps, tenant: str, identity: Identity) -> None:
    """Who administers the directory that they bring along administers it here; of two who race, one does. Others: the operator."""
    engine = deps.engine
    organisation = tables.tenants(engine.registry).get(tenant, "tenant")
    if organisation and tables.appointments(engine.registry).add(tenant, FIRST, AppointmentRow(roles=())):
        appoint_account(
            engine.registry,
            engine.keyring,
            tenant,
            organisation,
            identity.provider,
            identity.subject,
            Role.SUBSCRIPTION_ADMIN,
        )


def enter(deps: Deps, tenant: str, organisation: TenantRow, identity: Identity, roles: Collection[str] = ()) -> str:
    """
    The person's row, made at their first sign-in; what was written into it later (roles, the welcome) stays.

    Their account has the rights that were given to it; those that were meant for its address wait for a confirmation.

    Args:
        deps: Stores and keys.
        tenant: Where they belong, as their provider and `directories` say.
        organisation: The tenant's row.
        identity: As their provider vouches.
        roles: Given to them besides what they have and what their account was appointed to.

    Returns:
        Their user id.
    """
    # Just destroyed, and not made anew yet (on Redis that takes as long as its file is rewritten): whoever comes first
    # makes them, or an administrator would be told in that moment to ask their administrator.
    keys = deps.engine.keyring.create(tenant)
    user = user_id(organisation, identity.provider, identity.subject)
    given = (*roles, *_given_roles(deps, tenant, organisation, identity))
    fresh = UserRow(
        provider=identity.provider,
        subject=identity.subject,
        address_sealed=_sealed(deps, tenant, user, identity.address),
        person=keys.person(identity.address),
        mailbox=mailbox_id(organisation, identity.provider, identity.subject),
        directory=identity.directory,
    )
    tables.users(deps.engine.registry).change(
        tenant,
        user,
        lambda row: msgspec.structs.replace(
            row or fresh,
            address_sealed=fresh.address_sealed,
            person=fresh.person,
            directory=fresh.directory,
            aliases=_with_former(row, fresh.person),
            roles=tuple(sorted({*(row.roles if row else ()), *given})),
        ),
    )
    # From here on the roles are kept with the person, so that what is taken from them stays taken.
    appointment = account_appointment_id(organisation, identity.provider, identity.subject)
    tables.appointments(deps.engine.registry).delete(tenant, appointment)
    _propose(deps, tenant, organisation, user, identity)
    return user


def _with_former(row: UserRow | None, person: str) -> tuple[str, ...]:
    """Whose address was changed is invited by the earlier one for as long as meetings name it."""
    if row is None:
        return ()
    named = (*row.aliases, row.person)
    return tuple(each for each in dict.fromkeys(named) if each != person)


def _given_roles(deps: Deps, tenant: str, organisation: TenantRow, identity: Identity) -> tuple[str, ...]:
    """What somebody appointed their account to before they came."""
    appointment = account_appointment_id(organisation, identity.provider, identity.subject)
    row = tables.appointments(deps.engine.registry).get(tenant, appointment)
    return row.roles if row else ()


def _propose(deps: Deps, tenant: str, organisation: TenantRow, user: str, identity: Identity) -> None:
    """An address that was appointed gives no right, whoever vouches for it: who appointed it says whether they are meant."""
    account = Account(identity.provider, identity.subject, identity.address, identity.name)
    engine, at_ms = deps.engine, deps.clock.now_ms()
    for row_id in {appointment_id(organisation, identity.address), *_appointed_by_alias(deps, tenant, user)}:
        propose(engine.registry, engine.keyring, tenant, row_id, user, account, at_ms=at_ms)


def _appointed_by_alias(deps: Deps, tenant: str, user: str) -> Iterator[str]:
    """Appointments by another address of theirs; only of people who have one are they looked through."""
    engine = deps.engine
    row = tables.users(engine.registry).get(tenant, user)
    if row is None or not row.aliases:
        return
    keys, aliases = engine.keyring.keys(tenant), frozenset(row.aliases)
    for row_id, _, address in list_appointed(engine.registry, engine.keyring, tenant):
        if keys.person(address) in aliases:
            yield row_id


def _sealed(deps: Deps, tenant: str, user: str, address: str) -> bytes:
    key = deps.engine.keyring.consent_key(tenant)
    return seal(key, address.encode(), purpose=f"user/{tenant}/{user}")
