"""Reads what is kept about one person, kind by kind; of others it reads no row beyond an organisation's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.sessions import Person
from services.portal.interface.fields import Count, Instant
from services.portal.kept_data.deciding.kinds import KINDS, Finder, Kind
from services.portal.kept_data.deciding.readable import show_row
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.takes import Takes
from shared.contracts.index_row import IndexRow
from shared.contracts.meeting_state import CopyRecord
from shared.contracts.rows import AppointmentRow, UserRow
from shared.crypto.meetings import StoredMeeting
from shared.domain.instants import to_rfc3339
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants.vault import ConsentVault
from shared.organisations.people import account_appointment_id, appointment_id
from shared.registry import tables

LISTED = 1_000
"""How many rows of a kind are listed; all are counted."""
Found = Iterable[tuple[str, msgspec.Struct]]


class KeptKindShape(TypedDict):
    """One kind of records that name the person."""

    source: Annotated[str, Meta(examples=["office-days"])]
    """The table of the registry, or the topic of the log."""
    place: Annotated[str, Meta(examples=["registry"])]
    """`registry` or `log`."""
    title: Annotated[str, Meta(examples=["Where you said that you work on a day"])]
    ends: Annotated[str, Meta(examples=["Goes after a day."])]
    """When it goes, in words."""
    fromCalendar: bool
    """Whether it follows from the person's permission: disconnecting leaves none."""
    count: Count | None
    """How many there are; null where they are not counted, or the number is not known at the moment."""
    rows: list[dict[str, Any]]
    """The first thousand of them, where they can be read; what is sealed in them stays so."""


class KeptDataAnswer(TypedDict):
    """Everything that is kept about the person."""

    asOf: Instant
    address: str
    """With which they sign in; empty where it cannot be read any more."""
    fromCalendar: Count
    """How many records follow from the permission for their calendar: 0 when they are not connected."""
    kinds: list[KeptKindShape]


@dataclass(frozen=True, slots=True)
class _Counted:
    count: int | None
    rows: list[dict[str, Any]]


class KeptData:
    """What is kept about one person. Reading raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps, person: Person) -> None:
        """Read nothing yet."""
        self._deps = deps
        self._registry = deps.engine.registry
        self._person = person
        self._user = tables.users(self._registry).get(person.tenant, person.user)
        self._find: Mapping[Finder, Callable[[str], Found]] = {
            Finder.USER: lambda table: self._row(table, person.user),
            Finder.MAILBOX: lambda table: self._row(table, person.mailbox.id),
            Finder.NAMED: self._named,
            Finder.ADDRESSES: self._addresses,
            Finder.SESSIONS: self._sessions,
            Finder.TAKES: lambda _: Takes(deps, person).latest().values(),
            Finder.APPOINTMENT: self._appointments,
            Finder.TEST: self._test,
        }

    def read(self) -> KeptDataAnswer:
        """Count everything, and list what can be read."""
        kinds = [self._shown(kind) for kind in KINDS]
        return {
            "asOf": to_rfc3339(self._deps.clock.now_ms()),
            "address": self._address(),
            "fromCalendar": sum(each["count"] or 0 for each in kinds if each["fromCalendar"]),
            "kinds": kinds,
        }

    def _shown(self, kind: Kind) -> KeptKindShape:
        found = self._counted(kind)
        return {
            "source": kind.source,
            "place": kind.place.value,
            "title": kind.title,
            "ends": kind.ends,
            "fromCalendar": kind.from_calendar,
            "count": found.count,
            "rows": found.rows,
        }

    def _counted(self, kind: Kind) -> _Counted:
        if kind.finder is Finder.NONE:
            return _Counted(None, [])
        if kind.finder is Finder.REFERENCES:
            return _Counted(self._count_references(), [])
        if kind.finder is Finder.MEETINGS:
            return self._meetings()
        rows = list(self._find[kind.finder](kind.source))
        return _Counted(len(rows), [show_row(row_id, row) for row_id, row in rows[:LISTED]])

    def _row(self, table: str, row_id: str) -> Found:
        row = tables.BY_NAME[table](self._registry).get(self._person.tenant, row_id)
        return [(row_id, row)] if row is not None else []

    def _named(self, table: str) -> Found:
        """Rows that name the person's id; those of earlier versions name the hash of their address instead."""
        rows = tables.BY_NAME[table](self._registry)
        names = [self._person.user, *([self._user.person] if self._user else ())]
        return dict(row for name in names for row in rows.scan_named(self._person.tenant, name)).items()

    def _addresses(self, _table: str) -> Found:
        """Without the others who are found by the same address."""
        if self._user is None:
            return []
        user, entries = self._person.user, tables.people_index(self._registry)
        found = entries.get_many(self._person.tenant, self._user.hashes)
        return [(word, IndexRow(rows=(user,))) for word, entry in sorted(found.items()) if user in entry.rows]

    def _sessions(self, table: str) -> Found:
        return [row for each in (self._user.sessions if self._user else ()) for row in self._row(table, each)]

    def _test(self, table: str) -> Found:
        run = tables.test_runs(self._registry).get(self._person.tenant, "run")
        mine = run is not None and self._person.user in {run.user, run.tester}
        return self._row(table, "run") if mine else []

    def _appointments(self, _table: str) -> Iterator[tuple[str, AppointmentRow]]:
        """Those of the person's address and account; whoever else waits to be confirmed for it is not shown."""
        if self._user is None:
            return
        for row_id in self._appointment_ids(self._user):
            row = tables.appointments(self._registry).get(self._person.tenant, row_id)
            if row is not None:
                own = {user: each for user, each in row.candidates.items() if user == self._person.user}
                yield row_id, msgspec.structs.replace(row, candidates=own)

    def _appointment_ids(self, user: UserRow) -> list[str]:
        organisation = read_organisation(self._deps, self._person.tenant)
        address = self._address()
        by_account = account_appointment_id(organisation, user.provider, user.subject)
        return [by_account, *([appointment_id(organisation, address)] if address else ())]

    def _count_references(self) -> int | None:
        """With the one record that says how far the calendar was read."""
        consents = tables.consents(self._registry)
        if consents.get(self._person.tenant, self._person.mailbox.id) is None:
            return 0
        row = tables.freshness(self._registry).get(self._person.tenant, self._person.mailbox.id)
        return None if row is None or row.references is None else row.references + 1

    def _meetings(self) -> _Counted:
        try:
            snapshot = PersonalView(self._deps, self._person).read_meetings()
        except KeyDestroyedError:
            return _Counted(0, [])
        if snapshot.rebuilding:
            return _Counted(None, [])
        meetings = list(snapshot.meetings.values())
        return _Counted(len(meetings), [_describe(each) for each in meetings[:LISTED]])

    def _address(self) -> str:
        if self._user is None:
            return ""
        try:
            return ConsentVault(self._deps.engine.keyring).address_of(
                self._person.tenant, self._person.user, self._user
            )
        except (KeyDestroyedError, MalformedRecordError):
            return ""


def _describe(meeting: StoredMeeting) -> dict[str, Any]:
    copy: CopyRecord | None = next(iter(meeting.copies.values()), None)
    return {
        "id": meeting.record.meeting,
        "role": copy.role.value if copy else "",
        "dates": [
            {
                "ref": date.ref,
                "start": to_rfc3339(date.start_ms),
                "end": to_rfc3339(date.end_ms),
                "rooms": {room.room: room.state.value for room in date.rooms},
            }
            for date in meeting.record.dates
        ],
    }
