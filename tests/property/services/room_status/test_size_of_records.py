"""However many people are connected and invited, each record of a meeting stays within its bound; what exceeds it is parked."""

from __future__ import annotations

import msgspec
import pytest

from services.room_status.deciding import batch as batches
from services.room_status.deciding import publications, sealing
from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import decide, sweep
from services.room_status.deciding.expiry import KEEP_MARK_MS, due_at
from services.room_status.deciding.memory import Memory
from shared.contracts import copy_observation
from shared.contracts.copy_observation import CopyDate, CopyObservation, Sight
from shared.contracts.meeting_state import meeting_key
from shared.crypto.meetings import open_meeting
from shared.crypto.records import sealed_envelope
from shared.domain.attendees import Answer, CopyRole
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.keys import TenantKeys
from shared.ports.log import Record
from tests.support.builders import KEYS, NOW_MS
from tests.support.copy_builders import WINDOW_MS

MEETING = KEYS.meeting("google", "stand-up")
KEY = meeting_key(KEYS.tenant, MEETING)
DATES, PEOPLE, LIMIT = 60, 500, 64 * 1024


def keys_of(tenant: str) -> TenantKeys:
    del tenant
    return KEYS


def a_daily(number: int, answer: Answer, *, at_ms: int, rooms: int = 3, dates: int = DATES) -> CopyObservation:
    """The look of one of many people at a meeting on every day; person 0 organises it."""
    return CopyObservation(
        provider="google",
        mailbox=f"m-{KEYS.person(str(number))[2:]}",
        meeting=MEETING,
        organizer=KEYS.person("0"),
        role=CopyRole.GUEST if number else CopyRole.ORGANIZER,
        observed_at_ms=at_ms,
        window_start_ms=NOW_MS - DAY_MS,
        window_end_ms=NOW_MS + WINDOW_MS,
        dates=tuple(
            CopyDate(
                ref=KEYS.occurrence(MEETING, str(day)),
                event_id=f"{KEYS.person('event')}_{day:08}T090000Z",
                start_ms=NOW_MS + (day + 1) * DAY_MS,
                end_ms=NOW_MS + (day + 1) * DAY_MS + HOUR_MS,
                rooms={KEYS.room(str(room)): answer for room in range(rooms)},
                seats=PEOPLE,
                sequence=1,
            )
            for day in range(dates)
        ),
    )


def decided(memory: Memory, *seen: CopyObservation, offset: int = 0) -> Batch:
    """Decide them, commit every piece, and return the last."""
    records = []
    for number, each in enumerate(seen, start=offset):
        value = sealed_envelope(KEYS, each, key=KEY, type=copy_observation.TYPE, id=f"o-{number}", version=2)
        records.append(Record("observations", 0, number, KEY, value, (), 0))
    batch = Batch()
    while records:
        batch = decide(records, memory, partition=0, keys_of=keys_of, told=frozenset())
        memory.apply(batch.changes)
        records = records[batch.handled :]
    return batch


@pytest.mark.proves("B8")
def test_meeting_of_60_dates_and_500_connected_people_keeps_every_record_small() -> None:
    memory = Memory({})
    for number in range(PEOPLE):
        decided(memory, a_daily(number, Answer.NONE, at_ms=NOW_MS + number), offset=number)
    batch = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 1_000), offset=1_000)
    assert len(batch.decisions) == DATES * 3
    assert [change.key for change in batch.changes] == [KEY], "an answer rewrites no copy"
    assert max(map(len, memory.values())) <= LIMIT
    assert len(memory[KEY]) <= LIMIT


def test_commits_are_cut_between_observations_and_never_inside_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PIECE_RECORDS", 50)
    seen = [a_daily(0, answer, at_ms=NOW_MS + n) for n, answer in enumerate([Answer.NONE, Answer.DECLINED])]
    values = [sealed_envelope(KEYS, each, key=KEY, type=copy_observation.TYPE, id="o", version=2) for each in seen]
    records = [Record("observations", 0, n, KEY, value, (), 0) for n, value in enumerate(values)]
    first = decide(records, {}, partition=0, keys_of=keys_of, told=frozenset())
    assert (first.handled, len(first.statuses)) == (1, DATES * 3)


def test_what_exceeds_its_bound_is_parked_and_the_next_that_fits_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory({})
    decided(memory, a_daily(0, Answer.NONE, at_ms=NOW_MS, rooms=1, dates=2))
    monkeypatch.setattr(sealing, "MAX_STATE_BYTES", len(memory[KEY]) + 600)
    parked = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 1), offset=1)
    assert (len(parked.parked), parked.decisions, parked.statuses) == (1, [], [])
    before = open_meeting(KEY, memory[KEY], KEYS).record
    assert (before.parked, len(before.dates)) == (True, 2)
    again = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 2, rooms=1, dates=2), offset=2)
    assert len(again.decisions) == 2
    assert not open_meeting(KEY, memory[KEY], KEYS).record.parked


