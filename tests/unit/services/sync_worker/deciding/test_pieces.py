"""What a look writes is cut between meetings and never inside one; a mailbox that fits into one commit is not cut."""

from __future__ import annotations

import msgspec
import pytest

from services.sync_worker.deciding import pieces as cutting
from services.sync_worker.deciding.pieces import CommitPart, cut_into_commits, divide_large, meeting_parts
from shared.contracts.calendar_state import EventReference
from shared.domain.identity import Mailbox
from shared.domain.sighting import EventKind
from shared.ports.log import NewRecord, StateChange

ADA, BEN, CYD = (Mailbox("t-1", f"m-{name}") for name in ("ada", "ben", "cyd"))


def a_part(records: int, size: int = 1) -> CommitPart:
    return CommitPart().add(changes=[StateChange(b"key", b"x" * size)] * records)


def an_observation(meeting: str) -> NewRecord:
    return NewRecord("observations", 0, f"t-1/{meeting}".encode(), b"o")


def a_reference(event_id: str, uid: str, **rest: str) -> EventReference:
    return msgspec.structs.replace(EventReference(event_id=event_id, uid=uid, kind=EventKind.SINGLE), **rest)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PIECE_RECORDS", 10)
    monkeypatch.setattr(cutting, "PIECE_BYTES", 100)


def test_small_looks_share_a_commit_and_none_that_fits_is_cut() -> None:
    found = list(
        cut_into_commits({ADA: [a_part(3), a_part(3)], BEN: [a_part(3), a_part(3)], CYD: [a_part(2), a_part(2)]})
    )
    assert [(piece.records, piece.finished) for piece in found] == [(6, [ADA]), (10, [BEN, CYD])]


def test_large_look_is_cut_between_its_parts_and_is_finished_with_its_last() -> None:
    found = list(cut_into_commits({ADA: [a_part(6), a_part(4), a_part(6), a_part(1)], BEN: [a_part(1)]}))
    assert [(piece.records, piece.finished) for piece in found] == [(10, []), (8, [ADA, BEN])]


def test_looks_are_cut_by_size_too() -> None:
    found = list(cut_into_commits({ADA: [a_part(1, 60), a_part(1, 60)]}))
    assert [(piece.size, piece.finished) for piece in found] == [(60, []), (60, [ADA])]


def test_part_that_exceeds_a_commit_alone_is_never_divided() -> None:
    assert [piece.records for piece in cut_into_commits({ADA: [a_part(1), a_part(25), a_part(1)]})] == [1, 25, 1]


def test_position_is_committed_even_if_nothing_else_is() -> None:
    assert [(piece.records, piece.finished) for piece in cut_into_commits({})] == [(0, [])]


def test_meeting_is_a_part_with_its_references() -> None:
    master = a_reference("s", "m-series", kind=EventKind.MASTER)
    after = {"s": master, "s1": a_reference("s1", "", master_id="s"), "e": a_reference("e", "m-other")}
    changes = {name: [StateChange(name.encode(), b"r")] for name in after}
    series, other = meeting_parts([an_observation("m-series"), an_observation("m-other")], changes, {}, after)
    assert [change.key for change in series.changes] == [b"s", b"s1"]
    assert [change.key for change in other.changes] == [b"e"]
    assert (len(series.observations), len(other.observations)) == (1, 1)


def test_meetings_between_which_an_event_moved_are_one_part() -> None:
    before, after = {"e": a_reference("e", "m-old")}, {"e": a_reference("e", "m-new")}
    observations = [an_observation(name) for name in ("m-old", "m-new", "m-else")]
    moved, other = meeting_parts(observations, {"e": [StateChange(b"e", b"r")]}, before, after)
    assert [record.key for record in moved.observations] == [b"t-1/m-old", b"t-1/m-new"]
    assert [change.key for change in moved.changes] == [b"e"]
    assert [record.key for record in other.observations] == [b"t-1/m-else"]


def a_meeting(references: int, observations: int = 2) -> CommitPart:
    changes = [StateChange(f"{number}".encode(), b"r") for number in range(references)]
    return CommitPart().add([an_observation(f"m-{number}") for number in range(observations)], changes)


def test_meeting_that_fits_into_a_commit_is_not_divided() -> None:
    part = a_meeting(8)
    assert divide_large(part) == [part]


@pytest.mark.parametrize("observations_first", [False, True])
def test_meeting_that_exceeds_a_commit_is_divided_and_nothing_of_it_is_lost(observations_first: bool) -> None:
    divided = divide_large(a_meeting(25), observations_first=observations_first)
    assert [part.records for part in divided] == [10, 10, 7]
    assert [change.key for part in divided for change in part.changes] == [f"{n}".encode() for n in range(25)]
    assert [bool(part.observations) for part in divided] == [observations_first, False, not observations_first]
