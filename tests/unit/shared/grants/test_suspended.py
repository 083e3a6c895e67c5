"""A grant that is refused for a reason that can pass: kept, tried again ever more rarely, and given up after two weeks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.contracts.rows import ConsentRow, ConsentState, UserRow
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.errors import ConsentRevokedError, GrantSuspendedError, RetryableError
from shared.grants.grant import GIVEN_UP_AFTER_MS
from shared.grants.oauth import Granted, Lost, Outcome, Suspended
from shared.grants.refusals import PAUSE_MS
from shared.registry.tables import consents, users

TENANT = "t-one"
ANA = Mailbox(TENANT, "mb-ana")
GRANT = Granted("access-0", 3600.0, "refresh-0", ("openid", "User.Read", "Calendars.ReadWrite"))
BLOCKED = Suspended("AADSTS53003")


def row(house: Any, mailbox: Mailbox = ANA) -> ConsentRow:
    found = consents(house.registry).get(TENANT, mailbox.id)
    assert found is not None
    return found


def person(house: Any, name: str) -> Mailbox:
    key = house.keyring.consent_key(TENANT)
    address = seal(key, f"{name}@contoso.example".encode(), purpose=f"user/{TENANT}/u-{name}")
    users(house.registry).put(
        TENANT,
        f"u-{name}",
        UserRow(provider="microsoft", subject=name, address_sealed=address, person=f"p-{name}", mailbox=f"mb-{name}"),
    )
    mailbox: Mailbox = house.broker.store_grant(TENANT, f"u-{name}", GRANT)
    house.broker.first_look_done(mailbox)
    return mailbox


def refused(house: Any, outcome: Outcome = BLOCKED, mailbox: Mailbox = ANA) -> GrantSuspendedError:
    """The endpoint is asked and refuses."""
    house.endpoint.answers = [outcome]
    with pytest.raises(GrantSuspendedError) as caught:
        house.broker.access(mailbox)
    return caught.value


@pytest.fixture
def expired(house: Any) -> Any:
    """Ana is connected, and her access token is over."""
    person(house, "ana")
    house.clock.at_ms += HOUR_MS
    return house


def test_a_refusal_that_can_pass_keeps_the_sealed_token_and_names_the_code(expired: Any) -> None:
    error = refused(expired)

    assert (error.code, error.retry_after_s) == ("AADSTS53003", 3600.0)
    assert (row(expired).state, row(expired).reason) == (ConsentState.SUSPENDED, "AADSTS53003")
    assert row(expired).refresh_sealed


def test_it_is_tried_again_after_one_hour_six_hours_and_then_daily(expired: Any) -> None:
    for wait_ms in (HOUR_MS, 6 * HOUR_MS, DAY_MS, DAY_MS):
        asked = len(expired.endpoint.asked)
        refused(expired)
        expired.clock.at_ms += wait_ms - 1
        with pytest.raises(GrantSuspendedError):
            expired.broker.access(ANA)
        assert len(expired.endpoint.asked) == asked + 1
        expired.clock.at_ms += 1


def test_it_is_good_again_as_soon_as_the_endpoint_grants(expired: Any) -> None:
    refused(expired)
    expired.clock.at_ms += HOUR_MS

    assert expired.broker.access(ANA).token.startswith("access-")

    again = row(expired)
    assert (again.state, again.reason, again.refusals, again.suspended_at_ms) == (ConsentState.ACTIVE, "", 0, 0)


def test_one_that_was_never_read_goes_on_connecting(house: Any) -> None:
    house.broker.store_grant(TENANT, "u-ana", GRANT)
    house.clock.at_ms += HOUR_MS
    refused(house)
    house.clock.at_ms += HOUR_MS
    house.broker.access(ANA)
    assert row(house).state is ConsentState.CONNECTING


def test_it_is_given_up_after_two_weeks_of_refusals(expired: Any) -> None:
    began_ms = expired.clock.at_ms
    while expired.clock.at_ms - began_ms < GIVEN_UP_AFTER_MS:
        refused(expired)
        expired.clock.at_ms = row(expired).retry_at_ms
    expired.endpoint.answers = [BLOCKED]
    with pytest.raises(ConsentRevokedError):
        expired.broker.access(ANA)
    assert (row(expired).state, row(expired).refresh_sealed) == (ConsentState.REVOKED, b"")
    assert expired.clock.at_ms - began_ms < GIVEN_UP_AFTER_MS + DAY_MS


def test_a_final_word_ends_it_while_it_is_suspended(expired: Any) -> None:
    refused(expired)
    expired.clock.at_ms += HOUR_MS
    expired.endpoint.answers = [Lost("AADSTS50173")]
    with pytest.raises(ConsentRevokedError):
        expired.broker.access(ANA)
    assert row(expired).state is ConsentState.REVOKED


def test_connecting_anew_ends_the_suspension_at_once(expired: Any) -> None:
    refused(expired)
    expired.broker.store_grant(TENANT, "u-ana", GRANT)
    assert expired.broker.access(ANA).token == "access-0"
    assert row(expired).retry_at_ms == 0


def test_a_grant_that_sleeps_stays_asleep_when_it_is_refused(expired: Any) -> None:
    consents(expired.registry).put(TENANT, ANA.id, msgspec.structs.replace(row(expired), state=ConsentState.SLEEPING))
    expired.endpoint.answers = [BLOCKED]
    with pytest.raises(RetryableError):
        expired.broker.ending(ANA, lambda access: access)
    assert row(expired).state is ConsentState.SLEEPING


def test_nothing_can_be_ended_with_a_suspended_grant(expired: Any) -> None:
    refused(expired)
    expired.broker.leaving(ANA)
    with pytest.raises(ConsentRevokedError):
        expired.broker.ending(ANA, lambda access: access)


def test_one_that_is_good_again_releases_the_others_with_the_same_reason(house: Any) -> None:
    ana, ben, cleo = (person(house, name) for name in ("ana", "ben", "cleo"))
    house.clock.at_ms += HOUR_MS
    refused(house, mailbox=ana)
    house.clock.at_ms += MINUTE_MS * 30
    refused(house, mailbox=ben)
    refused(house, Suspended("AADSTS50057"), mailbox=cleo)
    house.clock.at_ms += MINUTE_MS * 30

    house.broker.access(ana)

    assert house.broker.access(ben)
    with pytest.raises(GrantSuspendedError):
        house.broker.access(cleo)


@pytest.mark.proves("B25")
def test_when_many_are_refused_at_once_the_rest_is_not_asked_for(house: Any) -> None:
    everybody = [person(house, f"p{number}") for number in range(20)]
    house.clock.at_ms += HOUR_MS
    house.endpoint.answers = [BLOCKED] * 40
    for mailbox in everybody:
        with pytest.raises(GrantSuspendedError) as caught:
            house.broker.access(mailbox)
        assert caught.value.code == "AADSTS53003"

    assert len(house.endpoint.asked) == 5
    assert {row(house, mailbox).state for mailbox in everybody} == {ConsentState.SUSPENDED}

    house.clock.at_ms += PAUSE_MS
    with pytest.raises(GrantSuspendedError):
        house.broker.access(everybody[-1])
    with pytest.raises(GrantSuspendedError):
        house.broker.access(everybody[-2])
    assert len(house.endpoint.asked) == 6, "one is tried after the pause"

    house.endpoint.answers = []
    house.clock.at_ms += 2 * HOUR_MS
    for mailbox in everybody:
        assert house.broker.access(mailbox)
    assert {row(house, mailbox).state for mailbox in everybody} == {ConsentState.ACTIVE}
