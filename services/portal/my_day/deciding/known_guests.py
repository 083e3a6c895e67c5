"""Whom somebody meets these days, to be proposed as guests while they type. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shared.domain.sighting import AgendaItem

MOST_GUESTS = 50


def list_guests(items: Iterable[AgendaItem]) -> tuple[str, ...]:
    """The addresses of the people who are in `items`, those met most often first; rooms are none."""
    met = Counter(
        each.address.lower() for item in items for each in item.attendees if not each.is_room and "@" in each.address
    )
    return tuple(sorted(met, key=lambda address: (-met[address], address)))[:MOST_GUESTS]
