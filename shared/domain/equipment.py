"""What is in a meeting room, by the names that a directory or an administrator gives it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

MAX_EQUIPMENT = 20
"""Names of one room; a directory's further ones are left out."""
MAX_NAME_CHARS = 60


def equipment_of(names: Iterable[str | None]) -> tuple[str, ...]:
    """Each name once, trimmed and cut to what a table can show; a comma in a name would divide it in sheets and forms."""
    plain = (" ".join((name or "").replace(",", " ").split())[:MAX_NAME_CHARS].strip() for name in names)
    return tuple(dict.fromkeys(filter(None, plain)))[:MAX_EQUIPMENT]
