"""
How one room of one date changes. Pure.

A room's *answer* is what was last witnessed; its *state* is what is shown, and is unknown while nobody can be believed. An ask
is an episode: it ends when another time is witnessed or the room is let go, and an earlier time that comes back is a new one.
A decline is announced when its answer is first witnessed within an episode, unless

- the date is past by then,
- a first look after a consent (a baseline) shows it of a room that was never witnessed,
- the date has merely come into sight and the series' last date was quiet, or
- it comes in one word with a new time while the earlier time was refused: providers reset answers a moment after the time,
  so it is pending until another look repeats it.

Where the provider says when an answer was given, one that was given to another time is no answer to the new one, however often it
is repeated: the room is pending. Graph says it (`status.time`), and leaves it to the organiser's program to clear answers when a
meeting moves (MS-OXOCAL 3.1.4.7.3.2); Google does not.

Sight that comes and goes changes the state and never the answer, so the same answer is never announced again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from shared.contracts.meeting_state import OVER, RoomRecord, RoomState, SeriesMark, Word, count_announced
from shared.domain.attendees import Answer
from shared.domain.keys import TenantKeys

STATE_OF = {
    Answer.NONE: RoomState.PENDING,
    Answer.TENTATIVE: RoomState.PENDING,
    Answer.ACCEPTED: RoomState.ACCEPTED,
    Answer.DECLINED: RoomState.DECLINED,
}
MAX_ASKS = 16
"""How many asks of a room are counted one by one; beyond, `RoomRecord.earlier` keeps new ids from colliding with old ones."""
_NO_DECLINE: dict[str, Any] = {"follows": (), "put_away": (), "outcome": None, "outcome_at_ms": 0}
"""What is said of the decline that stands, where none does."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a word is applied under."""

    now_ms: int
    """When the look began that led to it."""
    organizes: bool
    """Whether the speaker is the organiser's copy."""
    entering: SeriesMark | None = None
    """The date has come into sight by the window's move: how the room stood on the series' last date."""


def answer_room(room: RoomRecord | None, name: str, word: Word, at: Circumstances, keys: TenantKeys) -> RoomRecord:
    """A room that the speaker names, with its answer."""
    if room is not None and _stays_let_go(room, word, at):
        return room
    said = answer_to(room, name, word)
    if room is None or room.answer is None or room.answer in OVER or _time(room) != _time(word):
        return _asked(room, name, said, word, at, keys)
    room = _with_moment(room, name, word)
    if room.answer is said:
        return _in_sight(msgspec.structs.replace(room, unconfirmed=False))
    return _changed(room, said, word, at, keys)


def answer_to(room: RoomRecord | None, name: str, word: Word) -> RoomState:
    """
    Read what a word says of a room at the time that the word asks for.

    Args:
        room: As it was; None: nothing was known of it.
        name: The room.
        word: Has an answer of it.
    """
    given_ms = word.answered.get(name, 0)
    outdated = room is not None and 0 < given_ms <= _outdated_until(room, word)
    return RoomState.PENDING if outdated else STATE_OF[word.answers[name]]


def drop_room(room: RoomRecord, at: Circumstances, *, held: bool, sequence: int, past: bool) -> RoomRecord:
    """
    A room that the speaker no longer names, or whose date the organiser's copy no longer holds.

    Args:
        held: The meeting itself goes on at that date.
        sequence: Of the word that let it go.
        past: The date had ended: nobody clears a calendar backwards, it left the stretch that is looked at.
    """
    if room.answer in OVER or past:
        return room
    state = RoomState.RELEASED if held and room.answer is RoomState.ACCEPTED else RoomState.GONE
    return msgspec.structs.replace(
        room,
        state=state,
        answer=state,
        since_ms=at.now_ms,
        answered_at_ms=at.now_ms,
        quiet=False,
        unconfirmed=False,
        let_go=sequence if at.organizes else None,
        **_NO_DECLINE,
    )


def witness_before(room: RoomRecord, word: Word, keys: TenantKeys) -> RoomRecord:
    """
    Announce a decline that a first look kept quiet, once an older look that is heard later shows the same ask alive.

    Args:
        room: As decided; it is returned as it is where the word shows no such thing.
        word: What another copy's look showed, which is not applied.
    """
    said = word.answers.get(room.room)
    kept_quiet = room.answer is RoomState.DECLINED and room.quiet and _time(room) == _time(word)
    if not kept_quiet or said in {None, Answer.DECLINED} or word.observed_at_ms >= room.answered_at_ms:
        return room
    at = Circumstances(room.answered_at_ms, organizes=False)
    return _declined(msgspec.structs.replace(room, quiet=False), word, at, keys, witnessed=True)


def out_of_sight(room: RoomRecord, now_ms: int) -> RoomRecord:
    """A room of which nobody can be believed. What was witnessed of it stays."""
    if room.answer in OVER or room.state in {RoomState.UNKNOWN, RoomState.GONE}:
        return room
    return msgspec.structs.replace(room, state=RoomState.UNKNOWN, since_ms=now_ms)


