"""The organisation's list of rooms: entering, changing, removing, pairing; each act on the record of administrators' acts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from http import HTTPStatus

import msgspec

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from services.portal.meetings.takes import append_command
from shared.contracts.command import Reconcile
from shared.contracts.rows import ConsentState, IntegrationState, RoomRow
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.domain.sighting import DirectoryRoom
from shared.registry import tables


class RoomBook:
    """One administrator's hand on the list. Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps, person: Person) -> None:
        """Nothing is read yet."""
        self._deps = deps
        self._person = person
        self._rooms = tables.rooms(deps.engine.registry)

    def all(self) -> dict[str, RoomRow]:
        """Room id → room, by building, floor and name."""
        rows = sorted(self._rooms.scan(self._person.tenant), key=lambda each: _order(each[1]))
        return dict(rows)

    def one(self, room_id: str) -> RoomRow:
        """Raises ProblemError (404)."""
        row = self._rooms.get(self._person.tenant, room_id)
        if row is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, "no-such-room", "There is no such room.", next_step="See /admin/rooms"
            )
        return row

    def enter(self, row: RoomRow) -> str:
        """
        Add a room; while the integration is enabled it is paired at once. Returns its id.

        Raises:
            ProblemError: 409 when a room with this address is there already.
        """
        enabled = self.enabled()
        room_id = self._keys().room(row.address)
        if not self._rooms.add(self._person.tenant, room_id, msgspec.structs.replace(row, paired=enabled)):
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "room-known",
                "A room with this address is in the list already.",
                next_step="Change that one instead.",
            )
        self._did("room.entered", room_id)
        if enabled:
            self._look_again()
        return room_id

    def change(self, room_id: str, row: RoomRow) -> None:
        """
        Replace a room's information; the address stays, since it is what the room is known by.

        Raises:
            ProblemError: 404; 422 for another address.
        """
        before = self.one(room_id)
        if row.address != before.address:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "room-address-fixed",
                "A room's address cannot be changed: it is what the room is known by.",
                next_step="Remove this room and enter the other one.",
            )
        # Only over the room as it stands: switching off may be unpairing it, and somebody may be removing it.
        self._rooms.change(
            self._person.tenant, room_id, lambda now: msgspec.structs.replace(row, paired=now.paired) if now else None
        )
        self._did("room.changed", room_id)

    def remove(self, room_id: str) -> None:
        """Take a room off the list; the room's own calendar is not touched. Raises ProblemError (404)."""
        self.one(room_id)
        self._rooms.delete(self._person.tenant, room_id)
        self._did("room.removed", room_id)

    def pair(self, room_id: str, *, paired: bool) -> None:
        """
        Join a room with its calendar, or part them; the information stays.

        Raises:
            ProblemError: 404; 409 while the integration is not enabled.
        """
        self.one(room_id)
        if not self.enabled():
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "not-enabled",
                "Rooms are paired when the integration is enabled, all in one run.",
                next_step="Enter them now; then have a subscription administrator enable the integration.",
            )
        self._rooms.change(
            self._person.tenant, room_id, lambda row: msgspec.structs.replace(row, paired=paired) if row else None
        )
        self._did("room.paired" if paired else "room.unpaired", room_id)
        if paired:
            self._look_again()

    def take_over(self, listed: Iterable[DirectoryRoom]) -> tuple[int, int]:
        """Enter what the provider's directory lists; rooms that are known get its information. Returns (new, known)."""
        keys, enabled = self._keys(), self.enabled()
        new = known = 0
        for each in listed:
            room_id = keys.room(each.address)
            row = RoomRow(
                address=each.address,
                name=each.name,
                capacity=each.capacity,
                building=each.building,
                floor=each.floor,
                paired=enabled,
            )
            if self._rooms.add(self._person.tenant, room_id, row):
                new += 1
                continue
            known += 1
            self._rooms.change(self._person.tenant, room_id, partial(_told, row))
        self._did("rooms.imported", outcome=f"{new} new, {known} known")
        if enabled and new:
            self._look_again()
        return new, known

    def enabled(self) -> bool:
        """Whether rooms can be paired now."""
        row = tables.tenants(self._deps.engine.registry).get(self._person.tenant, "tenant")
        return row is not None and row.integration is IntegrationState.ENABLED

    def _keys(self) -> TenantKeys:
        """Just after switching off they may be destroyed and not made anew yet: whoever comes first makes them."""
        return self._deps.engine.keyring.create(self._person.tenant)

    def _look_again(self) -> None:
        """Meetings that ask this room already are seen with it at the next full look of each mailbox."""
        now_ms = self._deps.clock.now_ms()
        for mailbox, row in tables.consents(self._deps.engine.registry).scan(self._person.tenant):
            if row.state in {ConsentState.ACTIVE, ConsentState.FAILING, ConsentState.CONNECTING}:
                wish = Reconcile(at_ms=now_ms, full=True)
                append_command(self._deps, Mailbox(self._person.tenant, mailbox), wish)

    def _did(self, act: str, about: str = "", outcome: str = "done") -> None:
        entries.record(self._deps, self._person, act, about, outcome)


def _order(row: RoomRow) -> tuple[str, str, str, str]:
    return row.building, row.floor, row.name, row.address


def _told(row: RoomRow, before: RoomRow | None) -> RoomRow | None:
    """The directory's word on name, seats and place, where it says anything; pairing is ours."""
    if before is None:
        return None
    return msgspec.structs.replace(
        before,
        name=row.name or before.name,
        capacity=row.capacity or before.capacity,
        building=row.building or before.building,
        floor=row.floor or before.floor,
    )
