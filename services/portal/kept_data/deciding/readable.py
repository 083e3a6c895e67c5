"""How a row is shown to whom it is about: times as times, and what is sealed or secret named and not shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.domain.instants import to_rfc3339

SEALED = "(sealed)"
WITHHELD = "(withheld: it proves that a change is yours)"
_SECRET = frozenset({"csrf"})
_MOMENT = ("AtMs", "UntilMs")
"""How the names of fields end that say when, in epoch milliseconds."""


def show_row(row_id: str, row: msgspec.Struct) -> dict[str, Any]:
    """
    Describe a row as JSON.

    Args:
        row_id: Under which it is kept.
        row: Its bytes are sealed, and shown as such; fields in epoch milliseconds become RFC 3339 under a name without `Ms`.
    """
    fields = msgspec.to_builtins(row, builtin_types=(bytes,))
    return {"id": row_id, **_shown(fields)}


def _shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_field(name, value) for name, value in fields.items())


def _field(name: str, value: Any) -> tuple[str, Any]:
    if name in _SECRET:
        return name, WITHHELD
    if name.endswith(_MOMENT) and isinstance(value, int):
        return name.removesuffix("Ms"), to_rfc3339(value)
    return name, _value(value)


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return SEALED
    if isinstance(value, Mapping):
        return _shown(value)
    return [_value(each) for each in value] if isinstance(value, list | tuple) else value
