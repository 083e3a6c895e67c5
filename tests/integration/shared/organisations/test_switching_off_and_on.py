"""Switching an integration off: everything ends at once, consents sleep for five days, and nobody has to act to come back."""

from __future__ import annotations

import pytest

from services.portal.admin.integration.testflow.completion import complete, enable
from services.portal.admin.integration.testflow.deciding.run import Stage, TestRun
from shared.contracts.command import Disconnect
from shared.contracts.rows import ConsentState, IntegrationState, UserRow
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.errors import ConsentRevokedError, RefusedError, RetryableError
from shared.grants.sleep import SLEEP_MS
from shared.organisations.integration import IntegrationTransition
from shared.registry import tables
from tests.integration.shared.organisations.switching import OffOffice
from tests.support.office import AARE


def connected(office: OffOffice) -> None:
    """Ada is connected, and a room has declined."""
    office.connect()
    office.calendar.book(**{AARE: "none"})
    office.hint()
    office.settle()
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.settle()
    assert len(office.declines()) == 1


@pytest.mark.proves("E25", "E26", "E30")
def test_switching_off_ends_everything_and_keeps_the_sealed_grant_alone(office: OffOffice) -> None:
    connected(office)
    before, rooms = office.keys_now(), office.rooms()
    office.switch_off()
    assert not any(room.paired for room in office.rooms().values())
    office.settle()
    office.sweep()
    assert office.calendar.subscriptions == {}
    assert office.kept() == {}
    assert office.waiting_endings() == 0
    assert office.topic("room-status")[-1]["state"] == "unknown"
    row = office.grant()
    assert (row.state, bool(row.refresh_sealed)) == (ConsentState.SLEEPING, True)
    assert row.asleep_until_ms == office.clock.at_ms + SLEEP_MS
    assert office.organisation().integration is IntegrationState.DISABLED
    assert office.organisation().doomed_era == ""
    assert office.keys_now().era != before.era
    now = office.rooms()
    assert sorted(room.address for room in now.values()) == sorted(room.address for room in rooms.values())
    assert not any(room.paired for room in now.values())
    assert set(now) == {office.keys_now().room(room.address) for room in now.values()}


@pytest.mark.proves("E25")
def test_late_notification_after_switching_off_is_dropped_without_any_call(office: OffOffice) -> None:
    connected(office)
    office.switch_off()
    office.settle()
    office.sweep()
    calls, looks = list(office.calendar.calls), list(office.calendar.looks)
    observations = len(office.topic("observations"))
    office.hint()
    office.settle()
    assert (office.calendar.calls, office.calendar.looks) == (calls, looks)
    assert len(office.topic("observations")) == observations


@pytest.mark.proves("E25")
def test_hint_that_comes_between_the_switch_and_the_command_is_not_looked_after(office: OffOffice) -> None:
    connected(office)
    looks = list(office.calendar.looks)
    office.calendar.book("e2", **{AARE: "declined"})
    office.hint()
    office.switch_off()
    office.settle()
    assert office.calendar.looks == looks
    assert len(office.declines()) == 1


@pytest.mark.proves("E25")
def test_look_that_was_under_way_tells_nothing_and_its_subscription_is_ended(office: OffOffice) -> None:
    office.calendar.book(**{AARE: "declined"})
    office.when_looking = office.switch_off
    office.connect()
    office.settle()
    office.sweep()
    assert office.calendar.calls == ["subscribe", "unsubscribe"]
    assert office.calendar.looks == ["full"]
    assert office.calendar.subscriptions == {}
    assert office.topic("observations") == []
    assert office.kept() == {}
    assert office.grant().state is ConsentState.SLEEPING


@pytest.mark.proves("E25")
def test_provider_that_is_down_is_asked_again_until_no_subscription_is_left(office: OffOffice) -> None:
    connected(office)
    office.ending_failures = [RetryableError("503", retry_after_s=30), RetryableError("429", retry_after_s=60)]
    office.switch_off()
    office.settle()
    office.sweep()
    assert len(office.calendar.subscriptions) == 1
    assert office.kept() == {}
    office.restart()
    tried = office.calendar.calls.count("unsubscribe")
    office.sweep()
    assert office.calendar.calls.count("unsubscribe") == tried, "not before the time that the provider named"
    office.move_to(office.clock.at_ms + 31_000)
    assert len(office.calendar.subscriptions) == 1
    office.move_to(office.clock.at_ms + 61_000)
    assert office.calendar.subscriptions == {}
    assert office.waiting_endings() == 0
    assert office.grant().state is ConsentState.SLEEPING


