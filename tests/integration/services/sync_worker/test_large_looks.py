"""A look that brings much is committed in pieces, and what cannot be written at all stops nobody."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.dead_letters.open_letters import find_open_letters
from services.sync_worker.deciding import pieces
from shared.contracts.bounds import MAX_RECORD_BYTES, PIECE_BYTES, PIECE_RECORDS
from shared.contracts.command import Connect, Disconnect
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import HOUR_MS
from tests.support.office import AARE, BIRS, Office

EVENTS = 5_000
SOME = 120
STEPS = 12


class OwnerDiedError(Exception):
    """The process ended before a commit."""


class Commits:
    """What an owner of calendars, and whoever follows it, commits; the owner dies before the commit of number `dies_before`."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch, *, dies_before: int = 0) -> None:
        self.outputs: list[Sequence[Any]] = []
        self.changes: list[Sequence[Any]] = []
        self._dies_before = dies_before
        self._monkeypatch = monkeypatch
        self.follow(office)

    def follow(self, office: Office) -> None:
        """Also take down what the present owner commits."""
        self._commit = office.sync._claim.commit
        self._monkeypatch.setattr(office.sync._claim, "commit", self)

    def __call__(self, outputs: Sequence[Any], changes: Sequence[Any], position: Any) -> int:
        if len(self.changes) + 1 == self._dies_before:
            self._dies_before = 0  # whoever follows it lives
            raise OwnerDiedError
        self.outputs.append(outputs)
        self.changes.append(changes)
        return self._commit(outputs, changes, position)

    def check_bounds(self) -> None:
        """Each commit's observations and changes are within the bounds together."""
        for outputs, changes in zip(self.outputs, self.changes, strict=True):
            assert len(outputs) + len(changes) <= pieces.PIECE_RECORDS
            assert sum(len(each.value or b"") for each in (*outputs, *changes)) <= PIECE_BYTES


def book(office: Office, events: int, answer: str = "none", **rest: str) -> None:
    for number in range(events):
        office.calendar.book(f"e{number}", **{AARE: answer}, **rest)


def settle(office: Office) -> None:
    for _ in range(3):
        office.settle()


def observed(office: Office) -> set[bytes]:
    """The meetings of which there are observations."""
    return {record.key for record in office.engine.log.read("observations", 0, 0, limit=50_000)}


