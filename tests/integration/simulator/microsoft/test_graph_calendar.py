"""Events, delta and free/busy over HTTP, as raw JSON: what a client must be able to rely on, and must survive."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.simulator.microsoft.office import NOW_MS, Office

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
TOMORROW = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)
ANSWERED_MS = 5_000


def at(moment: datetime) -> dict[str, str]:
    return {"dateTime": moment.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}


def invited(*addresses: str) -> list[dict[str, Any]]:
    return [{"type": "required", "emailAddress": {"address": one}} for one in addresses]


def book(
    office: Office, *addresses: str, start: datetime = TOMORROW, hours: float = 1, user: str = "", **more: Any
) -> dict[str, Any]:
    body = {"subject": "T", "start": at(start), "end": at(start + hours * HOUR), "attendees": invited(*addresses)}
    answer = office.call("POST", "/me/events", {**body, **more}, user=user)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def answers_in(event: dict[str, Any]) -> dict[str, str]:
    return {one["emailAddress"]["address"]: one["status"]["response"] for one in event["attendees"]}


def read(office: Office, event: dict[str, Any], user: str = "") -> dict[str, Any]:
    found: dict[str, Any] = office.call("GET", f"/me/events/{event['id']}", user=user).json()
    return found


def first_link(start: datetime = NOW, days: int = 30) -> str:
    window = httpx.QueryParams(startDateTime=start.isoformat(), endDateTime=(start + timedelta(days=days)).isoformat())
    return f"/me/calendarView/delta?{window}"


def walk(office: Office, link: str, **headers: str) -> tuple[list[dict[str, Any]], str, int]:
    """Every item of a round, its delta link, and how many pages it took."""
    items: list[dict[str, Any]] = []
    for pages in range(1, 100):
        answer = office.call("GET", link, **headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        items += body["value"]
        if "@odata.deltaLink" in body:
            return items, body["@odata.deltaLink"], pages
        link = body["@odata.nextLink"]
    pytest.fail("the round never ended")


@pytest.mark.parametrize("spelling", ["//me/calendarView/delta", "/me/calendarView/delta()"])
def test_odd_spellings_of_real_clients_are_understood(office: Office, spelling: str) -> None:
    link = first_link().replace("/me/calendarView/delta", spelling)
    assert office.call("GET", link).status_code == 200


def test_changing_attendees_keeps_answers_and_asks_only_the_new_room(office: Office) -> None:
    old, new = office.room("Aare"), office.room("Birs")
    event = book(office, office.bob["address"], old["address"])
    office.sim("POST", f"/users/{office.bob['id']}/answers", {"meeting": event["iCalUId"], "answer": "accepted"})
    office.advance(ANSWERED_MS)
    assert set(answers_in(read(office, event)).values()) == {"accepted"}
    swapped = office.call(
        "PATCH", f"/me/events/{event['id']}", {"attendees": invited(office.bob["address"], new["address"])}
    )
    assert answers_in(swapped.json()) == {office.bob["address"]: "accepted", new["address"]: "none"}
    office.advance(ANSWERED_MS)
    assert answers_in(read(office, event))[new["address"]] == "accepted"
    assert office.sim("GET", f"/rooms/{old['id']}/calendar")["calendar"] == []
    assert [fact["replaces"] for fact in office.history("room-swapped")] == [old["id"]]


def test_another_time_resets_every_answer_and_asks_the_room_again(office: Office) -> None:
    room = office.room()
    event = book(office, office.bob["address"], room["address"])
    office.sim("POST", f"/users/{office.bob['id']}/answers", {"meeting": event["iCalUId"], "answer": "accepted"})
    office.advance(ANSWERED_MS)
    moved = {"start": at(TOMORROW + HOUR), "end": at(TOMORROW + 2 * HOUR)}
    assert set(answers_in(office.call("PATCH", f"/me/events/{event['id']}", moved).json()).values()) == {"none"}
    office.advance(ANSWERED_MS)
    assert answers_in(read(office, event)) == {office.bob["address"]: "none", room["address"]: "accepted"}
    assert [fact["ask"] for fact in office.history("room-asked")] == [1, 2]


def test_guests_copy_has_its_own_id_and_does_not_follow_other_peoples_answers(office: Office) -> None:
    room = office.room()
    event = book(office, office.bob["address"], room["address"])
    office.advance(ANSWERED_MS)
    bobs = office.call("GET", "/me/events", user=office.bob["id"]).json()["value"][0]
    assert bobs["id"] != event["id"]
    assert bobs["iCalUId"] == event["iCalUId"]
    assert answers_in(bobs) == {office.bob["address"]: "notResponded", room["address"]: "none"}
    moved = office.call("PATCH", f"/me/events/{bobs['id']}", {"start": at(NOW)}, user=office.bob["id"])
    assert moved.status_code == 403


def test_cancelled_meeting_is_gone_everywhere(office: Office) -> None:
    room = office.room()
    event = book(office, office.bob["address"], room["address"])
    office.advance(ANSWERED_MS)
    _, link, _ = walk(office, first_link())
    assert office.call("DELETE", f"/me/events/{event['id']}").status_code == 204
    items, _, _ = walk(office, link)
    assert [(one["id"], one["@removed"]) for one in items] == [(event["id"], {"reason": "deleted"})]
    assert office.call("GET", f"/me/events/{event['id']}").json()["error"]["code"] == "ErrorItemNotFound"
    assert office.call("GET", "/me/events", user=office.bob["id"]).json()["value"] == []
    assert office.sim("GET", f"/rooms/{room['id']}/calendar")["calendar"] == []


def test_made_and_cancelled_between_two_rounds_is_never_told(office: Office) -> None:
    _, link, _ = walk(office, first_link())
    event = book(office)
    office.call("DELETE", f"/me/events/{event['id']}")
    assert walk(office, link)[0] == []


def test_repeating_that_an_event_was_made_does_not_hide_that_it_is_gone(office: Office) -> None:
    office.world.faults.put({"deltaReplayShare": 1.0})
    event = book(office)
    _, link, _ = walk(office, first_link())
    office.call("DELETE", f"/me/events/{event['id']}")
    items, _, _ = walk(office, link)
    assert [(one["id"], one.get("@removed")) for one in items] == [(event["id"], {"reason": "deleted"})]


def test_event_outside_the_window_comes_as_removed_though_it_lives(office: Office) -> None:
    event = book(office)
    _, link, _ = walk(office, first_link())
    far = TOMORROW + timedelta(days=90)
    office.call("PATCH", f"/me/events/{event['id']}", {"start": at(far), "end": at(far + HOUR)})
    items, _, _ = walk(office, link)
    assert [sorted(one) for one in items] == [["@odata.type", "@removed", "id"]]
    assert read(office, event)["isCancelled"] is False


def test_series_comes_as_a_full_master_and_sparse_dates(office: Office) -> None:
    room = office.room(rules={"seriesConflicts": {"max": 8, "share": 0.5}})
    rival = {"organizer": office.bob["id"], "rooms": [room["address"]], "title": "Rival"}
    third = TOMORROW + timedelta(days=2)
    office.sim("POST", "/meetings", {**rival, "start": third.isoformat(), "end": (third + HOUR).isoformat()})
    office.advance(ANSWERED_MS)
    pattern = {"type": "daily", "interval": 1}
    limits = {"type": "numbered", "numberOfOccurrences": 4, "startDate": TOMORROW.date().isoformat()}
    event = book(office, room["address"], recurrence={"pattern": pattern, "range": limits})
    office.advance(ANSWERED_MS)
    items, link, pages = walk(office, first_link(), Prefer="odata.maxpagesize=2")
    assert pages == 3
    by_type = {
        kind: [one for one in items if one["type"] == kind] for kind in ("seriesMaster", "occurrence", "exception")
    }
    assert [len(found) for found in by_type.values()] == [1, 3, 1]
    assert answers_in(by_type["seriesMaster"][0]) == {room["address"]: "accepted"}
    assert answers_in(by_type["exception"][0]) == {room["address"]: "declined"}
    sparse = {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    assert all(set(one) == sparse for one in by_type["occurrence"])
    # Read one by one, a date has everything, and an iCalUId of its own.
    full = read(office, by_type["occurrence"][0])
    assert full["iCalUId"] != event["iCalUId"]
    assert answers_in(full) == {room["address"]: "accepted"}
    # Taking one date away shows only as the series without it.
    office.call("DELETE", f"/me/events/{by_type['occurrence'][0]['id']}")
    again, _, _ = walk(office, link)
    assert [one["type"] for one in again] == ["seriesMaster", "occurrence", "exception", "occurrence"]
    query = {"startDateTime": NOW.isoformat(), "endDateTime": (NOW + timedelta(days=30)).isoformat()}
    shown = office.call("GET", f"/me/events/{event['id']}/instances?{httpx.QueryParams(query)}").json()["value"]
    assert len(shown) == 3


def test_dates_of_a_series_move_alone(office: Office) -> None:
    room = office.room()
    limits = {"type": "endDate", "endDate": (TOMORROW + timedelta(days=2)).date().isoformat()}
    book(office, room["address"], recurrence={"pattern": {"type": "daily"}, "range": limits})
    office.advance(ANSWERED_MS)
    items, link, _ = walk(office, first_link())
    second = [one for one in items if one["type"] == "occurrence"][1]
    start = TOMORROW + timedelta(days=1, hours=3)
    moved = office.call("PATCH", f"/me/events/{second['id']}", {"start": at(start), "end": at(start + HOUR)}).json()
    assert (moved["type"], answers_in(moved)) == ("exception", {room["address"]: "none"})
    assert moved["originalStart"].startswith((TOMORROW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S"))
    office.advance(ANSWERED_MS)
    assert answers_in(read(office, second)) == {room["address"]: "accepted"}
    assert sum(one["type"] == "exception" for one in walk(office, link)[0]) == 1


@pytest.mark.parametrize(
    ("shape", "expected"), [("gone", (410, "resyncRequired")), ("syncStateNotFound", (400, "SyncStateNotFound"))]
)
def test_expired_cursor_is_refused_and_a_new_round_works(office: Office, shape: str, expected: tuple[int, str]) -> None:
    book(office)
    _, link, _ = walk(office, first_link())
    office.sim("PUT", "/faults", {"cursorExpired": {"user": office.ann["address"]}, "cursorExpiredAs": shape})
    refused = office.call("GET", link)
    assert (refused.status_code, refused.json()["error"]["code"]) == expected
    items, link, _ = walk(office, first_link())
    assert len(items) == 1
    assert walk(office, link)[0] == []


def test_evicted_delta_tokens_are_unknown(office: Office) -> None:
    office.sim("PUT", "/faults", {"deltaTokensKept": 1})
    _, old, _ = walk(office, first_link())
    _, new, _ = walk(office, first_link())
    assert office.call("GET", old).json()["error"]["code"] == "SyncStateNotFound"
    assert office.call("GET", new).status_code == 200


def test_pages_may_be_empty_and_still_go_on(office: Office) -> None:
    for _ in range(6):
        book(office)
    office.sim("PUT", "/faults", {"emptyPageShare": 0.5})
    items, _, pages = walk(office, first_link(), Prefer="odata.maxpagesize=1")
    assert len(items) == 6
    assert pages > 6


def test_lagging_delta_shows_the_change_later_and_never_loses_it(office: Office) -> None:
    office.sim("PUT", "/faults", {"deltaLagMs": 2_000})
    _, link, _ = walk(office, first_link())
    office.advance(1_000)
    event = book(office)
    items, link, _ = walk(office, link)
    assert items == []
    office.advance(3_000)
    items, _, _ = walk(office, link)
    assert [one["id"] for one in items] == [event["id"]]


@pytest.mark.parametrize("retry_after", ["2", "2.128", None])
def test_throttled_call_says_when_to_come_back(office: Office, retry_after: str | None) -> None:
    office.sim("PUT", "/faults", {"throttle": {"count": 1, "status": 429, "retryAfter": retry_after}})
    refused = office.call("GET", "/me")
    assert (refused.status_code, refused.headers.get("Retry-After")) == (429, retry_after)
    assert office.call("GET", "/me").status_code == 200


def test_fifth_call_in_flight_for_one_mailbox_is_refused(office: Office) -> None:
    office.sim("PUT", "/faults", {"concurrencyLimit": 4, "latencyMs": [1000, 1000]})
    statuses: list[int] = []
    bobs: list[int] = []

    def call(found: list[int], user: str) -> None:
        headers = {"Authorization": f"Bearer {user}"}
        found.append(httpx.get(f"{office.graph}/me", headers=headers, timeout=20).status_code)

    threads = [threading.Thread(target=call, args=(statuses, office.ann["id"])) for _ in range(6)]
    threads.append(threading.Thread(target=call, args=(bobs, office.bob["id"])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 200, 200, 429, 429]
    assert bobs == [200]
    assert max(one["inFlight"] for one in office.sim("GET", "/requests")["requests"]) > 4


def test_bad_revoked_and_too_small_tokens_are_refused(office: Office) -> None:
    assert office.call("GET", "/me", user="expired").status_code == 401
    office.sim("PUT", "/faults", {"revokedTokens": [office.ann["address"]]})
    refused = office.call("GET", "/me")
    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers
    office.sim("PUT", "/faults", {"reset": True})
    reader = f"{office.ann['id']},Calendars.Read"
    assert office.call("GET", "/me/events", user=reader).status_code == 200
    assert office.call("POST", "/me/events", {}, user=reader).status_code == 403
    assert office.call("GET", "/places/microsoft.graph.room", user=reader).status_code == 403


def test_request_log_names_whom_the_token_spoke_for(office: Office) -> None:
    office.call("GET", f"/users/{office.bob['address']}/events")
    (logged,) = office.sim("GET", "/requests")["requests"]
    assert (logged["user"], logged["client"], logged["status"]) == (office.ann["id"], "roomsync", 403)


def test_schedule_tells_who_holds_a_slot_but_not_for_what(office: Office) -> None:
    room, waiting = office.room("Aare"), office.room("Doubs", rules={"mode": "manual"})
    book(office, room["address"], waiting["address"])
    office.advance(ANSWERED_MS)
    body = {
        "schedules": [room["address"], waiting["address"]], "startTime": at(TOMORROW - HOUR),
        "endTime": at(TOMORROW + 2 * HOUR), "availabilityViewInterval": 60,
    }  # fmt: skip
    found = office.call("POST", "/me/calendar/getSchedule", body).json()["value"]
    assert [one["availabilityView"] for one in found] == ["020", "010"]
    assert "subject" not in found[0]["scheduleItems"][0]
    many = {**body, "schedules": [f"r{n}@contoso.test" for n in range(21)]}
    assert office.call("POST", "/me/calendar/getSchedule", many).status_code == 400


def test_times_are_written_in_the_zone_that_is_preferred(office: Office) -> None:
    event = book(office)
    wanted = {"Prefer": 'IdType="ImmutableId", outlook.timezone="W. Europe Standard Time"'}
    start = office.call("GET", f"/me/events/{event['id']}", **wanted).json()["start"]
    local = (TOMORROW + HOUR).strftime("%Y-%m-%dT%H:%M:%S")
    assert start == {"dateTime": f"{local}.0000000", "timeZone": "W. Europe Standard Time"}


def test_stale_change_key_is_refused(office: Office) -> None:
    event = book(office)
    stale = event["@odata.etag"]
    path = f"/me/events/{event['id']}"
    assert office.call("PATCH", path, {"subject": "U"}, If_Match=stale).status_code == 200
    assert office.call("PATCH", path, {"subject": "V"}, If_Match=stale).status_code == 412


@pytest.mark.parametrize(
    ("rules", "booking", "reason"),
    [
        ({"maxDurationMinutes": 60}, {"hours": 2}, "too-long"),
        ({"maxLeadDays": 7}, {"start": NOW + timedelta(days=8)}, "too-early"),
    ],
)
def test_limit_that_nobody_can_read_ends_in_a_decline(
    office: Office, rules: dict[str, Any], booking: dict[str, Any], reason: str
) -> None:
    room = office.room(rules=rules)
    within = book(office, room["address"])
    event = book(office, room["address"], **{"start": TOMORROW + 2 * HOUR, **booking})
    assert answers_in(event) == {room["address"]: "none"}
    office.advance(ANSWERED_MS)
    assert answers_in(read(office, within)) == {room["address"]: "accepted"}
    assert answers_in(read(office, event)) == {room["address"]: "declined"}
    assert {fact["reason"] for fact in office.history("room-answered")} == {"free", reason}
    assert len(office.sim("GET", f"/rooms/{room['id']}/calendar")["calendar"]) == 1


@pytest.mark.proves("E39")
def test_forbidden_room_declines_everyone_and_holds_nothing(office: Office) -> None:
    room = office.room(rules={"mode": "forbid"})
    for user in (office.ann, office.bob):
        event = book(office, room["address"], user=user["id"])
        office.advance(ANSWERED_MS)
        assert answers_in(read(office, event, user=user["id"])) == {room["address"]: "declined"}
    assert [fact["reason"] for fact in office.history("room-answered")] == ["forbidden", "forbidden"]
    assert office.sim("GET", f"/rooms/{room['id']}/calendar")["calendar"] == []


@pytest.mark.proves("E40")
def test_room_of_one_group_accepts_its_members_only(office: Office) -> None:
    room = office.room(rules={"mode": "group", "group": [office.ann["address"]]})
    for user, answer in ((office.bob, "declined"), (office.ann, "accepted")):
        event = book(office, room["address"], user=user["id"])
        office.advance(ANSWERED_MS)
        assert answers_in(read(office, event, user=user["id"])) == {room["address"]: answer}


@pytest.mark.parametrize("answer", ["accepted", "declined"])
def test_room_that_needs_approval_stays_open_until_a_person_decides(office: Office, answer: str) -> None:
    room = office.room(rules={"mode": "manual"})
    event = book(office, room["address"])
    office.advance(3_600_000)
    assert answers_in(read(office, event)) == {room["address"]: "none"}
    office.sim("POST", f"/rooms/{room['id']}/answers", {"meeting": event["iCalUId"], "answer": answer})
    assert answers_in(read(office, event)) == {room["address"]: answer}
    office.sim("POST", f"/rooms/{room['id']}/answers", {"meeting": event["iCalUId"], "answer": "declined"})
    assert answers_in(read(office, event)) == {room["address"]: "declined"}


@pytest.mark.parametrize("written", [True, False])
def test_a_decline_that_is_written_back_opens_again_and_one_that_is_left_out_stays(
    office: Office, written: bool
) -> None:
    room = office.room(rules={"mode": "manual"})
    event = book(office, room["address"])
    office.sim("POST", f"/rooms/{room['id']}/answers", {"meeting": event["iCalUId"], "answer": "declined"})
    [attendee] = read(office, event)["attendees"]
    sent = attendee if written else {name: value for name, value in attendee.items() if name != "status"}
    office.call("PATCH", f"/me/events/{event['id']}", {"attendees": [sent]})
    assert answers_in(read(office, event)) == {room["address"]: "none" if written else "declined"}


def test_share_of_calls_fails_plainly(office: Office) -> None:
    office.sim("PUT", "/faults", {"errorShare": 1.0})
    refused = office.call("GET", "/me")
    assert (refused.status_code, refused.json()["error"]["code"]) == (500, "ErrorInternalServerError")
    office.sim("PUT", "/faults", {"errorShare": 0.0})
    assert office.call("GET", "/me").status_code == 200
