"""How a published decline ends: for which reason, once, and not before it has ended."""

from __future__ import annotations

import msgspec
import pytest

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.decision import decide, dismiss, sweep
from services.room_status.deciding.fold import DecisionRules, fold, rules_with
from shared.contracts import copy_observation
from shared.contracts.copy_observation import CopyObservation, Sight
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.meeting_state import meeting_key
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.crypto.records import sealed_envelope
from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError
from shared.ports.log import NewRecord, Record
from shared.runtime.dismissal_records import dismissal_record
from tests.support.builders import KEYS, NOW_MS, START_MS
from tests.support.copy_builders import a_date, a_guest_look, a_look

END_MS = START_MS + HOUR_MS
KEY = meeting_key(KEYS.tenant, "m-planning")


def keys_of(_: str) -> TenantKeys:
    return KEYS


class Owner:
    """The memory of one partition, and everything that was published."""

    def __init__(self, rules: DecisionRules = fold) -> None:
        self.rules = rules
        self.memory: dict[bytes, bytes] = {}
        self.records: list[NewRecord] = []
        self.declines: list[RoomDeclined] = []
        self.told: frozenset[str] = frozenset()
        self.offset = 0

    def look(self, seen: CopyObservation) -> Batch:
        value = sealed_envelope(KEYS, seen, key=KEY, type=copy_observation.TYPE, version=2, id=f"o-{self.offset}")
        record = Record("observations", 0, self.offset, KEY, value, (), 0)
        self.offset += 1
        batch = decide([record], self.memory, partition=0, keys_of=keys_of, told=self.told, rules=self.rules)
        return self.take(batch)

    def dismiss(self, decline: str, mailbox: str = "m-ada", at_ms: int = NOW_MS + 5) -> Batch:
        sent = dismissal_record(
            KEYS.tenant, PromptDismissal(meeting="m-planning", decline=decline, mailbox=mailbox, at_ms=at_ms), 1
        )
        record = Record("dismissals", 0, 0, sent.key, sent.value, (), 0)
        return self.take(dismiss([record], self.memory, partition=0, keys_of=keys_of, told=self.told))

    def sweep(self, now_ms: int) -> Batch:
        return self.take(sweep(self.memory, now_ms=now_ms, partition=0, keys_of=keys_of, told=self.told))

    def take(self, batch: Batch) -> Batch:
        assert batch.malformed == []
        for key, value in batch.states.items():
            self.memory.pop(key, None)
            if value is not None:
                self.memory[key] = value
        self.declines += [msgspec.json.decode(each.value or b"", type=RoomDeclined) for each in batch.decisions]
        self.records += batch.outcomes
        return batch

    @property
    def outcomes(self) -> list[RoomOutcome]:
        return [msgspec.json.decode(each.value or b"", type=RoomOutcome) for each in self.records]

    @property
    def ends(self) -> list[tuple[str, str]]:
        return [(each.type.split(".")[1], each.data.reason.value) for each in self.outcomes]


def declined(rules: DecisionRules = fold) -> Owner:
    """Room `a` was asked and has declined."""
    owner = Owner(rules)
    owner.look(a_look(a_date(a="none")))
    owner.look(a_look(a_date(a="declined"), at_ms=NOW_MS + 1))
    assert (len(owner.declines), owner.outcomes) == (1, [])
    return owner


MINUTE_LATER = NOW_MS + 60_000
MOVED_MS = START_MS + 2 * HOUR_MS
CLOSED = {
    "the room accepts after all": ([a_date(a="accepted")], ("room", "accepted")),
    "another room accepts": ([a_date(a="declined", b="accepted")], ("room", "rebooked")),
    "another room takes its place": ([a_date(b="accepted")], ("room", "rebooked")),
    "the meeting moves": ([a_date(a="none", start_ms=MOVED_MS)], ("prompt", "moved")),
    "it moves, and the room is free": ([a_date(a="accepted", start_ms=MOVED_MS)], ("room", "moved")),
    "the room is taken out": ([a_date()], ("prompt", "cancelled")),
    "the meeting is off": ([], ("prompt", "cancelled")),
}


@pytest.mark.proves("D14")
@pytest.mark.parametrize("what", CLOSED)
def test_decline_ends_when_its_reason_is_seen_and_once(what: str) -> None:
    dates, end = CLOSED[what]
    owner = declined()
    owner.look(a_look(*dates, at_ms=MINUTE_LATER))
    assert owner.ends == [end]
    owner.look(a_look(a_date(a="none"), at_ms=MINUTE_LATER + 1))
    owner.look(a_look(a_date(a="accepted", b="accepted"), at_ms=MINUTE_LATER + 2))
    owner.sweep(END_MS + 3 * DAY_MS)
    assert owner.ends == [end]