@pytest.mark.proves("B8", "B13")
@pytest.mark.parametrize("is_known", [False, True])
def test_baseline_that_was_parked_is_as_quiet_when_it_fits(is_known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, first = Memory({}), msgspec.structs.replace(a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 1), baseline=True)
    if is_known:
        decided(memory, a_daily(0, Answer.NONE, at_ms=NOW_MS, rooms=1, dates=1))
    monkeypatch.setattr(sealing, "MAX_STATE_BYTES", 1_500)
    assert len(decided(memory, first, offset=1).parked) == 1
    fits = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 2, rooms=1, dates=2), offset=2)
    assert len(fits.decisions) == is_known, "only what was witnessed before is told"
    later = [a_daily(0, each, at_ms=NOW_MS + 3, rooms=1, dates=2) for each in (Answer.ACCEPTED, Answer.DECLINED)]
    told = decided(memory, msgspec.structs.replace(later[0]), offset=3), decided(memory, later[1], offset=4)
    assert [len(batch.decisions) for batch in told] == [0, 2]
    assert not open_meeting(KEY, memory[KEY], KEYS).record.parked_baseline


def swept(memory: Memory, now_ms: int) -> Batch:
    """Sweep the meeting where it is known, and commit."""
    batch = sweep(memory, now_ms=now_ms, partition=0, keys_of=keys_of, meetings=[KEY])
    memory.apply(batch.changes)
    return batch


def silent(number: int, sight: Sight, *, at_ms: int) -> CopyObservation:
    """What is said of a mailbox that is not read, or has left."""
    return msgspec.structs.replace(a_daily(number, Answer.NONE, at_ms=at_ms, dates=0), sight=sight)


@pytest.mark.proves("B8", "B13")
@pytest.mark.parametrize("of", [0, 1])
@pytest.mark.parametrize("sight", [Sight.BLIND, Sight.WITHDRAWN])
def test_parked_baseline_outlasts_what_says_nothing_and_the_sweep(
    sight: Sight, of: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, first = Memory({}), msgspec.structs.replace(a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 1), baseline=True)
    with monkeypatch.context() as small:
        small.setattr(sealing, "MAX_STATE_BYTES", 1_500)
        assert len(decided(memory, first).parked) == 1
    batch = decided(memory, silent(of, sight, at_ms=NOW_MS + 2), offset=1)
    assert batch.due[KEY] > NOW_MS + 2, "it is not looked through at once, as one of which nothing is kept"
    swept(memory, NOW_MS + 3)
    fits = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 4, rooms=1, dates=2), offset=2)
    assert (fits.decisions, len(fits.statuses)) == ([], 2), "what stood before the consent is told to nobody"


def test_parked_baseline_is_forgotten_when_no_word_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, first = Memory({}), msgspec.structs.replace(a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 1), baseline=True)
    monkeypatch.setattr(sealing, "MAX_STATE_BYTES", 1_500)
    decided(memory, first)
    swept(memory, NOW_MS + 2 * KEEP_MARK_MS)
    assert open_meeting(KEY, memory[KEY], KEYS).record.parked, (
        "what is parked still is no older than its mailbox's last look"
    )
    left_ms = NOW_MS + 2 * KEEP_MARK_MS
    for number in range(2):
        decided(memory, silent(0, Sight.WITHDRAWN, at_ms=left_ms + number), offset=number + 1)
    assert due_at(open_meeting(KEY, memory[KEY], KEYS).record) == left_ms + KEEP_MARK_MS + 1
    swept(memory, left_ms + KEEP_MARK_MS)
    assert KEY in memory
    swept(memory, left_ms + KEEP_MARK_MS + 1)
    assert KEY not in memory


@pytest.mark.proves("B8")
def test_observation_that_leads_to_more_than_a_commit_may_have_is_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory({})
    decided(memory, a_daily(0, Answer.NONE, at_ms=NOW_MS, rooms=1, dates=5))
    monkeypatch.setattr(publications, "MAX_FOLLOWING_RECORDS", 9)
    batch = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 1, rooms=1, dates=5), offset=1)
    assert (len(batch.parked), batch.decisions, batch.statuses) == (1, [], [])
    assert "9 are the bound" in batch.parked[0][1]
    batch = decided(memory, a_daily(0, Answer.DECLINED, at_ms=NOW_MS + 2, rooms=1, dates=4), offset=2)
    assert len(batch.decisions) == 4
