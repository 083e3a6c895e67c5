"""Both workers on one log: what a change in a calendar becomes, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.sync_worker.deciding.mailbox import ECHO_MS
from shared.contracts.change_notification import HintKind
from shared.contracts.command import Disconnect, TakeRoom
from shared.contracts.rows import ConsentState, TakeRow, TakeState
from shared.contracts.topics import CALENDAR_STATE
from shared.domain.instants import DAY_MS
from shared.errors import CursorExpiredError, RetryableError
from shared.grants.oauth import Lost
from shared.registry.tables import takes
from tests.support.office import AARE, BIRS, Office, PausedPool


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def booked(office: Office, answer: str, room: str = AARE) -> None:
    office.calendar.book(**{room: answer})
    office.hint()
    office.settle()


@pytest.mark.proves("S3")
def test_connecting_subscribes_reads_a_baseline_and_says_so(office: Office) -> None:
    office.calendar.book(**{AARE: "declined"})
    office.connect()
    assert list(office.calendar.subscriptions) == ["s1"]
    assert office.calendar.looks == ["full"]
    row = office.consent()
    assert row
    assert row.state is ConsentState.ACTIVE
    assert row.first_look_at_ms == office.clock.at_ms
    assert office.declines() == []
    assert office.states() == ["declined"]


@pytest.mark.proves("S3")
def test_between_subscription_and_first_look_the_page_can_say_first_sync(office: Office) -> None:
    office.calendar.look_failures = [RetryableError("503", retry_after_s=5)]
    office.connect()
    row = office.consent()
    assert row
    assert (row.state, row.first_look_at_ms) == (ConsentState.ACTIVE, 0)
    office.after(6)
    row = office.consent()
    assert row
    assert row.first_look_at_ms == office.clock.at_ms


@pytest.mark.proves("E43", "D7")
def test_decline_after_a_hint_is_told_once(office: Office) -> None:
    office.connect()
    booked(office, "none")
    booked(office, "declined")
    booked(office, "declined")
    assert office.states() == ["pending", "declined"]
    assert len(office.declines()) == 1


@pytest.mark.proves("B5")
def test_many_hints_at_once_cost_one_look(office: Office) -> None:
    office.connect()
    for _ in range(25):
        office.hint()
    office.settle()
    assert office.calendar.looks == ["full", "incremental"]


@pytest.mark.proves("B6")
def test_expired_cursor_loses_nothing_and_repeats_nothing(office: Office) -> None:
    office.connect()
    booked(office, "declined")
    office.calendar.failures = [CursorExpiredError("410")]
    office.calendar.book("e2", **{BIRS: "none"})
    office.hint()
    office.settle()
    assert office.calendar.looks[-1] == "full"
    assert len(office.declines()) == 1
    assert office.states() == ["declined", "pending"]


@pytest.mark.proves("B11")
def test_throttled_mailbox_is_left_alone_until_its_appointment(office: Office) -> None:
    office.connect()
    office.calendar.failures = [RetryableError("429", retry_after_s=30)]
    booked(office, "declined")
    looks = len(office.calendar.looks)
    for _ in range(3):
        office.hint()
        office.after(9)
    assert len(office.calendar.looks) == looks
    assert office.sync._hints.waiting() == ()  # the appointment stands for them: input moves on
    office.after(4)
    assert len(office.calendar.looks) == looks + 1
    assert len(office.declines()) == 1


def test_appointment_survives_a_restart(office: Office) -> None:
    office.connect()
    office.calendar.failures = [RetryableError("429", retry_after_s=30)]
    booked(office, "declined")
    office.restart()
    office.after(10)
    assert office.declines() == []
    office.after(21)
    assert len(office.declines()) == 1


@pytest.mark.proves("D1", "B4")
def test_lost_push_is_found_by_reconciliation(office: Office) -> None:
    office.calendar.book("e0", **{BIRS: "accepted"})  # a meeting within a day: the pace is the setting's own
    office.connect()
    office.calendar.book(**{AARE: "declined"})
    office.after(900 * 1.3)
    assert len(office.declines()) == 1


def test_change_that_the_delta_shows_late_is_found_by_the_echo(office: Office) -> None:
    office.connect()
    office.hint()
    office.settle()
    office.calendar.book(**{AARE: "declined"})
    office.after(ECHO_MS / 1000)
    assert len(office.declines()) == 1


def test_change_that_the_delta_shows_late_is_found_though_its_notification_came_twice(office: Office) -> None:
    office.connect()
    for _ in range(2):
        office.hint()
        office.after(0.5)
    office.calendar.book(**{AARE: "declined"})
    office.after(2 * ECHO_MS / 1000)
    assert len(office.declines()) == 1


def test_second_of_two_announced_changes_is_found_though_the_first_look_showed_only_one(office: Office) -> None:
    office.connect()
    office.calendar.book("e1", **{BIRS: "accepted"})
    office.hint()
    office.hint()
    office.settle()
    office.calendar.book("e2", **{AARE: "declined"})
    office.after(ECHO_MS / 1000)
    assert len(office.declines()) == 1


def test_change_that_the_delta_shows_late_is_found_though_the_look_was_throttled_at_first(office: Office) -> None:
    office.connect()
    office.calendar.failures = [RetryableError("429", retry_after_s=30)]
    office.hint()
    office.settle()
    office.restart()
    office.after(31)
    office.calendar.book("e2", **{AARE: "declined"})
    office.after(ECHO_MS / 1000)
    assert len(office.declines()) == 1


def test_change_that_no_push_announced_has_the_subscription_extended_at_once(office: Office) -> None:
    office.calendar.book("e0", **{BIRS: "accepted"})
    office.connect()
    office.calendar.book(**{AARE: "declined"})
    office.after(900 * 1.3)
    assert "extend" in office.calendar.calls
    office.calendar.subscriptions.clear()
    office.calendar.book("e2", **{AARE: "declined"})
    office.after(900 * 1.3)
    assert len(office.calendar.subscriptions) == 1


def test_notification_that_is_replayed_costs_a_look_every_few_seconds(office: Office) -> None:
    office.connect()
    for _ in range(600):
        office.hint()
        office.sync.step()
        office.clock.at_ms += 100
    assert len(office.calendar.looks) < 40
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.after(8)
    assert len(office.declines()) == 1


def test_tenant_erased_while_its_look_is_slow_ends_no_worker(office: Office) -> None:
    office.connect()
    pool = PausedPool()
    office.restart(pool)
    office.hint()
    office.settle()
    office.engine.keyring.destroy_data(office.tenant)
    office.clock.at_ms += 31_000
    office.sync.step()
    pool.release()
    office.sync.step()


def test_worker_told_to_stop_names_the_looks_in_flight_without_a_traceback(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.connect()
    pool = PausedPool()
    office.restart(pool)
    office.hint()
    office.settle()
    office.calendar.failures = [RuntimeError("the engine is closed")]
    office.sync.close()
    pool.release()
    said = "".join(capsys.readouterr())
    assert "look_failed" not in said
    assert "Traceback" not in said


def test_restart_repeats_no_decline_and_loses_no_state(office: Office) -> None:
    office.connect()
    booked(office, "declined")
    office.restart()
    office.settle()
    booked(office, "declined")
    office.calendar.book(**{BIRS: "none"})
    office.hint()
    office.settle()
    assert len(office.declines()) == 1
    assert office.states()[-2:] == ["gone", "pending"] or office.states()[-2:] == ["pending", "gone"]


def test_state_on_the_log_keeps_neither_address_nor_uid(office: Office) -> None:
    office.connect()
    booked(office, "declined")
    for name in ("calendar-state", "observations", "meeting-state", "room-status", "room-rejections"):
        for record in office.engine.log.read(name, 0, 0):
            assert b"contoso" not in (record.value or b"") + record.key
            assert b"uid-e1" not in (record.value or b"") + record.key


@pytest.mark.proves("B2")
@pytest.mark.parametrize("kind", [HintKind.SUBSCRIPTION_REMOVED, HintKind.REAUTHORIZATION_REQUIRED, HintKind.MISSED])
def test_lifecycle_news_ends_with_a_live_subscription_and_a_look(office: Office, kind: HintKind) -> None:
    office.connect()
    if kind is HintKind.SUBSCRIPTION_REMOVED:
        office.calendar.subscriptions.clear()
    office.calendar.book(**{AARE: "declined"})
    office.hint(kind)
    office.settle()
    assert len(office.calendar.subscriptions) == 1
    assert office.calendar.calls.count("extend") == (kind is HintKind.REAUTHORIZATION_REQUIRED)
    assert len(office.declines()) == 1


@pytest.mark.proves("B2")
def test_removal_heard_while_the_provider_is_away_is_not_forgotten(office: Office) -> None:
    office.connect()
    office.calendar.subscriptions.clear()
    office.calendar.failures = [RetryableError("503", retry_after_s=5)]
    office.hint(HintKind.SUBSCRIPTION_REMOVED)
    office.settle()
    office.restart()
    office.after(6)
    assert len(office.calendar.subscriptions) == 1


@pytest.mark.proves("B2")
def test_removal_heard_while_a_look_runs_is_not_overwritten_by_it(office: Office) -> None:
    office.connect()
    pool = PausedPool()
    office.restart(pool)
    office.hint()
    office.sync.step()
    office.calendar.subscriptions.clear()
    office.hint(HintKind.SUBSCRIPTION_REMOVED)
    office.sync.step()
    for _ in range(3):
        pool.release()
        office.sync.step()
    assert len(office.calendar.subscriptions) == 1


@pytest.mark.proves("B5")
def test_hints_during_a_look_cost_one_more_look(office: Office) -> None:
    office.connect()
    pool = PausedPool()
    office.restart(pool)
    office.hint()
    office.sync.step()
    for _ in range(20):
        office.hint()
    for _ in range(5):
        office.sync.step()
        pool.release()
    assert office.calendar.looks == ["full", "incremental", "incremental"]


def test_hint_of_a_look_that_never_finished_is_read_again(office: Office) -> None:
    office.connect()
    office.restart(PausedPool())
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.sync.step()
    office.sync._commit({}, {})  # as any other mailbox's look would, before the owner dies
    office.restart()
    office.settle()
    assert len(office.declines()) == 1


@pytest.mark.proves("B1")
def test_subscription_is_renewed_day_after_day(office: Office) -> None:
    office.connect()
    for _ in range(60):
        office.after(DAY_MS / 2000)
    assert office.calendar.calls.count("subscribe") == 1
    assert office.calendar.calls.count("extend") >= 5


def test_google_sync_message_is_heard_and_asks_for_nothing(office: Office) -> None:
    office.connect()
    office.hint(HintKind.SYNC)
    office.settle()
    assert office.calendar.looks == ["full"]


def test_grant_that_was_taken_back_ends_everything(office: Office) -> None:
    office.connect()
    booked(office, "declined")
    office.endpoint.outcome = Lost("invalid_grant")
    office.after(3600)
    row = office.consent()
    assert row
    assert row.state is ConsentState.REVOKED
    looks = len(office.calendar.looks)
    office.hint()
    office.after(3600)
    assert len(office.calendar.looks) == looks
    assert office.states()[-1] == "unknown" or office.states()[-1] == "gone"
    assert references(office) == 0


def test_disconnecting_stops_first_and_forgets_then(office: Office) -> None:
    office.connect()
    booked(office, "none")
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    assert office.calendar.subscriptions == {}
    assert office.consent() is None
    assert references(office) == 0


def test_hint_for_a_mailbox_nobody_holds_is_of_no_consequence(office: Office) -> None:
    office.hint()
    office.settle()
    assert office.calendar.looks == []


@pytest.mark.proves("D8")
def test_taking_a_room_swaps_it_once_even_after_a_restart(office: Office) -> None:
    office.connect()
    booked(office, "declined")
    row = TakeRow(
        user="u-ada", prompt="d", room=office.keys.room(BIRS), state=TakeState.ASKED, at_ms=office.clock.at_ms
    )
    takes(office.engine.registry).put(office.tenant, "take-1", row)
    wish = TakeRoom(
        at_ms=office.clock.at_ms,
        take_id="take-1",
        event_id="e1",
        declined_room_id=office.keys.room(AARE),
        room_id=office.keys.room(BIRS),
    )
    office.send(wish)
    office.settle()
    office.restart()
    office.send(wish)
    office.settle()
    assert [call for call in office.calendar.calls if call.startswith("swap")] == [f"swap {AARE} {BIRS}"]
    done = takes(office.engine.registry).get(office.tenant, "take-1")
    assert done
    assert done.state is TakeState.DONE
    assert sorted(office.states()[-2:]) == ["gone", "pending"]


@pytest.mark.proves("B12")
def test_record_that_cannot_be_read_is_kept_with_its_bytes_and_nothing_waits_for_it(office: Office) -> None:
    from shared.ports.log import NewRecord  # noqa: PLC0415

    office.connect()
    office.engine.log.append([NewRecord("notifications.graph", 0, office.mailbox.key, b"{broken")])
    office.engine.log.append([NewRecord("observations", 0, b"t/m", b"{broken too")])
    booked(office, "declined")
    assert len(office.declines()) == 1
    letters = office.topic("dead-letters")
    assert {letter["payload"]["topic"] for letter in letters} == {"notifications.graph", "observations"}


def references(office: Office) -> int:
    """Records of connected mailboxes on the compacted topic that are not tombstones, newest per key."""
    newest = {record.key: record.value for record in office.engine.log.read(CALENDAR_STATE.name, 0, 0, limit=5000)}
    newest.pop(b"position", None)
    return sum(value is not None and not key.endswith(b"/left") for key, value in newest.items())
