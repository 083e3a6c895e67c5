"""Subscriptions over HTTP: the handshake, the lifetimes, the refusals, the road of a notification, the lifecycle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.simulator.microsoft.office import NOW_MS, Office, Receiver

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
MINUTE_MS = 60_000


def subscribe(office: Office, receiver: Receiver, *, minutes: float = 10_000, **more: Any) -> httpx.Response:
    body = {
        "changeType": "created,updated,deleted",
        "resource": f"users/{office.ann['id']}/events",
        "notificationUrl": f"{receiver.url}/hooks/graph",
        "lifecycleNotificationUrl": f"{receiver.url}/hooks/graph/lifecycle",
        "expirationDateTime": (NOW + timedelta(minutes=minutes)).isoformat(),
        "clientState": "k3y",
        **more,
    }
    return office.call("POST", "/subscriptions", {name: value for name, value in body.items() if value is not None})


def book(office: Office, **more: Any) -> dict[str, Any]:
    start = NOW + timedelta(days=1)
    body = {"organizer": office.ann["id"], "title": "T", "start": start.isoformat(), **more}
    made: dict[str, Any] = office.sim("POST", "/meetings", {"end": (start + timedelta(hours=1)).isoformat(), **body})
    return made


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_both_addresses_are_validated_before_the_subscription_exists(office: Office, receiver: Receiver) -> None:
    assert subscribe(office, receiver).status_code == 201
    assert len(receiver.handshakes) == 2
    assert receiver.posts == []


@pytest.mark.parametrize(
    "echo",
    [
        lambda token: (200, "text/plain", token.replace(" ", "+")),
        lambda token: (202, "text/plain", token),
        lambda token: (200, "application/json", token),
        lambda token: (403, "text/plain", token),
    ],
    ids=["still encoded", "not 200", "not text", "forbidden"],
)
def test_wrong_echo_makes_no_subscription(office: Office, receiver: Receiver, echo: Any) -> None:
    receiver.echo = echo
    assert code(subscribe(office, receiver)) == (400, "InvalidRequest")
    assert office.sim("GET", "/subscriptions")["subscriptions"] == []


def test_short_lives_are_raised_to_45_minutes_and_long_ones_refused(office: Office, receiver: Receiver) -> None:
    assert code(subscribe(office, receiver, minutes=10_081)) == (400, "InvalidRequest")
    made = subscribe(office, receiver, minutes=1).json()
    assert made["expirationDateTime"].startswith((NOW + timedelta(minutes=45)).strftime("%Y-%m-%dT%H:%M:%S"))
    office.advance(46 * MINUTE_MS)
    assert office.call("GET", f"/subscriptions/{made['id']}").status_code == 404
    gone = office.call("PATCH", f"/subscriptions/{made['id']}", {"expirationDateTime": NOW.isoformat()})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"clientState": "x" * 129}, (400, "InvalidRequest")),
        ({"changeType": "updated,moved"}, (400, "InvalidRequest")),
        ({"resource": "me/calendarView"}, (400, "InvalidRequest")),
        ({"notificationUrl": "http://example.test/hooks"}, (400, "InvalidRequest")),
        ({"notificationUrl": None}, (400, "InvalidRequest")),
        ({"expirationDateTime": "soon"}, (400, "ErrorInvalidParameter")),
    ],
)
def test_senseless_subscription_is_refused(
    office: Office, receiver: Receiver, more: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert code(subscribe(office, receiver, **more)) == expected


def test_same_resource_and_kinds_in_any_spelling_conflict(office: Office, receiver: Receiver) -> None:
    first = subscribe(office, receiver).json()["id"]
    twin = subscribe(office, receiver, resource="/me/events", changeType="deleted,updated,created")
    assert twin.status_code == 409
    assert first in twin.json()["error"]["message"]
    assert subscribe(office, receiver, changeType="deleted").status_code == 201
    assert office.call("GET", "/subscriptions").json()["value"][0]["id"] == first
    assert office.call("GET", "/subscriptions", user=office.bob["id"]).json()["value"] == []


def test_renewal_changes_expiry_or_address_only(office: Office, receiver: Receiver) -> None:
    path = f"/subscriptions/{subscribe(office, receiver, minutes=60).json()['id']}"
    later = (NOW + timedelta(minutes=9000)).isoformat()
    assert office.call("PATCH", path, {"expirationDateTime": later}).status_code == 200
    assert len(receiver.handshakes) == 2
    assert office.call("PATCH", path, {"notificationUrl": f"{receiver.url}/other"}).status_code == 200
    assert len(receiver.handshakes) == 3
    assert code(office.call("PATCH", path, {"clientState": "new"})) == (400, "InvalidRequest")
    assert office.call("POST", f"{path}/reauthorize").status_code == 204
    assert office.call("DELETE", path).status_code == 204
    assert office.call("DELETE", path).status_code == 404


def test_refused_notification_comes_again_until_it_is_taken(
    office: Office, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    subscribe(office, receiver)
    receiver.answers = [503, 404]
    book(office)
    eventually(lambda: len(receiver.posts) == 1)
    eventually(lambda: office.world.scheduler.next_due_ms)
    office.advance(500)
    eventually(lambda: len(receiver.posts) == 2)
    eventually(lambda: office.world.scheduler.next_due_ms)
    office.advance(1500)
    eventually(lambda: len(receiver.posts) == 3)
    assert receiver.posts[0] == receiver.posts[1] == receiver.posts[2]
    eventually(lambda: office.sim("GET", "/deliveries")["deliveries"][-1]["outcome"] == "delivered")


def test_one_change_gives_two_to_four_items_of_the_kinds_asked_for(
    office: Office, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    subscribe(office, receiver)
    meeting = book(office, attendees=[office.bob["address"]])
    eventually(lambda: len(receiver.posts) == 1)
    office.sim("PATCH", f"/meetings/{meeting['id']}", {"title": "U"})
    eventually(lambda: len(receiver.posts) == 2)
    office.sim("POST", f"/users/{office.bob['id']}/answers", {"meeting": meeting["id"], "answer": "declined"})
    eventually(lambda: len(receiver.posts) == 3)
    office.sim("DELETE", f"/meetings/{meeting['id']}")
    eventually(lambda: len(receiver.posts) == 4)
    kinds = [[item["changeType"] for item in post["value"]] for post in receiver.posts]
    assert all(2 <= len(one) <= 4 for one in kinds)
    assert kinds[0][:2] == ["created", "updated"]
    assert set(kinds[1]) == {"updated"} == set(kinds[2])
    assert "deleted" in kinds[3]
    item = receiver.posts[0]["value"][0]
    assert set(item) == {
        "subscriptionId", "subscriptionExpirationDateTime", "tenantId", "clientState", "changeType", "resource",
        "resourceData",
    }  # fmt: skip
    assert item["tenantId"] == office.tenant


def test_every_booking_is_told_as_created_and_then_updated(
    office: Office, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    subscribe(office, receiver)
    for nth in range(1, 7):
        book(office)
        eventually(lambda wanted=nth: len(receiver.posts) == wanted)
    assert all([item["changeType"] for item in post["value"]][:2] == ["created", "updated"] for post in receiver.posts)


def test_answer_without_a_response_reaches_nobody(
    office: Office, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    meeting = book(office, attendees=[office.bob["address"]])
    subscribe(office, receiver)
    bobs = office.call("GET", "/me/events", user=office.bob["id"]).json()["value"][0]
    assert bobs["responseStatus"]["response"] == "notResponded"
    path = f"/me/events/{bobs['id']}/decline"
    assert office.call("POST", path, {"sendResponse": False}, user=office.bob["id"]).status_code == 202
    bobs = office.call("GET", f"/me/events/{bobs['id']}", user=office.bob["id"]).json()
    assert bobs["responseStatus"]["response"] == "declined"
    anns = office.call("GET", f"/me/events/{meeting['eventId']}").json()
    assert anns["attendees"][0]["status"]["response"] == "none"
    assert office.sim("GET", "/deliveries")["deliveries"] == []


@pytest.mark.parametrize("kind", ["missed", "reauthorizationRequired", "subscriptionRemoved"])
def test_lifecycle_notification_goes_to_its_own_address(
    office: Office, receiver: Receiver, eventually: Callable[..., Any], kind: str
) -> None:
    made = subscribe(office, receiver).json()
    office.sim("PUT", "/faults", {"lifecycle": {"kind": kind, "user": office.ann["address"]}})
    eventually(lambda: receiver.posts)
    assert receiver.posts[0]["path"] == "/hooks/graph/lifecycle"
    item = receiver.posts[0]["value"][0]
    assert (item["lifecycleEvent"], item["subscriptionId"]) == (kind, made["id"])
    assert "changeType" not in item
    alive = office.call("GET", f"/subscriptions/{made['id']}").status_code
    assert alive == (404 if kind == "subscriptionRemoved" else 200)


def test_silent_removal_says_nothing(office: Office, receiver: Receiver) -> None:
    made = subscribe(office, receiver).json()
    office.sim("POST", f"/subscriptions/{made['id']}/lifecycle", {"kind": "removedSilently"})
    book(office)
    later = {"expirationDateTime": (NOW + timedelta(hours=2)).isoformat()}
    assert office.call("PATCH", f"/subscriptions/{made['id']}", later).status_code == 404
    assert office.sim("GET", "/deliveries")["deliveries"] == []


def test_switched_off_push_loses_what_was_due(
    office: Office, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    subscribe(office, receiver)
    office.sim("PUT", "/faults", {"pushOff": True})
    book(office)
    eventually(lambda: [one["outcome"] for one in office.sim("GET", "/deliveries")["deliveries"]] == ["dropped"])
    office.sim("PUT", "/faults", {"pushOff": False, "duplicateShare": 1})
    book(office)
    eventually(lambda: len(receiver.posts) == 1)
    office.advance(200)
    eventually(lambda: len(receiver.posts) == 2)
    assert receiver.posts[0] == receiver.posts[1]


def test_renewals_shake_hands_again_where_the_switch_says_so(office: Office, receiver: Receiver) -> None:
    path = f"/subscriptions/{subscribe(office, receiver, minutes=60).json()['id']}"
    office.sim("PUT", "/faults", {"validateOnRenewal": True})
    later = {"expirationDateTime": (NOW + timedelta(minutes=9000)).isoformat()}
    assert office.call("PATCH", path, later).status_code == 200
    assert len(receiver.handshakes) == 3
    receiver.echo = lambda _: (403, "text/plain", "")
    assert code(office.call("PATCH", path, later)) == (400, "InvalidRequest")
