"""The channel calendar: a private, free event in the person's own calendar that reminds them now and is removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from services.notifier.channels.composition import LISTED, plain_name, when_words
from services.notifier.channels.port import Notice, ReminderEnd, SendAttempt, Sending, SendOutcome
from services.notifier.deciding.rungs import CALENDAR
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.sighting import Access, NewReminder, Window
from shared.errors import (
    ConsentRevokedError,
    KeyDestroyedError,
    MalformedRecordError,
    RefusedError,
    RetryableError,
    StoreUnavailableError,
)
from shared.grants.broker import ConsentBroker
from shared.language.catalogues import catalogue_for
from shared.language.deciding.sentences import say, say_many, translate
from shared.ports.calendar import CalendarProvider

LASTS_MS = 5 * MINUTE_MS
T = TypeVar("T")


class CalendarSender:
    """Writes to people's own calendars with their own grants. Thread-safe."""

    name = CALENDAR

    def __init__(self, broker: ConsentBroker, providers: Mapping[Provider, CalendarProvider]) -> None:
        """Ask nothing yet."""
        self._broker = broker
        self._providers = providers

    def send(self, notice: Sending) -> SendAttempt:
        """Make the event of a notice, or remove one, once."""
        if isinstance(notice, ReminderEnd):
            return self._attempt(notice.calendar, lambda calendar, access: _end(calendar, access, notice))
        if not isinstance(notice, Notice) or notice.calendar is None:
            message = "administrators are told by mail, and every notice for a calendar says whose it is"
            raise TypeError(message)
        wish = compose_reminder(notice)
        return self._attempt(
            notice.calendar,
            lambda calendar, access: SendAttempt(SendOutcome.ACCEPTED, event=calendar.remind(access, wish)),
        )

    def _attempt(self, mailbox: Mailbox, call: Callable[[CalendarProvider, Access], SendAttempt]) -> SendAttempt:
        """What came of a call in the name of the mailbox's person; only what the calendar itself refuses is for good."""
        try:
            calendar = self._providers[self._broker.provider_of(mailbox)]
            return self._broker.using(mailbox, lambda access: _refusable(lambda: call(calendar, access)))
        except ConsentRevokedError as error:
            return SendAttempt(SendOutcome.LATER, f"no-grant {error.code}".strip())
        except RetryableError as error:
            return SendAttempt(SendOutcome.LATER, type(error).__name__, error.retry_after_s or 0.0)
        except (RefusedError, StoreUnavailableError, KeyDestroyedError, MalformedRecordError) as error:
            return SendAttempt(SendOutcome.LATER, type(error).__name__)


def compose_reminder(notice: Notice) -> NewReminder:
    """The event that tells of `notice`, from the next full minute: a title without content, rooms, hours and links."""
    count = len(notice.lines)
    more = count - LISTED
    catalogue = catalogue_for(notice.manner)
    lines = [
        f"{plain_name(translate(each.room, catalogue))}\n"
        f"{when_words(each.starts_ms, each.ends_ms, notice.zone, notice.manner)}\n{each.link}"
        for each in notice.lines[:LISTED]
    ]
    if more > 0:
        lines.append(f"{translate(_MORE, catalogue)}\n{notice.page}")
    closing = _CLOSING.format(profile=f"{notice.page}profile#notifications")
    start_ms = -(-notice.at_ms // MINUTE_MS) * MINUTE_MS
    return NewReminder(
        request_id=notice.id,
        title=translate(
            say_many("{count} meeting has lost its room", "{count} meetings have lost their room", count), catalogue
        ),
        text="\n\n".join([*lines, translate(closing, catalogue)]),
        start_ms=start_ms,
        end_ms=start_ms + LASTS_MS,
    )


_MORE = say("All of them are on your page:")
_CLOSING = say(
    "This event is private, takes none of your time, and is removed once nothing is left to do. "
    "You can switch such events off: {profile}"
)


def _refusable(call: Callable[[], SendAttempt]) -> SendAttempt:
    try:
        return call()
    except RefusedError as error:
        return SendAttempt(SendOutcome.REFUSED, error.provider_code or type(error).__name__)


def _end(calendar: CalendarProvider, access: Access, end: ReminderEnd) -> SendAttempt:
    """Remove the event; one whose name the calendar never told is looked for where it was made."""
    event = end.event or calendar.reminders(access, Window(end.since_ms - DAY_MS, end.at_ms + DAY_MS)).get(end.id)
    if event:
        calendar.cancel(access, event)
    return SendAttempt(SendOutcome.ACCEPTED)
