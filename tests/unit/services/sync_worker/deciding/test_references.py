"""References: what a look leaves behind, and the total observations made of it."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.references import Merge, merge, observe, withdraw
from shared.contracts.calendar_state import EventReference
from shared.contracts.copy_observation import CopyObservation, Sight
from shared.contracts.rows import RoomRow
from shared.domain.attendees import Answer, AttendeeKind, CopyRole, SeenAttendee
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import EventKind, Look, Seen, SeenEvent, SeenRemoval, Window
from tests.support.builders import KEYS, NOW_MS, START_MS

ROOM = "aare@rooms.contoso.test"
ADA = "ada@contoso.test"
WINDOW = Window(0, START_MS + 60 * DAY_MS)


def an_event(event_id: str = "e1", **changes: object) -> SeenEvent:
    """One single meeting of Ada's with one room; keyword arguments replace fields."""
    fields: dict[str, object] = {
        "event_id": event_id,
        "uid": "uid-1",
        "kind": EventKind.SINGLE,
        "master_id": "",
        "slot": "",
        "start_ms": START_MS,
        "end_ms": START_MS + HOUR_MS,
        "cancelled": False,
        "is_organizer": True,
        "organizer": ADA,
        "shows_guests": True,
        "attendees": (
            SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.NONE),
            SeenAttendee("ben@contoso.test", AttendeeKind.PERSON, Answer.ACCEPTED),
        ),
        "version": "1",
    }
    return SeenEvent(**(fields | changes))  # type: ignore[arg-type]  # fields are named above


LISTED = ListedRooms({ROOM: KEYS.room(ROOM)})


def looked(known: dict[str, EventReference], *seen: Seen, full: bool = False, rooms: ListedRooms = LISTED) -> Merge:
    return merge(known, Look(tuple(seen), "cursor", full), window=WINDOW, provider="microsoft", keys=KEYS, rooms=rooms)


def observed(references: dict[str, EventReference], *meetings: str) -> list[CopyObservation]:
    return observe(
        references,
        meetings,
        provider="microsoft",
        mailbox="m-ada",
        keys=KEYS,
        now_ms=NOW_MS,
        baseline=False,
        window=WINDOW,
    )


@pytest.mark.proves("D5", "D6")
def test_reference_keeps_answers_and_neither_name_nor_address() -> None:
    found = looked({}, an_event())
    kept = found.references["e1"]
    assert kept.rooms == {KEYS.room(ROOM): Answer.NONE}
    assert found.people == {"e1": {KEYS.person("ben@contoso.test"): Answer.ACCEPTED}}
    assert (kept.people, kept.people_apart) == (None, True)
    assert kept.seats == 2  # Ada, who invites, and Ben
    assert b"contoso" not in msgspec.json.encode(kept)
    assert b"uid-1" not in msgspec.json.encode(kept)


@pytest.mark.proves("D6")
@pytest.mark.parametrize(("organizes", "people", "kept"), [(True, 500, 500), (True, 501, None), (False, 3, None)])
def test_people_are_kept_once_a_meeting_and_of_a_crowd_as_a_number_alone(
    organizes: bool, people: int, kept: int | None
) -> None:
    guests = tuple(SeenAttendee(f"{n}@contoso.test", AttendeeKind.PERSON, Answer.NONE) for n in range(people))
    found = looked({}, an_event(is_organizer=organizes, attendees=guests))
    named = found.people.get("e1")
    assert (None if named is None else len(named), found.references["e1"].seats) == (kept, people + 1)


@pytest.mark.proves("D6")
def test_changed_answer_shows_up() -> None:
    known = looked({}, an_event()).references
    declined = (SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.DECLINED),)
    after = looked(known, an_event(attendees=declined, version="2"))
    assert after.references["e1"].rooms == {KEYS.room(ROOM): Answer.DECLINED}
    assert after.changed == ("e1",)


@pytest.mark.proves("D5", "B8")
def test_event_of_which_the_version_alone_is_another_is_known_and_not_written() -> None:
    known = looked({}, an_event(), an_event("e2", uid="uid-2")).references
    after = looked(known, an_event(version="2"), an_event("e2", uid="uid-2", can_change=True, version="2"))
    assert after.references["e1"].version == "2"
    assert after.references != known
    assert after.changed == ("e2",)


@pytest.mark.proves("D5")
def test_full_look_drops_what_it_does_not_return_and_says_so() -> None:
    known = looked({}, an_event(), an_event("e2", uid="uid-2")).references
    after = looked(known, an_event(), full=True)
    assert set(after.references) == {"e1"}
    gone = next(seen for seen in observed(after.references, *after.meetings) if not seen.dates)
    assert gone.meeting == KEYS.meeting("microsoft", "uid-2")


@pytest.mark.proves("D5")
@pytest.mark.parametrize("gone", [SeenRemoval("e1"), an_event(cancelled=True)])
def test_removed_or_cancelled_event_leaves_a_meeting_without_dates(gone: Seen) -> None:
    known = looked({}, an_event()).references
    after = looked(known, gone)
    assert after.references == {}
    assert [seen.dates for seen in observed(after.references, *after.meetings)] == [()]


