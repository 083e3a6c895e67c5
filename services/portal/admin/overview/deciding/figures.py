"""The figures of an organisation's overview, out of counts and states that are there already. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, TypedDict

from msgspec import Meta

from services.portal.frame.deciding.sheets import write_sheet
from services.portal.interface.fields import Count, Day, Instant, ProviderName, RoomId
from shared.contracts.day_tally import DayTally, add_tallies
from shared.contracts.meeting_state import MeetingRecord, RoomState
from shared.contracts.rows import ConsentRow, ConsentState, RoomRow
from shared.domain.instants import MINUTE_MS
from shared.grants.common_refusal import find_common_refusal
from shared.grants.grant import who_mends
from shared.meetings.confirmed_states import ConfirmedStates
from shared.providers.token_refusal import Mender

MOST_ROOMS = 10
WEEKS = 8
_TROUBLED = (ConsentState.FAILING, ConsentState.SUSPENDED, ConsentState.REVOKED)


class WeekFigures(TypedDict):
    """What became of the rooms in a week."""

    monday: Day
    """Its first day, in UTC."""
    asked: Count
    accepted: Count
    declined: Count
    rebooked: Count
    """Declines after which the meeting was changed."""
    rebookedAfterMinutes: float | None
    """How long that took, on average."""
    roomless: Count
    """Meetings that began without a room."""


class RoomFigures(TypedDict):
    """How often a room says no, of what is remembered of its answers."""

    id: RoomId
    name: Annotated[str, Meta(examples=["Riverside"])]
    accepted: Count
    declined: Count
    declinedPercent: Annotated[int, Meta(ge=0, le=100)]


class TroubledMailboxes(TypedDict):
    """How many mailboxes cannot be read for the same reason: whose they are, only their people are shown."""

    state: ConsentState
    reason: Annotated[str, Meta(examples=["invalid_grant"])]
    """The calendar system's code; "" where it gave none."""
    mailboxes: Count


class RefusedAtOnce(TypedDict):
    """That many people's permissions are refused for one reason: no matter of single mailboxes, and kept."""

    provider: ProviderName
    reason: Annotated[str, Meta(examples=["AADSTS53003"])]
    """The calendar system's code."""
    people: Count
    of: Count
    """People whose permission is in use with that calendar system."""
    mends: Mender
    """Who can mend it."""


class ConfirmedFigures(TypedDict):
    """How much of what is said of rooms on dates of the next 24 hours was confirmed a moment ago."""

    upcoming: Count
    """Rooms that such dates ask for, and of which something is said."""
    confirmed: Count
    """Those whose calendar was looked at in the last 15 minutes."""
    percent: Annotated[float, Meta(ge=0, le=100, examples=[99.95])] | None
    """In hundredths, never rounded up; null while nothing is upcoming."""
    outOfSight: Count
    """Not among them: rooms of which nothing is known, since nobody who could be believed is connected."""


class OverviewFigures(TypedDict):
    """Whether it works for an organisation, and what needs help."""

    at: Instant
    """When it was counted: it is kept for a moment."""
    connected: Count
    """People whose calendar is connected."""
    connecting: Count
    """Those among them whose calendar is being read for the first time."""
    lastPush: Instant | None
    """When a calendar was last heard of, by the push of the calendar system."""
    failing: list[TroubledMailboxes]
    refusedAtOnce: RefusedAtOnce | None
    """Null while no reason is one of many."""
    confirmed: ConfirmedFigures
    pending: Count
    """Requests for dates to come that have no answer yet."""
    weeks: list[WeekFigures]
    rooms: list[RoomFigures]
    """Those that say no most often."""


def sum_weeks(days: Mapping[str, DayTally], today: str) -> list[WeekFigures]:
    """The last weeks, that of `today` included, each from Monday, the oldest first."""
    this_monday = _monday(today)
    mondays = [str(this_monday - timedelta(weeks=back)) for back in reversed(range(WEEKS))]
    found: dict[str, list[DayTally]] = {monday: [] for monday in mondays}
    for day, tally in days.items():
        found.get(str(_monday(day)), []).append(tally)
    return [_week(monday, add_tallies(tallies)) for monday, tallies in found.items()]


@dataclass(slots=True)
class RoomAnswers:
    """What rooms answered to meetings that are not past."""

    accepted: Counter[str] = field(default_factory=Counter)
    """By room id."""
    declined: Counter[str] = field(default_factory=Counter)
    pending: int = 0
    """Requests for dates to come that have no answer yet."""


def count_answers(meetings: Iterable[MeetingRecord], now_ms: int) -> RoomAnswers:
    """Count in one pass: of all the dates none is kept."""
    found = RoomAnswers()
    asked = ((each.begins, room) for meeting in meetings for each in meeting.dates for room in each.rooms)
    for begins_ms, record in asked:
        found.accepted[record.room] += record.state in {RoomState.ACCEPTED, RoomState.RELEASED}
        found.declined[record.room] += record.state is RoomState.DECLINED
        found.pending += record.state is RoomState.PENDING and begins_ms > now_ms
    return found


def rank_rooms(answers: RoomAnswers, rooms: Mapping[str, RoomRow]) -> list[RoomFigures]:
    """The rooms of the list that say no most often, the worst first."""
    accepted = answers.accepted
    found = [
        RoomFigures(
            id=room,
            name=rooms[room].name,
            accepted=accepted[room],
            declined=count,
            declinedPercent=round(100 * count / (count + accepted[room])),
        )
        for room, count in answers.declined.items()
        if count and room in rooms and rooms[room].confirmed
    ]
    return sorted(found, key=lambda each: (-each["declinedPercent"], -each["declined"], each["name"]))[:MOST_ROOMS]


def show_confirmed(states: ConfirmedStates) -> ConfirmedFigures:
    """The counts as they are shown."""
    return ConfirmedFigures(
        upcoming=states.upcoming, confirmed=states.confirmed, percent=states.percent, outOfSight=states.out_of_sight
    )


def count_troubled(consents: Iterable[ConsentRow]) -> list[TroubledMailboxes]:
    """Mailboxes that cannot be read, by state and the calendar system's reason, the most first."""
    found = Counter((each.state, each.reason) for each in consents if each.state in _TROUBLED)
    return [
        TroubledMailboxes(state=state, reason=reason, mailboxes=count) for (state, reason), count in found.most_common()
    ]


def show_common_refusal(consents: Iterable[ConsentRow]) -> RefusedAtOnce | None:
    """What many of an organisation's permissions are refused for at the moment."""
    found = find_common_refusal(consents)
    if found is None:
        return None
    return RefusedAtOnce(
        provider=found.provider,
        reason=found.code,
        people=found.people,
        of=found.of,
        mends=Mender(who_mends(found.code)),
    )


def write_weeks(weeks: Iterable[WeekFigures]) -> str:
    """The weeks as CSV."""
    columns = tuple(WeekFigures.__annotations__)
    return write_sheet(columns, ([week[name] for name in columns] for week in weeks))  # type: ignore[literal-required]


def _week(monday: str, tally: DayTally) -> WeekFigures:
    after = round(tally.noticed_after_ms / tally.noticed / MINUTE_MS, 1) if tally.noticed else None
    return WeekFigures(
        monday=monday,
        asked=tally.asked,
        accepted=tally.accepted,
        declined=tally.declined,
        rebooked=tally.noticed,
        rebookedAfterMinutes=after,
        roomless=tally.roomless,
    )


def _monday(day: str) -> date:
    found = date.fromisoformat(day)
    return found - timedelta(days=found.weekday())
