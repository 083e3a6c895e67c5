"""The official Google client, unchanged, against the simulated calendar; every answer fits Google's discovery document."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

from simulator.world import RoomRules
from tests.integration.simulator.google.conftest import OWNED, WIDE, Office, Receiver
from tests.support.conformance import discovery_schema
from tests.support.patience import PATIENCE_S

BO, CY = "bo@gadget.example", "cy@gadget.example"
ELM, OAK = "elm@resource.calendar.google.com", "oak@resource.calendar.google.com"
BOUND = {"singleEvents": True, "maxResults": 50}


def at(days: float, hour: int = 10) -> str:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days, hours=hour)
    return day.isoformat()


def meeting(*guests: str, days: float = 2, hour: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "summary": "Plan",
        "start": {"dateTime": at(days, hour), "timeZone": "UTC"},
        "end": {"dateTime": at(days, hour + 1), "timeZone": "UTC"},
        "attendees": [{"email": guest} for guest in guests],
        **more,
    }


def channel(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url, "token": "proof", **more}


def answer_of(event: dict[str, Any], address: str) -> str | None:
    return next((one["responseStatus"] for one in event.get("attendees", []) if one["email"] == address), None)


def until(look: Callable[[], Any], timeout_s: float = 10) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.03)
    return found


def refused(call: Any, status: int, reason: str) -> HttpError:
    with pytest.raises(HttpError) as caught:
        call.execute()
    assert (caught.value.status_code, caught.value.error_details[0]["reason"]) == (status, reason)
    return caught.value


def listed(calendar: Any, **parameters: Any) -> tuple[list[dict[str, Any]], str]:
    """All pages of one list and the sync token of the last."""
    items: list[dict[str, Any]] = []
    page: dict[str, Any] = {}
    while True:
        more = {"pageToken": page["nextPageToken"]} if page else {}
        page = calendar.events().list(calendarId="primary", **parameters, **more).execute()
        items += page["items"]
        if "nextPageToken" not in page:
            return items, page["nextSyncToken"]
        assert "nextSyncToken" not in page


def test_a_watched_calendar_tells_of_a_booking_and_of_the_rooms_answer(office: Office, receiver: Receiver) -> None:
    calendar = office.calendar(BO)
    _, token = listed(calendar, **BOUND)
    asked = channel(receiver)
    opened = calendar.events().watch(calendarId="primary", body=asked).execute()
    assert opened["expiration"].isdigit()
    assert opened["resourceUri"].endswith("/calendars/primary/events?alt=json")
    (sync,) = receiver.wait(lambda seen: len(seen) == 1)
    assert (sync.state, sync.number, sync.body, sync.channel) == ("sync", 1, b"", asked["id"])
    assert sync.headers["x-goog-channel-token"] == "proof"
    assert sync.headers["x-goog-resource-id"] == opened["resourceId"]
    assert sync.headers["x-goog-channel-expiration"].endswith("GMT")
    assert sync.headers["content-length"] == "0"

    made = calendar.events().insert(calendarId="primary", body=meeting(ELM, CY), sendUpdates="all").execute()
    assert answer_of(made, ELM) == "needsAction"
    messages = receiver.wait(lambda seen: len(seen) >= 3)
    numbers = [one.number for one in messages]
    assert numbers == sorted(set(numbers))
    assert {one.state for one in messages[1:]} == {"exists"}

    def accepted() -> bool:
        nonlocal token
        items, token = listed(calendar, **BOUND, syncToken=token)
        return any(answer_of(item, ELM) == "accepted" for item in items)

    until(accepted)
    assert listed(calendar, **BOUND, syncToken=token)[0] == []
    body = {"id": asked["id"], "resourceId": opened["resourceId"]}
    assert calendar.channels().stop(body=body).execute() == ""
    refused(calendar.channels().stop(body=body), 404, "notFound")
    assert office.world.subscription_listings["google"]() == []
    assert {"Channel", "Event", "Events", "POST error 404"} <= set(calendar._http.http.checked)


def test_a_message_that_is_refused_is_tried_again_only_for_four_statuses(office: Office, receiver: Receiver) -> None:
    calendar = office.calendar(BO)
    receiver.answers = [503, 500, 200]
    calendar.events().watch(calendarId="primary", body=channel(receiver)).execute()
    tries = receiver.wait(lambda seen: len(seen) == 3)
    assert [one.number for one in tries] == [1, 1, 1]
    receiver.answers = [429, 200]
    calendar.events().insert(calendarId="primary", body=meeting(days=3)).execute()
    calendar.events().insert(calendarId="primary", body=meeting(days=4)).execute()
    seen = receiver.wait(lambda seen: len(seen) == 5)
    assert seen[3].number < seen[4].number

    def given_up() -> bool:
        with office.world.lock:  # written down once the receiver's answer is in
            return ("given-up", 429) in [(one["outcome"], one["status"]) for one in office.world.delivery.log]

    deadline = time.monotonic() + PATIENCE_S
    while not given_up():
        assert time.monotonic() < deadline, office.world.delivery.log
        time.sleep(0.01)


def test_what_a_channel_may_not_be(office: Office, receiver: Receiver) -> None:
    events = office.calendar(BO).events()
    one = channel(receiver)
    events.watch(calendarId="primary", body=one).execute()
    refused(events.watch(calendarId="primary", body=one), 400, "channelIdNotUnique")
    refused(events.watch(calendarId="primary", body=channel(receiver, id="a.b")), 400, "invalid")
    refused(events.watch(calendarId="primary", body=channel(receiver, id="a" * 65)), 400, "invalid")
    refused(events.watch(calendarId="primary", body=channel(receiver, token="t" * 257)), 400, "invalid")
    plain = channel(receiver, address="http://example.com/hook")
    refused(events.watch(calendarId="primary", body=plain), 400, "push.webhookUrlNotHttps")
    past = channel(receiver, expiration=str(office.world.now_ms() - 1))
    refused(events.watch(calendarId="primary", body=past), 400, "channelInvalidTtl")
    short = events.watch(calendarId="primary", body=channel(receiver, params={"ttl": "60"})).execute()
    assert int(short["expiration"]) <= office.world.now_ms() + 60_000


@pytest.mark.proves("B3")
def test_a_channel_expires_without_a_word_and_its_successor_overlaps(office: Office, receiver: Receiver) -> None:
    calendar = office.calendar(BO)
    first, second = channel(receiver, params={"ttl": "60"}), channel(receiver, params={"ttl": "7200"})
    calendar.events().watch(calendarId="primary", body=first).execute()
    calendar.events().watch(calendarId="primary", body=second).execute()
    calendar.events().insert(calendarId="primary", body=meeting()).execute()
    receiver.wait(lambda seen: {one.channel for one in seen if one.state == "exists"} == {first["id"], second["id"]})
    office.world.set_clock(office.world.now_ms() + 61_000)
    before = len(receiver.messages)
    calendar.events().insert(calendarId="primary", body=meeting(days=3)).execute()
    later = receiver.wait(lambda seen: len(seen) > before)[before:]
    assert {one.channel for one in later} == {second["id"]}


def test_only_its_maker_stops_a_channel(office: Office, receiver: Receiver) -> None:
    opened = office.calendar(BO).events().watch(calendarId="primary", body=channel(receiver)).execute()
    body = {"id": opened["id"], "resourceId": opened["resourceId"]}
    refused(office.calendar(CY).channels().stop(body=body), 403, "forbidden")


@pytest.mark.proves("S8")
def test_a_token_for_owned_calendars_sees_no_other(office: Office, receiver: Receiver) -> None:
    events = office.calendar(BO, *OWNED).events()
    refused(events.list(calendarId=ELM), 404, "notFound")
    refused(events.list(calendarId=CY), 404, "notFound")
    refused(events.watch(calendarId=ELM, body=channel(receiver)), 404, "notFound")
    refused(events.list(calendarId="nobody@gadget.example"), 404, "notFound")
    assert office.calendar(BO, *WIDE).events().list(calendarId=ELM).execute()["accessRole"] == "reader"
    wide = office.calendar(BO, *WIDE).events()
    refused(wide.insert(calendarId=ELM, body=meeting()), 403, "requiredAccessLevel")


def test_a_token_without_the_scope_or_without_a_life_is_refused(office: Office) -> None:
    refused(
        office.calendar(BO, "calendar.freebusy").events().list(calendarId="primary"), 403, "insufficientPermissions"
    )
    calendar = office.calendar(BO)
    office.world.identity.set_consent(BO, granted=False)
    with pytest.raises(Exception, match="refresh"):  # google-auth tries to refresh on 401 and has nothing to do it with
        calendar.events().list(calendarId="primary").execute()


@pytest.mark.proves("B6")
def test_sync_tokens_are_bound_to_their_parameters_and_expire(office: Office) -> None:
    calendar = office.calendar(BO)
    events = calendar.events()
    _, token = listed(calendar, **BOUND, timeMin=at(0), timeMax=at(14))
    for name, value in (
        ("timeMin", at(0)),
        ("timeMax", at(1)),
        ("q", "x"),
        ("updatedMin", at(-1)),
        ("orderBy", "updated"),
    ):
        refused(events.list(calendarId="primary", syncToken=token, **{**BOUND, name: value}), 400, "invalid")
    refused(events.list(calendarId="primary", syncToken=token, **BOUND, showDeleted=False), 400, "invalid")
    refused(events.list(calendarId="primary", syncToken=token, singleEvents=False, maxResults=50), 400, "invalid")
    corrupt = refused(events.list(calendarId="primary", syncToken=token[:-4] + "AAA=", **BOUND), 400, "invalid")
    assert corrupt.reason == "Invalid sync token value."
    foreign = office.calendar(CY).events().list(calendarId="primary", syncToken=token, **BOUND)
    refused(foreign, 400, "invalid")
    office.world.feed.expire_cursors()
    gone = refused(events.list(calendarId="primary", syncToken=token, **BOUND), 410, "fullSyncRequired")
    assert gone.error_details[0]["location"] == "syncToken"
    _, token = listed(calendar, **BOUND)
    office.world.faults.put({"syncTokenLifeS": 60})
    office.world.set_clock(office.world.now_ms() + 61_000)
    refused(events.list(calendarId="primary", syncToken=token, **BOUND), 410, "fullSyncRequired")


def test_increments_leave_the_window_of_the_first_list(office: Office) -> None:
    calendar = office.calendar(BO)
    calendar.events().insert(calendarId="primary", body=meeting(days=30)).execute()
    items, token = listed(calendar, **BOUND, timeMin=at(0), timeMax=at(14))
    assert items == []
    late = calendar.events().insert(calendarId="primary", body=meeting(days=31)).execute()
    assert [item["id"] for item in listed(calendar, **BOUND, syncToken=token)[0]] == [late["id"]]


@pytest.mark.parametrize("form", ["thin", "plain", "full"])
def test_pages_may_be_short_or_empty_and_tombstones_say_little(form: str, office: Office) -> None:
    calendar = office.calendar(BO)
    ids = [calendar.events().insert(calendarId="primary", body=meeting(days=n)).execute()["id"] for n in range(1, 6)]
    office.world.faults.put({"pageCap": 2, "emptyPageShare": 0.4, "tombstones": form})
    items, token = listed(calendar, **BOUND)
    assert [item["id"] for item in items] == ids
    calendar.events().delete(calendarId="primary", eventId=ids[0]).execute()
    (dead,), token = listed(calendar, **BOUND, syncToken=token)
    assert (dead["id"], dead["status"]) == (ids[0], "cancelled")
    assert ("summary" in dead) == (form == "full")
    assert ("etag" in dead) == (form != "thin")


def test_a_change_while_paging_is_not_lost(office: Office) -> None:
    calendar = office.calendar(BO)
    ids = [calendar.events().insert(calendarId="primary", body=meeting(days=n)).execute()["id"] for n in range(1, 4)]
    first = calendar.events().list(calendarId="primary", singleEvents=True, maxResults=1).execute()
    calendar.events().patch(calendarId="primary", eventId=ids[0], body={"summary": "Other"}).execute()
    page = first
    while "nextPageToken" in page:
        token = page["nextPageToken"]
        page = calendar.events().list(calendarId="primary", singleEvents=True, maxResults=1, pageToken=token).execute()
    changed, _ = listed(calendar, singleEvents=True, maxResults=1, syncToken=page["nextSyncToken"])
    assert [item["id"] for item in changed] == [ids[0]]


@pytest.mark.proves("E43")
def test_a_taken_room_declines_and_the_guests_copy_shows_it(office: Office) -> None:
    bo, cy = office.calendar(BO), office.calendar(CY)
    first = bo.events().insert(calendarId="primary", body=meeting(ELM)).execute()
    until(lambda: answer_of(bo.events().get(calendarId="primary", eventId=first["id"]).execute(), ELM) == "accepted")
    second = bo.events().insert(calendarId="primary", body=meeting(ELM, CY)).execute()
    copy = until(lambda: _declined(cy, second["id"]))
    assert copy["organizer"]["email"] == BO
    assert next(one for one in copy["attendees"] if one["email"] == CY)["self"] is True
    assert next(one for one in copy["attendees"] if one["email"] == ELM)["resource"] is True


def _declined(calendar: Any, event_id: str) -> dict[str, Any] | None:
    event: dict[str, Any] = calendar.events().get(calendarId="primary", eventId=event_id).execute()
    return event if answer_of(event, ELM) == "declined" else None


@pytest.mark.proves("B10")
def test_google_replaces_a_declined_room_by_itself_where_it_may(office: Office) -> None:
    office.world.faults.put({"autoReplace": True, "autoReplaceDelayMs": [50, 100]})
    bo = office.calendar(BO)
    first = bo.events().insert(calendarId="primary", body=meeting(ELM)).execute()
    until(lambda: answer_of(bo.events().get(calendarId="primary", eventId=first["id"]).execute(), ELM) == "accepted")
    second = bo.events().insert(calendarId="primary", body=meeting(ELM)).execute()
    until(lambda: answer_of(bo.events().get(calendarId="primary", eventId=second["id"]).execute(), OAK) == "accepted")


def test_an_attendee_array_replaces_and_bare_addresses_reset_answers(office: Office) -> None:
    bo, cy = office.calendar(BO), office.calendar(CY)
    made = bo.events().insert(calendarId="primary", body=meeting(ELM, CY)).execute()
    get = bo.events().get(calendarId="primary", eventId=made["id"])
    own = {"attendeesOmitted": True, "attendees": [{"email": CY, "responseStatus": "accepted"}]}
    cy.events().patch(calendarId="primary", eventId=made["id"], body=own).execute()
    until(lambda: answer_of(get.execute(), ELM) == "accepted" and answer_of(get.execute(), CY) == "accepted")
    kept = [one for one in get.execute()["attendees"] if one["email"] != ELM]
    swapped = {"attendees": [*kept, {"email": OAK, "resource": True}]}
    after = bo.events().patch(calendarId="primary", eventId=made["id"], body=swapped).execute()
    assert (answer_of(after, CY), answer_of(after, ELM), answer_of(after, OAK)) == ("accepted", None, "needsAction")
    bare = {"attendees": [{"email": CY}, {"email": OAK}]}
    reset = bo.events().patch(calendarId="primary", eventId=made["id"], body=bare).execute()
    assert (answer_of(reset, CY), answer_of(reset, OAK)) == ("needsAction", "needsAction")


def test_an_organiser_calls_anybody_a_resource_when_adding_them_and_never_later(office: Office) -> None:
    bo = office.calendar(BO)
    called = {**meeting(CY), "attendees": [{"email": CY, "resource": True}, {"email": "dee@x.example"}]}
    made = bo.events().insert(calendarId="primary", body=called).execute()
    later = {"attendees": [{"email": CY}, {"email": "dee@x.example", "resource": True}]}
    after = bo.events().patch(calendarId="primary", eventId=made["id"], body=later).execute()
    for event in (made, after):
        assert [one["email"] for one in event["attendees"] if one.get("resource")] == [CY]


def test_a_guest_may_not_change_what_the_organiser_owns(office: Office) -> None:
    made = office.calendar(BO).events().insert(calendarId="primary", body=meeting(CY)).execute()
    cy = office.calendar(CY).events()
    refused(
        cy.patch(calendarId="primary", eventId=made["id"], body={"summary": "Mine"}), 403, "forbiddenForNonOrganizer"
    )
    cy.delete(calendarId="primary", eventId=made["id"]).execute()
    copy = office.calendar(BO).events().get(calendarId="primary", eventId=made["id"]).execute()
    assert answer_of(copy, CY) == "declined"


def test_etags_guard_writes_and_spare_reads(office: Office) -> None:
    events = office.calendar(BO).events()
    made = events.insert(calendarId="primary", body=meeting()).execute()
    changed = events.patch(calendarId="primary", eventId=made["id"], body={"location": "Here"}).execute()
    late = events.patch(calendarId="primary", eventId=made["id"], body={"location": "There"})
    late.headers["If-Match"] = made["etag"]
    refused(late, 412, "conditionNotMet")
    again = events.get(calendarId="primary", eventId=made["id"])
    again.headers["If-None-Match"] = changed["etag"]
    with pytest.raises(HttpError) as unchanged:
        again.execute()
    assert unchanged.value.status_code == 304
    good = events.delete(calendarId="primary", eventId=made["id"])
    good.headers["If-Match"] = changed["etag"]
    assert good.execute() == ""


def test_a_client_chosen_id_is_taken_for_ever(office: Office) -> None:
    events = office.calendar(BO).events()
    chosen = uuid.uuid4().hex
    events.insert(calendarId="primary", body=meeting(id=chosen)).execute()
    refused(events.insert(calendarId="primary", body=meeting(id=chosen)), 409, "duplicate")
    refused(events.insert(calendarId="primary", body=meeting(id="UPPER")), 400, "invalid")
    events.delete(calendarId="primary", eventId=chosen).execute()
    refused(events.delete(calendarId="primary", eventId=chosen), 410, "deleted")
    refused(events.insert(calendarId="primary", body=meeting(id=chosen)), 409, "duplicate")
    assert events.get(calendarId="primary", eventId=chosen).execute()["status"] == "cancelled"
    refused(events.get(calendarId="primary", eventId="never"), 404, "notFound")


@pytest.mark.proves("B8")
def test_a_series_has_a_master_exceptions_and_instances(office: Office) -> None:
    calendar = office.calendar(BO)
    events = calendar.events()
    taken = events.insert(calendarId="primary", body=meeting(ELM, days=3)).execute()
    until(lambda: answer_of(events.get(calendarId="primary", eventId=taken["id"]).execute(), ELM) == "accepted")
    _, masters = listed(calendar, singleEvents=False)
    _, singles = listed(calendar, **BOUND)
    weekly = meeting(ELM, days=2, recurrence=["RRULE:FREQ=DAILY;COUNT=6"])
    series = events.insert(calendarId="primary", body=weekly).execute()
    until(lambda: answer_of(events.get(calendarId="primary", eventId=series["id"]).execute(), ELM) == "accepted")
    dates = events.instances(calendarId="primary", eventId=series["id"]).execute()["items"]
    assert [answer_of(one, ELM) for one in dates].count("declined") == 1
    assert dates[1]["recurringEventId"] == series["id"]
    assert dates[1]["id"].startswith(f"{series['id']}_")
    changed, masters = listed(calendar, singleEvents=False, syncToken=masters)
    assert [one.get("recurringEventId") for one in changed] == [None, series["id"]]
    assert {one["id"] for one in listed(calendar, **BOUND, syncToken=singles)[0]} == {one["id"] for one in dates}
    events.delete(calendarId="primary", eventId=dates[4]["id"]).execute()
    (dead,), masters = listed(calendar, singleEvents=False, syncToken=masters)
    assert (dead["id"], dead["status"]) == (dates[4]["id"], "cancelled")
    left = events.instances(calendarId="primary", eventId=series["id"]).execute()["items"]
    assert len(left) == 5


def test_a_moved_series_cancels_the_dates_it_leaves(office: Office) -> None:
    calendar = office.calendar(BO)
    series = (
        calendar.events()
        .insert(calendarId="primary", body=meeting(days=2, recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"]))
        .execute()
    )
    old, token = listed(calendar, **BOUND)
    later = {name: meeting(days=2, hour=14)[name] for name in ("start", "end")}
    calendar.events().patch(calendarId="primary", eventId=series["id"], body=later).execute()
    changed, _ = listed(calendar, **BOUND, syncToken=token)
    states = {one["id"]: one["status"] for one in changed}
    assert {states[one["id"]] for one in old} == {"cancelled"}
    assert sorted(states.values()) == ["cancelled", "cancelled", "confirmed", "confirmed"]


def test_free_busy_says_not_found_with_an_empty_list(office: Office) -> None:
    bo = office.calendar(BO)
    made = bo.events().insert(calendarId="primary", body=meeting(ELM)).execute()
    until(lambda: answer_of(bo.events().get(calendarId="primary", eventId=made["id"]).execute(), ELM) == "accepted")
    body = {
        "timeMin": at(2, 0),
        "timeMax": at(3, 0),
        "items": [{"id": ELM}, {"id": OAK}, {"id": "nobody@else.example"}],
    }
    calendars = bo.freebusy().query(body=body).execute()["calendars"]
    assert len(calendars[ELM]["busy"]) == 1
    assert calendars[OAK]["busy"] == []
    assert "errors" not in calendars[OAK]
    unknown = calendars["nobody@else.example"]
    assert (unknown["busy"], unknown["errors"][0]["reason"]) == ([], "notFound")
    refused(bo.freebusy().query(body={"items": []}), 400, "required")


def test_the_directory_lists_rooms_to_those_with_the_scope(office: Office) -> None:
    rooms = office.directory(BO, "admin.directory.resource.calendar.readonly").resources().calendars()
    first = rooms.list(customer="my_customer", maxResults=1, orderBy="capacity desc").execute()
    assert [one["resourceEmail"] for one in first["items"]] == [OAK]
    second = rooms.list_next(rooms.list(customer="my_customer", maxResults=1, orderBy="capacity desc"), first).execute()
    assert [one["generatedResourceName"] for one in second["items"]] == ["HQ-1-Elm (6)"]
    found = rooms.list(customer="my_customer", query="buildingId=HQ AND name:El*").execute()
    assert [one["resourceName"] for one in found["items"]] == ["Elm"]
    plain = office.directory(BO, "calendar").resources().calendars()
    refused(plain.list(customer="my_customer"), 403, "insufficientPermissions")


@pytest.mark.proves("B11")
def test_quota_is_refused_by_403_and_429_in_turn_without_retry_after(office: Office) -> None:
    events = office.calendar(BO).events()
    office.world.faults.put({"quotaPerMinute": {"user": 2, "project": 0}})
    for _ in range(2):
        events.list(calendarId="primary").execute()
    refusals = [_refusal(events.list(calendarId="primary")) for _ in range(2)]
    assert sorted(one.status_code for one in refusals) == [403, 429]
    assert all(one.error_details[0]["reason"] == "RATE_LIMIT_EXCEEDED" for one in refusals)
    assert all("retry-after" not in one.resp for one in refusals)
    office.calendar(CY).events().list(calendarId="primary").execute()
    office.world.set_clock(office.world.now_ms() + 60_001)
    events.list(calendarId="primary").execute()
    office.world.faults.put({"quotaExceeded": [BO]})
    refused(events.list(calendarId="primary"), 403, "quotaExceeded")


def _refusal(call: Any) -> HttpError:
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value


def test_a_query_too_long_for_an_address_comes_as_a_post(office: Office) -> None:
    calendar = office.calendar(BO)
    calendar.events().insert(calendarId="primary", body=meeting()).execute()
    found = calendar.events().list(calendarId="primary", privateExtendedProperty="name=" + "v" * 2100).execute()
    assert found["items"] == []


def test_a_batch_serves_each_call_by_itself(office: Office) -> None:
    document = {**discovery_schema.document("calendar.v3"), "rootUrl": f"{office.url}/google/"}
    http = office.http(BO, *OWNED)
    calendar = build_from_document(document, http=http)
    answers: dict[str, Any] = {}
    batch = calendar.new_batch_http_request(callback=lambda name, body, error: answers.update({name: body or error}))
    batch.add(calendar.events().insert(calendarId="primary", body=meeting()), request_id="insert")
    batch.add(calendar.events().get(calendarId="primary", eventId="never"), request_id="get")
    batch.add(calendar.events().list(calendarId="primary"), request_id="list")
    batch.execute()
    assert answers["insert"]["summary"] == "Plan"
    assert answers["get"].status_code == 404
    assert len(answers["list"]["items"]) == 1


def test_more_attendees_than_asked_for_are_left_out_and_it_says_so(office: Office) -> None:
    bo = office.calendar(BO)
    made = bo.events().insert(calendarId="primary", body=meeting(ELM, CY, BO)).execute()
    cut = bo.events().get(calendarId="primary", eventId=made["id"], maxAttendees=1).execute()
    assert cut["attendeesOmitted"] is True
    assert [one["email"] for one in cut["attendees"]] == [BO]


def test_extended_properties_are_found_deleted_and_cut(office: Office) -> None:
    events = office.calendar(BO).events()
    private = {"roomsync": "1", "k" * 45: "dropped"}
    made = events.insert(calendarId="primary", body=meeting(extendedProperties={"private": private})).execute()
    found = events.list(calendarId="primary", privateExtendedProperty="roomsync=1").execute()["items"]
    assert [one["id"] for one in found] == [made["id"]]
    gone = {"extendedProperties": {"private": {"roomsync": None}}}
    after = events.patch(calendarId="primary", eventId=made["id"], body=gone).execute()
    assert "extendedProperties" not in after


def test_an_all_day_event_has_dates(office: Office) -> None:
    events = office.calendar(BO).events()
    body = {"summary": "Fair", "start": {"date": "2030-03-01"}, "end": {"date": "2030-03-02"}}
    made = events.insert(calendarId="primary", body=body).execute()
    assert (made["start"], made["end"]) == ({"date": "2030-03-01"}, {"date": "2030-03-02"})


def test_one_client_per_thread_serves_several_people_at_once(office: Office) -> None:
    faults: list[BaseException] = []

    def book(who: str) -> None:
        try:
            calendar = office.calendar(who)
            for n in range(4):
                calendar.events().insert(calendarId="primary", body=meeting(days=n + 1)).execute()
            assert len(listed(calendar, **BOUND)[0]) == 4
        except BaseException as fault:  # noqa: BLE001  # carried to the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=book, args=(who,)) for who in (BO, CY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_the_validator_notices_what_the_document_does_not_know() -> None:
    discovery_schema.check("calendar.v3", "Event", {"id": "x", "status": "confirmed"})
    for wrong in ({"invented": 1}, {"sequence": "1"}, {"updated": "yesterday"}, {"attendees": [{"mail": "x"}]}):
        with pytest.raises(jsonschema.ValidationError):
            discovery_schema.check("calendar.v3", "Event", wrong)


def test_a_room_with_a_human_approver_stays_open(office: Office) -> None:
    with office.world.lock:
        office.world.directory.room(ELM).rules = RoomRules(mode="manual")
    bo = office.calendar(BO)
    made = bo.events().insert(calendarId="primary", body=meeting(ELM)).execute()
    assert answer_of(bo.events().get(calendarId="primary", eventId=made["id"]).execute(), ELM) == "needsAction"
    with office.world.lock:
        world_meeting = office.world.calendar.meeting(made["iCalUID"])
        answer = type(next(iter(world_meeting.attendees.values())).answer)
        office.world.desk.answer(world_meeting, ELM, answer.ACCEPTED)
    assert answer_of(bo.events().get(calendarId="primary", eventId=made["id"]).execute(), ELM) == "accepted"