def named_out_of_sight(room: RoomRecord, now_ms: int, *, named: bool) -> RoomRecord:
    """A room of which nobody can be believed, and that the connected copies name, or do not name any more."""
    state = RoomState.UNKNOWN if named else RoomState.GONE
    if room.answer in OVER or room.state is state:
        return room
    return msgspec.structs.replace(room, state=state, since_ms=now_ms)


def asked_again_out_of_sight(room: RoomRecord, now_ms: int) -> RoomRecord:
    """A room that had been let go, and that a copy which cannot be believed about answers has begun to name."""
    return msgspec.structs.replace(room, state=RoomState.UNKNOWN, answer=None, since_ms=now_ms, asked_at_ms=now_ms)


def add_unwitnessed(name: str, start_ms: int, end_ms: int, now_ms: int) -> RoomRecord:
    """A room that a copy names which cannot be believed about answers."""
    return RoomRecord(
        room=name, state=RoomState.UNKNOWN, start_ms=start_ms, end_ms=end_ms, asked_at_ms=now_ms, since_ms=now_ms
    )


def _stays_let_go(room: RoomRecord, word: Word, at: Circumstances) -> bool:
    """What the organiser's copy let go, a guest's copy asks anew only with a higher sequence."""
    let_go = room.answer in OVER and room.let_go is not None
    return let_go and not at.organizes and word.sequence <= (room.let_go or 0)


def _time(of: RoomRecord | Word) -> tuple[int, int]:
    return of.start_ms, of.end_ms


def _outdated_until(room: RoomRecord, word: Word) -> int:
    """Until when answers were given to another time than the word's."""
    moved = room.answer is not None and _time(room) != _time(word)
    return max(room.outdated_until_ms, room.answer_given_ms) if moved else room.outdated_until_ms


def _with_moment(room: RoomRecord, name: str, word: Word) -> RoomRecord:
    """The room, with the moment of an answer to what it is asked for now."""
    given_ms = word.answered.get(name, 0)
    if given_ms <= max(room.answer_given_ms, room.outdated_until_ms):
        return room
    return msgspec.structs.replace(room, answer_given_ms=given_ms)


def _in_sight(room: RoomRecord) -> RoomRecord:
    """The same answer to the same ask: what was lost from sight is as it was."""
    if room.answer is None or room.state is room.answer:
        return room
    return msgspec.structs.replace(room, state=room.answer, since_ms=room.answered_at_ms)


def _asked(
    room: RoomRecord | None, name: str, said: RoomState, word: Word, at: Circumstances, keys: TenantKeys
) -> RoomRecord:
    """A new episode begins."""
    refused_before = room is not None and (room.answer is RoomState.DECLINED or room.unconfirmed)
    unconfirmed = refused_before and said is RoomState.DECLINED
    known = room is not None and room.state is RoomState.UNKNOWN and room.answer is None and _time(room) == _time(word)
    state = RoomState.PENDING if unconfirmed else said
    asked = RoomRecord(
        room=name,
        state=state,
        answer=state,
        start_ms=word.start_ms,
        end_ms=word.end_ms,
        asked_at_ms=room.asked_at_ms if room and known else word.observed_at_ms,
        answered_at_ms=word.observed_at_ms,
        since_ms=word.observed_at_ms,
        unconfirmed=unconfirmed,
        outdated_until_ms=_outdated_until(room, word) if room else 0,
        answer_given_ms=room.answer_given_ms if room and _time(room) == _time(word) else 0,
        repeats=room.repeats if room else {},
        earlier=room.earlier if room else 0,
    )
    asked = _with_moment(asked, name, word)
    if state is not RoomState.DECLINED:
        return asked
    return _declined(asked, word, at, keys, witnessed=room is not None and room.answer is not None)


def _changed(room: RoomRecord, said: RoomState, word: Word, at: Circumstances, keys: TenantKeys) -> RoomRecord:
    """Another answer to the same ask."""
    changed = msgspec.structs.replace(
        room,
        state=said,
        answer=said,
        answered_at_ms=word.observed_at_ms,
        since_ms=word.observed_at_ms,
        quiet=False,
        unconfirmed=False,
        **_NO_DECLINE,
    )
    return _declined(changed, word, at, keys, witnessed=True) if said is RoomState.DECLINED else changed


def _declined(room: RoomRecord, word: Word, at: Circumstances, keys: TenantKeys, *, witnessed: bool) -> RoomRecord:
    """Decide whether a decline that is witnessed for the first time is announced or kept quiet."""
    past = (word.ends_ms or word.end_ms) <= at.now_ms
    inherited = at.entering if not witnessed else None
    if past or (word.baseline and not witnessed) or (inherited is not None and inherited.quiet):
        return msgspec.structs.replace(room, quiet=True)
    ask = keys.ask(room.start_ms, room.end_ms)
    counted = {other: count for other, count in room.repeats.items() if other != ask}
    counted[ask] = count_announced(room, ask) + 1
    earlier = room.earlier
    while len(counted) > MAX_ASKS:
        earlier = max(earlier, counted.pop(next(iter(counted))))
    return msgspec.structs.replace(
        room,
        repeats=counted,
        earlier=earlier,
        follows=inherited.declines if inherited else (),
        put_away=inherited.put_away if inherited else (),
    )
