"""What stands on `calendar-state` of a series' people: one answer writes one small piece, whoever leaves takes all of them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from shared.contracts import attendee_snapshot
from shared.contracts import envelope as envelopes
from shared.contracts.attendee_snapshot import SnapshotPiece
from shared.contracts.calendar_state import REFERENCE_TYPE
from shared.contracts.command import Disconnect
from shared.contracts.topics import CALENDAR_STATE, POSITION_KEY
from shared.crypto.records import open_envelope
from shared.crypto.references import open_reference
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import DAY_MS
from shared.domain.sighting import EventKind
from shared.ports.log import NewRecord, Record
from tests.support.office import AARE, START_MS, Office

DATES, PEOPLE = 20, 60


@pytest.fixture
def series(office: Office) -> Office:
    """Ada's series for many people, looked at."""
    for date in range(DATES):
        office.calendar.book(f"s-{date}", start_ms=START_MS + date * DAY_MS, **{AARE: "accepted"})
        (room,) = office.calendar.events[f"s-{date}"].attendees or ()
        people = [SeenAttendee(f"{number}@x.test", AttendeeKind.PERSON, Answer.NONE) for number in range(PEOPLE)]
        office.calendar.events[f"s-{date}"] = replace(
            office.calendar.events[f"s-{date}"], uid="uid-s", kind=EventKind.OCCURRENCE, master_id="s", slot=str(date),
            attendees=(room, *people),
        )  # fmt: skip
    look(office)
    return office


def look(office: Office) -> None:
    office.hint()
    office.settle()


def answer(office: Office, person: int, said: Answer, dates: range = range(DATES)) -> None:
    for name in (f"s-{date}" for date in dates):
        event = office.calendar.events[name]
        changed = [
            replace(each, answer=said) if each.address == f"{person}@x.test" else each for each in event.attendees or ()
        ]
        office.calendar.events[name] = replace(event, attendees=tuple(changed), version=f"{event.version}+")


def end(office: Office) -> int:
    return office.engine.log.span(CALENDAR_STATE.name, 0).end


def written(office: Office, since: int = 0) -> list[Record]:
    """What has been written of events and people."""
    own = {POSITION_KEY, office.mailbox.key}
    return [each for each in office.engine.log.read(CALENDAR_STATE.name, 0, since, limit=5000) if each.key not in own]


def kept(office: Office) -> dict[bytes, bytes]:
    """The newest record of each key that is not deleted."""
    return {
        key: value for key, value in {each.key: each.value for each in written(office)}.items() if value is not None
    }


def pieces(office: Office) -> list[SnapshotPiece]:
    found = [(key, envelopes.decode(value)) for key, value in kept(office).items()]
    return [
        open_envelope(each, office.keys, SnapshotPiece, key=key, newest=attendee_snapshot.VERSION)
        for key, each in found
        if each.type == attendee_snapshot.TYPE
    ]


def answers_of(office: Office, person: int) -> list[object]:
    """What stands of one person, by any piece."""
    name = office.keys.person(f"{person}@x.test")
    return [msgspec.to_builtins(each.people[name]) for each in pieces(office) if name in each.people]


def assert_small(records: list[Record]) -> None:
    """One piece of people; or two that were one, where it would have become too large."""
    assert len([each for each in records if each.value is not None]) in {1, 2}
    assert len(records) in {1, 3}
    assert all(b"/people/" in each.key and len(each.value or b"") < 1024 for each in records)


@pytest.mark.proves("D6")
def test_answer_to_a_whole_series_writes_one_small_record(series: Office) -> None:
    series.restart()
    since = end(series)
    answer(series, 7, Answer.ACCEPTED)
    look(series)
    assert_small(written(series, since))
    assert answers_of(series, 7) == [["accepted", {}]]
    since = end(series)
    series.after(2 * 86_400)  # looks that find nothing, among them full ones
    assert series.calendar.looks[-1] == "full"
    assert written(series, since) == []


@pytest.mark.proves("D6")
def test_answer_to_one_date_is_a_difference_of_one_person(series: Office) -> None:
    since = end(series)
    answer(series, 7, Answer.DECLINED, range(3, 4))
    look(series)
    assert_small(written(series, since))
    ((usual, others),) = answers_of(series, 7)
    assert (usual, list(others), [len(dates) for dates in others.values()]) == ("none", ["declined"], [1])


@pytest.mark.proves("D6", "S9")
def test_records_of_people_hold_no_address_and_references_hold_no_people(series: Office) -> None:
    assert {person for each in pieces(series) for person in each.people} == {
        series.keys.person(f"{number}@x.test") for number in range(PEOPLE)
    }
    for key, value in kept(series).items():
        envelope = envelopes.decode(value)
        assert b"x.test" not in value
        if envelope.type == REFERENCE_TYPE:
            found = open_reference(key, envelope, series.keys)
            assert (found.people, found.people_apart) == (None, True)


@pytest.mark.proves("D6", "E30")
def test_whoever_disconnects_leaves_no_answer_behind(series: Office) -> None:
    assert pieces(series)
    series.restart()
    series.send(Disconnect(at_ms=series.clock.at_ms))
    series.settle()
    assert [key for key in kept(series) if not key.endswith(b"/left")] == []


@pytest.mark.proves("D6", "M7")
def test_piece_that_cannot_be_read_is_written_anew_by_the_look_that_follows(series: Office) -> None:
    answer(series, 7, Answer.ACCEPTED)
    look(series)
    before = kept(series)
    ((key, value),) = [each for each in before.items() if b"/people/" in each[0]][:1]
    series.engine.log.append([NewRecord(CALENDAR_STATE.name, 0, key, b"\x00")])
    series.restart()
    look(series)
    assert kept(series).keys() == before.keys()
    assert envelopes.decode(kept(series)[key]).id == envelopes.decode(value).id
    assert answers_of(series, 7) == [["accepted", {}]]
