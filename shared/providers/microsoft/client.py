"""`CalendarProvider` on Microsoft Graph: one delta round, one subscription, one event at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.contracts.envelope import read_json
from shared.domain.attendees import Answer, opened_answers
from shared.domain.identity import Provider
from shared.domain.instants import MINUTE_MS, to_rfc3339
from shared.domain.sighting import (
    Access,
    AgendaItem,
    Availability,
    DirectoryRoom,
    KnownEvent,
    LiveMeeting,
    LivePage,
    LiveSeries,
    Look,
    NewMeeting,
    NewReminder,
    OwnAddresses,
    RoomContact,
    Subscription,
    SubscriptionRequest,
    Window,
)
from shared.errors import (
    EventGoneError,
    PreconditionFailedError,
)
from shared.ports.calendar import NOTHING_KNOWN
from shared.providers.failures import Doing
from shared.providers.microsoft import wire
from shared.providers.microsoft.agenda import FIELDS, agenda_item, parse_places, series_of
from shared.providers.microsoft.booking import new_event, utc
from shared.providers.microsoft.delta_rounds import DeltaRounds
from shared.providers.microsoft.graph_reads import PAGE_SIZE, GraphReads, build_request, with_prefer
from shared.providers.microsoft.live_series import parse_series
from shared.providers.microsoft.parse import (
    all_day_series,
    live_meeting,
    parse_availability,
    parse_busy_times,
    parse_live,
    parse_own_addresses,
)
from shared.providers.microsoft.reminders import is_reminder, new_reminder, request_of
from shared.providers.microsoft.rooms import addresses, answers, is_swapped, swap_patch
from shared.providers.microsoft.sdk import (
    CalendarViewRequestBuilder,
    DeltaRequestBuilder,
    EventItemRequestBuilder,
    GraphRoomRequestBuilder,
    InstancesRequestBuilder,
    Method,
    RequestConfiguration,
    RequestInformation,
    UserItemRequestBuilder,
)
from shared.providers.microsoft.subscription_calls import SubscriptionCalls
from shared.providers.microsoft.transport import GraphTransport
from shared.providers.readable import readable, readable_rows

ROOMS_PER_PAGE = 100
MAX_ROOMS = 10_000  # an end, whatever a server that ignores `$skip` goes on answering
SCHEDULES_PER_CALL = 20  # Graph's own limit
BUSY_INTERVAL_MIN = 15  # of a week: a digit for each five minutes would be three times as long an answer
SCHEDULE_INTERVAL_MIN = 5  # the finest that getSchedule knows: a wider one may not exceed the period asked about
_LIVE_FIELDS = (
    "subject", "start", "end", "isAllDay", "originalStartTimeZone", "isCancelled", "isOrganizer", "organizer",
    "attendees", "changeKey", "type", "webLink", "transactionId",
)  # fmt: skip
_Query = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters
_View = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters
_Places = GraphRoomRequestBuilder.GraphRoomRequestBuilderGetQueryParameters
_Instances = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters
_Profile = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters
_Window = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters


class GraphCalendar:
    """The signed-in person's own calendar at Microsoft. Thread-safe; one per process."""

    provider = Provider.MICROSOFT
    max_subscription_ms = 10_065 * MINUTE_MS  # seven days less a quarter of an hour: above seven days is refused

    def __init__(self, base_url: str, timeout_s: float, *, may_write: bool = True) -> None:
        """
        Build the client; nothing is asked yet.

        Args:
            base_url: Graph's address, version included.
            timeout_s: Bounds each request, not a whole look.
            may_write: False: what would change a calendar raises WritesOffError and is not sent.
        """
        self._transport = GraphTransport(base_url, timeout_s, may_write=may_write)
        self._me = self._transport.client.me
        self._reads = GraphReads(self._transport)
        self._rounds = DeltaRounds(self._transport, self._reads)
        self._subscriptions = SubscriptionCalls(self._transport, self._reads)

    @readable
    def look(
        self, access: Access, cursor: str, window: Window, known: Mapping[str, KnownEvent] = NOTHING_KNOWN
    ) -> Look:
        """Read one delta round to its last page, then each series it touches, then what it says is gone."""
        return self._rounds.look(access, cursor, window, known)

    @readable
    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Subscribe to the person's events. One of ours that stands in the way is ended: its client state is old."""
        return self._subscriptions.subscribe(access, wish)

    @readable
    def extend(self, access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        """Move the expiry. Renewing is reauthorising as well: never both within ten minutes."""
        return self._subscriptions.extend(access, subscription, wish)

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        """Delete it; already gone counts as done."""
        self._subscriptions.delete(access, subscription.id)

    @readable
    def read(self, access: Access, event_id: str) -> LiveMeeting:
        """Read one event with its title and attendees' names. Raises EventGoneError."""
        return parse_live(self._reads.read_event(access, event_id, _LIVE_FIELDS))

    @readable
    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        """Read one page of the calendar view; `page` is Graph's next link."""
        builder = self._me.calendar_view
        if page:
            request = builder.with_url(self._reads.follow(page, set())).to_get_request_information()
        else:
            request = self._view_request(window, ["id", *_LIVE_FIELDS])
        found = read_json(self._transport.send(Doing.AGENDA, access, with_prefer(request)), wire.AgendaPage)
        next_page = found.next_link if found.next_link != page else ""
        meetings = [event for event in found.value if not is_reminder(event)]
        return LivePage(tuple(readable_rows(meetings, live_meeting)), next_page or "")

    @readable
    def read_series(self, access: Access, event_id: str, window: Window) -> LiveSeries | None:
        """Read the date, its master and the instances in `window`; those of type `exception` stand apart."""
        fields = ["seriesMasterId", *_LIVE_FIELDS]
        date = read_json(self._reads.read_event(access, event_id, fields), wire.GraphLiveEvent)
        if not date.series_master_id:
            return None
        master = parse_live(self._reads.read_event(access, date.series_master_id, _LIVE_FIELDS))
        return parse_series(
            master, self._reads.list_dates(access, date.series_master_id, window, ["id", *_LIVE_FIELDS])
        )

    @readable
    def swap_room(self, access: Access, event_id: str, declined: str, room: RoomContact) -> Mapping[str, Answer]:
        """Read, replace in attendees and location, write, then read back: Graph documents no `If-Match` for events."""
        event = self._raw_event(access, event_id)
        if is_swapped(event, declined, room):
            return {}
        patch = swap_patch(event, declined, room)
        item = self._me.events.by_event_id(event_id)
        self._transport.send(Doing.EVENT, access, build_request(Method.PATCH, item, patch))
        after = self._raw_event(access, event_id)
        if not (is_swapped(after, declined, room) and addresses(patch) <= addresses(after)):
            message = "the meeting changed while its room was swapped; read it again"
            raise PreconditionFailedError(message)
        return opened_answers(answers(event, but=room), answers(after, but=room))

    @readable
    def availability(
        self, access: Access, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """Free/busy by getSchedule, twenty rooms a call. What Graph does not answer for is unknown."""
        found: dict[str, Availability] = {}
        for answer in self._schedules(access, rooms, Window(start_ms, end_ms), SCHEDULE_INTERVAL_MIN):
            found |= parse_availability(answer)
        return {room: found.get(room.lower(), Availability.UNKNOWN) for room in rooms}

    @readable
    def busy_times(self, access: Access, rooms: Sequence[str], window: Window) -> Mapping[str, Sequence[Window] | None]:
        """Read the schedules of `availability` with a digit for each quarter of an hour."""
        found: dict[str, Sequence[Window] | None] = {}
        for answer in self._schedules(access, rooms, window, BUSY_INTERVAL_MIN):
            found |= parse_busy_times(answer, window, BUSY_INTERVAL_MIN * MINUTE_MS)
        return {room: found.get(room.lower()) for room in rooms}

    def _schedules(self, access: Access, rooms: Sequence[str], window: Window, interval_min: int) -> Iterator[bytes]:
        for first in range(0, len(rooms), SCHEDULES_PER_CALL):
            body = {
                "schedules": list(rooms[first : first + SCHEDULES_PER_CALL]),
                "startTime": utc(window.start_ms),
                "endTime": utc(window.end_ms),
                "availabilityViewInterval": interval_min,
            }
            request = build_request(Method.POST, self._me.calendar.get_schedule, body)
            yield self._transport.send(Doing.AVAILABILITY, access, request)

    @readable
    def agenda(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        """Read the calendar view to its last page, then each series' master once for the name all copies share."""
        events = self._viewed(access, window, FIELDS)
        uids = {series: self._uid(access, series) for series in series_of(events)}
        all_day = all_day_series(events)
        shown = [event for event in events if not (event.is_cancelled or event.is_draft or is_reminder(event))]
        items = readable_rows(shown, lambda event: agenda_item(event, uids, all_day))
        return sorted(items, key=lambda item: (item.start_ms, item.end_ms, item.event_id))

    @readable
    def book(self, access: Access, meeting: NewMeeting) -> str:
        """Create the event; `transactionId` makes Graph drop a repetition and answer with the event that stands."""
        request = build_request(Method.POST, self._me.events, new_event(meeting))
        return read_json(self._transport.send(Doing.BOOKING, access, request), wire.GraphEvent).id

    def cancel(self, access: Access, event_id: str) -> None:
        """Delete it; Graph tells the attendees of an organiser's event."""
        request = with_prefer(self._me.events.by_event_id(event_id).to_delete_request_information())
        try:
            self._transport.send(Doing.EVENT, access, request)
        except EventGoneError:
            return

    @readable
    def remind(self, access: Access, reminder: NewReminder) -> str:
        """Create the event, whose `transactionId` says what it is, and makes Graph drop a repetition."""
        request = build_request(Method.POST, self._me.events, new_reminder(reminder))
        return read_json(self._transport.send(Doing.BOOKING, access, request), wire.GraphEvent).id

    @readable
    def reminders(self, access: Access, window: Window) -> Mapping[str, str]:
        """Read the calendar view to its last page: nothing can be filtered by `transactionId`."""
        events = self._viewed(access, window, ("id", "transactionId"))
        return {request_of(event): event.id for event in events if is_reminder(event)}

    @readable
    def directory_rooms(self, access: Access) -> Sequence[DirectoryRoom]:
        """All rooms, a hundred a page, to the first empty page: next links are reported missing at times."""
        builder = self._transport.client.places.graph_room
        found: dict[str, DirectoryRoom] = {}
        for skip in range(0, MAX_ROOMS, ROOMS_PER_PAGE):
            query = _Places(top=ROOMS_PER_PAGE, skip=skip)
            request = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
            page = parse_places(self._transport.send(Doing.DIRECTORY, access, request))
            found |= {room.address: room for room in page}
            if not page:
                break
        return list(found.values())

    def administers_directory(self, access: Access) -> bool:  # noqa: ARG002 - the port's signature
        """False: at Microsoft each sign-in says it (the claim `wids`), and nothing else is asked."""
        return False

    def verified_domains(self, access: Access) -> frozenset[str]:  # noqa: ARG002 - the port's signature
        """None: each sign-in names the one directory, whatever the domain of the person's address."""
        return frozenset()

    @readable
    def own_addresses(self, access: Access) -> OwnAddresses:
        """
        The person's sign-in name, mail address and aliases.

        `User.Read` gives the signed-in user's full profile (https://learn.microsoft.com/graph/permissions-reference#user-permissions),
        of which `proxyAddresses` is "returned only on $select" (https://learn.microsoft.com/graph/api/resources/user).
        """
        query = _Profile(select=["mail", "userPrincipalName", "proxyAddresses"])
        request = self._me.to_get_request_information(RequestConfiguration(query_parameters=query))
        return parse_own_addresses(self._transport.send(Doing.PROFILE, access, request))

    def close(self) -> None:
        """Stop the background loop."""
        self._transport.close()

    def _viewed(self, access: Access, window: Window, fields: Sequence[str]) -> list[wire.AgendaEvent]:
        builder = self._me.calendar_view
        request = self._view_request(window, list(fields))
        events: list[wire.AgendaEvent] = []
        visited = set[str]()
        while True:
            page = read_json(self._transport.send(Doing.AGENDA, access, with_prefer(request)), wire.AgendaPage)
            events += page.value
            if not page.next_link:
                return events
            request = builder.with_url(self._reads.follow(page.next_link, visited)).to_get_request_information()

    def _view_request(self, window: Window, fields: list[str]) -> RequestInformation:
        query = _View(
            start_date_time=to_rfc3339(window.start_ms),
            end_date_time=to_rfc3339(window.end_ms),
            select=fields,
            orderby=["start/dateTime"],
            top=PAGE_SIZE,
        )
        return self._me.calendar_view.to_get_request_information(RequestConfiguration(query_parameters=query))

    def _uid(self, access: Access, series: str) -> str:
        try:
            return read_json(self._reads.read_event(access, series, ["iCalUId"]), wire.GraphEvent).i_cal_uid or ""
        except EventGoneError:
            return ""  # invited to single dates: there is no series to read

    def _raw_event(self, access: Access, event_id: str) -> dict[str, Any]:
        fields = ["isCancelled", "isOrganizer", "attendees", "location", "locations", "changeKey"]
        return read_json(self._reads.read_event(access, event_id, fields), dict[str, Any])
