"""Typed tables over the registry: rows in, rows out, and a compare-and-set loop for changing one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.rows import (
    AppointmentRow,
    AttendanceRow,
    AuditRow,
    BookingRow,
    ConsentRow,
    DirectoryRow,
    DismissalRow,
    EndingRow,
    FreshnessRow,
    OfficeDayRow,
    RoomRow,
    SessionRow,
    TakeRow,
    TenantRow,
    UserRow,
)
from shared.errors import ConflictError
from shared.ports.registry import Registry

T = TypeVar("T", bound=msgspec.Struct)

_MAX_TRIES = 50  # each lost try means that somebody else got through; fifty in a row means a fault


class Table(Generic[T]):
    """
    One table of the registry, as msgspec rows. Every method raises StoreUnavailableError when the store cannot be reached.

    Reading raises MalformedRecordError when a stored row is not a `kind`.
    """

    def __init__(self, registry: Registry, name: str, kind: type[T]) -> None:
        self._registry = registry
        self.name = name
        self._kind = kind

    def get(self, tenant: str, row_id: str) -> T | None:
        """The row; None when absent or past its deadline."""
        found = self._registry.get(self.name, tenant, row_id)
        return None if found is None else read_json(found.value, self._kind)

    def put(self, tenant: str, row_id: str, row: T, *, not_after_ms: int | None = None) -> None:
        """Write the row, whatever stands there; from `not_after_ms` on it is refused at read."""
        self._registry.put(self.name, tenant, row_id, msgspec.json.encode(row), not_after_ms=not_after_ms)

    def add(self, tenant: str, row_id: str, row: T, *, not_after_ms: int | None = None) -> bool:
        """Write the row if none stands there; returns whether it was written."""
        try:
            self._registry.put(self.name, tenant, row_id, msgspec.json.encode(row), expect=0, not_after_ms=not_after_ms)
        except ConflictError:
            return False
        return True

    def delete(self, tenant: str, row_id: str) -> None:
        """Idempotent."""
        self._registry.delete(self.name, tenant, row_id)

    def scan(self, tenant: str) -> Iterator[tuple[str, T]]:
        """All live rows of the tenant, by row id."""
        for row_id, found in self._registry.scan(self.name, tenant):
            yield row_id, read_json(found.value, self._kind)

    def change(
        self,
        tenant: str,
        row_id: str,
        decide: Callable[[T | None], T | None],
        *,
        not_after_ms: int | Callable[[T], int | None] | None = None,
    ) -> T | None:
        """
        Replace the row by `decide(row)`, again and again until nobody wrote in between.

        Args:
            decide: Pure; may be called several times. Gets None for an absent row; returning None, or the row as it was,
                writes nothing.
            not_after_ms: The new row's deadline, or how to tell it from the row; a change without one takes an earlier
                deadline away.

        Returns:
            The row as it stands afterwards.

        Raises:
            ConflictError: fifty tries lost in a row.
        """
        for _ in range(_MAX_TRIES):
            found = self._registry.get(self.name, tenant, row_id)
            before = None if found is None else read_json(found.value, self._kind)
            after = decide(before)
            if after is None or after == before:
                return before
            expect = 0 if found is None else found.version
            until_ms = not_after_ms(after) if callable(not_after_ms) else not_after_ms
            try:
                self._registry.put(
                    self.name, tenant, row_id, msgspec.json.encode(after), expect=expect, not_after_ms=until_ms
                )
            except ConflictError:
                continue
            return after
        message = f"{self.name}/{row_id}: lost {_MAX_TRIES} compare-and-sets in a row; try again"
        raise ConflictError(message)


def tenants(registry: Registry) -> Table[TenantRow]:
    """Organisations; id = tenant."""
    return Table(registry, "tenants", TenantRow)


def directories(registry: Registry) -> Table[DirectoryRow]:
    """Which tenant a provider's organisation is; tenant `-`, id = `provider:directory`."""
    return Table(registry, "directories", DirectoryRow)


def users(registry: Registry) -> Table[UserRow]:
    """People who have signed in; id = user."""
    return Table(registry, "users", UserRow)


def consents(registry: Registry) -> Table[ConsentRow]:
    """People's grants; id = mailbox."""
    return Table(registry, "consents", ConsentRow)


def rooms(registry: Registry) -> Table[RoomRow]:
    """Meeting rooms; id = room."""
    return Table(registry, "rooms", RoomRow)


def dismissals(registry: Registry) -> Table[DismissalRow]:
    """Prompts put away; id = prompt."""
    return Table(registry, "dismissals", DismissalRow)


def takes(registry: Registry) -> Table[TakeRow]:
    """Rooms being taken; id = take."""
    return Table(registry, "takes", TakeRow)


def bookings(registry: Registry) -> Table[BookingRow]:
    """Rooms that were chosen for people who left the choice to us; id = request."""
    return Table(registry, "bookings", BookingRow)


def sessions(registry: Registry) -> Table[SessionRow]:
    """Signed-in browsers; id = keyed hash of the cookie's value."""
    return Table(registry, "sessions", SessionRow)


def appointments(registry: Registry) -> Table[AppointmentRow]:
    """Rights given before a sign-in; id = pseudonym of the address."""
    return Table(registry, "appointments", AppointmentRow)


def audit(registry: Registry) -> Table[AuditRow]:
    """What administrators did; ids sort by time."""
    return Table(registry, "audit", AuditRow)


def endings(registry: Registry) -> Table[EndingRow]:
    """Subscriptions still to be ended; id = mailbox."""
    return Table(registry, "endings", EndingRow)


def freshness(registry: Registry) -> Table[FreshnessRow]:
    """When calendars were last heard of and checked; id = mailbox."""
    return Table(registry, "freshness", FreshnessRow)


def office_days(registry: Registry) -> Table[OfficeDayRow]:
    """Where people work; id = `user/YYYY-MM-DD`."""
    return Table(registry, "office-days", OfficeDayRow)


def attendances(registry: Registry) -> Table[AttendanceRow]:
    """Where people attend from; id = `meeting/occurrence/person`."""
    return Table(registry, "attendances", AttendanceRow)
