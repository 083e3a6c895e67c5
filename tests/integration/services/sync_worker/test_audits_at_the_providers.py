"""
References are spoilt and pushes lost at both simulated providers: within a cycle everything is as calendars say, inside a budget.

`ROOMSYNC_DRIFT_PEOPLE` says how many people each organisation has.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from services.sync_worker.deciding.drift import DriftKind, find_drift
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.mailbox import window_at
from services.sync_worker.deciding.references import merge
from services.sync_worker.looking.room_addresses import RoomAddresses
from shared.contracts.calendar_state import EventReference
from shared.contracts.meeting_state import RoomState
from shared.domain.attendees import Answer
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from shared.organisations.room_report import read_meetings
from shared.runtime import metrics
from simulator.world.model import AttendeeAnswer, Meeting
from tests.support.simulated_company import Company, Employee
from tests.support.spoilt_references import write_references

pytestmark = pytest.mark.proves("M5")
PEOPLE = int(os.environ.get("ROOMSYNC_DRIFT_PEOPLE", "12"))
MEETINGS = 8
STEP_MS = 5 * SECOND_MS
CALLS_PER_MINUTE = 48
AUDIT_CALLS = 4
"""What an audit of these calendars is allowed to ask: an increment, a page or two, and an event that is not found any more."""
CYCLE_MS = max(10 * MINUTE_MS, PEOPLE * AUDIT_CALLS * 2 * MINUTE_MS // CALLS_PER_MINUTE)
SHARE = 0.01
DROPPED = 0.1
KINDS = (DriftKind.TIME, DriftKind.ROOM, DriftKind.ANSWER, DriftKind.MISSING, DriftKind.EXTRA)
WORDS = {
    AttendeeAnswer.NONE: RoomState.PENDING,
    AttendeeAnswer.ACCEPTED: RoomState.ACCEPTED,
    AttendeeAnswer.DECLINED: RoomState.DECLINED,
}


WAIT_MS = MINUTE_MS
"""Those whose turn comes last may wait so long until the budget allows them: a step of the test admits one."""
SETTLED_MS = 2 * MINUTE_MS
"""Google announces each channel by a push: what is compared a moment after one is not counted."""
AHEAD = 2
"""References at each provider that say declined before their room does."""


@dataclass
class Spoilt:
    """What was spoilt at a provider."""

    found: Counter[tuple[str, str]]
    """What audits have to find: provider and kind → how many."""
    ahead: list[Meeting]
    """Meetings whose reference says declined already."""
    right: list[Meeting]
    """Those of people whose references are as they were."""


@contextmanager
def opened(home: Path, people: int = PEOPLE, **settings: float) -> Iterator[Company]:
    company = Company(
        home,
        people,
        MEETINGS,
        audit_cycle_s=CYCLE_MS / 1000,
        **{"audit_calls_per_minute": CALLS_PER_MINUTE, **settings},
    )
    try:
        company.connect()
        company.move_clock(SETTLED_MS, SETTLED_MS)
        yield company
    finally:
        company.close()


def drift_found() -> Counter[tuple[str, str]]:
    """Provider and kind → found so far; kinds that compare alone."""
    samples = [sample for family in metrics.DRIFT.collect() for sample in family.samples]
    counts = {
        (each.labels["provider"], each.labels["kind"]): int(each.value) for each in samples if "total" in each.name
    }
    return Counter({key: count for key, count in counts.items() if key[1] in {*KINDS, DriftKind.IDENTITY}})


def in_sight_of_one_window(company: Company, employee: Employee) -> bool:
    """Whether the daily look in full, which compares nothing, is not due meanwhile."""
    now_ms = company.clock.now_ms()
    return window_at(now_ms, employee.mailbox.id) == window_at(now_ms + 2 * CYCLE_MS + HOUR_MS, employee.mailbox.id)


def spoilt(kind: DriftKind, right: EventReference) -> tuple[str, EventReference | None]:
    """The event's id and what is put on record of it."""
    match kind:
        case DriftKind.TIME:
            return right.event_id, msgspec.structs.replace(
                right, start_ms=right.start_ms + DAY_MS, end_ms=right.end_ms + DAY_MS
            )
        case DriftKind.ROOM:
            return right.event_id, msgspec.structs.replace(right, rooms={"another": Answer.ACCEPTED})
        case DriftKind.ANSWER:
            return right.event_id, msgspec.structs.replace(
                right, rooms=dict.fromkeys(right.rooms or (), Answer.DECLINED)
            )
        case DriftKind.MISSING:
            return right.event_id, None
        case _:
            return "ghost", msgspec.structs.replace(right, event_id="ghost", uid="ghost")


