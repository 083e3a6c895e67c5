"""Reads what a replay needs: the state at a cut, the observations of a range, the published decisions. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from services.room_status.deciding.decision import KeysOf
from services.room_status.deciding.fold import RULES_VERSION, DecisionRules, fold
from services.room_status.replaying.history import Past, PastReader, reached_by, source_of
from services.room_status.replaying.replay import PublicEvent, Redone, decline, outcome, redo_in_slices
from services.room_status.replaying.slices import Slices, cut_into_slices, run_slices
from shared.contracts.day_tally import is_tally
from shared.contracts.meeting_state import parts_of
from shared.contracts.topics import MEETING_STATE, OBSERVATIONS, POSITION_KEY, ROOM_OUTCOMES, ROOM_REJECTIONS
from shared.errors import RoomsyncError
from shared.ports.log import Log, Record

Wanted = Callable[[bytes], bool]
"""Whether the records of this key (it begins with `tenant/meeting`) take part."""

_PAGE = 500
_LOOK_BACK = 64  # a position is the last thing of every commit: it stands at most a few markers before the end


class PastLostError(RoomsyncError):
    """What a replay of this range needs is no longer in the log."""


def everybody(key: bytes) -> bool:
    """Every organisation's records take part."""
    del key
    return True


def replay(
    log: Log,
    partition: int,
    begin: int,
    end: int,
    *,
    keys_of: KeysOf,
    rules: DecisionRules = fold,
    since_ms: int = 0,
    wanted: Wanted = everybody,
) -> Redone:
    """
    Decide the observations [begin, end) of a partition again, upon the state as it was before them.

    Args:
        since_ms: The instant that `begin` was found by: what was decided after it must not rest on observations before.

    Raises:
        PastLostError: retention or compaction took something that is needed.
        LogUnavailableError, MalformedRecordError: the log cannot be read, or holds what room_status cannot have written.
    """
    slices = replay_in_slices(
        log, partition, begin, end, keys_of=keys_of, rules=rules, since_ms=since_ms, wanted=wanted
    )
    return run_slices(slices)


def replay_in_slices(
    log: Log,
    partition: int,
    begin: int,
    end: int,
    *,
    keys_of: KeysOf,
    rules: DecisionRules = fold,
    since_ms: int = 0,
    wanted: Wanted = everybody,
) -> Slices[Redone]:
    """As `replay`, a page of the log or a few observations a slice."""
    found = yield from _state_at(log, partition, begin)
    if begin < found.earlier_rules_until:
        message = (
            f"partition {partition}: observations below {found.earlier_rules_until} were decided by rules version 1,"
            f" and this version has rules {RULES_VERSION}; begin the range later"
        )
        raise PastLostError(message)
    _complete(log, partition, begin, found, since_ms)
    holes: list[str] = []
    for later in cut_into_slices(list(found.later.items())):
        holes += [hole for hole in found.holes(keys_of, later) if wanted(hole.encode())]
        yield
    if holes:
        message = (
            f"partition {partition}: {len(holes)} meetings ({holes[0]}, …) lack a state at the beginning of the range:"
            f" compaction took it; check `roomsync topics` and begin later"
        )
        raise PastLostError(message)
    pages = ([record for record in page if wanted(record.key)] for page in observations(log, partition, begin, end))
    memory = {key: value for key, value in found.memory.items() if wanted(key)}
    redone = yield from redo_in_slices(
        pages,
        memory,
        partition=partition,
        keys_of=keys_of,
        rules=rules,
        swept=[each for each in found.swept if wanted(each[1])],
        outcomes_from=max(found.outcomes_from, found.earlier_rules_until),
    )
    _complete(log, partition, begin, found, since_ms)
    return redone


def _state_at(log: Log, partition: int, cut: int) -> Slices[Past]:
    """The partition's memory before the observation at offset `cut`. Raises LogUnavailableError, MalformedRecordError."""
    reader = PastReader(cut)
    for page in _whole(log, MEETING_STATE.name, partition):
        reader.read(page)
        yield
    return reader.past