def test_removal_of_an_event_that_was_never_known_means_nothing() -> None:
    after = looked({}, SeenRemoval("elsewhere"))
    assert (after.changed, after.meetings) == ((), ())


@pytest.mark.proves("D5")
def test_sparse_dates_of_a_series_take_the_masters_rooms_and_meeting() -> None:
    master = an_event("m", kind=EventKind.MASTER, uid="series")
    dates = [
        an_event(
            f"o{day}",
            kind=EventKind.OCCURRENCE,
            uid=f"own-{day}",
            master_id="m",
            slot=str(day),
            attendees=None,
            organizer="",
            is_organizer=False,
        )
        for day in range(2)
    ]
    exception = an_event(
        "o2", kind=EventKind.EXCEPTION, uid="own-2", master_id="m", slot="2",
        attendees=(SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.DECLINED),),
    )  # fmt: skip
    after = looked({}, *dates, exception, master)
    (seen,) = observed(after.references, *after.meetings)
    assert seen.meeting == KEYS.meeting("microsoft", "series")
    assert seen.role is CopyRole.ORGANIZER
    assert [list(date.rooms.values()) for date in seen.dates] == [["none"], ["none"], ["declined"]]


def test_room_invited_as_a_person_is_recognised_by_its_address() -> None:
    person = (SeenAttendee(ROOM, AttendeeKind.PERSON, Answer.ACCEPTED),)
    kept = looked({}, an_event(attendees=person), rooms=LISTED).references["e1"]
    assert kept.rooms == {KEYS.room(ROOM): Answer.ACCEPTED}
    assert kept.seats == 1  # Ada


def test_withdrawing_names_every_meeting_once() -> None:
    known = looked({}, an_event(), an_event("e2", uid="uid-2")).references
    withdrawn = withdraw(known, provider="microsoft", mailbox="m-ada", now_ms=NOW_MS)
    assert len(withdrawn) == 2
    assert all(seen.sight is Sight.WITHDRAWN and not seen.dates for seen in withdrawn)


@pytest.mark.proves("D5", "D6")
def test_a_date_says_what_this_copy_alone_knows_of_it() -> None:
    hidden = an_event("e2", shows_guests=False, can_change=True, sequence=4, is_organizer=False)
    (seen,) = observed(looked({}, an_event(), hidden).references, KEYS.meeting("microsoft", "uid-1"))
    plain, other = seen.dates
    assert (plain.credible, plain.can_change, plain.seats, plain.sequence) == (True, True, 2, 0)
    assert (other.credible, other.can_change, other.sequence) == (False, True, 4)
    assert (seen.window_start_ms, seen.window_end_ms) == (WINDOW.start_ms, WINDOW.end_ms)


@pytest.mark.parametrize("resource", ["entered", "attendee"])
@pytest.mark.parametrize(("called", "seats"), [(AttendeeKind.PERSON, 2), (AttendeeKind.ROOM, 1)])
def test_person_in_the_list_is_no_room_whatever_a_meeting_calls_them(
    resource: str, called: AttendeeKind, seats: int
) -> None:
    """Somebody entered a colleague's address as a room, and invited it as one: the colleague's answer is no room's."""
    rooms = ListedRooms.of([(KEYS.room(ROOM), RoomRow(address=ROOM, name="Aare", resource=resource))])
    colleague = (SeenAttendee(ROOM, called, Answer.DECLINED),)
    kept = looked({}, an_event(attendees=colleague), rooms=rooms).references["e1"]
    assert kept.rooms == {}
    assert kept.seats == seats


def test_resource_that_is_not_in_the_list_is_neither_room_nor_person() -> None:
    """A projector, or a room of another organisation."""
    projector = (SeenAttendee("projector@contoso.test", AttendeeKind.ROOM, Answer.DECLINED),)
    kept = looked({}, an_event(attendees=projector)).references["e1"]
    assert (kept.rooms, kept.seats) == ({}, 1)


def test_room_of_version_0_1_0_is_one_whatever_its_row_says_of_proof() -> None:
    assert ListedRooms.of([("r-1", RoomRow(address=ROOM, name="Aare"))]).room_at(ROOM) == "r-1"


def test_room_is_found_by_all_its_addresses() -> None:
    rows = [("r-1", RoomRow(address=ROOM, name="Aare", resource="directory", aliases=("old@contoso.test",)))]
    rooms = ListedRooms.of(rows)
    for written in (ROOM, ROOM.upper(), f" {ROOM} ", f"Aare 4.12 <{ROOM}>", "Old@Contoso.test"):
        assert rooms.room_at(written) == "r-1"
    assert rooms.room_at("birs@rooms.contoso.test") == ""


