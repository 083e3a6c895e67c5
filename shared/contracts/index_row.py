"""Where rows of another table are found: the one struct of the registry's indexes."""

from __future__ import annotations

import msgspec


class IndexRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Rows that may have what this row's id names. Their own content decides: one that was changed since may still stand here."""

    rows: tuple[str, ...] = ()
    """Ids in the indexed table, in order."""
    at_ms: int = 0
    """Of the row that says that all are entered: when that was seen to last."""
