"""Which rooms the administrators' table shows: found, filtered, in order, a page of them. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from services.portal.admin.rooms.deciding.room_shapes import ListedRoom

PAGE_ROOMS = 100
MAX_CHARS = 120
MAX_PAGE_CHARS = 4


class HealthFilter(StrEnum):
    """Rooms by how they are doing."""

    ANY = ""
    ATTENTION = "attention"
    """Something has to be done."""
    WELL = "well"


class RoomOrder(StrEnum):
    """By what the table is in order."""

    PLACE = "place"
    NAME = "name"
    SEATS = "seats"
    DECLINED = "declined"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class RoomQuery:
    """What an administrator looks for."""

    text: str = ""
    building: str = ""
    floor: str = ""
    equipment: str = ""
    accessible: bool = False
    health: HealthFilter = HealthFilter.ANY
    order: RoomOrder = RoomOrder.PLACE
    descending: bool = False
    page: int = 1

    def address(self, **changes: Any) -> str:
        """The query string of this page of the table with `changes`; fields that say nothing are left out."""
        now = replace(self, **changes)
        said = {
            "q": now.text,
            "building": now.building,
            "floor": now.floor,
            "equipment": now.equipment,
            "accessible": "1" if now.accessible else "",
            "health": str(now.health),
            "sort": str(now.order) if now.order != RoomOrder.PLACE else "",
            "down": "1" if now.descending else "",
            "page": str(now.page) if now.page > 1 else "",
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})

    def sorted_by(self, order: str) -> str:
        """Where the heading of a column leads: in order by it, or the other way round where it is so already."""
        chosen = RoomOrder(order)
        return self.address(order=chosen, descending=chosen is self.order and not self.descending, page=1)


@dataclass(frozen=True, slots=True)
class RoomPage:
    """A page of the table."""

    rooms: Sequence[ListedRoom]
    found: int
    """How many rooms there are on all pages."""
    pages: int
    query: RoomQuery
    buildings: Sequence[str] = field(default=())
    floors: Sequence[str] = field(default=())
    equipment: Sequence[str] = field(default=())


def read_query(sent: Mapping[str, str]) -> RoomQuery:
    """Read the parameters of the page's address; what cannot be used counts as left out."""
    health, order = sent.get("health", ""), sent.get("sort", "")
    return RoomQuery(
        text=sent.get("q", "").strip()[:MAX_CHARS],
        building=sent.get("building", "")[:MAX_CHARS],
        floor=sent.get("floor", "")[:MAX_CHARS],
        equipment=sent.get("equipment", "")[:MAX_CHARS],
        accessible=sent.get("accessible") == "1",
        health=HealthFilter(health) if health in set(HealthFilter) else HealthFilter.ANY,
        order=RoomOrder(order) if order in set(RoomOrder) else RoomOrder.PLACE,
        descending=sent.get("down") == "1",
        page=_page(sent.get("page", "")),
    )


def page_of(rooms: Sequence[ListedRoom], query: RoomQuery) -> RoomPage:
    """The page that `query` asks for; the last one where there are fewer."""
    found = sorted((each for each in rooms if _is_found(each, query)), key=_KEYS[query.order], reverse=query.descending)
    pages = max((len(found) + PAGE_ROOMS - 1) // PAGE_ROOMS, 1)
    shown = replace(query, page=min(query.page, pages))
    first = (shown.page - 1) * PAGE_ROOMS
    return RoomPage(
        found[first : first + PAGE_ROOMS],
        len(found),
        pages,
        shown,
        _values(each["building"] for each in rooms),
        _values(each["floor"] for each in rooms if not query.building or each["building"] == query.building),
        _values(name for each in rooms for name in each["equipment"]),
    )


def needs_attention(room: ListedRoom) -> bool:
    """Whether something has to be done about it."""
    return bool(room["health"]["fixes"] or room["confirm"])


def _is_found(room: ListedRoom, query: RoomQuery) -> bool:
    text = _plain(" ".join((room["name"], room["address"], room["building"], room["floor"], *room["equipment"])))
    return (
        all(word in text for word in _plain(query.text).split())
        and query.building in {"", room["building"]}
        and query.floor in {"", room["floor"]}
        and query.equipment in {"", *room["equipment"]}
        and (room["accessible"] is True or not query.accessible)
        and (query.health is HealthFilter.ANY or needs_attention(room) is (query.health is HealthFilter.ATTENTION))
    )


def _plain(text: str) -> str:
    """Without case and accents: `zurich` finds Zürich."""
    return "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))


def _values(texts: Iterable[str]) -> Sequence[str]:
    return sorted({each for each in texts if each}, key=_plain)


def _place(room: ListedRoom) -> tuple[Any, ...]:
    """By building, those whose building is not known last, as where rooms are booked."""
    return (
        room["building"] == "",
        _plain(room["building"]),
        _plain(room["floor"]),
        _plain(room["name"]),
        room["address"],
    )


_KEYS: Mapping[RoomOrder, Callable[[ListedRoom], tuple[Any, ...]]] = {
    RoomOrder.PLACE: _place,
    RoomOrder.NAME: lambda room: (_plain(room["name"]), room["address"]),
    RoomOrder.SEATS: lambda room: (room["capacity"] or 0, *_place(room)),
    RoomOrder.DECLINED: lambda room: (room["health"]["declined"], *_place(room)),
    RoomOrder.HEALTH: lambda room: (needs_attention(room), *_place(room)),
}


def _page(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) <= MAX_PAGE_CHARS else 1
