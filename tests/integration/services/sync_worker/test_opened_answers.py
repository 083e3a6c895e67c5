"""A room is taken at a calendar that opens the answers of those who stay: what they had answered still counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.command import TakeRoom
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import RoomRow, TakeRow, TakeState
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.errors import RetryableError
from shared.organisations.enrolment import enter_rooms
from shared.organisations.room_report import read_meetings
from shared.registry import tables
from shared.runtime.command_records import command_record
from simulator.world.drafts import Invitee, MeetingDraft
from simulator.world.model import AttendeeAnswer, Meeting, Recurrence, RoomRules
from tests.support.simulated_company import Company

AARE, BIRS, CHLUS, DOUBS = "aare", "birs", "chlus", "doubs"
DECLINED, ACCEPTED = AttendeeAnswer.DECLINED, AttendeeAnswer.ACCEPTED


ROOMS = (AARE, BIRS, CHLUS, DOUBS)


def enter(company: Company, provider: Provider) -> None:
    """The organisation has the rooms, at its provider and in its list."""
    engine, tenant = company.engine, company.tenants[provider]
    with company.world.lock:
        organisation = company.world.directory.mailbox(f"p0@{provider}.example").tenant_id
        for name in ROOMS:
            address, rules = f"{name}@{provider}.example", RoomRules(mode="manual")
            company.world.directory.add_room(organisation, name.title(), address, rules=rules)
    rows = [RoomRow(address=f"{name}@{provider}.example", name=name.title()) for name in ROOMS]
    enter_rooms(engine.registry, engine.keyring, tenant, rows)


class Taking:
    """One person at a provider whose meeting asks for three rooms: Aare and Birs decline, Chlus accepts. Doubs is taken."""

    def __init__(self, company: Company, provider: Provider, recurrence: Recurrence | None = None) -> None:
        self.company, self.provider, self.tenant = company, provider, company.tenants[provider]
        self.keys = company.engine.keyring.keys(self.tenant)
        [self.employee] = [each for each in company.employees if each.mailbox.tenant == self.tenant]
        start_ms = company.clock.now_ms() // HOUR_MS * HOUR_MS + 3 * DAY_MS + 7 * HOUR_MS
        invitees = [Invitee(self.address(name), role="resource") for name in (AARE, BIRS, CHLUS)]
        draft = MeetingDraft("Review", start_ms, start_ms + HOUR_MS, invitees=invitees, recurrence=recurrence)
        with company.world.lock:
            self.meeting: Meeting = company.world.bookings.create(self.employee.subject, draft)

    def address(self, name: str) -> str:
        return f"{name}@{self.provider}.example"

    def answer(self, name: str, answer: AttendeeAnswer) -> None:
        with self.company.world.lock:
            self.company.world.desk.answer(self.meeting, self.address(name), answer)

    def event_id(self) -> str:
        """Of the first date, in the person's calendar."""
        references = self.company.sync._held[self.employee.mailbox].references.values()
        asked = [one for one in references if one.start_ms == self.meeting.start_ms and one.kind != "master"]
        return next(one.event_id for one in asked)

    def take(self, series: tuple[str, ...] | None = None) -> None:
        now_ms, room = self.company.clock.now_ms(), self.keys.room(self.address(DOUBS))
        row = TakeRow(user=self.employee.user, prompt="d", room=room, state=TakeState.ASKED, at_ms=now_ms)
        tables.takes(self.company.engine.registry).put(self.tenant, "take", row)
        declined = self.keys.room(self.address(AARE))
        take = TakeRoom(
            at_ms=now_ms,
            take_id="take",
            event_id=self.event_id(),
            declined_room_id=declined,
            room_id=room,
            series=series,
        )
        self.company.engine.log.append([command_record(self.employee.mailbox, take, 1)])

    def taken(self) -> tuple[TakeState, str]:
        row = tables.takes(self.company.engine.registry).get(self.tenant, "take")
        assert row is not None
        return row.state, row.reason

    def states(self) -> dict[str, set[RoomState]]:
        """Room → its states over the meeting's dates, as people are shown them."""
        engine, names = (
            self.company.engine,
            {self.keys.room(self.address(each)): each for each in (AARE, BIRS, CHLUS, DOUBS)},
        )
        found: dict[str, set[RoomState]] = {}
        for meeting in read_meetings(engine.view, engine.registry, self.keys):
            for date in meeting.dates:
                for room in date.rooms:
                    if room.room in names and room.state is not RoomState.GONE:
                        found.setdefault(names[room.room], set()).add(room.state)
        return found

    def declines(self, name: str) -> int:
        """How many events of it are on the topic."""
        records = self.company.engine.log.read("room-rejections", 0, 0, limit=1000)
        room = self.keys.room(self.address(name))
        return sum(room in json.dumps(json.loads(record.value)) for record in records if record.value)


