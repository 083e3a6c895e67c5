"""Whether a person has put a prompt away: rows of `dismissals`, those of version 0.1.0 included."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contracts.rows import DismissalRow
from shared.meetings.prompts import dismissal_id
from shared.ports.registry import Registry
from shared.registry import tables


def was_dismissed(registry: Registry, tenant: str, user: str, decline: str, before_ms: int | None = None) -> bool:
    """
    Whether `user` has put the prompt of `decline` away. Raises StoreUnavailableError.

    Args:
        before_ms: Counts only what was put away before; whenever it was, if left out.
    """
    table = tables.dismissals(registry)
    # 0.1.0 kept one row a decline: whoever put it away first kept everybody else from doing so.
    rows: Iterable[DismissalRow | None] = (table.get(tenant, name) for name in (dismissal_id(decline, user), decline))
    mine = [row for row in rows if row is not None and row.user == user]
    return any(before_ms is None or row.at_ms < before_ms for row in mine)


class DismissedPrompts:
    """The prompts that a person has put away, each looked up when it is asked for."""

    def __init__(self, registry: Registry, tenant: str, user: str) -> None:
        self._registry = registry
        self._tenant = tenant
        self._user = user

    def __contains__(self, decline: object) -> bool:
        return isinstance(decline, str) and was_dismissed(self._registry, self._tenant, self._user, decline)
