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
from shared.contracts.command import Connect
from shared.contracts.rows import IntegrationState, UserRow
from shared.crypto.sealing import seal
from shared.domain.keys import TenantKeys, pseudonym
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
    tenant = _tenant(deps, identity)
    user = _user(deps, tenant, identity)
    try:
        mailbox = deps.broker.store_grant(tenant, user, grant)
    except RefusedError as error:
        raise RefusedSignInError(Cause.NO_REFRESH_TOKEN) from error
    append_command(deps, mailbox, Connect(at_ms=deps.clock.now_ms()), f"c-{secrets.token_hex(13)}")
    return Admitted(tenant, user)


def _tenant(deps: Deps, identity: Identity) -> str:
    engine = deps.engine
    tenant = tenant_of(engine.registry, identity.provider, identity.directory)
    if tenant is None and deps.settings.open_enrolment:
        name = identity.address.rpartition("@")[2]
        tenant = enrol(
            engine.registry, engine.keyring, provider=identity.provider, directory=identity.directory, name=name
        )
    row = tables.tenants(engine.registry).get(tenant, "tenant") if tenant else None
    if tenant is None or row is None or row.integration is not IntegrationState.ENABLED:
        raise RefusedSignInError(Cause.NOT_ENABLED, contact=row.contact if row else "")
    return tenant


def _user(deps: Deps, tenant: str, identity: Identity) -> str:
    """The person's row, made at their first sign-in; what others wrote into it later (roles) stays."""
    try:
        keys = deps.engine.keyring.keys(tenant)
    except KeyDestroyedError as error:
        raise RefusedSignInError(Cause.NOT_ENABLED) from error
    user = f"u-{pseudonym(keys.hash_key, 'user', identity.provider, identity.subject)}"
    fresh = UserRow(
        provider=identity.provider,
        subject=identity.subject,
        address_sealed=_sealed(deps, tenant, user, identity.address),
        person=keys.person(identity.address),
        mailbox=_mailbox(keys, identity),
    )
    tables.users(deps.engine.registry).change(
        tenant, user, lambda row: msgspec.structs.replace(fresh, roles=row.roles) if row else fresh
    )
    return user


def _mailbox(keys: TenantKeys, identity: Identity) -> str:
    return f"m-{pseudonym(keys.hash_key, 'mailbox', identity.provider, identity.subject)}"


def _sealed(deps: Deps, tenant: str, user: str, address: str) -> bytes:
    key = deps.engine.keyring.consent_key(tenant)
    return seal(key, address.encode(), purpose=f"user/{tenant}/{user}")
