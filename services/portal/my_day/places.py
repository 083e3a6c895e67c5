"""Where people work on a day and attend a meeting from: what they said themselves, kept by date and by event reference."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from http import HTTPStatus

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from services.portal.meetings.row_quota import RowQuota
from shared.contracts.rows import AttendanceRow, OfficeDayRow, UserRow, attendance_ids
from shared.domain.instants import DAY_MS
from shared.language.deciding.sentences import say
from shared.organisations.addresses import people_by_address
from shared.registry import tables

KEEP_MS = 60 * DAY_MS
MAX_DAYS_AHEAD = 400
MAX_ATTENDANCES = 1_000
"""Of one person: every date of twenty daily series for ten weeks."""


class WorkPlace(StrEnum):
    """Where somebody is; nobody is ever guessed to be anywhere."""

    OFFICE = "office"
    REMOTE = "remote"
    UNKNOWN = "unknown"


CHOSEN = (WorkPlace.OFFICE, WorkPlace.REMOTE)


class Places:
    """What the people of one organisation have said. Every method raises StoreUnavailableError."""

    def __init__(self, deps: Deps, person: Person) -> None:
        self._tenant = person.tenant
        self._person = person
        self._clock = deps.clock
        self._days = tables.office_days(deps.engine.registry)
        self._attendances = tables.attendances(deps.engine.registry)
        self._users = tables.users(deps.engine.registry)
        self._quota = RowQuota(deps, person)
        self._by_person: dict[str, tuple[str, UserRow] | None] = {}
        self._read_days: dict[str, OfficeDayRow | None] = {}
        self._read_attendances: dict[str, AttendanceRow | None] = {}

    def read_ahead(self, days: Iterable[date], attended: Iterable[tuple[str, str, str, date]] = ()) -> None:
        """
        Read what an answer will show, which would else be a question each, at a cost of those who are shown.

        Args:
            days: As `mine` will be asked for.
            attended: As `of` will be asked for.
        """
        marked, dates = {_day_id(self._person.user, day) for day in days}, set[str]()
        attended = tuple(attended)
        self._find({person for person, *_ in attended})
        for person, meeting, occurrence, day in attended:
            if known := self._colleague(person):
                marked.add(_day_id(known[0], day))
                dates |= set(attendance_ids(meeting, occurrence, *known))
        self._read_days |= {**dict.fromkeys(marked), **self._days.get_many(self._tenant, marked)}
        self._read_attendances |= {**dict.fromkeys(dates), **self._attendances.get_many(self._tenant, dates)}

    def mine(self, day: date) -> WorkPlace:
        """Where the viewing person works on that day."""
        return self._on(self._person.user, day)

    def set_day(self, day: date, place: WorkPlace) -> None:
        """
        Mark a day; UNKNOWN takes the mark away. No provider hears of it.

        The days that can be marked bound how many marks a person has.

        Raises:
            ProblemError: 422, the day is so long ago that its mark would be gone at once, or too far ahead.
        """
        row_id = _day_id(self._person.user, day)
        until_ms = self._until(day)
        if place is WorkPlace.UNKNOWN:
            self._days.delete(self._tenant, row_id)
        elif until_ms <= self._clock.now_ms():
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "date-past",
                say("Marks are kept for {days} days, and this day is longer ago.").format(days=KEEP_MS // DAY_MS),
                next_step=say("Choose a later day."),
            )
        elif day > self._last_day():
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "date-far",
                say("Days are marked up to {max_days_ahead} days ahead.").format(max_days_ahead=MAX_DAYS_AHEAD),
                next_step=say("Choose an earlier day."),
            )
        else:
            self._days.put(self._tenant, row_id, OfficeDayRow(place=place.value), not_after_ms=until_ms)

    def set_attendance(self, meeting: str, occurrence: str, end_ms: int, place: WorkPlace) -> None:
        """
        Say where one attends one date of a meeting from; UNKNOWN leaves it to the day.

        Raises:
            ProblemError: 409, the person has said so of as many dates as are kept.
        """
        user = self._users.get(self._tenant, self._person.user)
        if user is None:
            return
        row_id, *earlier = attendance_ids(meeting, occurrence, self._person.user, user)
        known = any(self._attendances.get(self._tenant, each) is not None for each in (row_id, *earlier))
        for each in earlier:
            self._attendances.delete(self._tenant, each)
        if place is WorkPlace.UNKNOWN:
            self._attendances.delete(self._tenant, row_id)
            if known:
                self._quota.release("attendances")
            return
        if not known:
            self._quota.reserve("attendances", MAX_ATTENDANCES, self._count_attendances)
        row = AttendanceRow(place=place.value, user=self._person.user)
        self._attendances.put(self._tenant, row_id, row, not_after_ms=end_ms + KEEP_MS)

    def is_colleague(self, person: str) -> bool:
        """Whether the hashed address is one of somebody of this organisation who has signed in here."""
        return self._colleague(person) is not None

    def is_me(self, person: str) -> bool:
        """Whether the hashed address is one of the viewing person's own."""
        known = self._colleague(person)
        return known is not None and known[0] == self._person.user

    def of(self, person: str, meeting: str, occurrence: str, day: date) -> WorkPlace:
        """From where a colleague attends: what they said of this date of the meeting, else of the day, else unknown."""
        known = self._colleague(person)
        if known is None:
            return WorkPlace.UNKNOWN
        for row_id in attendance_ids(meeting, occurrence, *known) if meeting and occurrence else ():
            row = self._attendance(row_id)
            if row is not None:
                return WorkPlace(row.place)
        return self._on(known[0], day)

    def me(self) -> str:
        """The keyed hash of the address that the viewing person signs in with."""
        user = self._users.get(self._tenant, self._person.user)
        return user.person if user else ""

    def _on(self, user: str, day: date) -> WorkPlace:
        row_id = _day_id(user, day)
        row = self._read_days[row_id] if row_id in self._read_days else self._days.get(self._tenant, row_id)
        return WorkPlace(row.place) if row else WorkPlace.UNKNOWN

    def _attendance(self, row_id: str) -> AttendanceRow | None:
        known = self._read_attendances
        return known[row_id] if row_id in known else self._attendances.get(self._tenant, row_id)

    def _colleague(self, person: str) -> tuple[str, UserRow] | None:
        self._find({person})
        return self._by_person[person]

    def _find(self, people: set[str]) -> None:
        """Look up those of the hashed addresses that were not yet."""
        if wanted := people - self._by_person.keys():
            found = people_by_address(self._users.find(self._tenant, wanted - {""}).items())
            self._by_person |= {person: found.get(person) for person in wanted}

    def _count_attendances(self) -> int:
        return sum(row.user == self._person.user for _, row in self._attendances.scan(self._tenant))

    def _last_day(self) -> date:
        return date.fromordinal(_EPOCH + self._clock.now_ms() // DAY_MS + MAX_DAYS_AHEAD)

    def _until(self, day: date) -> int:
        return (day.toordinal() - _EPOCH) * DAY_MS + KEEP_MS


_EPOCH = date(1970, 1, 1).toordinal()


def _day_id(user: str, day: date) -> str:
    return f"{user}/{day.isoformat()}"
