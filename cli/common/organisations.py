"""One organisation of the deployment, by its id."""

from __future__ import annotations

import click

from shared.contracts.rows import TenantRow
from shared.ports.registry import Registry
from shared.registry.tables import tenants


def read_organisation(registry: Registry, tenant: str) -> TenantRow:
    """The tenant's row. Raises UsageError when there is no such tenant."""
    row = tenants(registry).get(tenant, "tenant")
    if row is None:
        message = f"there is no tenant {tenant}; see `roomsync tenants list`"
        raise click.UsageError(message)
    return row
