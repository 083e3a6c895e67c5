"""
Telling again what `room-rejections` and `room-outcomes` have lost: the owner decides anew and believes nobody.

A repair names a range and ids. The owner replays the range by its own rules, and tells an id only if the range gives it,
the topic lacks it, and the state recorded upon that very observation has counted it: otherwise a later decline of the
same ask would get the same id, or a decline would end twice.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import KeysOf
from services.room_status.deciding.fold import DecisionRules, fold
from services.room_status.deciding.publications import SOURCE_HEADER
from services.room_status.replaying import recollection
from services.room_status.replaying.replay import REPAIRS_HEADER, PublicEvent
from services.room_status.replaying.slices import Slices
from shared.contracts import envelope as envelopes
from shared.contracts.meeting_state import meeting_key, open_decline
from shared.contracts.repair import Repair
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import OBSERVATIONS, RETENTION_MS, ROOM_OUTCOMES
from shared.crypto.meetings import open_meeting
from shared.domain.instants import MINUTE_MS
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import Log, NewRecord, Record

MARGIN_MS = 5 * MINUTE_MS
"""Nothing this close to the end of retention is repaired: the topic may have forgotten what was published of it."""


def mend(
    log: Log,
    record: Record,
    *,
    partition: int,
    keys_of: KeysOf,
    now_ms: int,
    told: Container[str],
    rules: DecisionRules = fold,
) -> Slices[Batch]:
    """
    Decide what has to be told again: decisions only, and as malformed what must not be told or cannot be replayed.

    Each slice is a page of the log or a few observations. What is told has been read last, so that an observation that is
    decided between two slices is not told twice.

    Args:
        record: Of `repairs`.
        told: Ids that the owner has told lately; it may grow between slices.
        rules: Those that the owner decides by.

    Raises:
        LogUnavailableError: nothing is decided; the repair stays unread.
    """
    mended = Batch()
    try:
        wish = envelopes.payload_of(envelopes.decode(record.value or b""), Repair)
        _fresh(log, partition, wish, now_ms)
        redone = yield from recollection.replay_in_slices(
            log, partition, wish.begin, wish.end, keys_of=keys_of, rules=rules
        )
        asked = [each for each in _once([*redone.declines, *redone.outcomes]) if each.id in wish.ids]
        states = yield from recollection.states_upon(
            log, partition, {each.source for each in asked if each.source is not None}
        )
        there = {each.id for each in (yield from recollection.declines_in_slices(log, partition))}
        there |= {each.id for each in (yield from recollection.outcomes_in_slices(log, partition))}
        lacking = [each for each in asked if each.id not in there and each.id not in told]
        refused = [each.id for each in lacking if not is_counted(each, states.get(each.source or 0), keys_of)]
        mended.decisions += [_republish(each, record) for each in lacking if each.id not in refused]
        if refused:
            mended.malformed.append((record, f"the recorded states never counted {', '.join(refused)}"))
    except (MalformedRecordError, KeyDestroyedError, recollection.PastLostError) as error:
        mended.malformed.append((record, str(error)))
    return mended


def is_counted(decline: PublicEvent, state: bytes | None, keys_of: KeysOf) -> bool:
    """
    Whether the state recorded upon its observation counts this event, so that it cannot come again.

    A later decline would have got its id; a decline that is open there would end again. What time or a person's act closed is
    replayed from the very record that shows it closed.
    """
    if decline.record.topic == ROOM_OUTCOMES.name:
        return decline.source is None or (state is not None and _is_closed(decline, state, keys_of))
    if state is None:
        return False
    event = envelopes.read_json(decline.value, RoomDeclined).data
    key = meeting_key(decline.tenant, event.meeting_ref)
    meeting = open_meeting(key, state, keys_of(decline.tenant)).record
    repeats = {
        (date.ref, room.room): room.repeats
        for date in meeting.dates
        for room in date.rooms
        if meeting.meeting == event.meeting_ref
    }
    return repeats.get((event.occurrence_ref, event.room_id), {}).get(event.ask, 0) > event.repeat


def _is_closed(outcome: PublicEvent, state: bytes, keys_of: KeysOf) -> bool:
    event, keys = envelopes.read_json(outcome.value, RoomOutcome), keys_of(outcome.tenant)
    meeting = open_meeting(outcome.record.key, state, keys).record
    open_declines = (
        open_decline(meeting.meeting, date.ref, room, keys) for date in meeting.dates for room in date.rooms
    )
    return event.data.decline_id not in open_declines


def _fresh(log: Log, partition: int, wish: Repair, now_ms: int) -> None:
    """Refuse a range whose decisions retention may have taken by itself."""
    first = log.read(OBSERVATIONS.name, partition, wish.begin, limit=1)
    if first and first[0].appended_at_ms < now_ms - RETENTION_MS + MARGIN_MS:
        message = f"the range begins with an observation that retention is about to take; begin later than {wish.begin}"
        raise MalformedRecordError(message)


def _once(declines: Sequence[PublicEvent]) -> Iterator[PublicEvent]:
    yield from {each.id: each for each in declines}.values()


def _republish(decline: PublicEvent, repair: Record) -> NewRecord:
    """The same bytes under the repair's own place, so that the source offsets of published declines still only grow."""
    redone = decline.record
    headers = [(name, value) for name, value in redone.headers if name != SOURCE_HEADER]
    place = f"{repair.topic}/{repair.partition}/{repair.offset}".encode()
    origin = dict(redone.headers).get(SOURCE_HEADER)
    if origin is None:
        return NewRecord(redone.topic, redone.partition, redone.key, redone.value, redone.headers)
    return NewRecord(
        redone.topic,
        redone.partition,
        redone.key,
        redone.value,
        (*headers, (SOURCE_HEADER, place), (REPAIRS_HEADER, origin)),
    )
