"""Microsoft's own client, unchanged, against the simulator: a reply it cannot read would be a wrong simulator."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.serialization import Parsable
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.attendee import Attendee
from msgraph.generated.models.attendee_type import AttendeeType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.response_type import ResponseType
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.users.item.calendar.get_schedule.get_schedule_post_request_body import (
    GetSchedulePostRequestBody,
)

from tests.integration.simulator.microsoft.office import NOW_MS, Office, Receiver

with warnings.catch_warnings():
    # The client itself warns on import, of its own base class.
    warnings.simplefilter("ignore", DeprecationWarning)
    from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)


class Token(AccessTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    async def get_authorization_token(self, _uri: str, _context: Any = None) -> str:
        return self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


def with_client(office: Office, job: Callable[[GraphServiceClient], Coroutine[Any, Any, Any]]) -> Any:
    """One client, one event loop: the client does not survive its loop."""

    async def run() -> Any:
        adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token(office.ann["id"])))
        adapter.base_url = office.graph
        try:
            return await job(GraphServiceClient(request_adapter=adapter))
        finally:
            # Closing the client does not reach the transport that its middleware wraps.
            await adapter._http_client._transport.transport.aclose()
            await adapter._http_client.aclose()
            await asyncio.sleep(0)  # the loop closes the sockets on its next turn

    return asyncio.run(run())


def a_booking(room: dict[str, Any], hours_ahead: int = 24) -> Event:
    start = NOW + timedelta(hours=hours_ahead)
    attendee = Attendee(type=AttendeeType.Resource, email_address=EmailAddress(address=room["address"]))
    return Event(
        subject="Planning",
        start=DateTimeTimeZone(date_time=start.strftime("%Y-%m-%dT%H:%M:%S"), time_zone="UTC"),
        end=DateTimeTimeZone(date_time=(start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S"), time_zone="UTC"),
        attendees=[attendee],
        transaction_id="only-once",
    )


def strangers(value: Any, path: str = "") -> list[str]:
    """Every key that the client's models had no field for, OData annotations aside."""
    found: list[str] = []
    if isinstance(value, Parsable):
        extra = getattr(value, "additional_data", {}) or {}
        found += [f"{path}.{key}" for key in extra if not key.startswith("@odata.") and key != "@removed"]
        names = [name for name in vars(value) if name not in {"additional_data", "backing_store", "_backing_store"}]
        for name in {*names, *type(value).__dataclass_fields__} - {"additional_data", "backing_store"}:
            found += strangers(getattr(value, name, None), f"{path}.{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            found += strangers(one, f"{path}[{index}]")
    return found


async def delta_pages(client: GraphServiceClient, link: str | None) -> tuple[list[Event], str, list[Any]]:
    """Walk one round by hand: the client's own iterator stops at an empty page."""
    builder = client.me.calendar_view.delta
    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time=(NOW - timedelta(days=1)).isoformat(), end_date_time=(NOW + timedelta(days=30)).isoformat()
    )
    configuration = RequestConfiguration(query_parameters=query)
    configuration.headers.add("Prefer", "odata.maxpagesize=2")
    configuration.headers.add("Prefer", 'IdType="ImmutableId"')
    answer = await (builder.with_url(link).get() if link else builder.get(request_configuration=configuration))
    pages, events = [answer], list(answer.value or [])
    while answer.odata_next_link:
        answer = await builder.with_url(answer.odata_next_link).get()
        pages.append(answer)
        events += answer.value or []
    return events, answer.odata_delta_link, pages


def test_official_client_subscribes_books_a_room_and_reads_its_refusal_by_delta(
    office: Office, receiver: Receiver, eventually: Callable[..., Any]
) -> None:
    room = office.room(rules={"maxDurationMinutes": 30})

    async def story(client: GraphServiceClient) -> dict[str, Any]:
        wanted = Subscription(
            change_type="created,updated,deleted",
            resource="me/events",
            notification_url=f"{receiver.url}/hooks/graph",
            lifecycle_notification_url=f"{receiver.url}/hooks/graph/lifecycle",
            expiration_date_time=NOW + timedelta(minutes=10_065),
            client_state="k3y",
        )
        subscription = await client.subscriptions.post(wanted)
        _, link, first = await delta_pages(client, None)
        booked = await client.me.events.post(a_booking(room))
        again = await client.me.events.post(a_booking(room))
        pending, link, second = await delta_pages(client, link)
        office.advance(5_000)
        answered, link, third = await delta_pages(client, link)
        nothing, _, fourth = await delta_pages(client, link)
        read = await client.me.events.by_event_id(booked.id).get()
        return {
            "subscription": subscription, "booked": booked, "again": again, "pending": pending, "answered": answered,
            "nothing": nothing, "read": read, "pages": [*first, *second, *third, *fourth],
        }  # fmt: skip

    told = with_client(office, story)

    def answers(events: list[Event]) -> list[ResponseType]:
        return [one.status.response for event in events for one in event.attendees]

    assert len(receiver.handshakes) == 2
    assert all(" + " in token and "%2B" in token for token in receiver.handshakes)
    assert told["again"].id == told["booked"].id
    assert answers([told["booked"]]) == [ResponseType.None_]
    assert answers(told["pending"]) == [ResponseType.None_]
    assert answers(told["answered"]) == [ResponseType.Declined]
    assert told["nothing"] == []
    assert told["read"].location.display_name == "Aare"
    everything = [told["subscription"], told["booked"], told["read"], *told["pages"]]
    assert [one for value in everything for one in strangers(value)] == []
    assert office.history("room-answered")[0]["reason"] == "too-long"
    eventually(lambda: len(receiver.posts) >= 2)
    for post in receiver.posts:
        assert 2 <= len(post["value"]) <= 4
        assert {item["clientState"] for item in post["value"]} == {"k3y"}
        assert {item["resourceData"]["id"] for item in post["value"]} == {told["booked"].id}


