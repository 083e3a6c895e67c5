"""From a proven identity to a person of ours: their organisation, their row, their grant, and the wish to be connected."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec

from services.portal.deps import Deps
from services.portal.openid import Identity
from services.portal.refusals import Cause, RefusedSignInError
from services.portal.takes import append_command
from shared.consents import tables
from shared.consents.enrolment import enrol, tenant_of
from shared.consents.oauth import Granted
from shared.consents.people import appointment_id, mailbox_id, user_id
from shared.contracts.command import Connect
from shared.contracts.rows import IntegrationState, TenantRow, UserRow
from shared.crypto.sealing import seal
from shared.errors import KeyDestroyedError, RefusedError


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who was let in."""

    tenant: str
    user: str


def admit(deps: Deps, identity: Identity, grant: Granted) -> Admitted:
    """
    Let a person in whose provider vouches for them, keep their grant, and have their calendar connected.

    Raises:
        RefusedSignInError: their organisation has not switched this on, or the grant will not last.
        LogUnavailableError: the grant is kept but nobody was told; signing in again tells them.
    """
    tenant, row = _tenant(deps, identity)
    if row.integration is not IntegrationState.ENABLED:
        raise RefusedSignInError(Cause.NOT_ENABLED, contact=row.contact)
    user = _user(deps, tenant, row, identity)
    try:
        mailbox = deps.broker.store_grant(tenant, user, grant)
    except RefusedError as error:
        raise RefusedSignInError(Cause.NO_REFRESH_TOKEN) from error
    append_command(deps, mailbox, Connect(at_ms=deps.clock.now_ms()), f"c-{secrets.token_hex(13)}")
    return Admitted(tenant, user)


def recognise(deps: Deps, identity: Identity) -> Admitted:
    """
    Let a person in without a word about their calendar, whatever state the integration is in.

    Raises:
        RefusedSignInError: nobody has ever set this up for their organisation.
    """
    tenant, row = _tenant(deps, identity)
    return Admitted(tenant, _user(deps, tenant, row, identity))


def _tenant(deps: Deps, identity: Identity) -> tuple[str, TenantRow]:
    engine = deps.engine
    tenant = tenant_of(engine.registry, identity.provider, identity.directory)
    if tenant is None and deps.settings.open_enrolment:
        name = identity.address.rpartition("@")[2]
        tenant = enrol(
            engine.registry, engine.keyring, provider=identity.provider, directory=identity.directory, name=name
        )
    row = tables.tenants(engine.registry).get(tenant, "tenant") if tenant else None
    if tenant is None or row is None:
        raise RefusedSignInError(Cause.NOT_ENABLED)
    return tenant, row


def _user(deps: Deps, tenant: str, organisation: TenantRow, identity: Identity) -> str:
    """The person's row, made at their first sign-in; what was written into it later (roles, the welcome) stays."""
    try:
        keys = deps.engine.keyring.keys(tenant)
    except KeyDestroyedError as error:
        raise RefusedSignInError(Cause.NOT_ENABLED) from error
    user = user_id(organisation, identity.provider, identity.subject)
    given = _given_roles(deps, tenant, organisation, identity)
    fresh = UserRow(
        provider=identity.provider,
        subject=identity.subject,
        address_sealed=_sealed(deps, tenant, user, identity.address),
        person=keys.person(identity.address),
        mailbox=mailbox_id(organisation, identity.provider, identity.subject),
    )
    tables.users(deps.engine.registry).change(
        tenant,
        user,
        lambda row: msgspec.structs.replace(
            fresh,
            roles=tuple(sorted({*(row.roles if row else ()), *given})),
            welcomed_at_ms=row.welcomed_at_ms if row else 0,
        ),
    )
    # From here on the roles are kept with the person, so that what is taken from them stays taken.
    tables.appointments(deps.engine.registry).delete(tenant, appointment_id(organisation, identity.address))
    return user


def _given_roles(deps: Deps, tenant: str, organisation: TenantRow, identity: Identity) -> tuple[str, ...]:
    """What somebody appointed them to before they came."""
    row = tables.appointments(deps.engine.registry).get(tenant, appointment_id(organisation, identity.address))
    return row.roles if row else ()


def _sealed(deps: Deps, tenant: str, user: str, address: str) -> bytes:
    key = deps.engine.keyring.consent_key(tenant)
    return seal(key, address.encode(), purpose=f"user/{tenant}/{user}")