@pytest.mark.proves("D14")
def test_event_names_the_decline_that_it_closes_and_nothing_of_the_meeting() -> None:
    owner = declined()
    owner.look(a_look(a_date(a="accepted"), at_ms=MINUTE_LATER))
    (decline,), (ended,), (record,) = owner.declines, owner.outcomes, owner.records
    assert msgspec.to_builtins(ended) == {
        "specversion": "1.0",
        "id": "c-" + decline.id.removeprefix("d-"),
        "source": decline.source,
        "type": "roomsync.room.regained.v1",
        "subject": "rooms/a",
        "time": to_rfc3339(MINUTE_LATER),
        "partitionkey": decline.partitionkey,
        "datacontenttype": "application/json",
        "dataschema": "urn:roomsync:schema:RoomOutcome:1#/$defs/RoomOutcomeData",
        "data": {
            "declineId": decline.id,
            "tenantId": KEYS.tenant,
            "roomId": "a",
            "reason": "accepted",
            "at": to_rfc3339(MINUTE_LATER),
        },
    }
    assert (record.topic, record.key) == ("room-outcomes", KEY)
    assert dict(record.headers)["source-position"] == b"observations/0/2"
    assert dict(record.headers)["content-type"].startswith(b"application/cloudevents+json")


@pytest.mark.proves("D14")
def test_room_that_is_only_asked_has_not_ended_a_decline_and_its_answer_does() -> None:
    for answer, ends in [("accepted", [("room", "rebooked")]), ("declined", [("prompt", "cancelled")])]:
        owner = declined()
        owner.look(a_look(a_date(b="none"), at_ms=MINUTE_LATER))
        assert owner.ends == []
        owner.look(a_look(a_date(b=answer), at_ms=MINUTE_LATER + 1))
        assert owner.ends == ends


@pytest.mark.proves("D14")
def test_room_that_is_asked_again_for_the_same_time_ends_the_decline_with_its_answer() -> None:
    owner = declined()
    owner.look(a_look(a_date(a="none"), at_ms=MINUTE_LATER))
    assert owner.ends == []
    owner.look(a_look(a_date(a="declined"), at_ms=MINUTE_LATER + 1))
    first, second = owner.declines
    assert [(each.data.decline_id, each.data.reason) for each in owner.outcomes] == [(first.id, "rebooked")]
    owner.look(a_look(a_date(a="accepted"), at_ms=MINUTE_LATER + 2))
    assert [each.data.decline_id for each in owner.outcomes] == [first.id, second.id]


@pytest.mark.proves("D14")
@pytest.mark.parametrize(("after_ms", "reason"), [(10_000, "provider"), (60_000, "rebooked")])
def test_replacement_at_once_is_the_provider_s_own(after_ms: int, reason: str) -> None:
    owner = declined()
    owner.look(a_look(a_date(b="none"), at_ms=NOW_MS + after_ms))
    owner.look(a_look(a_date(b="accepted"), at_ms=MINUTE_LATER + 1))
    assert owner.ends == [("room", reason)]


def test_person_who_is_prompted_at_once_has_rebooked_however_fast_they_are() -> None:
    """ROOMSYNC_PROMPT_GRACE_S is 0: nothing is left to the provider."""
    owner = declined(rules=rules_with(lambda _: 0))
    owner.look(a_look(a_date(b="accepted"), at_ms=NOW_MS + 1_000))
    assert owner.ends == [("room", "rebooked")]


@pytest.mark.proves("D14")
@pytest.mark.parametrize("waiting", [False, True])
def test_what_is_over_ends_by_the_clock_alone_at_its_end(waiting: bool) -> None:
    owner = declined()
    if waiting:
        owner.look(a_look(a_date(b="none"), at_ms=MINUTE_LATER))
    assert min(owner.sweep(END_MS - 1).due.values()) == END_MS
    assert owner.ends == []
    owner.sweep(END_MS)
    owner.sweep(END_MS + 1)
    assert [(each.data.reason, each.data.at) for each in owner.outcomes] == [("past", to_rfc3339(END_MS))]


@pytest.mark.proves("D14")
def test_end_is_the_same_whether_the_clock_or_a_late_look_finds_it() -> None:
    swept, seen = declined(), declined()
    swept.sweep(END_MS)
    seen.look(a_look(a_date(a="accepted"), at_ms=END_MS + 60_000))
    assert [each.value for each in seen.records] == [each.value for each in swept.records]


