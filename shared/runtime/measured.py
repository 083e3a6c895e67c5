"""Calendar providers that count and time what is asked of them; what they answer passes unchanged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from shared.domain.attendees import Answer
from shared.domain.identity import Provider
from shared.domain.instants import SECOND_MS
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
    ConsentRevokedError,
    CursorExpiredError,
    EventGoneError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    SubscriptionGoneError,
)
from shared.grants.refusals import Opened
from shared.ports.calendar import NOTHING_KNOWN, CalendarProvider
from shared.runtime import metrics
from shared.runtime.logging import get_logger

_log = get_logger()
_OUTCOMES: Mapping[type[Exception], str] = {
    RetryableError: "busy",
    ConsentRevokedError: "revoked",
    CursorExpiredError: "expired",
    SubscriptionGoneError: "gone",
    EventGoneError: "gone",
    PreconditionFailedError: "conflict",
    RefusedError: "refused",
}


class MeasuredProviders(Mapping[Provider, CalendarProvider]):
    """The catalogue, each of its providers measured. As lazy as the catalogue itself."""

    def __init__(self, catalogue: Mapping[Provider, CalendarProvider]) -> None:
        """`catalogue` makes a provider when it is first asked for."""
        self._catalogue = catalogue

    def __getitem__(self, provider: Provider) -> CalendarProvider:
        return MeasuredCalendar(self._catalogue[provider])

    def __contains__(self, provider: object) -> bool:
        return provider in self._catalogue

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._catalogue)

    def __len__(self) -> int:
        return len(self._catalogue)


class MeasuredCalendar:
    """See `shared.ports.calendar.CalendarProvider`."""

    def __init__(self, calendar: CalendarProvider) -> None:
        self._calendar = calendar
        self.provider = calendar.provider
        self.max_subscription_ms = calendar.max_subscription_ms

    def look(
        self, access: Access, cursor: str, window: Window, known: Mapping[str, KnownEvent] = NOTHING_KNOWN
    ) -> Look:
        """All pages count as one call."""
        with _measured(self.provider, "look"):
            return self._calendar.look(access, cursor, window, known)

    def subscribe(self, access: Access, wish: SubscriptionRequest) -> Subscription:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "subscribe"):
            return self._calendar.subscribe(access, wish)

    def extend(self, access: Access, subscription: Subscription, wish: SubscriptionRequest) -> Subscription:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "extend"):
            return self._calendar.extend(access, subscription, wish)

    def unsubscribe(self, access: Access, subscription: Subscription) -> None:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "unsubscribe"):
            self._calendar.unsubscribe(access, subscription)

    def read(self, access: Access, event_id: str) -> LiveMeeting:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "read"):
            return self._calendar.read(access, event_id)

    def read_page(self, access: Access, window: Window, page: str = "") -> LivePage:
        """Each page counts as a call."""
        with _measured(self.provider, "read_page"):
            return self._calendar.read_page(access, window, page)

    def read_series(self, access: Access, event_id: str, window: Window) -> LiveSeries | None:
        """All that is read of a series counts as one call."""
        with _measured(self.provider, "read_series"):
            return self._calendar.read_series(access, event_id, window)

    def swap_room(self, access: Access, event_id: str, declined: str, room: RoomContact) -> Mapping[str, Answer]:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "swap_room"):
            return self._calendar.swap_room(access, event_id, declined, room)

    def availability(
        self, access: Access, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "availability"):
            return self._calendar.availability(access, rooms, start_ms, end_ms)

    def busy_times(self, access: Access, rooms: Sequence[str], window: Window) -> Mapping[str, Sequence[Window] | None]:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "busy_times"):
            return self._calendar.busy_times(access, rooms, window)

    def agenda(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        """All pages count as one call."""
        with _measured(self.provider, "agenda"):
            return self._calendar.agenda(access, window)

    def book(self, access: Access, meeting: NewMeeting) -> str:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "book"):
            return self._calendar.book(access, meeting)

    def cancel(self, access: Access, event_id: str) -> None:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "cancel"):
            self._calendar.cancel(access, event_id)

    def remind(self, access: Access, reminder: NewReminder) -> str:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "remind"):
            return self._calendar.remind(access, reminder)

    def reminders(self, access: Access, window: Window) -> Mapping[str, str]:
        """All pages count as one call."""
        with _measured(self.provider, "reminders"):
            return self._calendar.reminders(access, window)

    def directory_rooms(self, access: Access) -> Sequence[DirectoryRoom]:
        """All pages count as one call."""
        with _measured(self.provider, "directory_rooms"):
            return self._calendar.directory_rooms(access)

    def administers_directory(self, access: Access) -> bool:
        """Call the wrapped provider and record the duration and the outcome."""
        with _measured(self.provider, "administers_directory"):
            return self._calendar.administers_directory(access)

    def verified_domains(self, access: Access) -> frozenset[str]:
        """As the port says."""
        with _measured(self.provider, "verified_domains"):
            return self._calendar.verified_domains(access)

    def own_addresses(self, access: Access) -> OwnAddresses:
        """As the port says."""
        with _measured(self.provider, "own_addresses"):
            return self._calendar.own_addresses(access)

    def close(self) -> None:
        """See the port."""
        self._calendar.close()


@contextmanager
def _measured(provider: Provider, operation: str) -> Iterator[None]:
    began_s = time.perf_counter()
    outcome = "ok"
    try:
        yield
    except Exception as error:
        outcome = next((_OUTCOMES[kind] for kind in type(error).__mro__ if kind in _OUTCOMES), "error")
        raise
    finally:
        metrics.PROVIDER_CALLS.labels(provider, operation, outcome).inc()
        metrics.PROVIDER_SECONDS.labels(provider, operation).observe(time.perf_counter() - began_s)


def refusal_circuits(provider: str, count: int, opened: Sequence[Opened]) -> None:
    """Show how many circuits of the provider are open in this process, and log each that opens: whose, why, and for how long."""
    metrics.REFUSAL_CIRCUITS_OPEN.labels(provider).set(count)
    for each in opened:
        _log.error(
            "grants_refused_at_once",
            provider=provider,
            tenant=each.tenant or "all",
            provider_error=each.code,
            asked_again_in_s=each.pause_ms // SECOND_MS,
        )
