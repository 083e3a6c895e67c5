"""`CalendarProvider` on Google Calendar: one sync round, one channel, one event at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.domain.attendees import Answer, opened_answers
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, to_rfc3339
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
    Seen,
    Subscription,
    SubscriptionRequest,
    Window,
)
from shared.errors import (
    CancelledSinceError,
    ConflictError,
    EventGoneError,
    RetryableError,
    SubscriptionGoneError,
)
from shared.ports.calendar import NOTHING_KNOWN
from shared.providers.failures import Doing
from shared.providers.google.agenda import agenda_item, parse_reminders, parse_resources
from shared.providers.google.booking import new_event
from shared.providers.google.live_series import parse_series
from shared.providers.google.parse import (
    latest,
    parse_availability,
    parse_busy_times,
    parse_channel,
    parse_listed,
    parse_live,
    parse_page,
)
from shared.providers.google.reminders import KIND, KIND_VALUE, new_reminder
from shared.providers.google.rooms import answers, is_swapped, swap_patch
from shared.providers.google.transport import GoogleTransport
from shared.providers.readable import readable, readable_rows

CALENDAR = "primary"
RESOURCES_PER_PAGE = 500
CALENDARS_PER_CALL = 50  # Google's own limit
# A sync token is bound to these: changing one makes every stored token undefined.
_FROZEN = {
    "calendarId": CALENDAR,
    "singleEvents": True,
    "showDeleted": True,
    "maxResults": 250,
    "eventTypes": "default",
}
_AGENDA = {
    "calendarId": CALENDAR,
    "singleEvents": True,
    "orderBy": "startTime",
    "maxResults": 250,
    "eventTypes": "default",
}


class GoogleCalendar:
    """The signed-in person's own calendar at Google. Thread-safe; one per process."""

    provider = Provider.GOOGLE
    max_subscription_ms = 7 * DAY_MS  # no maximum is published: the answer's expiry is what counts

    def __init__(self, base_url: str, timeout_s: float, directory_url: str = "", *, may_write: bool = True) -> None:
        """
        Build the clients; nothing is asked yet.

        Args:
            base_url: Calendar's address, service path included.
            timeout_s: Bounds each request, not a whole look.
            directory_url: The Directory API's root, for `directory_rooms`.
            may_write: False: what would change a calendar raises WritesOffError and is not sent.
        """
        self._transport = GoogleTransport(base_url, timeout_s, directory_url, may_write=may_write)
        self._service = self._transport.service

    @readable
    def look(
        self, access: Access, cursor: str, window: Window, known: Mapping[str, KnownEvent] = NOTHING_KNOWN
    ) -> Look:
        """Read one sync round to its last page, which alone carries the next cursor. Google names what was deleted."""
        first = {"syncToken": cursor} if cursor else _times(window)
        seen: list[Seen] = []
        token, visited = "", set[str]()
        while True:
            # By hand: `list_next` refuses URLs with a repeated parameter.
            query = {**_FROZEN, **first, **({"pageToken": token} if token else {})}
            answer = self._transport.send(Doing.LOOK, access, self._service.events().list(**query))
            page = parse_page(answer, window, known)
            seen += page.seen
            if not page.next_page:
                break
            token = page.next_page
            if token in visited:
                message = "a sync round leads back to a page already read; looking again later"
                raise RetryableError(message)
            visited.add(token)
        if not page.sync_token:
            message = "the last page of a sync round has no sync token; looking again later"
            raise RetryableError(message)
        return Look(latest(seen), page.sync_token, full=not cursor)

    @readable
    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Open a channel under the wished id, which must never have been used before."""
        body = {
            "id": wish.channel_id,
            "type": "web_hook",
            "address": wish.notification_url,
            "token": wish.client_state,
            "expiration": str(wish.expires_at_ms),
        }
        # Without eventTypes: one system in production added it to its watches and took it out again.
        request = self._service.events().watch(calendarId=CALENDAR, body=body)
        return parse_channel(self._transport.send(Doing.SUBSCRIBING, access, request), wish.expires_at_ms)

    @readable
    def extend(
        self,
        access: Access,
        subscription: Subscription,  # noqa: ARG002 - Google cannot prolong a channel: the caller ends this one afterwards
        wish: SubscriptionRequest,
    ) -> Subscription:
        """Open another channel beside the old one; both deliver until the caller ends the old one."""
        return self.subscribe(access, wish)

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        """Stop the channel; unknown, expired or stopped counts as done."""
        body = {"id": subscription.id, "resourceId": subscription.resource_id}
        try:
            self._transport.send(Doing.SUBSCRIPTION, access, self._service.channels().stop(body=body))
        except SubscriptionGoneError:
            return

    @readable
    def read(self, access: Access, event_id: str) -> LiveMeeting:
        """Read one event with its title and attendees' names. Raises EventGoneError."""
        return parse_live(self._event(access, event_id))

    @readable
    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        """Read one page of the list of dates."""
        items, next_page = self._listed(access, window, page)
        meetings = tuple(filter(None, readable_rows(items, parse_listed)))
        return LivePage(meetings, next_page if next_page != page else "")

    @readable
    def read_series(self, access: Access, event_id: str, window: Window) -> LiveSeries | None:
        """Read the date, its recurring event and the instances in `window`."""
        series_id = str(self._event(access, event_id).get("recurringEventId") or "")
        if not series_id:
            return None
        return parse_series(self._event(access, series_id), self._instances(access, series_id, window))

    @readable
    def swap_room(self, access: Access, event_id: str, declined: str, room: RoomContact) -> Mapping[str, Answer]:
        """Read, merge, and write only over the version that was read (`If-Match`)."""
        event = self._event(access, event_id)
        if is_swapped(event, declined, room):
            return {}
        patch = swap_patch(event, declined, room)
        request = self._service.events().patch(calendarId=CALENDAR, eventId=event_id, body=patch, sendUpdates="all")
        request.headers["If-Match"] = str(event.get("etag") or "*")
        after = self._transport.send(Doing.EVENT, access, request)
        after = after if isinstance(after, dict) else {}
        return opened_answers(answers(event, but=room), answers(after, but=room))

    @readable
    def availability(
        self, access: Access, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """Free/busy, fifty rooms a call. What Google does not answer for is unknown."""
        found: dict[str, Availability] = {}
        for answer in self._free_busy(access, rooms, Window(start_ms, end_ms)):
            found |= parse_availability(answer, start_ms, end_ms)
        return {room: found.get(room.lower(), Availability.UNKNOWN) for room in rooms}

    @readable
    def busy_times(self, access: Access, rooms: Sequence[str], window: Window) -> Mapping[str, Sequence[Window] | None]:
        """Free/busy as for `availability`; Google tells each stretch to the second."""
        found: dict[str, Sequence[Window] | None] = {}
        for answer in self._free_busy(access, rooms, window):
            found |= parse_busy_times(answer)
        return {room: found.get(room.lower()) for room in rooms}

    def _free_busy(self, access: Access, rooms: Sequence[str], window: Window) -> Iterator[Any]:
        for first in range(0, len(rooms), CALENDARS_PER_CALL):
            batch = rooms[first : first + CALENDARS_PER_CALL]
            body = {**_times(window), "timeZone": "UTC", "items": [{"id": room} for room in batch]}
            yield self._transport.send(Doing.AVAILABILITY, access, self._service.freebusy().query(body=body))

    @readable
    def agenda(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        """Read the list of dates to its last page."""
        items: list[AgendaItem] = []
        token, visited = "", set[str]()
        while True:
            rows, token = self._listed(access, window, token)
            items += filter(None, readable_rows(rows, agenda_item))
            if not token or token in visited:
                return sorted(items, key=lambda item: (item.start_ms, item.end_ms, item.event_id))
            visited.add(token)

    @readable
    def book(self, access: Access, meeting: NewMeeting) -> str:
        """Insert the event under an id derived from the wish; one that stands already is the same wish, sent again."""
        body = new_event(meeting)
        request = self._service.events().insert(calendarId=CALENDAR, body=body, sendUpdates="all")
        try:
            self._transport.send(Doing.BOOKING, access, request)
        except ConflictError as error:
            if self._event(access, str(body["id"])).get("status") == "cancelled":
                message = "this very meeting was made before and has been cancelled since; make a new one"
                raise CancelledSinceError(
                    message, provider_status=error.provider_status, provider_code=error.provider_code
                ) from error
        return str(body["id"])

    def cancel(self, access: Access, event_id: str) -> None:
        """Delete it and tell the attendees."""
        request = self._service.events().delete(calendarId=CALENDAR, eventId=event_id, sendUpdates="all")
        try:
            self._transport.send(Doing.EVENT, access, request)
        except EventGoneError:
            return

    @readable
    def remind(self, access: Access, reminder: NewReminder) -> str:
        """Insert the event under an id derived from the wish, and tell nobody; one that was ever made counts as made."""
        body = new_reminder(reminder)
        request = self._service.events().insert(calendarId=CALENDAR, body=body, sendUpdates="none")
        with contextlib.suppress(ConflictError):
            self._transport.send(Doing.BOOKING, access, request)
        return str(body["id"])

    @readable
    def reminders(self, access: Access, window: Window) -> Mapping[str, str]:
        """List by the private property that only reminders have."""
        found: dict[str, str] = {}
        token, visited = "", set[str]()
        while token not in visited:
            visited.add(token)
            rows, token = self._listed(access, window, token, privateExtendedProperty=f"{KIND}={KIND_VALUE}")
            found |= parse_reminders(rows)
            if not token:
                break
        return found

    @readable
    def directory_rooms(self, access: Access) -> Sequence[DirectoryRoom]:
        """All rooms of the customer, as an administrator may list them."""
        found: list[DirectoryRoom] = []
        token, visited = "", set[str]()
        while token not in visited:
            visited.add(token)
            more = {"pageToken": token} if token else {}
            request = (
                self._transport.directory.resources()
                .calendars()
                .list(customer="my_customer", maxResults=RESOURCES_PER_PAGE, **more)
            )
            rooms, token = parse_resources(self._transport.send(Doing.DIRECTORY, access, request))
            found += rooms
            if not token:
                break
        return found

    @readable
    def administers_directory(self, access: Access) -> bool:
        """
        Whether the person is a super administrator of their Google Workspace.

        `users.get` in its ordinary view answers administrators alone, and `isAdmin` "indicates a user with super administrator
        privileges"; delegated administrators have `isDelegatedAdmin`. Source:
        https://developers.google.com/workspace/admin/directory/reference/rest/v1/users and …/users/get
        """
        request = self._transport.directory.users().get(userKey=access.subject, fields="id,isAdmin,suspended")
        found = self._transport.send(Doing.DIRECTORY, access, request)
        if not isinstance(found, dict) or found.get("id") != access.subject:
            return False
        return found.get("isAdmin") is True and found.get("suspended") is not True

    @readable
    def verified_domains(self, access: Access) -> frozenset[str]:
        """
        The primary and secondary domains of the caller's Google Workspace, as its administrators may list them.

        Of a domain that somebody has entered there and not shown to own, `verified` is false. Nobody's account is of a domain
        alias. Source: https://developers.google.com/workspace/admin/directory/reference/rest/v1/domains
        """
        request = self._transport.directory.domains().list(customer="my_customer")
        found = self._transport.send(Doing.DIRECTORY, access, request)
        listed = found.get("domains") if isinstance(found, dict) else None
        domains = [each for each in listed or () if isinstance(each, dict) and each.get("verified") is True]
        return frozenset(str(each.get("domainName") or "").lower() for each in domains) - {""}

    def own_addresses(self, access: Access) -> OwnAddresses:  # noqa: ARG002 - the port's signature
        """
        Nothing: what connecting asks for shows no other address than the sign-in does.

        The People API gives aliases with `user.emails.read` alone (https://developers.google.com/people/api/rest/v1/people/get).
        An alias that somebody is invited by is learnt from their own calendar: there their entry is marked `self`.
        """
        return OwnAddresses()

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _listed(self, access: Access, window: Window, page: str, **more: str) -> tuple[Sequence[Any], str]:
        """One page of the list of dates, not read yet, and the token of the next."""
        query = {**_AGENDA, **_times(window), **more, **({"pageToken": page} if page else {})}
        answer = self._transport.send(Doing.AGENDA, access, self._service.events().list(**query))
        found = answer if isinstance(answer, dict) else {}
        return found.get("items") or (), str(found.get("nextPageToken") or "")

    def _instances(self, access: Access, series_id: str, window: Window) -> list[dict[str, Any]]:
        """The dates of a recurring event, to the last page."""
        found: list[dict[str, Any]] = []
        token, visited = "", set[str]()
        while token not in visited:
            visited.add(token)
            more = {"pageToken": token} if token else {}
            request = self._service.events().instances(
                calendarId=CALENDAR, eventId=series_id, maxResults=_FROZEN["maxResults"], **_times(window), **more
            )
            answer = self._transport.send(Doing.EVENT, access, request)
            found += [item for item in answer.get("items") or () if isinstance(item, dict)]
            token = str(answer.get("nextPageToken") or "")
            if not token:
                break
        return found

    def _event(self, access: Access, event_id: str) -> dict[str, Any]:
        request = self._service.events().get(calendarId=CALENDAR, eventId=event_id)
        answer = self._transport.send(Doing.EVENT, access, request)
        return answer if isinstance(answer, dict) else {}


def _times(window: Window) -> dict[str, str]:
    return {"timeMin": to_rfc3339(window.start_ms), "timeMax": to_rfc3339(window.end_ms)}
