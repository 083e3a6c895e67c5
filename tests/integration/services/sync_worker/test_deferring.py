"""A provider that says "later" keeps its mailbox: nothing is given up, hammered or leaked, and it becomes well by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts import envelope as envelopes
from shared.contracts.copy_observation import VERSION, CopyObservation, Sight
from shared.contracts.rows import ConsentState
from shared.crypto.records import open_envelope
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import Access, Subscription, SubscriptionRequest
from shared.errors import CursorExpiredError, RefusedError, RetryableError, TokenRefusedError
from tests.support.office import AARE, Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.proves("B11")
def test_calendar_that_refuses_fresh_tokens_for_an_hour_is_well_again_by_itself(office: Office) -> None:
    office.connect()
    office.calendar.book(**{AARE: "none"})
    office.hint()
    office.settle()
    office.calendar.failures = [TokenRefusedError("401") for _ in range(1000)]
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    for _ in range(60):
        office.after(60)
    row = office.consent()
    assert row
    assert row.state is not ConsentState.REVOKED
    assert row.refresh_sealed
    office.calendar.failures = []
    office.after(600)
    assert len(office.declines()) == 1


@pytest.mark.proves("B11")
@pytest.mark.parametrize("said", [0.0, -5.0])
def test_appointment_of_now_is_not_taken_at_its_word(office: Office, said: float) -> None:
    office.connect()
    office.calendar.failures = [RetryableError("429", retry_after_s=said) for _ in range(1000)]
    office.hint()
    for _ in range(240):
        office.after(0.25)
    assert 1000 - len(office.calendar.failures) <= 8


def test_appointment_in_a_month_is_not_waited_for(office: Office) -> None:
    office.connect()
    office.calendar.failures = [RetryableError("429", retry_after_s=30 * 86_400.0)]
    office.hint()
    office.settle()
    office.calendar.book(**{AARE: "declined"})
    office.after(6 * HOUR_MS / 1000 + 1)
    assert len(office.declines()) == 1


def test_replaced_channel_that_cannot_be_ended_blinds_nobody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def refuses(access: Access, subscription: Subscription) -> None:
        del access
        tries.append(subscription.id)
        message = "403"
        raise RefusedError(message)

    def replaces(access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        del subscription
        return office.calendar.subscribe(access, wish)

    monkeypatch.setattr(office.calendar, "extend", replaces)
    monkeypatch.setattr(office.calendar, "unsubscribe", refuses)
    office.connect()
    office.after(6 * 86_400)
    office.calendar.book("e1", start_ms=office.clock.at_ms + DAY_MS, **{AARE: "declined"})
    for _ in range(12):
        office.hint()
        office.settle()
        office.after(61)
    assert len(office.declines()) == 1
    assert 0 < tries.count("s1") <= 5


@pytest.mark.parametrize("failure", [RetryableError, RefusedError, CursorExpiredError])
@pytest.mark.parametrize("failures", [6])
def test_channel_of_a_look_that_fails_is_kept_and_not_made_again(
    office: Office, failures: int, failure: type[Exception]
) -> None:
    """A cursor is also refused where none was sent: a page of a full look can run out before it is asked for."""
    office.calendar.provider = Provider.GOOGLE
    office.calendar.look_failures = [failure("503") for _ in range(failures)]
    office.connect()
    for _ in range(40):
        office.after(60)
    assert office.calendar.look_failures == []
    assert list(office.calendar.subscriptions) == ["s1"]


def test_copy_that_nobody_can_look_at_for_long_says_so_and_speaks_again_afterwards(office: Office) -> None:
    office.calendar.book(**{AARE: "accepted"})
    office.connect()
    office.calendar.failures = [RetryableError("429", retry_after_s=600)]
    office.hint()
    office.settle()
    assert last_sight(office) is Sight.BLIND
    office.after(601)
    assert last_sight(office) is Sight.READ


def last_sight(office: Office) -> Sight:
    """What the newest observation says of its copy."""
    record = office.engine.log.read("observations", 0, 0, limit=5000)[-1]
    envelope = envelopes.decode(record.value or b"")
    return open_envelope(envelope, office.keys, CopyObservation, key=record.key, newest=VERSION).sight