def states(office: Office) -> dict[bytes, str]:
    """The public state of each room of each date."""
    return {
        record.key: msgspec.json.decode(record.value)["state"]
        for record in office.engine.log.read("room-status", 0, 0, limit=50_000)
        if record.value
    }


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits of few records, so that a small calendar needs several."""
    monkeypatch.setattr(pieces, "PIECE_RECORDS", 50)


@pytest.mark.proves("B8")
def test_look_of_5000_events_is_committed_in_bounded_pieces_and_its_cursor_with_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    office.connect()
    book(office, EVENTS)
    commits = Commits(office, monkeypatch)
    office.hint()
    office.sync.step()
    assert len(observed(office)) == EVENTS
    assert len(commits.changes) == EVENTS * 2 // PIECE_RECORDS + 1
    commits.check_bounds()
    of_mailbox = [office.mailbox.key in {change.key for change in changes} for changes in commits.changes]
    assert of_mailbox == [False] * (len(commits.changes) - 1) + [True]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dies_before", [1, 2, 4, 5])
def test_owner_that_dies_between_two_pieces_loses_nothing_and_tells_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_before: int
) -> None:
    office = Office(tmp_path)
    book(office, SOME)
    office.connect()
    settle(office)
    book(office, SOME, "declined")
    del office.calendar.events["e4"]
    Commits(office, monkeypatch, dies_before=dies_before)
    office.hint()
    with pytest.raises(OwnerDiedError):
        office.sync.step()
    office.restart()
    settle(office)
    assert len(office.declines()) == len(set(office.declines())) == SOME - 1
    assert sorted(states(office).values()) == ["declined"] * (SOME - 1) + ["gone"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dies_before", [2, 4])
@pytest.mark.parametrize("again", [False, True], ids=["later", "meanwhile"])
def test_owner_that_dies_while_a_person_leaves_still_knows_what_they_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_before: int, again: bool
) -> None:
    office = Office(tmp_path)
    book(office, SOME, "declined")
    office.connect()
    settle(office)
    Commits(office, monkeypatch, dies_before=dies_before)
    office.send(Disconnect(at_ms=office.clock.at_ms))
    with pytest.raises(OwnerDiedError):
        office.sync.step()
    office.restart()
    if again:
        office.calendar.events.pop("e1"), office.calendar.events.pop(f"e{SOME - 1}")
        office.send(Connect(at_ms=office.clock.at_ms))
    else:
        settle(office)
        assert set(states(office).values()) == {"unknown"}
        office.calendar.events.pop("e1"), office.calendar.events.pop(f"e{SOME - 1}")
    office.connect()
    settle(office)
    assert sorted(states(office).values()) == ["declined"] * (SOME - 2) + ["gone"] * 2
    assert office.declines() == []


def crowd(office: Office, event_id: str, people: int) -> None:
    """Invite many people to an event."""
    event = office.calendar.events[event_id]
    guests = tuple(
        SeenAttendee(f"guest-{number}@contoso.test", AttendeeKind.PERSON, Answer.NONE) for number in range(people)
    )
    office.calendar.events[event_id] = dataclasses.replace(event, attendees=(*(event.attendees or ()), *guests))


def swell(office: Office, event_id: str) -> None:
    """Give an event an etag that no record can hold: no provider says how long one may be."""
    event = office.calendar.events[event_id]
    office.calendar.events[event_id] = dataclasses.replace(event, version="e" * MAX_RECORD_BYTES)


def test_meeting_of_six_thousand_people_is_as_small_as_one_of_two(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.connect()
    office.calendar.book("e1", **{AARE: "declined"})
    crowd(office, "e1", 6_000)
    office.hint()
    office.settle()
    assert len(office.declines()) == 1
    assert max(len(record.value or b"") for record in office.engine.log.read("calendar-state", 0, 0)) < 4_000


@pytest.mark.proves("B8")
def test_meeting_that_cannot_be_written_is_a_dead_letter_and_stops_nobody(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.connect()
    office.calendar.book("e1", **{AARE: "accepted"})
    office.hint()
    office.settle()
    office.calendar.book("e1", **{AARE: "declined"})
    swell(office, "e1")
    office.calendar.book("e2", **{BIRS: "declined"})
    for _ in range(3):
        office.hint()
        office.settle()
    assert len(office.declines()) == 1
    assert sorted(states(office).values()) == ["accepted", "declined"]
    (letter,) = (each.letter for each in find_open_letters(office.engine.log).values())
    assert len(letter.value or b"") <= MAX_RECORD_BYTES
    assert f"{MAX_RECORD_BYTES} are the bound" in letter.reason
    assert letter.key == f"{office.tenant}/{office.keys.meeting('microsoft', 'uid-e1')}".encode()
    office.restart()
    office.calendar.events.pop("e1")  # its etag is not a number that another could follow
    office.calendar.book("e1", **{AARE: "declined"})
    office.hint()
    settle(office)
    assert len(office.declines()) == 2
    assert sorted(states(office).values()) == ["declined", "declined"]


@pytest.mark.proves("B8", "B13")
@pytest.mark.parametrize("restarts", [False, True])
def test_meeting_that_could_not_be_written_at_first_is_as_quiet_when_it_fits_as_it_would_have_been(
    tmp_path: Path, restarts: bool
) -> None:
    office = Office(tmp_path)
    office.calendar.book("e1", **{AARE: "declined"})
    swell(office, "e1")
    office.calendar.book("e2", **{BIRS: "declined"})
    office.connect()
    office.calendar.book("e3", **{BIRS: "declined"})
    office.hint()
    settle(office)
    assert len(office.declines()) == 1, "what is new is told"
    assert len(find_open_letters(office.engine.log)) == 1
    if restarts:
        office.restart()
    office.calendar.events.pop("e1")
    office.calendar.book("e1", **{AARE: "declined"})
    office.hint()
    settle(office)
    assert sorted(states(office).values()) == ["declined"] * 3
    assert len(office.declines()) == 1
    for answer in ("accepted", "declined"):
        office.calendar.book("e1", **{AARE: answer})
        office.hint()
        settle(office)
    assert len(office.declines()) == 2


def book_series(office: Office, answer: str, dates: int = SOME) -> None:
    """A meeting of more dates than a commit has room for."""
    book(office, dates, answer)
    for number in range(dates):
        event = office.calendar.events[f"e{number}"]
        start_ms = event.start_ms + number * HOUR_MS
        office.calendar.events[f"e{number}"] = dataclasses.replace(
            event, uid="uid-series", slot=str(number), start_ms=start_ms, end_ms=start_ms + HOUR_MS
        )


def connected_series(home: Path, dates: int = SOME) -> Office:
    """An office whose one person has that meeting, and no answer to it yet."""
    office = Office(home)
    book_series(office, "none", dates)
    office.connect()
    settle(office)
    return office


@pytest.mark.usefixtures("small")
@pytest.mark.proves("B8")
@pytest.mark.parametrize("dies_before", [0, 2, 3, 4])
def test_one_meeting_above_a_commit_is_divided_and_an_owner_that_dies_meanwhile_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_before: int
) -> None:
    office = connected_series(tmp_path)
    book_series(office, "declined")
    commits = Commits(office, monkeypatch, dies_before=dies_before)
    office.hint()
    if dies_before:
        with pytest.raises(OwnerDiedError):
            office.sync.step()
        book_series(office, "none")
        book_series(office, "declined")
        office.restart()
        commits.follow(office)
    settle(office)
    commits.check_bounds()
    assert len(commits.changes) >= 3
    assert len(office.declines()) == len(set(office.declines())) == SOME
    assert set(states(office).values()) == {"declined"}


@pytest.mark.usefixtures("small")
@pytest.mark.proves("B8", "D11")
def test_references_of_which_no_observation_was_sent_are_observed_by_the_next_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = pieces.PIECE_RECORDS * 3
    office = connected_series(tmp_path, dates)
    book_series(office, "declined", dates)
    Commits(office, monkeypatch, dies_before=5)  # the references are written, and the observation is not
    office.hint()
    with pytest.raises(OwnerDiedError):
        office.sync.step()
    office.restart()
    settle(office)
    assert len(office.declines()) == dates


@pytest.mark.usefixtures("small")
@pytest.mark.proves("B8")
@pytest.mark.parametrize("dies_before", [0, 2, 3, 4])
def test_person_who_leaves_one_meeting_above_a_commit_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_before: int
) -> None:
    office = connected_series(tmp_path)
    commits = Commits(office, monkeypatch, dies_before=dies_before)
    office.send(Disconnect(at_ms=office.clock.at_ms))
    if dies_before:
        with pytest.raises(OwnerDiedError):
            office.sync.step()
        office.restart()
        commits.follow(office)
    settle(office)
    commits.check_bounds()
    assert set(states(office).values()) == {"unknown"}
    assert set(office.sync._held) == set()
