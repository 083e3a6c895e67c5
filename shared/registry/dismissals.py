"""Which prompts a person has put away: rows of `dismissals`, those of version 0.1.0 included."""

from __future__ import annotations

from collections.abc import Collection

from shared.meetings.prompts import dismissal_id
from shared.ports.registry import Registry
from shared.registry import tables


def find_dismissed(
    registry: Registry, tenant: str, user: str, declines: Collection[str], before_ms: int | None = None
) -> frozenset[str]:
    """
    Those of `declines` whose prompt `user` has put away, with one question to the store. Raises StoreUnavailableError.

    Args:
        before_ms: Counts only what was put away before; whenever it was, if left out.
    """
    # 0.1.0 kept one row a decline: whoever put it away first kept everybody else from doing so.
    named = {name: decline for decline in declines for name in (dismissal_id(decline, user), decline)}
    if not named:
        return frozenset()
    rows = tables.dismissals(registry).get_many(tenant, named)
    return frozenset(
        named[name] for name, row in rows.items() if row.user == user and (before_ms is None or row.at_ms < before_ms)
    )


class DismissedPrompts:
    """The prompts that a person has put away, each looked up when it is asked for."""

    def __init__(self, registry: Registry, tenant: str, user: str) -> None:
        self._registry = registry
        self._tenant = tenant
        self._user = user

    def __contains__(self, decline: object) -> bool:
        return isinstance(decline, str) and bool(find_dismissed(self._registry, self._tenant, self._user, {decline}))
