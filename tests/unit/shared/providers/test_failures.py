from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.retry_after import retry_after_s
from shared.errors import (
    ConflictError,
    CursorExpiredError,
    EventGoneError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    SubscriptionGoneError,
    TokenRefusedError,
    WebhookUnreachableError,
)
from shared.providers.catalogue import PROFILES, meaning_of
from shared.providers.failures import Doing, Meaning
from shared.providers.google import failures as google_failures
from shared.providers.microsoft import failures as graph_failures


@pytest.mark.proves("B11")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after": " 2.128 "}, 2.128),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Fri, 20 Nov 2026 09:59:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "1e308"}, 86_400.0),
        ({"Retry-After": "Fri, 20 Nov 9999 10:00:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 86_400.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_an_appointment_is_read_however_it_is_spelled(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("doing", "status", "code", "error"),
    [
        (Doing.LOOK, 410, "", CursorExpiredError),
        (Doing.LOOK, 400, "SyncStateNotFound", CursorExpiredError),
        (Doing.LOOK, 404, "syncstatenotfound", CursorExpiredError),
        (Doing.LOOK, 409, "resyncRequired", CursorExpiredError),
        (Doing.LOOK, 429, "ApplicationThrottled", RetryableError),
        (Doing.LOOK, 500, "", RetryableError),
        (Doing.LOOK, 503, "", RetryableError),
        (Doing.LOOK, 504, "", RetryableError),
        (Doing.LOOK, 599, "", RetryableError),
        (Doing.LOOK, 404, "MailboxNotEnabledForRESTAPI", RefusedError),
        (Doing.LOOK, 401, "InvalidAuthenticationToken", TokenRefusedError),
        (Doing.LOOK, 403, "ErrorAccessDenied", RefusedError),
        (Doing.EVENT, 404, "ErrorItemNotFound", EventGoneError),
        (Doing.EVENT, 410, "", EventGoneError),
        (Doing.EVENT, 409, "ErrorIrresolvableConflict", PreconditionFailedError),
        (Doing.EVENT, 412, "ErrorIrresolvableConflict", PreconditionFailedError),
        (Doing.EVENT, 400, "ErrorOccurrenceCrossingBoundary", RefusedError),
        (Doing.SUBSCRIBING, 409, "ExtensionError", ConflictError),
        (Doing.SUBSCRIBING, 403, "ExtensionError", RefusedError),
        (Doing.SUBSCRIBING, 404, "", RefusedError),
        (Doing.SUBSCRIPTION, 404, "ResourceNotFound", SubscriptionGoneError),
        (Doing.AVAILABILITY, 400, "ErrorInvalidRequest", RefusedError),
        (Doing.LOOK, 404, "ErrorMailboxStoreUnavailable", RetryableError),
        (Doing.LOOK, 403, "ApplicationThrottled", RetryableError),
        (Doing.LOOK, 501, "notImplemented", RefusedError),
        (Doing.LOOK, 509, "", RetryableError),
    ],
)
def test_graph_failures_are_named_after_what_to_do(
    doing: Doing, status: int, code: str, error: type[Exception]
) -> None:
    assert type(graph_failures.failure(doing, status, code, "said", {})) is error


def test_graph_failing_to_reach_our_receiver_is_not_for_good() -> None:
    error = graph_failures.failure(
        Doing.SUBSCRIBING, 400, "InvalidRequest", "Subscription validation request timed out.", {}
    )
    assert isinstance(error, RetryableError)
    assert isinstance(error, WebhookUnreachableError)
    assert "ROOMSYNC_HOOKS_URL" in str(error)


def test_graph_appointment_comes_along() -> None:
    error = graph_failures.failure(Doing.LOOK, 429, "", "", {"Retry-After": "2.128"})
    assert isinstance(error, RetryableError)
    assert error.retry_after_s == 2.128


def test_the_providers_own_code_comes_along() -> None:
    error = graph_failures.failure(Doing.LOOK, 401, "InvalidAuthenticationToken", "", {})
    assert isinstance(error, TokenRefusedError)
    assert error.code == "InvalidAuthenticationToken"


def _google(body: Any, doing: Doing) -> Exception:
    error = body["error"]
    return google_failures.failure(doing, error["code"], [error["errors"][0]["reason"]], error["message"], {})


@pytest.mark.parametrize(
    ("name", "doing", "error"),
    [
        ("full-sync", Doing.LOOK, CursorExpiredError),
        ("corrupt-token", Doing.LOOK, CursorExpiredError),
        ("per-user-rate", Doing.LOOK, RetryableError),
        ("abuse", Doing.LOOK, RetryableError),
        ("no-right", Doing.LOOK, RefusedError),
        ("token", Doing.LOOK, TokenRefusedError),
        ("condition", Doing.EVENT, PreconditionFailedError),
    ],
)
def test_google_bodies_are_named_after_what_to_do(
    google: Callable[[str], Any], name: str, doing: Doing, error: type[Exception]
) -> None:
    assert type(_google(google("errors")[name], doing)) is error


def test_google_abuse_limit_is_left_alone_for_hours(google: Callable[[str], Any]) -> None:
    error = _google(google("errors")["abuse"], Doing.LOOK)
    assert isinstance(error, RetryableError)
    assert error.retry_after_s == google_failures.QUOTA_PAUSE_S


@pytest.mark.parametrize(
    ("doing", "status", "reason", "error"),
    [
        (Doing.LOOK, 403, "userRateLimitExceeded", RetryableError),
        (Doing.LOOK, 429, "rateLimitExceeded", RetryableError),
        (Doing.LOOK, 500, "backendError", RetryableError),
        (Doing.LOOK, 502, "", RetryableError),
        (Doing.LOOK, 400, "badRequest", RefusedError),
        (Doing.LOOK, 404, "notFound", RefusedError),
        (Doing.EVENT, 404, "notFound", EventGoneError),
        (Doing.EVENT, 410, "deleted", EventGoneError),
        (Doing.EVENT, 403, "forbiddenForNonOrganizer", RefusedError),
        (Doing.SUBSCRIBING, 400, "channelIdNotUnique", RetryableError),
        (Doing.SUBSCRIBING, 400, "pushNotSupportedForRequestedResource", RefusedError),
        (Doing.SUBSCRIBING, 401, "push.webhookUrlUnauthorized", RefusedError),
        (Doing.SUBSCRIBING, 400, "push.webhookUrlNotHttps", RefusedError),
        (Doing.SUBSCRIPTION, 404, "channelUnknown", SubscriptionGoneError),
        (Doing.SUBSCRIPTION, 410, "", SubscriptionGoneError),
    ],
)
def test_google_failures_are_named_after_what_to_do(
    doing: Doing, status: int, reason: str, error: type[Exception]
) -> None:
    assert type(google_failures.failure(doing, status, [reason], "said", {})) is error


@pytest.mark.parametrize("doing", list(Doing))
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 429, 500, 503])
@pytest.mark.parametrize("code", ["", "invalid", "ErrorAccessDenied", "resyncRequired", "quotaExceeded", "Teapot"])
def test_status_and_code_come_along_with_whatever_error(doing: Doing, status: int, code: str) -> None:
    for error in (
        graph_failures.failure(doing, status, code, "validation request", {}),
        google_failures.failure(doing, status, [code], "sync token", {}),
    ):
        assert (error.provider_status, error.provider_code) == (status, code)


