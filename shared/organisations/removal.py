"""Removes an organisation for good: every row that the table of tables knows of it, once its keys are destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.organisations.enrolment import NOBODY
from shared.ports.registry import Registry
from shared.registry import tables
from shared.registry.tables import ReadTable


def count_rows(registry: Registry, tenant: str) -> dict[str, int]:
    """How many rows each table keeps of an organisation, tables without any left out. Raises StoreUnavailableError."""
    counts = {table.name: len(table(registry).list_ids(tenant)) for table in tables.TABLES}
    counts[tables.directories.name] += len(_directories_of(registry, tenant))
    return {name: count for name, count in counts.items() if count}


def remove_organisation(registry: Registry, tenant: str, *, erase: Callable[[], None]) -> None:
    """
    Delete every row of an organisation. Idempotent: what was interrupted is repeated, since the organisation's own row goes last.

    Its directories are let go first, so that nobody signs in to it any more. A row that is refused goes as well: nobody stops an
    erasure by writing to the store.

    Args:
        registry: Where its rows are.
        tenant: The organisation, whose integration is off.
        erase: Destroys its keys, after putting that on record: what topics keep of it becomes unreadable.

    Raises:
        StoreUnavailableError: some rows may stand; repeat it.
    """
    for name in _directories_of(registry, tenant):
        registry.delete(tables.directories.name, NOBODY, name)
    erase()
    for table in tables.TABLES:
        if table is not tables.tenants:
            _delete_rows(registry, table, tenant)
    _delete_rows(registry, tables.tenants, tenant)


def _delete_rows(registry: Registry, table: ReadTable[Any], tenant: str) -> None:
    for row_id in table(registry).list_ids(tenant):
        registry.delete(table.name, tenant, row_id)


def _directories_of(registry: Registry, tenant: str) -> list[str]:
    return [name for name, row in tables.directories(registry).scan_readable(NOBODY) if row.tenant == tenant]
