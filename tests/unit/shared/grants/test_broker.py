from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.domain.sighting import Access
from shared.errors import (
    ClientRefusedError,
    ConsentRevokedError,
    KeyDestroyedError,
    MalformedRecordError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    TokenRefusedError,
)
from shared.grants.oauth import Busy, Granted, Lost, OurFault, Outcome, Suspended
from shared.registry.tables import consents, tenants, users
from tests.support.patience import PATIENCE_S

TENANT = "t-one"
MAILBOX = Mailbox(TENANT, "mb-ana")
SCOPES = ("openid", "User.Read", "Calendars.ReadWrite")
GRANT = Granted("access-0", 3600.0, "refresh-0", SCOPES)


def _row(house: Any) -> ConsentRow:
    row = consents(house.registry).get(TENANT, MAILBOX.id)
    assert row is not None
    return row


def _set(house: Any, **fields: object) -> None:
    consents(house.registry).put(TENANT, MAILBOX.id, msgspec.structs.replace(_row(house), **fields))


@pytest.fixture
def connected(house: Any) -> Any:
    house.broker.store_grant(TENANT, "u-ana", GRANT)
    house.broker.first_look_done(MAILBOX)
    return house


def test_a_fresh_grant_is_connecting_and_usable_at_once(house: Any) -> None:
    assert house.broker.store_grant(TENANT, "u-ana", GRANT) == MAILBOX
    assert _row(house).state is ConsentState.CONNECTING
    assert house.broker.access(MAILBOX) == Access("access-0", "oid-ana", "ana@contoso.example")
    assert house.endpoint.asked == []


def test_no_token_or_address_stands_in_clear(connected: Any) -> None:
    everything = b"".join(found.value for found in connected.registry.rows.values())
    for secret in (b"access-0", b"refresh-0", b"ana@contoso"):
        assert secret not in everything


def test_a_token_about_to_expire_is_refreshed_and_the_newest_refresh_token_kept(connected: Any) -> None:
    connected.clock.at_ms += HOUR_MS - 4 * MINUTE_MS
    assert connected.broker.access(MAILBOX).token == "access-1"
    assert dict(connected.endpoint.asked[0].form) == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-0",
        "client_id": "roomsync",
        "client_secret": "s3cret",
    }
    assert connected.endpoint.asked[0].url == "http://127.0.0.1:1/login/d-1/oauth2/v2.0/token"
    connected.clock.at_ms += HOUR_MS
    assert connected.broker.access(MAILBOX).token == "access-2"
    assert connected.endpoint.asked[1].form["refresh_token"] == "refresh-1"


def test_a_token_with_more_than_four_minutes_is_used(connected: Any) -> None:
    connected.clock.at_ms += HOUR_MS - 4 * MINUTE_MS - 1
    assert connected.broker.access(MAILBOX).token == "access-0"


def test_without_a_new_refresh_token_the_old_one_stays(connected: Any) -> None:
    connected.endpoint.answers = [Granted("access-1", 3600.0)]
    connected.clock.at_ms += HOUR_MS
    connected.broker.access(MAILBOX)
    connected.clock.at_ms += HOUR_MS
    connected.broker.access(MAILBOX)
    assert connected.endpoint.asked[1].form["refresh_token"] == "refresh-0"


def test_many_callers_in_one_process_cause_one_refresh(connected: Any) -> None:
    connected.clock.at_ms += HOUR_MS
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: connected.broker.access(MAILBOX).token, range(16)))
    assert tokens == {"access-1"}
    assert len(connected.endpoint.asked) == 1


def test_callers_in_two_processes_cause_one_refresh(connected: Any) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        asked.set()
        assert go_on.wait(PATIENCE_S)

    connected.endpoint.before_answer = pause
    connected.clock.at_ms += HOUR_MS
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(connected.broker.access, MAILBOX)
        assert asked.wait(PATIENCE_S)
        second = pool.submit(connected.other.access, MAILBOX)
        go_on.set()
        assert first.result(PATIENCE_S).token == second.result(PATIENCE_S).token == "access-1"
    assert len(connected.endpoint.asked) == 1


def test_a_lost_race_for_the_row_refreshes_nothing(connected: Any) -> None:
    connected.clock.at_ms += HOUR_MS
    connected.registry.before_put = lambda: connected.other.access(MAILBOX)
    assert connected.broker.access(MAILBOX).token == "access-1"
    assert len(connected.endpoint.asked) == 1


def test_whoever_died_while_refreshing_is_waited_for_and_then_replaced(connected: Any) -> None:
    connected.clock.at_ms += HOUR_MS
    _set(connected, refreshing_until_ms=connected.clock.at_ms)
    assert connected.broker.access(MAILBOX).token == "access-1"
    assert _row(connected).refreshing_until_ms == 0


