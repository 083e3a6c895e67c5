"""The organisation's list of rooms: entering, changing, removing, pairing and importing; each act stands in the audit record."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from http import HTTPStatus

import msgspec

from services.portal.admin.audit import entries
from services.portal.admin.rooms.deciding.room_form import with_information
from services.portal.admin.rooms.deciding.room_plan import RoomPlan, plan_listing
from services.portal.admin.rooms.deciding.room_sheet import plan_sheet
from services.portal.deps import Deps
from services.portal.frame.problems import FieldProblemError, ProblemError, not_enabled
from services.portal.frame.sessions import Person
from services.portal.meetings.takes import append_command
from shared.contracts.command import Reconcile
from shared.contracts.rows import IntegrationState, RoomRow
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.domain.sighting import DirectoryRoom
from shared.grants.grant import IN_USE
from shared.language.deciding.sentences import say
from shared.registry import tables

MAX_ROOMS = 10_000
"""Of one organisation."""


class RoomList:
    """The list, as one administrator reads and changes it. Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps, person: Person) -> None:
        """Read nothing yet."""
        self._deps = deps
        self._person = person
        self._rooms = tables.rooms(deps.engine.registry)

    def list_rooms(self) -> dict[str, RoomRow]:
        """Room id → room, by building, floor and name."""
        rows = sorted(self._rooms.scan(self._person.tenant), key=lambda each: _order(each[1]))
        return dict(rows)

    def find_room(self, room_id: str) -> RoomRow:
        """One room by its id. Raises ProblemError (404)."""
        row = self._rooms.get(self._person.tenant, room_id)
        if row is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, "no-such-room", say("There is no such room."), next_step=say("See /admin/rooms")
            )
        return row

    def enter_room(self, row: RoomRow) -> str:
        """
        Add a room; while the integration is enabled it is paired at once. Returns its id.

        The administrator's word does not make it a room: unless Google gives its address to resources alone, it counts as one
        once it stands in an import of the directory, or has been entered by the operator (`RoomRow.proof`).

        Raises:
            ProblemError: 409 when a room with this address is there already, or the list is full; 422 when it is the address of a
                colleague.
        """
        keys, enabled = self._keys(), self.is_enabled()
        self._refuse_colleagues(keys, [row.address])
        room_id = keys.room(row.address)
        self._check_space({known for known, _ in self._rooms.scan(self._person.tenant)}, {room_id})
        if not self._rooms.add(self._person.tenant, room_id, msgspec.structs.replace(row, paired=enabled)):
            raise FieldProblemError(
                HTTPStatus.CONFLICT,
                "room-known",
                say("A room with this address is in the list already."),
                next_step=say("Change that one instead."),
                field="address",
            )
        self._record("room.entered", room_id)
        if enabled:
            self._request_looks()
        return room_id

    def change_room(self, room_id: str, row: RoomRow) -> None:
        """
        Replace a room's information; the address stays, since it is what the room is known by.

        Raises:
            ProblemError: 404; 422 for another address.
        """
        before = self.find_room(room_id)
        if row.address != before.address:
            raise FieldProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "room-address-fixed",
                say("A room's address cannot be changed: it is what the room is known by."),
                next_step=say("Remove this room and enter the other one."),
                field="address",
            )
        # Only over the room as it stands: switching off may be unpairing it, and somebody may be removing it.
        self._rooms.change(self._person.tenant, room_id, partial(_with_information, row))
        self._record("room.changed", room_id)

    def remove_room(self, room_id: str) -> None:
        """Take a room off the list; the room's own calendar is not touched. Raises ProblemError (404)."""
        self.find_room(room_id)
        self.remove_rooms([room_id])

    def remove_rooms(self, room_ids: Collection[str]) -> int:
        """Take rooms off the list. Returns how many; those that are not there are passed over."""
        found = self._find_rooms(room_ids)
        for room_id in found:
            self._rooms.delete(self._person.tenant, room_id)
            self._record("room.removed", room_id)
        return len(found)

    def set_paired(self, room_id: str, *, paired: bool) -> None:
        """
        Join a room with its calendar, or part them; the information stays.

        Raises:
            ProblemError: 404; 409 while the integration is not enabled.
        """
        self.find_room(room_id)
        self.set_all_paired([room_id], paired=paired)

    def set_all_paired(self, room_ids: Collection[str], *, paired: bool) -> int:
        """
        Join rooms with their calendars, or part them. Calendars are looked at again once, however many rooms there are.

        Returns:
            How many rooms; those that are not in the list are passed over.

        Raises:
            ProblemError: 409 while the integration is not enabled.
        """
        if not self.is_enabled():
            raise not_enabled(
                title=say("Rooms are paired when the integration is enabled, all in one run."),
                next_step=say("Enter them now; then have a subscription administrator enable the integration."),
            )
        found = self._find_rooms(room_ids)
        for room_id in found:
            self._rooms.change(
                self._person.tenant, room_id, lambda row: msgspec.structs.replace(row, paired=paired) if row else None
            )
            self._record("room.paired" if paired else "room.unpaired", room_id)
        if paired and found:
            self._request_looks()
        return len(found)

    def plan_listing(self, listed: Iterable[DirectoryRoom]) -> RoomPlan:
        """
        Compare what the provider's directory lists with the list as it stands: nothing is changed.

        A room whose address was changed in the directory is known by its directory id: it keeps its own id and its history.

        Raises:
            ProblemError: 409, there would be too many rooms.
        """
        known = dict(self._rooms.scan(self._person.tenant))
        plan = plan_listing(listed, known, self._keys().room)
        self._check_space(known, plan.new.keys())
        return plan

    def import_plan(self, plan: RoomPlan) -> None:
        """
        Do what `plan_listing` planned: enter new rooms, and give known ones the directory's information and its word.

        Rooms that the directory no longer lists stay as they are.
        """
        enabled = self.is_enabled()
        for room_id, row in plan.new.items():
            if not self._rooms.add(self._person.tenant, room_id, msgspec.structs.replace(row, paired=enabled)):
                self._rooms.change(self._person.tenant, room_id, partial(_with_listing, row))  # entered meanwhile
        for room_id, row in plan.changed.items():
            self._rooms.change(self._person.tenant, room_id, partial(_with_listing, row))
        self._imported(plan, looks=plan.applies)

    def plan_sheet(self, text: str) -> RoomPlan:
        """Compare a sheet with the list as it stands: nothing is changed."""
        known = dict(self._rooms.scan(self._person.tenant))
        return plan_sheet(text, known, self._keys().room)

    def apply_sheet(self, text: str) -> RoomPlan:
        """
        Enter the rooms of a sheet that are new, and change the information of those that are known.

        Returns:
            What was done, or, where it has errors, what is wrong with it: then nothing was changed.

        Raises:
            ProblemError: 409, there would be too many rooms; 422, one of them is the address of a colleague.
        """
        plan, keys, enabled = self.plan_sheet(text), self._keys(), self.is_enabled()
        if not plan.applies:
            return plan
        self._refuse_colleagues(keys, [row.address for row in plan.new.values()])
        self._check_space({known for known, _ in self._rooms.scan(self._person.tenant)}, plan.new.keys())
        for room_id, row in plan.new.items():
            self._rooms.add(self._person.tenant, room_id, msgspec.structs.replace(row, paired=enabled))
        for room_id, row in plan.changed.items():
            self._rooms.change(self._person.tenant, room_id, partial(_with_information, row))
        self._imported(plan, looks=bool(plan.new))
        return plan

    def _imported(self, plan: RoomPlan, *, looks: bool) -> None:
        self._record("rooms.imported", outcome=f"{len(plan.new)} new, {len(plan.changed)} changed")
        if looks and self.is_enabled():
            self._request_looks()

    def _find_rooms(self, room_ids: Collection[str]) -> list[str]:
        return [each for each in dict.fromkeys(room_ids) if self._rooms.get(self._person.tenant, each) is not None]

    def _check_space(self, known: Collection[str], wanted: Collection[str]) -> None:
        """Before anything is written. Raises ProblemError: 409, with the new ones of `wanted` there would be too many rooms."""
        fresh = len(set(wanted).difference(known))
        if not fresh or len(known) + fresh <= MAX_ROOMS:
            return
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "rooms-full",
            say("An organisation has {most} rooms here at most, and with {count} more there would be too many.").format(
                most=f"{MAX_ROOMS:,}", count=f"{fresh:,}"
            ),
            next_step=say(
                "Nothing was changed. Take rooms that nobody books any more off the list, then try again: /admin/rooms"
            ),
        )

    def is_enabled(self) -> bool:
        """Whether rooms can be paired now."""
        row = tables.tenants(self._deps.engine.registry).get(self._person.tenant, "tenant")
        return row is not None and row.integration is IntegrationState.ENABLED

    def _refuse_colleagues(self, keys: TenantKeys, addresses: Collection[str]) -> None:
        """Nobody's meetings become a room's schedule because somebody entered their address."""
        people = {keys.person(address): address for address in addresses}
        users = tables.users(self._deps.engine.registry).find(self._person.tenant, people.keys())
        colleague = next((people[each] for row in users.values() for each in row.hashes if each in people), None)
        if colleague is not None:
            raise FieldProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "room-is-person",
                say("This is the address of a person of your organisation, not of a room.")
                if len(people) == 1
                else say("{address} is the address of a person of your organisation, not of a room.").format(
                    address=colleague
                ),
                next_step=say("Enter the address of the room itself, as your calendar system's directory shows it."),
                field="address",
            )

    def _keys(self) -> TenantKeys:
        """Just after switching off they may be destroyed and not made anew yet: whoever comes first makes them."""
        return self._deps.engine.keyring.create(self._person.tenant)

    def _request_looks(self) -> None:
        """Meetings that ask this room already are seen with it at the next full look of each mailbox."""
        now_ms = self._deps.clock.now_ms()
        for mailbox, row in tables.consents(self._deps.engine.registry).scan(self._person.tenant):
            if row.state in IN_USE:
                command = Reconcile(at_ms=now_ms, full=True)
                append_command(self._deps, Mailbox(self._person.tenant, mailbox), command)

    def _record(self, act: str, about: str = "", outcome: str = "done") -> None:
        entries.record(self._deps, self._person, act, about, outcome)


def _order(row: RoomRow) -> tuple[str, str, str, str]:
    return row.building, row.floor, row.name, row.address


def _with_information(entered: RoomRow, now: RoomRow | None) -> RoomRow | None:
    """Only over the room as it stands: somebody may be removing it."""
    return with_information(entered, now) if now else None


def _with_listing(listed: RoomRow, now: RoomRow | None) -> RoomRow | None:
    """What the directory said; somebody may be pairing the room, or removing it."""
    return msgspec.structs.replace(listed, paired=now.paired) if now else None
