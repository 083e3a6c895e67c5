"""A provider's calendar API, in our words. Blocking; called from worker threads; one call in flight per method call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from shared.domain.attendees import Answer
from shared.domain.identity import Provider
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

NOTHING_KNOWN: Mapping[str, KnownEvent] = MappingProxyType({})


class CalendarProvider(Protocol):
    """
    All methods raise RetryableError (busy, limited, away), of which TokenRefusedError asks for a fresh token first, and
    RefusedError (never going to work). None of them sleeps or retries: appointments are the caller's.
    """

    provider: Provider
    max_subscription_ms: int
    """The longest life to ask for, margin included."""

    def look(
        self, access: Access, cursor: str, window: Window, known: Mapping[str, KnownEvent] = NOTHING_KNOWN
    ) -> Look:
        """
        Everything since `cursor` ("": everything in `window`), read to the last page.

        Args:
            access: Whose calendar.
            cursor: Of the last look that was used.
            window: The stretch of time to look at; with a cursor, the one that the cursor was made for.
            known: Event id → what earlier looks found there. A removal of an event that is to be confirmed is reported only
                after the event itself was asked for; one that has moved beyond the window is reported where it is now.

        Raises:
            CursorExpiredError: the cursor is refused; ask again with "".
        """
        ...

    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Make a subscription on the person's own calendar."""
        ...

    def extend(self, access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        """
        Give the subscription a longer life.

        Graph prolongs it (same id); Google makes a new channel, and the caller ends the old one once the new one is recorded.

        Raises:
            SubscriptionGoneError: the provider does not know it any more: subscribe anew and look.
        """
        ...

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        """End it. Already gone counts as done."""
        ...

    def read(self, access: Access, event_id: str) -> LiveMeeting:
        """Read one event live. Raises EventGoneError."""
        ...

    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        """
        Read many dates live, with one request: a page of those that touch `window`, series expanded, by start.

        Args:
            access: Whose calendar.
            window: The same for all pages.
            page: The `next_page` of the page before; "" for the first.
        """
        ...

    def read_series(self, access: Access, event_id: str, window: Window) -> LiveSeries | None:
        """
        Read the series that the date `event_id` belongs to, with those of its dates that touch `window`.

        None: the event is no date of a series. Raises EventGoneError.
        """
        ...

    def swap_room(self, access: Access, event_id: str, declined: str, room: RoomContact) -> Mapping[str, Answer]:
        """
        Replace the room with address `declined` by `room`, in attendees and location; the others' answers are preserved, as far as
        the provider preserves them (beliefs `….answers-survive-patch`).

        Of a series (`LiveSeries.master`) this changes all dates at once, past ones too, but those that were changed for
        themselves (beliefs `microsoft.series-at-once`, `google.series-at-once`).

        Already swapped counts as done. Raises EventGoneError, PreconditionFailedError (changed meanwhile: call again).

        Returns:
            Address → answer, of those who had answered before this change and have not after it.
        """
        ...

    def availability(
        self, access: Access, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """Room address → free, busy or unknown for the whole of that time, by the provider's free/busy."""
        ...

    def busy_times(self, access: Access, rooms: Sequence[str], window: Window) -> Mapping[str, Sequence[Window] | None]:
        """
        Room address → when it is busy in `window`, by the provider's free/busy; None: that is not known.

        Graph tells it in quarters of an hour from the beginning of the window on: a quarter that is busy in part is busy.
        """
        ...

    def agenda(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        """The person's own events that touch `window`, series expanded, cancelled ones left out, by start."""
        ...

    def book(self, access: Access, meeting: NewMeeting) -> str:
        """
        Make the meeting in the person's own calendar, its attendees mailed by the provider; returns the event's id.

        The same `request_id` again makes nothing new and returns the same event.

        Raises:
            CancelledSinceError: it was made before and cancelled since, where the provider remembers (Google).
        """
        ...

    def cancel(self, access: Access, event_id: str) -> None:
        """Delete an event of the person's own, its attendees told by the provider. Already gone counts as done."""
        ...

    def remind(self, access: Access, reminder: NewReminder) -> str:
        """
        Make a reminder in the person's own calendar; returns the event's id.

        The same `request_id` again makes nothing new and returns the same event, or one that was deleted since. `look`,
        `read_page` and `agenda` leave reminders out: they are no meetings.
        """
        ...

    def reminders(self, access: Access, window: Window) -> Mapping[str, str]:
        """Find the reminders that touch `window`: the `request_id` of each, and its event's id. `cancel` removes one."""
        ...

    def directory_rooms(self, access: Access) -> Sequence[DirectoryRoom]:
        """The organisation's meeting rooms, by the provider's directory; needs the grant of `scopes_for(..., room_import=True)`."""
        ...

    def administers_directory(self, access: Access) -> bool:
        """
        Whether the provider's interface for administrators says that the person administers the whole directory.

        False where only a sign-in says it. Needs the grant of `Scopes.administration`.
        """
        ...

    def verified_domains(self, access: Access) -> frozenset[str]:
        """
        The domains of the person's organisation that the provider has verified as its own, lower-cased, without aliases.

        Empty where every sign-in names the one directory. Needs the grant of `Scopes.domains`.
        """
        ...

    def own_addresses(self, access: Access) -> OwnAddresses:
        """
        The addresses that the provider's directory has of the person, by the permissions that connecting asks for.

        Nothing where those give no more than a sign-in says.
        """
        ...

    def close(self) -> None:
        """Release connections; nothing is asked afterwards."""
        ...