@pytest.mark.proves("S10")
def test_a_grant_that_is_gone_is_marked_with_the_providers_code(connected: Any) -> None:
    connected.endpoint.answers = [Lost("AADSTS50173")]
    connected.clock.at_ms += HOUR_MS
    with pytest.raises(ConsentRevokedError) as caught:
        connected.broker.access(MAILBOX)
    assert caught.value.code == "AADSTS50173"
    row = _row(connected)
    assert (row.state, row.reason, row.refresh_sealed, row.access_sealed) == (
        ConsentState.REVOKED,
        "AADSTS50173",
        b"",
        b"",
    )
    with pytest.raises(ConsentRevokedError):
        connected.broker.access(MAILBOX)
    assert len(connected.endpoint.asked) == 1


def test_a_grant_given_while_the_old_one_is_refused_stays(connected: Any) -> None:
    connected.endpoint.answers = [Lost("invalid_grant")]
    again = Granted("access-new", 3600.0, "refresh-new", SCOPES)
    connected.endpoint.before_answer = lambda: connected.other.store_grant(TENANT, "u-ana", again)
    connected.clock.at_ms += HOUR_MS
    with pytest.raises(ConsentRevokedError):
        connected.broker.access(MAILBOX)
    assert connected.broker.access(MAILBOX).token == "access-new"


def test_a_busy_endpoint_shows_as_failing_until_it_answers(connected: Any) -> None:
    connected.endpoint.answers = [Busy("token endpoint answered 503", 7.5)]
    connected.clock.at_ms += HOUR_MS
    with pytest.raises(RetryableError) as caught:
        connected.broker.access(MAILBOX)
    assert caught.value.retry_after_s == 7.5
    assert (_row(connected).state, _row(connected).refreshing_until_ms) == (ConsentState.FAILING, 0)
    connected.broker.access(MAILBOX)
    assert (_row(connected).state, _row(connected).reason) == (ConsentState.ACTIVE, "")


def test_a_wrong_secret_is_our_fault_and_costs_nobody_their_grant(connected: Any) -> None:
    connected.endpoint.answers = [OurFault("AADSTS7000222", 401)]
    connected.clock.at_ms += HOUR_MS
    with pytest.raises(RefusedError, match="ROOMSYNC_MICROSOFT_CLIENT_SECRET") as refused:
        connected.broker.access(MAILBOX)
    assert isinstance(refused.value, ClientRefusedError)
    assert (refused.value.provider_status, refused.value.provider_code) == (401, "AADSTS7000222")
    assert _row(connected).refresh_sealed


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Lost("AADSTS50173", 400), 400, "AADSTS50173"),
        (Suspended("AADSTS53003", 400), 400, "AADSTS53003"),
        (Busy("busy", 1.0, 503), 503, ""),
        (Busy("busy", None, 400, "slow_down"), 400, "slow_down"),
        (Busy("the token endpoint cannot be reached"), 0, ""),
    ],
)
def test_what_the_token_endpoint_answered_comes_along(connected: Any, outcome: Outcome, status: int, code: str) -> None:
    connected.endpoint.answers = [outcome]
    connected.clock.at_ms += HOUR_MS
    with pytest.raises(RoomsyncError) as refused:
        connected.broker.access(MAILBOX)
    assert (refused.value.provider_status, refused.value.provider_code) == (status, code)


def test_no_grant_is_a_word_of_ours_and_of_no_provider(connected: Any) -> None:
    with pytest.raises(ConsentRevokedError) as refused:
        connected.broker.access(Mailbox("t", "nobody"))
    assert (refused.value.code, refused.value.provider_status, refused.value.provider_code) == ("no_consent", 0, "")


def test_a_refused_token_is_not_given_out_again(connected: Any) -> None:
    assert connected.broker.access(MAILBOX, refused="access-0").token == "access-1"
    assert connected.broker.access(MAILBOX).token == "access-1"


def test_a_call_is_repeated_once_with_a_fresh_token(connected: Any) -> None:
    used: list[str] = []

    def call(access: Access) -> str:
        used.append(access.token)
        if access.token == "access-0":
            message = "401"
            raise TokenRefusedError(message, code="authError")
        return "done"

    assert connected.broker.using(MAILBOX, call) == "done"
    assert used == ["access-0", "access-1"]


def test_a_call_refused_twice_is_for_later_and_keeps_the_grant(connected: Any) -> None:
    def call(access: Access) -> None:
        message = "401"
        raise TokenRefusedError(message, code="authError")

    with pytest.raises(RetryableError):
        connected.broker.using(MAILBOX, call)
    assert _row(connected).state is not ConsentState.REVOKED
    assert _row(connected).refresh_sealed


def refused_by_the_calendar(access: Access) -> None:
    del access
    message = "401"
    raise TokenRefusedError(message, code="authError")


