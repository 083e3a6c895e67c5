"""A mailbox is compared with its calendar once a cycle; what differs is counted by kind and corrected, and nothing told twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.sync_worker.deciding import settlement
from shared.domain.attendees import Answer
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.errors import CursorExpiredError, RetryableError
from shared.runtime import metrics
from tests.support.office import AARE, START_MS, Office
from tests.support.spoilt_references import write_references

pytestmark = pytest.mark.proves("M5")
CYCLE_S = 600


class AuditedOffice(Office):
    """Ada's mailbox is compared every ten minutes; nothing else looks at it meanwhile."""

    audit_cycle_ms = CYCLE_S * 1000


@pytest.fixture
def office(tmp_path: Path) -> AuditedOffice:
    """Connected and compared once, with a meeting two days ahead whose room has accepted."""
    office = AuditedOffice(tmp_path)
    office.calendar.book(start_ms=START_MS + DAY_MS, **{AARE: "accepted"})
    office.connect()
    office.clock.at_ms = next_turn_ms(
        office
    )  # turns follow from ids that are drawn: the next is a whole cycle ahead now
    office.settle()
    return office


def next_turn_ms(office: Office) -> int:
    turn_ms = office.sync._audits.turn_ms(office.mailbox, office.clock.at_ms)
    assert turn_ms is not None
    return turn_ms


def drift() -> dict[str, float]:
    """Found so far, by kind."""
    samples = [sample for family in metrics.DRIFT.collect() for sample in family.samples]
    return {each.labels["kind"]: each.value for each in samples if each.name.endswith("_total")}


def found_since(before: dict[str, float]) -> dict[str, float]:
    return {kind: count - before.get(kind, 0) for kind, count in drift().items() if count != before.get(kind, 0)}


def spoil(office: Office, **fields: Any) -> None:
    """Ada's reference is another one, and a worker takes it over."""
    reference = office.sync._held[office.mailbox].references["e1"]
    write_references(office.engine, office.mailbox, {"e1": msgspec.structs.replace(reference, **fields)})
    office.restart()


SPOILT: dict[str, dict[str, Any]] = {
    "time": {"start_ms": START_MS, "end_ms": START_MS + HOUR_MS},
    "identity": {"uid": "another-meeting"},
}


@pytest.mark.parametrize("kind", [*SPOILT, "answer", "room", "missing", "extra"])
def test_a_wrong_reference_is_found_and_corrected_within_a_cycle_and_nothing_is_told(
    office: AuditedOffice, kind: str
) -> None:
    right = office.sync._held[office.mailbox].references["e1"]
    [room] = right.rooms or {}
    match kind:
        case "missing":
            write_references(office.engine, office.mailbox, {"e1": None})
            office.restart()
        case "extra":
            ghost = msgspec.structs.replace(right, event_id="ghost", uid="ghost")
            write_references(office.engine, office.mailbox, {"ghost": ghost})
            office.restart()
        case "answer":
            spoil(office, rooms={room: Answer.DECLINED})
        case "room":
            spoil(office, rooms={"another-room": Answer.ACCEPTED})
        case _:
            spoil(office, **SPOILT[kind])
    before = drift()
    office.after(CYCLE_S)
    assert found_since(before) == {kind: 1}
    assert office.sync._held[office.mailbox].references == {"e1": right}
    assert office.declines() == []
    assert office.states()[-1] == "accepted"


def test_a_right_reference_is_compared_and_no_drift_is_found(office: AuditedOffice) -> None:
    before, compared = drift(), metrics.AUDITED.labels("microsoft")._value.get()
    looks = len(office.calendar.looks)
    office.after(CYCLE_S)
    assert office.calendar.looks[looks:] == ["incremental", "full"]
    assert metrics.AUDITED.labels("microsoft")._value.get() == compared + 1
    assert found_since(before) == {}


def test_a_push_that_never_came_is_no_wrong_reference_and_its_decline_is_told_once(office: AuditedOffice) -> None:
    before = drift()
    office.calendar.book(start_ms=START_MS + DAY_MS, **{AARE: "declined"})
    office.after(CYCLE_S)
    assert found_since(before) == {"push": 1}
    office.after(CYCLE_S)
    assert len(office.declines()) == 1