def test_address_of_a_proven_room_stays_its_own_when_somebody_enters_it_by_hand() -> None:
    """A former address of the room, entered as a room of its own, takes nothing from it."""
    proven = RoomRow(address=ROOM, name="Aare", resource="directory", aliases=("old@contoso.test",))
    rooms = ListedRooms.of(
        [("r-1", proven), ("r-2", RoomRow(address="old@contoso.test", name="x", resource="entered"))]
    )
    assert rooms.room_at("old@contoso.test") == "r-1"


@pytest.mark.parametrize(
    ("answers", "counts"),
    [
        ((Answer.DECLINED, Answer.NONE), Answer.DECLINED),
        ((Answer.ACCEPTED, Answer.NONE), Answer.ACCEPTED),
        ((Answer.TENTATIVE, Answer.DECLINED), Answer.DECLINED),
        ((Answer.ACCEPTED, Answer.DECLINED), Answer.ACCEPTED),
    ],
)
def test_room_that_is_invited_under_two_of_its_addresses_has_the_answer_it_gave(
    answers: tuple[Answer, Answer], counts: Answer
) -> None:
    row = RoomRow(address=ROOM, name="Aare", resource="directory", aliases=("old@contoso.test",))
    twice = [
        SeenAttendee(address, AttendeeKind.ROOM, answer)
        for address, answer in zip((ROOM, "old@contoso.test"), answers, strict=True)
    ]
    for attendees in (tuple(twice), tuple(reversed(twice))):
        kept = looked({}, an_event(attendees=attendees), rooms=ListedRooms.of([("r-1", row)])).references["e1"]
        assert kept.rooms == {"r-1": counts}


@pytest.mark.proves("D5")
@pytest.mark.parametrize("full", [False, True])
def test_draft_of_a_known_meeting_changes_nothing_and_is_not_gone(*, full: bool) -> None:
    known = looked({}, an_event()).references
    later = START_MS + 5 * HOUR_MS
    draft = an_event(start_ms=later, end_ms=later + HOUR_MS, attendees=None, is_draft=True, version="2")
    assert looked(known, draft, full=full).references == known
    sent = an_event(start_ms=later, end_ms=later + HOUR_MS, version="3")
    assert looked(known, sent, full=full).references["e1"].start_ms == later


def a_date(event_id: str, **changes: object) -> SeenEvent:
    """A date of the series `m` that says nothing of its guests."""
    told = {"kind": EventKind.OCCURRENCE, "uid": "", "master_id": "m", "slot": event_id, "attendees": None, **changes}
    return an_event(event_id, **told)


@pytest.mark.proves("D5", "D7")
@pytest.mark.parametrize("full", [False, True])
def test_dates_of_a_series_stay_as_they_were_sent_while_it_is_a_draft(*, full: bool) -> None:
    master = an_event("m", kind=EventKind.MASTER, uid="series")
    alone = a_date("e", kind=EventKind.EXCEPTION, attendees=(SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.NONE),))
    known = looked({}, master, a_date("d1"), a_date("d2"), alone).references
    sent = observed(known, KEYS.meeting("microsoft", "series"))
    draft = dataclasses.replace(master, is_draft=True, attendees=None, shows_guests=False, start_ms=5, end_ms=6)
    moved = [a_date("n1", start_ms=5, end_ms=6), SeenRemoval("d2"), a_date("d1", start_ms=7, end_ms=8)]
    drafted = looked(known, draft, *moved, *([alone] if full else []), full=full)
    assert observed(drafted.references, KEYS.meeting("microsoft", "series")) == sent
    assert drafted.changed == ("m",), "that it is a draft is all that is new"
    later = looked(drafted.references, a_date("n1", start_ms=9, end_ms=10), SeenRemoval("d1"))
    assert (later.changed, later.references) == ((), drafted.references), "a later look names its dates alone"


@pytest.mark.proves("D5", "D7")
def test_exception_of_a_drafted_series_has_its_own_word_and_sending_ends_the_draft() -> None:
    master = an_event("m", kind=EventKind.MASTER, uid="series")
    alone = a_date("e", kind=EventKind.EXCEPTION, attendees=(SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.NONE),))
    known = looked({}, master, a_date("d1"), alone, dataclasses.replace(master, is_draft=True)).references
    answered = dataclasses.replace(alone, attendees=(SeenAttendee(ROOM, AttendeeKind.ROOM, Answer.DECLINED),))
    after = looked(known, answered, dataclasses.replace(answered, event_id="e2", slot="e2", is_draft=True))
    assert after.references["e"].rooms == {KEYS.room(ROOM): Answer.DECLINED}
    sent = looked(after.references, master, a_date("n1", start_ms=5, end_ms=6), SeenRemoval("d1"))
    assert {"m", "n1"} <= sent.references.keys()
    assert "d1" not in sent.references
    assert not sent.references["m"].is_draft


@pytest.mark.proves("D5")
def test_drafted_series_that_is_deleted_is_gone_with_its_dates() -> None:
    master = an_event("m", kind=EventKind.MASTER, uid="series")
    known = looked({}, master, a_date("d1")).references
    drafted = looked(known, dataclasses.replace(master, is_draft=True)).references
    assert looked(drafted, SeenRemoval("m"), SeenRemoval("d1")).references == {}