@pytest.fixture(params=list(Provider))
def provider(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.param
    return found


@pytest.fixture
def company(tmp_path: Path, provider: Provider) -> Iterator[Company]:
    """Connected; the calendar opens the answers of everybody whose room is not the one that is taken."""
    company = Company(tmp_path, 1, 1)
    try:
        enter(company, provider)
        company.connect()
        company.world.faults.put({"contradicts": [f"{provider}.answers-survive-patch"]})
        yield company
    finally:
        company.close()


def refused(company: Company, provider: Provider, recurrence: Recurrence | None = None) -> Taking:
    taking = Taking(company, provider, recurrence)
    taking.answer(AARE, DECLINED)
    taking.answer(BIRS, DECLINED)
    taking.answer(CHLUS, ACCEPTED)
    company.settle()
    company.move_clock(MINUTE_MS, 5_000)
    return taking


def shown(taking: Taking) -> dict[str, set[RoomState]]:
    """Settled, and looked at once more in full."""
    taking.company.settle()
    taking.company.move_clock(MINUTE_MS, 5_000)
    return taking.states()


KEPT = {BIRS: {RoomState.DECLINED}, CHLUS: {RoomState.ACCEPTED}, DOUBS: {RoomState.PENDING}}


@pytest.mark.proves("B8", "D8")
@pytest.mark.parametrize("dates", [1, 3])
def test_answers_that_the_change_opened_count_until_their_rooms_answer_again(
    company: Company, provider: Provider, dates: int
) -> None:
    recurrence = Recurrence(frequency="daily", interval=1, count=dates) if dates > 1 else None
    taking = refused(company, provider, recurrence)
    told = taking.declines(BIRS)
    assert told == dates
    taking.take(series=() if recurrence else None)
    assert shown(taking) == KEPT
    assert taking.taken() == (TakeState.DONE, "")
    assert taking.meeting.attendees[taking.address(BIRS)].answer is AttendeeAnswer.NONE, "the calendar has opened it"
    taking.answer(BIRS, DECLINED)
    assert shown(taking) == KEPT
    assert taking.declines(BIRS) == told, "a no that is repeated is not told again"
    taking.answer(BIRS, ACCEPTED)
    assert shown(taking)[BIRS] == {RoomState.ACCEPTED}


@pytest.mark.proves("D8")
def test_answer_that_came_since_the_last_look_is_witnessed_by_the_swap(company: Company, provider: Provider) -> None:
    taking = refused(company, provider)
    company.world.faults.put({"dropShare": 1.0})
    taking.answer(CHLUS, DECLINED)
    taking.take()
    assert shown(taking)[CHLUS] == {RoomState.DECLINED}
    assert taking.declines(CHLUS) == 1


@pytest.mark.proves("D8")
@pytest.mark.parametrize("dates", [1, 3])
def test_answers_are_kept_where_the_look_after_the_change_fails_and_its_owner_dies(
    company: Company, provider: Provider, dates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recurrence = Recurrence(frequency="daily", interval=1, count=dates) if dates > 1 else None
    taking = refused(company, provider, recurrence)
    calendar = company.providers[provider]

    def fail(*_: Any) -> Any:
        message = "the calendar is away"
        raise RetryableError(message, retry_after_s=5)

    with monkeypatch.context() as away:
        away.setattr(calendar, "look", fail)
        taking.take(series=() if recurrence else None)
        company.settle()
    assert taking.taken() == (TakeState.DONE, "")
    company.restart()
    assert shown(taking) == KEPT
