"""Rows that hold a list of things with ids: one of these is changed or taken out, and the others stay in their order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class _Listed(Protocol):
    @property
    def id(self) -> str:
        """Names it among those of its list."""
        ...


T = TypeVar("T", bound=_Listed)


def change_item(items: Sequence[T], item_id: str, decide: Callable[[T], T | None]) -> tuple[T, ...] | None:
    """
    Change one of the items, or take it out.

    Args:
        items: Of a row; ids are all different.
        item_id: Of the one that is meant.
        decide: What becomes of it; None takes it out.

    Returns:
        All items afterwards; None when there is none of that id.
    """
    if not any(each.id == item_id for each in items):
        return None
    decided = (decide(each) if each.id == item_id else each for each in items)
    return tuple(each for each in decided if each is not None)
