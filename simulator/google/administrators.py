"""The Directory API's people and domains, as far as it says who administers the organisation, and what belongs to it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from simulator.google.errors import ApiError, not_found
from simulator.google.resources import NOT_ADMINS
from simulator.world import User, World

SUPER_ADMINS = "superAdmins"


def declare(world: World) -> None:
    """Add the switch for super administrators."""
    world.faults.declare(SUPER_ADMINS, [], "addresses of Google people who are super administrators")


def user(world: World, caller: User, key: str) -> dict[str, Any]:
    """
    One person in the view of administrators. Called inside the world's lock.

    Whoever may list rooms is a delegated administrator at least; the others are refused, for themselves as well.

    Raises:
        ApiError: 403 for those who are no administrators, 404 for somebody of another customer.
    """
    supers = _require_administrator(world, caller)
    found = next((one for one in world.directory.users.values() if key in {one.id, one.address}), None)
    if found is None or found.tenant_id != caller.tenant_id:
        not_found()
    return {
        "kind": "admin#directory#user",
        "id": found.id,
        "primaryEmail": found.address,
        "isAdmin": found.address in supers,
        "isDelegatedAdmin": found.address not in supers,
        "suspended": False,
    }


def domains(world: World, caller: User, customer: str) -> dict[str, Any]:
    """
    The domains of the caller's customer. Called inside the world's lock.

    Whoever may list rooms is a delegated administrator at least, and may list domains as well.

    Raises:
        ApiError: 403 for everybody else, 404 for another customer.
    """
    _require_administrator(world, caller)
    if customer not in {"my_customer", caller.tenant_id}:
        not_found()
    tenant = world.directory.tenants[caller.tenant_id]
    listed = [(tenant.domain, True), *((each, True) for each in tenant.secondary_domains)]
    listed += [(each, False) for each in tenant.unverified_domains]
    return {
        "kind": "admin#directory#domains",
        "domains": [
            {
                "kind": "admin#directory#domain",
                "domainName": name,
                "isPrimary": name == tenant.domain,
                "verified": verified,
            }
            for name, verified in listed
        ],
    }


def _require_administrator(world: World, caller: User) -> Collection[str]:
    """Refuse a caller who administers nothing (ApiError, 403); returns the addresses of super administrators."""
    supers: Collection[str] = world.faults.get(SUPER_ADMINS, "google")
    if caller.address in world.faults.get(NOT_ADMINS, "google") and caller.address not in supers:
        raise ApiError(403, "forbidden", "Not Authorized to access this resource/api")
    return supers