def test_a_change_that_the_cursor_skipped_is_found(office: AuditedOffice) -> None:
    """The provider's increments will never show it."""
    before = drift()
    event = office.calendar.events["e1"]
    [room] = event.attendees or ()
    office.calendar.events["e1"] = replace(event, attendees=(replace(room, answer=Answer.DECLINED),))
    office.calendar._shown = {cursor: dict(office.calendar.events) for cursor in office.calendar._shown}
    office.hint()
    office.after(61)
    assert office.declines() == []
    office.after(CYCLE_S)
    assert found_since(before) == {"answer": 1}
    assert len(office.declines()) == 1


def test_a_decline_that_was_held_and_never_told_is_told_once(office: AuditedOffice) -> None:
    """The reference says declined already, so that the decline itself, when it comes, changes nothing of it."""
    right = office.sync._held[office.mailbox].references["e1"]
    [room] = right.rooms or {}
    spoil(office, rooms={room: Answer.DECLINED})
    office.calendar.book(start_ms=START_MS + DAY_MS, **{AARE: "declined"})
    office.hint()
    office.after(61)
    assert office.declines() == []
    for _ in range(2):
        office.after(CYCLE_S)
    assert len(office.declines()) == 1


def test_differences_while_the_calendar_changes_are_corrected_and_not_counted(office: AuditedOffice) -> None:
    right = office.sync._held[office.mailbox].references["e1"]
    [room] = right.rooms or {}
    spoil(office, rooms={room: Answer.DECLINED})
    before = drift()
    office.clock.at_ms = next_turn_ms(office) - 5000
    office.hint()
    office.settle()
    office.after(6)
    assert office.sync._held[office.mailbox].references == {"e1": right}
    assert found_since(before) == {}


def test_an_expired_cursor_is_looked_at_in_full_and_not_compared(office: AuditedOffice) -> None:
    before = drift()
    office.calendar.failures = [CursorExpiredError("410")]
    office.after(CYCLE_S)
    assert office.calendar.looks[-1] == "full"
    assert found_since(before) == {}


def test_an_audit_that_fails_is_a_look_that_failed_and_the_next_cycle_repeats_it(office: AuditedOffice) -> None:
    before = drift()
    right = office.sync._held[office.mailbox].references["e1"]
    spoil(office, rooms={})
    office.calendar.look_failures = [RetryableError("503", retry_after_s=1)]
    office.after(CYCLE_S)
    assert office.sync._held[office.mailbox].state.failures == 1
    office.after(CYCLE_S)
    office.after(CYCLE_S)
    assert office.sync._held[office.mailbox].references == {"e1": right}
    assert found_since(before) == {"room": 1}


def test_an_audit_observes_meetings_with_rooms_and_no_others(office: AuditedOffice) -> None:
    """What was made of an earlier observation is corrected too; meetings without rooms cost nothing."""
    office.calendar.book("e2", start_ms=START_MS + DAY_MS)
    office.hint()
    office.after(61)
    before = len(office.topic("observations"))
    office.after(CYCLE_S)
    assert len(office.topic("observations")) == before + 1


def test_people_are_not_kept_waiting_by_an_audit(office: AuditedOffice) -> None:
    """A look that a push asked for is no audit, even when the mailbox' turn has come."""
    looks = len(office.calendar.looks)
    office.clock.at_ms = next_turn_ms(office)
    office.hint()
    office.sync.step()
    assert office.calendar.looks[looks:] == ["incremental"]
    office.settle()
    assert office.calendar.looks[looks:] == ["incremental", "incremental", "full"]


def test_planted_fault_is_found(office: AuditedOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks in full that observe what differs from the references alone would leave the decline untold."""
    right = office.sync._held[office.mailbox].references["e1"]
    [room] = right.rooms or {}
    monkeypatch.setattr(settlement, "meetings_with_rooms", lambda _: set())
    spoil(office, rooms={room: Answer.DECLINED})
    office.calendar.book(start_ms=START_MS + DAY_MS, **{AARE: "declined"})
    office.hint()
    office.after(61)
    for _ in range(2):
        office.after(CYCLE_S)
    assert office.declines() == []