@pytest.mark.proves("E28")
def test_enabled_again_at_4_d_23_h_59_m_everybody_is_connected_without_acting(office: OffOffice) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.restart()
    office.move_to(off_at_ms + 119 * HOUR_MS)
    office.restart()
    office.move_to(off_at_ms + SLEEP_MS - MINUTE_MS)
    office.calendar.book(start_ms=office.clock.at_ms + HOUR_MS, **{AARE: "declined"})
    office.switch_on()
    office.settle()
    row = office.grant()
    assert (row.state, row.first_look_at_ms) == (ConsentState.ACTIVE, office.clock.at_ms)
    assert row.asleep_until_ms == 0
    assert len(office.calendar.subscriptions) == 1
    assert office.calendar.looks[-1] == "full"
    assert office.topic("room-status")[-1]["state"] == "declined"
    assert len(office.declines()) == 1, "the catch-up announces nothing, and nothing twice"
    office.calendar.book("e9", start_ms=office.clock.at_ms + HOUR_MS, **{AARE: "declined"})
    office.hint(subscription="")
    office.settle()
    assert len(office.declines()) == 2, "what happens from now on is told"
    office.move_to(off_at_ms + SLEEP_MS + HOUR_MS)
    assert office.grant().state is ConsentState.ACTIVE, "an old deadline must not outlive the waking"


@pytest.mark.proves("E28")
@pytest.mark.parametrize("swept", [True, False])
def test_enabled_again_at_5_d_0_h_1_m_everybody_connects_anew(office: OffOffice, *, swept: bool) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.sweep()
    consent_key = office.engine.keyring.consent_key(office.tenant)
    office.clock.at_ms = off_at_ms + SLEEP_MS + MINUTE_MS
    if swept:
        office.sweep()
        assert office.organisation().integration is IntegrationState.OFF
    office.restart()
    office.switch_on()
    office.settle()
    assert office.consent() is None
    assert office.calendar.subscriptions == {}
    assert office.engine.keyring.consent_key(office.tenant) != consent_key
    office.keys = office.keys_now()
    office.connect()
    assert office.grant().state is ConsentState.ACTIVE


@pytest.mark.proves("E28", "E29")
def test_sleep_that_runs_out_in_the_midst_of_a_test_is_ended_before_its_passing_ends_it_for_good(
    office: OffOffice,
) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.sweep()
    consent_key = office.engine.keyring.consent_key(office.tenant)
    office.clock.at_ms = off_at_ms + SLEEP_MS - 1
    office.act(IntegrationTransition.BEGIN_TEST)
    office.clock.at_ms = off_at_ms + SLEEP_MS
    run = TestRun(
        id="r", user="u-chief", provider="microsoft", stage=Stage.RUNNING, began_at_ms=0, beat_at_ms=0,
        directory="d-1", tester="u-chief",
    )  # fmt: skip
    assert enable(office.deps, office.tenant, run)
    assert office.organisation().integration is IntegrationState.ENABLED
    assert office.engine.keyring.consent_key(office.tenant) != consent_key
    assert office.consent() is None


@pytest.mark.proves("E28")
def test_grant_is_refused_at_read_from_the_deadline_on_although_nobody_swept(office: OffOffice) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.clock.at_ms = off_at_ms + SLEEP_MS - 1
    assert office.grant().state is ConsentState.SLEEPING
    with pytest.raises(RefusedError):
        office.broker.access(office.mailbox)
    office.clock.at_ms = off_at_ms + SLEEP_MS
    assert office.consent() is None
    with pytest.raises(ConsentRevokedError):
        office.broker.access(office.mailbox)


@pytest.mark.proves("E28")
def test_clock_that_jumps_back_and_forth_wakes_nobody_and_loses_nobody(office: OffOffice) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    for hours in (100, 3, 119, 50, 118):
        office.move_to(off_at_ms + hours * HOUR_MS)
        office.restart()
        assert office.grant().state is ConsentState.SLEEPING
    office.switch_on()
    office.settle()
    assert office.grant().state is ConsentState.ACTIVE


@pytest.mark.proves("E30")
def test_data_keys_go_at_sixty_seconds_although_the_worker_is_down_and_its_subscription_is_ended(
    office: OffOffice,
) -> None:
    connected(office)
    era, off_at_ms = office.keys_now().era, office.clock.at_ms
    office.switch_off()
    office.clock.at_ms = off_at_ms + 59_999
    office.sweep()
    assert office.keys_now().era == era
    office.clock.at_ms = off_at_ms + 60_000
    office.sweep()
    assert office.keys_now().era != era
    assert office.grant().state is ConsentState.SLEEPING
    office.sweep()
    assert office.calendar.subscriptions == {}
    office.restart()
    office.settle()
    assert office.kept() == {}, "what a destroyed key sealed is forgotten and deleted"


