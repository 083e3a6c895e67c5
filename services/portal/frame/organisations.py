"""The organisation of whoever asks, as the registry has it now."""

from __future__ import annotations

from services.portal.deps import Deps
from shared.contracts.rows import TenantRow
from shared.errors import StoreUnavailableError
from shared.registry import tables


def read_organisation(deps: Deps, tenant: str) -> TenantRow:
    """Read an organisation of which somebody has a session. Raises StoreUnavailableError, also when it is not there."""
    row = tables.tenants(deps.engine.registry).get(tenant, "tenant")
    if row is None:
        message = "your organisation cannot be read; try again"
        raise StoreUnavailableError(message)
    return row