@pytest.mark.proves("B25")
def test_a_calendar_that_refuses_fresh_tokens_ends_no_grant(connected: Any) -> None:
    for _ in range(12):
        with pytest.raises(RetryableError):
            connected.broker.using(MAILBOX, refused_by_the_calendar)
        row = _row(connected)
        assert (row.state, row.reason) == (ConsentState.FAILING, "authError")
        assert row.refresh_sealed
        connected.clock.at_ms += 5 * MINUTE_MS
    assert connected.broker.using(MAILBOX, lambda access: access.token)
    assert (_row(connected).state, _row(connected).reason) == (ConsentState.ACTIVE, "")


def test_a_token_younger_than_its_refresh_is_not_refreshed_again(connected: Any) -> None:
    for _ in range(20):
        with pytest.raises(RetryableError):
            connected.broker.using(MAILBOX, refused_by_the_calendar)
    assert len(connected.endpoint.asked) == 1


def test_a_sleeping_grant_is_not_used_and_not_lost(connected: Any) -> None:
    _set(connected, state=ConsentState.SLEEPING)
    with pytest.raises(RefusedError, match="switched off"):
        connected.broker.access(MAILBOX)
    assert _row(connected).refresh_sealed


def test_nobody_connected_means_no_consent(house: Any) -> None:
    with pytest.raises(ConsentRevokedError) as caught:
        house.broker.access(MAILBOX)
    assert caught.value.code == "no_consent"
    house.broker.revoked(MAILBOX, "invalid_grant")
    assert consents(house.registry).get(TENANT, MAILBOX.id) is None


def test_a_forgotten_grant_leaves_nothing(connected: Any) -> None:
    connected.broker.forget(MAILBOX)
    connected.broker.forget(MAILBOX)
    assert consents(connected.registry).get(TENANT, MAILBOX.id) is None


def test_without_the_consent_key_no_token_can_be_opened(connected: Any) -> None:
    connected.keyring.destroy_consent(TENANT)
    with pytest.raises(KeyDestroyedError):
        connected.broker.access(MAILBOX)


@pytest.mark.proves("E11")
def test_one_persons_grant_does_not_open_as_anothers(connected: Any) -> None:
    other = Mailbox(TENANT, "mb-bo")
    consents(connected.registry).put(TENANT, other.id, _row(connected))
    with pytest.raises(MalformedRecordError):
        connected.broker.access(other)


@pytest.mark.proves("E17", "S9")
def test_grant_that_is_taken_back_ends_subscriptions_and_does_nothing_else(connected: Any) -> None:
    connected.broker.leaving(MAILBOX)
    for call in (connected.broker.access, lambda mailbox: connected.broker.using(mailbox, lambda access: access)):
        with pytest.raises(ConsentRevokedError) as raised:
            call(MAILBOX)
        assert raised.value.code == "disconnecting"
    assert connected.broker.ending(MAILBOX, lambda access: access.token)
    assert _row(connected).state is not ConsentState.REVOKED


def test_a_person_who_unticked_the_calendar_is_told_which(house: Any) -> None:
    with pytest.raises(RefusedError, match=r"Calendars\.ReadWrite"):
        house.broker.store_grant(TENANT, "u-ana", Granted("a", 3600.0, "r", ("openid", "User.Read")))


def test_reconnecting_without_a_refresh_token_keeps_the_one_at_hand(connected: Any) -> None:
    connected.broker.store_grant(TENANT, "u-ana", Granted("access-9", 60.0, "", SCOPES))
    connected.broker.access(MAILBOX)
    assert connected.endpoint.asked[0].form["refresh_token"] == "refresh-0"


def test_connecting_without_any_refresh_token_is_refused(house: Any) -> None:
    with pytest.raises(RefusedError, match="offline_access"):
        house.broker.store_grant(TENANT, "u-ana", Granted("a", 3600.0, "", SCOPES))


def test_a_person_who_left_the_registry_has_no_access(connected: Any) -> None:
    users(connected.registry).delete(TENANT, "u-ana")
    with pytest.raises(ConsentRevokedError):
        connected.broker.access(MAILBOX)


@pytest.mark.proves("E32")
def test_a_grant_of_the_former_calendar_system_is_not_refreshed_in_the_directory_of_the_other_one(
    connected: Any,
) -> None:
    """Its subscription may be still to be ended, and its token may have run out by then."""
    tenants(connected.registry).change(
        TENANT,
        "tenant",
        lambda row: msgspec.structs.replace(row, provider="google", directory="contoso.example") if row else None,
    )
    _set(connected, leaving_at_ms=1, access_expires_at_ms=0)
    connected.endpoint.answers.append(Granted("access-1", 3600.0))

    assert connected.broker.ending(MAILBOX, lambda access: access.token) == "access-1"
    [asked] = connected.endpoint.asked
    assert "contoso" not in asked.url