def states_until(log: Log, partition: int, offset: int) -> dict[bytes, bytes]:
    """Key → its record as of the commit that ended at `offset` of `meeting-state`. Raises LogUnavailableError."""
    states: dict[bytes, bytes] = {}
    begin = log.span(MEETING_STATE.name, partition).begin
    for record in states_between(log, partition, begin, offset + 1):
        if record.value is None:
            states.pop(record.key, None)
        elif record.key != POSITION_KEY:
            states[record.key] = record.value
    return states


def states_between(log: Log, partition: int, begin: int, end: int) -> Iterator[Record]:
    """The committed records of `meeting-state` at offsets [begin, end). Raises LogUnavailableError."""
    for page in _pages(log, MEETING_STATE.name, partition, begin, end):
        yield from page


def states_upon(log: Log, partition: int, sources: Collection[int]) -> Slices[dict[int, bytes]]:
    """Offset of an observation → the meeting's record upon it. Raises LogUnavailableError, MalformedRecordError."""
    found: dict[int, bytes] = {}
    for page in _whole(log, MEETING_STATE.name, partition):
        for record in page:
            if record.value is None or record.key == POSITION_KEY or parts_of(record.key)[1] or is_tally(record.key):
                continue
            if (offset := source_of(record.value)) in sources:
                found.setdefault(offset, record.value)  # a sweep records under the same observation later
        yield
    return found


def first_unpassed_offset(log: Log, partition: int) -> int:
    """The offset of the first observation that room_status is not known to have passed. Raises LogUnavailableError."""
    span = log.span(MEETING_STATE.name, partition)
    for start in (max(span.begin, span.end - _LOOK_BACK), span.begin):
        pages = _pages(log, MEETING_STATE.name, partition, start, None)
        found = [record for page in pages for record in page if record.key == POSITION_KEY]
        if found:
            return reached_by(found[-1])
    return 0


def observations(log: Log, partition: int, begin: int, end: int) -> Iterator[Sequence[Record]]:
    """The observations [begin, end) as room_status reads them. Raises LogUnavailableError."""
    return _pages(log, OBSERVATIONS.name, partition, begin, end)


def read_declines(log: Log, partition: int) -> list[PublicEvent]:
    """Every decline event that the topic still holds. Raises LogUnavailableError, MalformedRecordError."""
    return run_slices(declines_in_slices(log, partition))


def declines_in_slices(log: Log, partition: int) -> Slices[list[PublicEvent]]:
    """As `read_declines`, a page a slice. What was told between the slices is among them."""
    found: list[PublicEvent] = []
    for page in _whole(log, ROOM_REJECTIONS.name, partition):
        found += map(decline, page)
        yield
    return found


def read_outcomes(log: Log, partition: int) -> list[PublicEvent]:
    """Every closing event that the topic still holds. Raises LogUnavailableError, MalformedRecordError."""
    return run_slices(outcomes_in_slices(log, partition))


def outcomes_in_slices(log: Log, partition: int) -> Slices[list[PublicEvent]]:
    """As `read_outcomes`, a page a slice."""
    found: list[PublicEvent] = []
    for page in _whole(log, ROOM_OUTCOMES.name, partition):
        found += map(outcome, page)
        yield
    return found


def _complete(log: Log, partition: int, begin: int, found: Past, since_ms: int) -> None:
    first = log.span(OBSERVATIONS.name, partition).begin
    # A range that begins where the partition begins may have lost its beginning. A state that was written later than
    # the range begins, upon an observation that is gone, gives it away.
    if first > begin or (first == begin > 0 and found.newest_before_ms > since_ms > 0):
        message = f"partition {partition}: observations below {first} were lost to retention; begin the range later"
        raise PastLostError(message)


def _whole(log: Log, topic: str, partition: int) -> Iterator[Sequence[Record]]:
    return _pages(log, topic, partition, log.span(topic, partition).begin, None)


def _pages(log: Log, topic: str, partition: int, offset: int, end: int | None) -> Iterator[Sequence[Record]]:
    while page := log.read(topic, partition, offset, limit=_PAGE):
        offset = page[-1].offset + 1
        if end is not None and offset >= end:
            yield [record for record in page if record.offset < end]
            return
        yield page