@pytest.mark.proves("E25", "E28")
def test_enabled_again_before_the_worker_noticed_begins_anew_under_new_keys(office: OffOffice) -> None:
    connected(office)
    era = office.keys_now().era
    office.switch_off()
    office.switch_on()
    assert office.keys_now().era != era
    office.settle()
    office.settle()
    office.sweep()
    assert office.grant().state is ConsentState.ACTIVE
    assert len(office.calendar.subscriptions) == 1
    assert len(office.declines()) == 1
    office.calendar.book("e9", **{AARE: "declined"})
    office.hint(subscription="")
    office.settle()
    assert len(office.declines()) == 2


@pytest.mark.proves("E25")
def test_of_two_who_switch_off_at_once_one_does(office: OffOffice) -> None:
    connected(office)
    office.switch_off()
    until_ms = office.organisation().sleep_until_ms
    office.clock.at_ms += 1000
    office.switch_off()
    assert office.organisation().sleep_until_ms == until_ms
    acts = [row.act for _, row in tables.audit(office.engine.registry).scan(office.tenant)]
    assert acts == ["integration.disabled"]


@pytest.mark.proves("E29")
def test_after_five_days_people_without_rights_are_gone_and_administrators_stay(office: OffOffice) -> None:
    connected(office)
    users = tables.users(office.engine.registry)
    chief = UserRow(
        provider="microsoft",
        subject="chief",
        address_sealed=b"x",
        person="p",
        mailbox="m-chief",
        roles=("subscription-admin",),
    )
    users.put(office.tenant, "u-chief", chief)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.move_to(off_at_ms + SLEEP_MS)
    assert [user for user, _ in users.scan(office.tenant)] == ["u-chief"]
    assert office.organisation().integration is IntegrationState.OFF
    assert office.organisation().sleep_until_ms == 0


@pytest.mark.proves("E17")
def test_disconnecting_while_asleep_waits_for_the_ending_and_then_forgets_the_grant(office: OffOffice) -> None:
    connected(office)
    office.ending_failures = [RetryableError("503", retry_after_s=30)] * 2
    office.switch_off()
    office.settle()
    office.broker.leaving(office.mailbox)
    office.move_to(office.clock.at_ms + 31_000)
    assert office.consent() is not None
    office.move_to(office.clock.at_ms + 31_000)
    assert office.consent() is None
    assert office.calendar.subscriptions == {}


@pytest.mark.proves("E17", "E25")
def test_whoever_wants_to_be_gone_is_not_woken_and_their_subscription_is_ended_before_the_grant_is(
    office: OffOffice,
) -> None:
    connected(office)
    office.ending_failures = [RetryableError("503", retry_after_s=30)] * 2
    office.switch_off()
    office.settle()
    office.broker.leaving(office.mailbox)
    looks = list(office.calendar.looks)
    office.switch_on()
    office.settle()
    for _ in range(3):
        office.move_to(office.clock.at_ms + 61_000)
    assert office.calendar.subscriptions == {}
    assert office.consent() is None
    assert office.calendar.looks == looks


@pytest.mark.proves("E17", "S9")
def test_disconnected_while_the_integration_is_on_ends_the_subscription_before_the_grant(office: OffOffice) -> None:
    connected(office)
    office.broker.leaving(office.mailbox)
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    assert office.calendar.subscriptions == {}
    assert office.consent() is None
    assert office.references() == {}
    assert office.topic("room-status")[-1]["state"] == "unknown"


@pytest.mark.proves("E32")
def test_whoever_slept_with_the_former_calendar_system_is_woken_by_nobody_although_enabling_died_half_way(
    office: OffOffice,
) -> None:
    connected(office)
    office.switch_off()
    office.settle()
    office.sweep()
    looks = list(office.calendar.looks)
    for act in (IntegrationTransition.BEGIN_TEST, IntegrationTransition.TEST_PASSED):
        office.act(act, provider="google")
    office.restart()
    office.sweep()
    office.sweep()
    office.settle()
    assert office.grant().state is ConsentState.SLEEPING
    assert office.calendar.subscriptions == {}
    assert office.calendar.looks == looks


@pytest.mark.proves("E25", "E32")
def test_subscription_at_the_former_calendar_system_that_could_not_be_ended_is_ended_although_the_other_one_is_on(
    office: OffOffice,
) -> None:
    connected(office)
    office.ending_failures = [RetryableError("503", retry_after_s=30)] * 2
    office.switch_off()
    office.settle()
    office.sweep()
    for act in (IntegrationTransition.BEGIN_TEST, IntegrationTransition.TEST_PASSED):
        office.act(act, provider="google")
    complete(office.deps, office.tenant)
    for _ in range(3):
        office.move_to(office.clock.at_ms + 61_000)
    assert office.calendar.subscriptions == {}
    assert office.consent() is None
