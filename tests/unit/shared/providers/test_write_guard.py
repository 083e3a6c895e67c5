"""What may leave a provider client while the deployment only observes: nothing that is not known to change no calendar."""

from __future__ import annotations

import pytest

from shared.errors import RefusedError, WritesOffError
from shared.providers.google.transport import HARMLESS as GOOGLE
from shared.providers.microsoft.transport import HARMLESS as MICROSOFT
from shared.providers.write_guard import WriteGuard

GRAPH = WriteGuard("https://graph.example/v1.0", MICROSOFT, may_write=False)
CALENDAR = WriteGuard("https://calendar.example/calendar/v3", GOOGLE, may_write=False)


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me/events/e1"),
        ("POST", "/me/calendar/getSchedule"),
        ("POST", "/subscriptions"),
        ("PATCH", "/subscriptions/s1"),
        ("DELETE", "/subscriptions/s1"),
    ],
)
def test_at_graph_reading_and_subscribing_pass(method: str, path: str) -> None:
    GRAPH.check(method, f"https://graph.example/v1.0{path}")


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/me/events"),
        ("PATCH", "/me/events/e1"),
        ("DELETE", "/me/events/e1"),
        ("PUT", "/me/events/e1"),
        ("POST", "/me/events/subscriptions"),
        ("POST", "/me/events/e1/accept"),
        ("POST", "/$batch"),
        ("DELETE", "/subscriptions"),
        ("DELETE", "/subscriptions/s1/x"),
        ("POST", "/me/calendar/getSchedule/x"),
    ],
)
def test_at_graph_everything_else_is_refused(method: str, path: str) -> None:
    with pytest.raises(WritesOffError, match="ROOMSYNC_WRITES=off"):
        GRAPH.check(method, f"https://graph.example/v1.0{path}")


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/calendars/primary/events"),
        ("POST", "/freeBusy"),
        ("POST", "/calendars/primary/events/watch"),
        ("POST", "/channels/stop"),
    ],
)
def test_at_google_reading_and_channels_pass(method: str, path: str) -> None:
    CALENDAR.check(method, f"https://calendar.example/calendar/v3{path}?alt=json")


@pytest.mark.proves("B19")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/calendars/primary/events"),
        ("PATCH", "/calendars/primary/events/freeBusy"),
        ("DELETE", "/calendars/primary/events/e1"),
        ("POST", "/calendars/primary/events/quickAdd"),
        ("POST", "/calendars/primary/events/import"),
        ("POST", "/calendars/a/b/events/watch"),
        ("POST", "/batch/calendar/v3"),
    ],
)
def test_at_google_everything_else_is_refused(method: str, path: str) -> None:
    with pytest.raises(WritesOffError):
        CALENDAR.check(method, f"https://calendar.example/calendar/v3{path}")


@pytest.mark.parametrize("url", ["https://elsewhere.example/v1.0/subscriptions", "https://graph.example/subscriptions"])
def test_what_is_harmless_is_so_at_the_providers_own_address_alone(url: str) -> None:
    with pytest.raises(WritesOffError):
        GRAPH.check("POST", url)


def test_with_writes_everything_passes() -> None:
    WriteGuard("https://graph.example/v1.0", (), may_write=True).check(
        "DELETE", "https://graph.example/v1.0/me/events/e1"
    )


def test_a_refusal_is_for_good_and_no_reason_to_try_again() -> None:
    assert issubclass(WritesOffError, RefusedError)
