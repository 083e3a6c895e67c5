"""An office in which a hundred rooms say no within a minute, and somebody who administers it."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contracts.rows import RoomRow, UserRow
from shared.crypto.sealing import seal
from shared.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from shared.organisations.enrolment import enter_rooms
from shared.registry.tables import users
from tests.integration.services.notifier.conftest import Desk

ADMIN = "grace@contoso.test"
BUILDING = "Riverside"


def room(number: int) -> str:
    return f"room{number}@rooms.contoso.test"


def appoint_administrator(desk: Desk) -> None:
    """Grace, who has no calendar connected."""
    sealed = seal(desk.keys.consent_key or b"", ADMIN.encode(), purpose=f"user/{desk.tenant}/u-grace")
    row = UserRow(
        provider="microsoft", subject="grace", address_sealed=sealed, person="p-grace", mailbox="m-grace",
        roles=("subscription-admin",),
    )  # fmt: skip
    users(desk.engine.registry).put(desk.tenant, "u-grace", row)


def book(desk: Desk, count: int) -> None:
    """So many meetings, each with a room of its own in one building."""
    rows = [RoomRow(address=room(number), name=f"Room {number}", building=BUILDING) for number in range(count)]
    enter_rooms(desk.engine.registry, desk.engine.keyring, desk.tenant, rows)
    desk.after(60)  # until then the sync worker takes the list of rooms for what it was
    answer(desk, range(count), "none")


def answer(desk: Desk, numbers: Iterable[int], what: str) -> None:
    """These rooms answer now, and are looked at."""
    for number in numbers:
        known = desk.calendar.events.get(f"e{number}")
        start_ms = known.start_ms if known else desk.clock.at_ms + 48 * HOUR_MS + number * 5 * MINUTE_MS
        desk.calendar.book(f"e{number}", start_ms=start_ms, **{room(number): what})
    desk.look()


def decline(desk: Desk, count: int, *, within_s: int = 50) -> None:
    """The rooms say no one after the other, in ten groups, within so many seconds."""
    groups, began_ms = 10, desk.clock.at_ms
    for group in range(groups):
        answer(desk, range(group, count, groups), "declined")
        desk.clock.at_ms += within_s * SECOND_MS // groups
    while len(declined := desk.declines()) < count:
        desk.clock.at_ms += SECOND_MS
        desk.settle()
        assert desk.clock.at_ms < began_ms + MINUTE_MS, f"{len(declined)} declines within a minute"
    desk.settle()
