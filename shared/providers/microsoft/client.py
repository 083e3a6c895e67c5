"""`CalendarProvider` on Microsoft Graph: one delta round, one subscription, one event at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from shared.contracts.envelope import read_json
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
    Look,
    NewMeeting,
    OwnAddresses,
    RoomContact,
    Seen,
    SeenEvent,
    SeenRemoval,
    Subscription,
    SubscriptionRequest,
    Window,
)
from shared.errors import (
    ConflictError,
    CursorExpiredError,
    EventGoneError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    SubscriptionGoneError,
)
from shared.ports.calendar import NOTHING_KNOWN
from shared.providers.failures import Doing
from shared.providers.microsoft import wire
from shared.providers.microsoft.agenda import FIELDS, agenda_item, parse_places, series_of
from shared.providers.microsoft.booking import new_event, utc
from shared.providers.microsoft.parse import (
    SEEN_FIELDS,
    all_day_series,
    latest,
    live_meeting,
    parse_availability,
    parse_live,
    parse_own_addresses,
    parse_page,
    read_events,
)
from shared.providers.microsoft.rooms import addresses, is_swapped, swap_patch
from shared.providers.microsoft.sdk import (
    BaseRequestBuilder,
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
from shared.providers.microsoft.series import to_confirm, touched_series, with_series
from shared.providers.microsoft.subscriptions import is_ours, read_subscription, subscription_body
from shared.providers.microsoft.transport import GraphTransport
from shared.providers.readable import readable, readable_rows

PAGE_SIZE = 100
ROOMS_PER_PAGE = 100
MAX_ROOMS = 10_000  # an end, whatever a server that ignores `$skip` goes on answering
SCHEDULES_PER_CALL = 20  # Graph's own limit
SCHEDULE_INTERVAL_MIN = 5  # the finest that getSchedule knows: a wider one may not exceed the period asked about
_LIVE_FIELDS = (
    "subject", "start", "end", "isAllDay", "originalStartTimeZone", "isCancelled", "isOrganizer", "organizer",
    "attendees", "changeKey", "type", "webLink",
)  # fmt: skip
_PREFER = ('IdType="ImmutableId"', 'outlook.timezone="UTC"')
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
        self._subscriptions = self._transport.client.subscriptions

    @readable
    def look(
        self, access: Access, cursor: str, window: Window, known: Mapping[str, KnownEvent] = NOTHING_KNOWN
    ) -> Look:
        """Read one delta round to its last page, then each series it touches, then what it says is gone."""
        events, delta_link = self._round(access, cursor, window)
        all_day = {event_id for event_id, event in known.items() if event.is_master and event.all_day}
        seen = latest(list(read_events(events, all_day)))
        full = not cursor
        series = {
            master: self._dates(access, master, window, all_day_series(events, all_day))
            for master in touched_series(seen, known, window, full=full)
        }
        whole = with_series(seen, series, known)
        ended = [master for master, dates in series.items() if dates is None]
        for event_id in to_confirm(whole, known, window, full=full):
            whole.append(self._where_it_is_now(access, event_id, all_day))
        return Look(latest([*whole, *self._masters(access, whole, known, ended)]), delta_link, full=full)

    @readable
    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Subscribe to the person's events. One of ours that stands in the way is ended: its client state is old."""
        try:
            return self._create(access, wish)
        except ConflictError:
            self._end_ours(access)
        try:
            return self._create(access, wish)
        except ConflictError as error:
            message = f"Graph still sees an older subscription: {error}"
            raise RetryableError(
                message, provider_status=error.provider_status, provider_code=error.provider_code
            ) from error

    @readable
    def extend(self, access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        """Move the expiry. Renewing is reauthorising as well: never both within ten minutes."""
        item = self._subscriptions.by_subscription_id(subscription.id)
        body = {"expirationDateTime": to_rfc3339(wish.expires_at_ms)}
        return read_subscription(self._transport.send(Doing.SUBSCRIPTION, access, _request(Method.PATCH, item, body)))

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        """Delete it; already gone counts as done."""
        self._delete(access, subscription.id)

    @readable
    def read(self, access: Access, event_id: str) -> LiveMeeting:
        """Read one event with its title and attendees' names. Raises EventGoneError."""
        return parse_live(self._event(access, event_id, list(_LIVE_FIELDS)))

    @readable
    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        """Read one page of the calendar view; `page` is Graph's next link."""
        builder = self._me.calendar_view
        if page:
            request = builder.with_url(self._followed(page, set())).to_get_request_information()
        else:
            request = self._view_request(window, ["id", *_LIVE_FIELDS])
        found = read_json(self._transport.send(Doing.AGENDA, access, _with_prefer(request)), wire.AgendaPage)
        next_page = found.next_link if found.next_link != page else ""
        return LivePage(tuple(readable_rows(found.value, live_meeting)), next_page or "")

    @readable
    def swap_room(self, access: Access, event_id: str, declined: str, room: RoomContact) -> None:
        """Read, replace in attendees and location, write, then read back: Graph documents no `If-Match` for events."""
        event = self._raw_event(access, event_id)
        if is_swapped(event, declined, room):
            return
        patch = swap_patch(event, declined, room)
        item = self._me.events.by_event_id(event_id)
        self._transport.send(Doing.EVENT, access, _request(Method.PATCH, item, patch))
        after = self._raw_event(access, event_id)
        if not (is_swapped(after, declined, room) and addresses(patch) <= addresses(after)):
            message = "the meeting changed while its room was swapped; read it again"
            raise PreconditionFailedError(message)

    @readable
    def availability(
        self, access: Access, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """Free/busy by getSchedule, twenty rooms a call. What Graph does not answer for is unknown."""
        found: dict[str, Availability] = {}
        for first in range(0, len(rooms), SCHEDULES_PER_CALL):
            batch = rooms[first : first + SCHEDULES_PER_CALL]
            body = {
                "schedules": list(batch),
                "startTime": utc(start_ms),
                "endTime": utc(end_ms),
                "availabilityViewInterval": SCHEDULE_INTERVAL_MIN,
            }
            request = _request(Method.POST, self._me.calendar.get_schedule, body)
            found |= parse_availability(self._transport.send(Doing.AVAILABILITY, access, request))
        return {room: found.get(room.lower(), Availability.UNKNOWN) for room in rooms}

    @readable
    def agenda(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        """Read the calendar view to its last page, then each series' master once for the name all copies share."""
        events = self._viewed(access, window)
        uids = {series: self._uid(access, series) for series in series_of(events)}
        all_day = all_day_series(events)
        shown = [event for event in events if not (event.is_cancelled or event.is_draft)]
        items = readable_rows(shown, lambda event: agenda_item(event, uids, all_day))
        return sorted(items, key=lambda item: (item.start_ms, item.end_ms, item.event_id))

    @readable
    def book(self, access: Access, meeting: NewMeeting) -> str:
        """Create the event; `transactionId` makes Graph drop a repetition and answer with the event that stands."""
        request = _request(Method.POST, self._me.events, new_event(meeting))
        return read_json(self._transport.send(Doing.BOOKING, access, request), wire.GraphEvent).id

    def cancel(self, access: Access, event_id: str) -> None:
        """Delete it; Graph tells the attendees of an organiser's event."""
        request = _with_prefer(self._me.events.by_event_id(event_id).to_delete_request_information())
        try:
            self._transport.send(Doing.EVENT, access, request)
        except EventGoneError:
            return

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

    def _round(self, access: Access, cursor: str, window: Window) -> tuple[list[wire.GraphEvent], str]:
        """One delta round to its last page, and its delta link. Empty pages with a next link are ordinary."""
        events: list[wire.GraphEvent] = []
        link, visited = cursor, set[str]()
        if cursor and not self._transport.owns(cursor):
            message = "the cursor belongs to another Graph address; a full look makes a new one"
            raise CursorExpiredError(message)
        while True:
            page = parse_page(self._transport.send(Doing.LOOK, access, self._page_request(link, window)))
            events += page.events
            if not page.next_link:
                break
            link = self._followed(page.next_link, visited)
        if not page.delta_link:
            message = "the last page of a delta round has no delta link; looking again later"
            raise RetryableError(message)
        return events, self._followed(page.delta_link, visited)

    def _dates(
        self, access: Access, master: str, window: Window, all_day: Mapping[str, bool]
    ) -> Sequence[SeenEvent] | None:
        """The dates of a series in the window; None when Graph does not know it any more."""
        builder = self._me.events.by_event_id(master).instances
        query = _Instances(
            start_date_time=to_rfc3339(window.start_ms), end_date_time=to_rfc3339(window.end_ms),
            select=list(SEEN_FIELDS), top=PAGE_SIZE,
        )  # fmt: skip
        request = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
        events: list[wire.GraphEvent] = []
        visited = set[str]()
        while True:
            try:
                body = self._transport.send(Doing.EVENT, access, _with_prefer(request))
            except EventGoneError:
                return None
            page = read_json(body, wire.InstancePage)
            events += page.value
            if not page.next_link:
                break
            request = builder.with_url(self._followed(page.next_link, visited)).to_get_request_information()
        known = {master} if all_day.get(master) else set[str]()
        return [item for item in read_events(events, known) if isinstance(item, SeenEvent) and not item.cancelled]

    def _where_it_is_now(self, access: Access, event_id: str, all_day: Collection[str]) -> Seen:
        """The event by its id: a removal in delta says only that it is not in the window any more."""
        try:
            event = read_json(self._event(access, event_id, list(SEEN_FIELDS)), wire.GraphEvent)
        except EventGoneError:
            return SeenRemoval(event_id)
        (found,) = read_events([event], all_day)
        return SeenRemoval(event_id) if isinstance(found, SeenRemoval) or found.cancelled else found

    def _masters(
        self, access: Access, seen: Sequence[Seen], known: Mapping[str, KnownEvent], ended: Collection[str]
    ) -> list[Seen]:
        """The masters of dates that came without one: it alone carries the name that all copies share."""
        dated = {item.master_id for item in seen if isinstance(item, SeenEvent)} - {""}
        missing = dated - {item.event_id for item in seen} - known.keys() - set(ended)
        return [self._where_it_is_now(access, master, ()) for master in sorted(missing)]

    def _viewed(self, access: Access, window: Window) -> list[wire.AgendaEvent]:
        builder = self._me.calendar_view
        request = self._view_request(window, list(FIELDS))
        events: list[wire.AgendaEvent] = []
        visited = set[str]()
        while True:
            page = read_json(self._transport.send(Doing.AGENDA, access, _with_prefer(request)), wire.AgendaPage)
            events += page.value
            if not page.next_link:
                return events
            request = builder.with_url(self._followed(page.next_link, visited)).to_get_request_information()

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
            return read_json(self._event(access, series, ["iCalUId"]), wire.GraphEvent).i_cal_uid or ""
        except EventGoneError:
            return ""  # invited to single dates: there is no series to read

    def _page_request(self, link: str, window: Window) -> RequestInformation:
        builder = self._me.calendar_view.delta
        if link:
            request = builder.with_url(link).to_get_request_information()
        else:
            times = _Window(start_date_time=to_rfc3339(window.start_ms), end_date_time=to_rfc3339(window.end_ms))
            request = builder.to_get_request_information(RequestConfiguration(query_parameters=times))
        # The SDK sends none with a link; the page size would otherwise fall back to ten.
        return _with_prefer(request, f"odata.maxpagesize={PAGE_SIZE}")

    def _followed(self, link: str, visited: set[str]) -> str:
        if not self._transport.owns(link):
            message = f"Graph's answer links to another address ({link.partition('?')[0][:120]}); not followed"
            raise RefusedError(message)
        if link in visited:
            message = "a delta round leads back to a page already read; looking again later"
            raise RetryableError(message)
        visited.add(link)
        return link

    def _create(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        request = _request(Method.POST, self._subscriptions, subscription_body(wish))
        return read_subscription(self._transport.send(Doing.SUBSCRIBING, access, request))

    def _end_ours(self, access: Access) -> None:
        request = _with_prefer(self._subscriptions.to_get_request_information())
        while True:
            page = read_json(self._transport.send(Doing.SUBSCRIBING, access, request), wire.SubscriptionPage)
            for found in page.value:
                if is_ours(found, access.subject):
                    self._delete(access, found.id)
            if not page.next_link:
                return
            link = self._followed(page.next_link, set())
            request = self._subscriptions.with_url(link).to_get_request_information()

    def _delete(self, access: Access, subscription_id: str) -> None:
        request = self._subscriptions.by_subscription_id(subscription_id).to_delete_request_information()
        try:
            self._transport.send(Doing.SUBSCRIPTION, access, request)
        except SubscriptionGoneError:
            return

    def _raw_event(self, access: Access, event_id: str) -> dict[str, Any]:
        fields = ["isCancelled", "isOrganizer", "attendees", "location", "locations", "changeKey"]
        return read_json(self._event(access, event_id, fields), dict[str, Any])

    def _event(self, access: Access, event_id: str, fields: list[str]) -> bytes:
        builder = self._me.events.by_event_id(event_id)
        request = builder.to_get_request_information(RequestConfiguration(query_parameters=_Query(select=fields)))
        return self._transport.send(Doing.EVENT, access, _with_prefer(request))


def _request(method: Method, builder: BaseRequestBuilder, body: Mapping[str, Any]) -> RequestInformation:
    """The builder's path with a body of ours: the SDK's models would cost 4 ms of CPU each."""
    request = RequestInformation(method, builder.url_template, builder.path_parameters)
    request.headers.try_add("Accept", "application/json")
    request.set_stream_content(msgspec.json.encode(body), "application/json")
    return _with_prefer(request)


def _with_prefer(request: RequestInformation, *more: str) -> RequestInformation:
    for value in (*_PREFER, *more):
        request.headers.add("Prefer", value)
    return request