def test_what_is_out_of_sight_stays_open_until_it_is_over() -> None:
    owner = declined()
    owner.look(a_look(sight=Sight.WITHDRAWN, at_ms=MINUTE_LATER))
    assert owner.ends == []
    owner.sweep(END_MS)
    assert owner.ends == [("prompt", "past")]


@pytest.mark.proves("D14")
def test_what_was_never_told_never_ends() -> None:
    owner = Owner()
    owner.look(a_look(a_date(a="declined"), baseline=True))
    assert min(owner.sweep(END_MS).due.values()) > END_MS, "it would be looked through again and again"
    owner.look(a_look(a_date(a="accepted"), at_ms=MINUTE_LATER))
    owner.sweep(END_MS)
    assert (owner.declines, owner.outcomes) == ([], [])


@pytest.mark.proves("D14")
def test_organiser_s_dismissal_ends_the_decline_once() -> None:
    owner = declined()
    assert owner.dismiss(owner.declines[0].id, "m-ben").empty, "nobody asked them: they are not kept either"
    assert owner.dismiss("d-unknown").empty
    owner.dismiss(owner.declines[0].id)
    owner.dismiss(owner.declines[0].id)
    owner.sweep(END_MS)
    assert [(each.data.reason, each.data.at) for each in owner.outcomes] == [("dismissed", to_rfc3339(NOW_MS + 5))]


@pytest.mark.proves("D14")
def test_decline_of_guests_ends_when_the_last_one_who_was_asked_has_put_it_away() -> None:
    owner = Owner()
    for mailbox in ("m-ben", "m-cem"):
        owner.look(a_guest_look(a_date(a="none", can_change=True), mailbox=mailbox))
    owner.look(a_guest_look(a_date(a="declined", can_change=True), mailbox="m-ben", at_ms=NOW_MS + 1))
    (decline,) = owner.declines
    owner.dismiss(decline.id, "m-ben")
    assert owner.ends == []
    owner.dismiss(decline.id, "m-cem")
    assert owner.ends == [("prompt", "dismissed")]


def test_later_date_of_a_series_that_was_put_away_ends_as_it_is_told() -> None:
    owner = Owner()
    first = a_date("1", a="none")
    owner.look(a_look(first, window_ms=9 * DAY_MS))
    owner.look(a_look(a_date("1", a="declined"), at_ms=NOW_MS + 1, window_ms=9 * DAY_MS))
    owner.dismiss(owner.declines[0].id)
    later = a_date("2", start_ms=NOW_MS + 10 * DAY_MS, a="declined")
    owner.look(a_look(a_date("1", a="declined"), later, at_ms=NOW_MS + 9, window_ms=11 * DAY_MS))
    assert [each.data.reason for each in owner.outcomes] == ["dismissed", "dismissed"]
    assert [each.data.decline_id for each in owner.outcomes] == [each.id for each in owner.declines]


@pytest.mark.proves("D14")
def test_end_that_a_torn_predecessor_told_is_not_told_again_and_its_state_is_written() -> None:
    owner = declined()
    owner.told = frozenset({"c-" + owner.declines[0].id.removeprefix("d-")})
    for batch in (owner.sweep(END_MS),):
        assert (batch.outcomes, len(batch.changes)) == ([], 1)
    owner = declined()
    owner.told = frozenset({"c-" + owner.declines[0].id.removeprefix("d-")})
    batch = owner.look(a_look(a_date(a="accepted"), at_ms=MINUTE_LATER))
    assert batch.outcomes == []
    assert batch.changes


@pytest.mark.proves("D14")
def test_nothing_is_told_of_an_organisation_that_was_switched_off() -> None:
    owner = declined()

    def erased(tenant: str) -> TenantKeys:
        raise KeyDestroyedError(tenant)

    batch = sweep(owner.memory, now_ms=END_MS, partition=0, keys_of=erased)
    assert batch.outcomes == []
    assert set(batch.states.values()) == {None}


def test_dismissal_under_another_meeting_s_key_is_a_dead_letter() -> None:
    owner = declined()
    sent = dismissal_record(
        KEYS.tenant, PromptDismissal(meeting="m-other", decline=owner.declines[0].id, mailbox="m-ada", at_ms=NOW_MS), 1
    )
    batch = dismiss(
        [Record("dismissals", 0, 0, KEY, sent.value, (), 0)],
        owner.memory,
        partition=0,
        keys_of=keys_of,
        told=frozenset(),
    )
    assert (len(batch.malformed), batch.outcomes) == (1, [])
