"""What a mailbox shows is observed when it differs from what it showed before; what somebody asks for is observed all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.contracts.command import Reconcile
from shared.contracts.topics import POSITION_KEY
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.support.office import AARE, BIRS, START_MS, Office

pytestmark = pytest.mark.proves("B5")
BEN = "ben@contoso.test"


def observations(office: Office) -> int:
    return len(office.topic("observations"))


def look(office: Office) -> None:
    """A push arrives, and the increment that it announces is read."""
    office.hint()
    office.after(5)


def answer(office: Office, ben: Answer, room: Answer = Answer.DECLINED) -> None:
    """Ada's meeting with these two answers."""
    event = office.calendar.events["e1"]
    attendees = (SeenAttendee(AARE, AttendeeKind.ROOM, room), SeenAttendee(BEN, AttendeeKind.PERSON, ben))
    office.calendar.events["e1"] = replace(event, attendees=attendees, version=f"{ben}-{room}")


def test_an_answer_of_a_person_costs_no_observation_and_one_of_a_room_costs_one(office: Office) -> None:
    answer(office, Answer.NONE)
    look(office)  # a guest more: another number of seats is needed
    before, states = observations(office), office.states()
    answer(office, Answer.ACCEPTED)
    look(office)
    answer(office, Answer.DECLINED)
    look(office)
    assert (observations(office), office.states()) == (before, states)

    answer(office, Answer.DECLINED, room=Answer.ACCEPTED)
    look(office)
    assert observations(office) == before + 1
    assert office.states()[-1] == "accepted"


@pytest.mark.proves("B8")
def test_a_new_title_writes_no_reference_and_counts_as_the_change_that_was_announced(office: Office) -> None:
    look(office)
    for _ in range(6):  # nothing that was announced before is looked for any more
        office.after(30)
    read = len(written(office))
    event = office.calendar.events["e1"]
    office.calendar.events["e1"] = replace(event, version="another title")
    before = len(office.calendar.looks)
    office.hint()
    office.after(1)
    assert {*written(office)[read:]} == {office.mailbox.key}
    office.after(20)
    assert len(office.calendar.looks) == before + 1, "a look that shows the announced change is not repeated"
    office.hint()
    office.after(1)
    office.after(20)
    assert len(office.calendar.looks) > before + 2, "one that shows nothing is"


def written(office: Office) -> list[bytes]:
    """The keys of the records of `calendar-state`, in order, but for the position's."""
    read = office.engine.log.read("calendar-state", 0, 0, limit=5_000)
    return [record.key for record in read if record.key != POSITION_KEY]


@pytest.mark.parametrize("change", ["time", "other-room", "removed"])
def test_what_a_room_has_to_know_is_observed(office: Office, change: str) -> None:
    before = observations(office)
    match change:
        case "time":
            office.calendar.book(start_ms=START_MS + HOUR_MS, **{AARE: "none"})
        case "other-room":
            office.calendar.book(**{BIRS: "none"})
        case _:
            office.calendar.events.clear()
    look(office)
    assert observations(office) == before + 1


def test_what_was_asked_for_is_observed_though_nothing_differs(office: Office) -> None:
    before = observations(office)
    office.send(Reconcile(at_ms=office.clock.at_ms, meetings=(office.keys.meeting("microsoft", "uid-e1"),)))
    office.after(5)
    assert observations(office) == before + 1


def test_a_full_look_observes_everything_anew(office: Office) -> None:
    before = observations(office)
    office.after(DAY_MS // 1000 // 2)  # the window moves on
    office.after(DAY_MS // 1000 // 2)
    assert "full" in office.calendar.looks[1:]
    assert observations(office) > before
