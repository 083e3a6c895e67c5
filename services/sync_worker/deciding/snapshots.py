"""
Cuts the people of a series into pieces of bounded size, and reads them back. Pure.

A person stands with the usual answer, and with the names of the events to which it is another. So a date that enters or leaves
changes nothing where everybody answers to it as to the others, and an answer to the whole series changes one person's word.

Pieces are the leaves of a binary tree over the people's hashes: a piece that would be larger than `PIECE_BYTES` is two. The tree
follows from what is to be remembered alone, so that equal snapshots are equal pieces, whatever came before.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

from shared.contracts.attendee_snapshot import AttendeeAnswers, SnapshotPiece
from shared.domain.attendees import Answer

PIECE_BYTES = 480
"""Of its people as JSON: sealed and written out, a piece takes about a kilobyte. One person alone is never divided."""
_BITS = 64

Snapshot = Mapping[str, Mapping[str, Answer]]
"""Name of an event → pseudonym of a person who is invited to it → answer."""
Pieces = Mapping[str, SnapshotPiece]
"""Bits → the piece of the people whose hashes begin with them."""


def cut_snapshot(series: str, snapshot: Snapshot) -> dict[str, SnapshotPiece]:
    """
    Write a snapshot as pieces.

    Args:
        series: Its name.
        snapshot: Every event whose people are remembered, also such as nobody is invited to.
    """
    everybody = sorted({person for people in snapshot.values() for person in people})
    answers = {person: _answers_of(person, snapshot) for person in everybody}
    return {piece.bits: piece for piece in _divide(SnapshotPiece(series=series, people=answers)) if piece.people}


def read_snapshot(pieces: Iterable[SnapshotPiece], events: Collection[str]) -> dict[str, dict[str, Answer]]:
    """
    Read back what `cut_snapshot` wrote.

    Args:
        pieces: Of one series. Where an owner died between two commits of one look, a person may stand in two of them until
            that look is repeated; the longer bits win.
        events: Names of the events whose people are remembered there.
    """
    answers: dict[str, AttendeeAnswers] = {}
    for piece in sorted(pieces, key=lambda each: len(each.bits)):
        answers |= piece.people
    snapshot: dict[str, dict[str, Answer]] = {event: {} for event in events}
    for person, answer in sorted(answers.items()):
        others = {event: other for other, named in answer.others.items() for event in named}
        for event, people in snapshot.items():
            if found := others.get(event, answer.usual or ""):
                people[person] = Answer(found)
    return snapshot


def is_half_written(pieces: Pieces) -> bool:
    """Whether a piece stands beside such as it is divided into: an owner died between writing and deleting."""
    return any(longer.startswith(bits) for bits, longer in pairwise(sorted(pieces)))


def changed_pieces(before: Pieces, after: Pieces) -> dict[str, SnapshotPiece | None]:
    """
    Say what is to be written, in this order: bits → the piece that is to stand under them; None: to be deleted.

    Deletions come last: should the owner die between two commits, a person of a piece that divides stands in two, not in none.
    """
    written: dict[str, SnapshotPiece | None] = {bits: after[bits] for bits in after if before.get(bits) != after[bits]}
    return written | dict.fromkeys(sorted(before.keys() - after.keys()))


def _answers_of(person: str, snapshot: Snapshot) -> AttendeeAnswers:
    """The answer to most events is the usual one; of equally many, the first by name."""
    to_event = {event: str(people.get(person, "")) for event, people in snapshot.items()}
    counted = Counter(to_event.values())
    usual = min(counted, key=lambda answer: (-counted[answer], answer))
    others: dict[str, list[str]] = {}
    for event, answer in sorted(to_event.items(), key=lambda each: (each[1], each[0])):
        if answer != usual:
            others.setdefault(answer, []).append(event)
    return AttendeeAnswers(Answer(usual) if usual else None, {answer: tuple(named) for answer, named in others.items()})


def _divide(piece: SnapshotPiece) -> Iterator[SnapshotPiece]:
    small = len(piece.people) < 2 or len(msgspec.json.encode(piece.people)) <= PIECE_BYTES  # noqa: PLR2004
    if small or len(piece.bits) == _BITS:
        yield piece
        return
    for bit in "01":
        bits = piece.bits + bit
        people = {person: each for person, each in piece.people.items() if _bits_of(person).startswith(bits)}
        yield from _divide(msgspec.structs.replace(piece, bits=bits, people=people))


def _bits_of(person: str) -> str:
    digest = hashlib.sha256(person.encode()).digest()
    return f"{int.from_bytes(digest[: _BITS // 8]):0{_BITS}b}"