def test_answers_of_every_read_fit_the_official_models(office: Office) -> None:
    room = office.room(building="Riverside", floor="4")
    start = datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(days=1)
    office.sim(
        "POST",
        "/meetings",
        {
            "organizer": office.ann["id"], "title": "Stand-up", "rooms": [room["address"]],
            "attendees": [office.bob["address"]], "start": start.isoformat(),
            "end": (start + timedelta(minutes=15)).isoformat(), "recurrence": {"frequency": "daily", "count": 4},
        },
    )  # fmt: skip
    office.advance(5_000)

    async def story(client: GraphServiceClient) -> list[Any]:
        events, _, pages = await delta_pages(client, None)
        master = next(event for event in events if event.attendees)
        listed = await client.me.events.get()
        one = await client.me.events.by_event_id(events[1].id).get()
        rooms = await client.places.graph_room.get()
        lists = await client.places.graph_room_list.get()
        body = GetSchedulePostRequestBody(
            schedules=[room["address"], "nobody@contoso.test"],
            start_time=DateTimeTimeZone(date_time=start.strftime("%Y-%m-%dT%H:%M:%S"), time_zone="UTC"),
            end_time=DateTimeTimeZone(
                date_time=(start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S"), time_zone="UTC"
            ),
            availability_view_interval=15,
        )
        schedule = await client.me.calendar.get_schedule.post(body)
        me = await client.me.get()
        assert [len(page.value) for page in pages] == [2, 3]  # the second page is asked for without the header
        assert {event.series_master_id for event in events[1:]} == {master.id}
        assert all(event.attendees is None and event.i_cal_u_id is None for event in events[1:])
        assert one.attendees[0].status.response == ResponseType.Accepted
        assert [found.availability_view for found in schedule.value] == ["2000", ""]
        assert schedule.value[1].error.response_code == "ErrorMailRecipientNotFound"
        assert rooms.value[0].capacity == 6
        return [*pages, listed, one, rooms, lists, schedule, me]

    assert [name for value in with_client(office, story) for name in strangers(value)] == []


def test_refusals_reach_the_official_client_with_their_codes(office: Office, receiver: Receiver) -> None:
    async def refused(job: Coroutine[Any, Any, Any]) -> tuple[int, str]:
        with pytest.raises(ODataError) as caught:
            await job
        assert strangers(caught.value.error) == []
        return caught.value.response_status_code, caught.value.error.code

    async def story(client: GraphServiceClient) -> None:
        other = Subscription(
            change_type="updated",
            resource=f"users/{office.bob['id']}/events",
            notification_url=receiver.url,
            expiration_date_time=NOW + timedelta(hours=2),
        )
        assert await refused(client.subscriptions.post(other)) == (403, "ExtensionError")
        assert await refused(client.me.events.by_event_id("gone").get()) == (404, "ErrorItemNotFound")
        assert await refused(client.users.by_user_id(office.bob["id"]).events.get()) == (403, "ErrorAccessDenied")
        _, link, _ = await delta_pages(client, None)
        office.sim("PUT", "/faults", {"cursorExpired": True})
        assert await refused(client.me.calendar_view.delta.with_url(link).get()) == (410, "resyncRequired")

    with_client(office, story)


def test_throttled_official_client_waits_and_repeats(office: Office) -> None:
    office.sim("PUT", "/faults", {"throttle": {"count": 1, "status": 429, "retryAfter": "1"}})

    async def story(client: GraphServiceClient) -> float:
        began = time.monotonic()
        await client.me.get()
        return time.monotonic() - began

    assert with_client(office, story) >= 1
    assert [one["status"] for one in office.sim("GET", "/requests")["requests"]] == [429, 200]