def test_of_several_reasons_the_one_that_decides_comes_along() -> None:
    error = google_failures.failure(Doing.EVENT, 403, ["forbidden", "insufficientPermissions", "quotaExceeded"], "", {})
    assert isinstance(error, RetryableError)
    assert error.provider_code == "quotaExceeded"


def test_made_before_is_no_reason_to_wait() -> None:
    """Whatever Google calls it: the caller reads what stands there."""
    assert type(google_failures.failure(Doing.BOOKING, 409, ["conflict"], "", {})) is ConflictError


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("notACalendarUser", Meaning.NO_CALENDAR),
        ("MailboxNotEnabledForRESTAPI", Meaning.NO_CALENDAR),
        ("insufficientPermissions", Meaning.NO_RIGHT),
        ("ErrorAccessDenied", Meaning.NO_RIGHT),
        ("push.webhookUrlUnauthorized", Meaning.WEBHOOK),
        ("forbidden", Meaning.REFUSED),
        ("Teapot", None),
        ("", None),
    ],
)
def test_code_means_the_same_whoever_asks(code: str, meaning: Meaning | None) -> None:
    assert meaning_of(code) is meaning


def test_no_two_providers_mean_different_things_by_one_code() -> None:
    """Where only the code is at hand, it is looked up in every table."""
    tables = [profile.failures for profile in PROFILES.values()]
    codes = {code for table in tables for code in table.codes}
    meanings = {code: {table.find_meaning(code) for table in tables} - {None} for code in codes}
    assert {code: found for code, found in meanings.items() if len(found) > 1} == {}
    ours = {Meaning.NO_CALENDAR, Meaning.NO_RIGHT, Meaning.WEBHOOK}
    assert [
        code for code, found in meanings.items() if found <= ours and sum(code in table.codes for table in tables) > 1
    ] == []