def spoil(company: Company, provider: Provider) -> Spoilt:
    """Spoil a share of the provider's references in each way, and a few more so that they say what is about to happen."""
    people = [
        each for each in company.employees
        if each.mailbox.tenant == company.tenants[provider] and in_sight_of_one_window(company, each)
    ]  # fmt: skip
    victims = [(each, place) for place in range(MEETINGS) for each in people]
    kinds = KINDS * max(1, round(SHARE * PEOPLE * MEETINGS))
    wanted: dict[Mailbox, dict[str, EventReference | None]] = {}
    for number, (employee, place) in enumerate(victims[: len(kinds) + AHEAD]):
        references = company.sync._held[employee.mailbox].references.values()
        right = sorted(references, key=lambda one: one.start_ms)[place]
        name, reference = spoilt(kinds[number] if number < len(kinds) else DriftKind.ANSWER, right)
        wanted.setdefault(employee.mailbox, {})[name] = reference
    for mailbox, changes in wanted.items():
        write_references(company.engine, mailbox, changes)
    first = victims[: len(kinds) + AHEAD]
    # A push of their mailbox, a moment before it is compared, would have the difference corrected and not counted.
    spoilt_people = {employee.mailbox for employee, _ in first}
    return Spoilt(
        Counter((provider, kind) for kind in kinds),
        [employee.meetings[place] for employee, place in first[len(kinds) :]],
        [meeting for each in people if each.mailbox not in spoilt_people for meeting in each.meetings],
    )


def truth_of(company: Company, employee: Employee) -> dict[str, EventReference]:
    """What a client that knows nothing reads in the calendar."""
    mailbox, state = employee.mailbox, company.sync._held[employee.mailbox].state
    provider = company.providers[Provider(state.provider)]
    window = window_at(company.clock.now_ms(), mailbox.id)
    look = company.broker.using(mailbox, lambda access: provider.look(access, "", window))
    rooms: ListedRooms = RoomAddresses(company.engine.registry, company.clock).of(mailbox.tenant)
    keys = company.engine.keyring.keys(mailbox.tenant)
    return merge({}, look, window=window, provider=state.provider, keys=keys, rooms=rooms).references


def decided(company: Company, tenant: str) -> dict[tuple[str, int, str], RoomState]:
    """Mailbox that speaks, start and room → state, as people are shown it."""
    keys = company.engine.keyring.keys(tenant)
    return {
        (date.speaker, date.start_ms, room.room): room.state
        for meeting in read_meetings(company.engine.view, company.engine.registry, keys)
        for date in meeting.dates
        for room in date.rooms
        if room.state is not RoomState.GONE
    }


def true_states(company: Company, tenant: str) -> dict[tuple[str, int, str], RoomState]:
    """The same, as the simulator has it."""
    keys = company.engine.keyring.keys(tenant)
    return {
        (employee.mailbox.id, meeting.start_ms, keys.room(address)): WORDS[attendee.answer]
        for employee in company.employees
        if employee.mailbox.tenant == tenant
        for meeting in employee.meetings
        for address, attendee in meeting.attendees.items()
    }


def declines_on_the_topic(company: Company) -> list[str]:
    """Ids of declines, repeats included."""
    read = company.engine.log.read("room-rejections", 0, 0, limit=10_000)
    return [json.loads(record.value)["id"] for record in read if record.value]


def test_spoilt_references_and_lost_pushes_are_found_within_a_cycle(tmp_path: Path) -> None:
    with opened(tmp_path) as company:
        before = drift_found()
        found = [spoil(company, provider) for provider in Provider]
        company.world.faults.put({"dropShare": DROPPED})
        company.restart()
        right = [meeting for each in found for meeting in each.right]
        declined = right[:: max(1, len(right) // 60)] + [meeting for each in found for meeting in each.ahead]
        for meeting in declined:
            company.decline(meeting)
        company.settle()
        assert company.pushes_dropped() > 0
        begun = company.calls()
        company.move_clock(CYCLE_MS + WAIT_MS, STEP_MS)

        for employee in company.employees:
            held, shown = company.sync._held[employee.mailbox].references, truth_of(company, employee)
            assert held.keys() == shown.keys()
            assert not find_drift(held, shown, company.clock.now_ms()).found
        for tenant in company.tenants.values():
            assert decided(company, tenant) == true_states(company, tenant)
        assert drift_found() - before == sum((each.found for each in found), Counter())
        assert len(declines_on_the_topic(company)) == len(set(declines_on_the_topic(company))) == len(declined)
        for provider in Provider:
            assert 0 < company.calls_since(begun, provider) <= CALLS_PER_MINUTE * (CYCLE_MS + WAIT_MS) / MINUTE_MS


def test_nothing_is_told_or_found_twice(tmp_path: Path) -> None:
    """Two cycles over calendars of which nothing is wrong: no drift is found, and nothing is told."""
    with opened(tmp_path, people=4) as company:
        before = drift_found()
        company.move_clock(2 * CYCLE_MS, STEP_MS)
        assert drift_found() == before
        assert declines_on_the_topic(company) == []


def test_audits_ask_no_more_than_their_budget_and_reach_everybody(tmp_path: Path) -> None:
    """One call a minute is less than the cycle would need: it takes longer, and nobody is left out."""
    with opened(tmp_path, people=8, audit_calls_per_minute=1) as company:
        begun, at_ms, waiting = company.calls(), company.clock.now_ms(), 0
        for _ in range(6):
            company.move_clock(CYCLE_MS // 2, STEP_MS)
            waiting = max(waiting, company.sync._audits.waiting())
            minutes = (company.clock.now_ms() - at_ms) / MINUTE_MS
            for provider in Provider:
                assert 0.5 * minutes <= company.calls_since(begun, provider) <= minutes + AUDIT_CALLS
        assert waiting > 0, "the budget is used up"
        assert company.people_read_in_full(begun) == {each.subject for each in company.employees}
