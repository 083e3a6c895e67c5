"""
Which kinds of records name a person: one entry for each table of the registry and each topic, so that none is forgotten.

A table or topic that is new has to be entered here, among the kinds or among what names nobody; a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.language.deciding.sentences import say


class Place(StrEnum):
    """Where a kind of records is kept."""

    REGISTRY = "registry"
    LOG = "log"


class Finder(StrEnum):
    """How a person's own records of a kind are found, without reading anybody else's."""

    USER = "user"
    """One row, under the person's id."""
    MAILBOX = "mailbox"
    """One row, under the id of the person's mailbox."""
    NAMED = "named"
    """Rows whose id holds the person's id, before or after everything else in it."""
    ADDRESSES = "addresses"
    """Rows under the keyed hashes of the person's addresses, as far as they name the person."""
    SESSIONS = "sessions"
    """Rows that the person's own row lists."""
    TAKES = "takes"
    """The person's among the organisation's requests of the last day."""
    APPOINTMENT = "appointment"
    """Rows under the person's address and account."""
    TEST = "test"
    """The organisation's one row, if the person began the test or gave the permission for it."""
    REFERENCES = "references"
    """The number that the owner of the mailbox wrote down with its last look."""
    MEETINGS = "meetings"
    """The person's rows of the view, which is made from the topic."""
    NONE = "none"
    """Not counted: the records cannot be found by a person, and end by themselves."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of records that name a person."""

    source: str
    """The table or topic."""
    place: Place
    finder: Finder
    title: str
    ends: str
    """When it goes, in words."""
    from_calendar: bool = False
    """Whether it follows from the person's permission: disconnecting leaves none."""


_DAYS = say("Goes after five days, unless whoever operates this keeps records longer.")


def _row(source: str, finder: Finder, title: str, ends: str, *, from_calendar: bool = False) -> Kind:
    return Kind(source, Place.REGISTRY, finder, title, ends, from_calendar)


def _records(source: str, title: str, ends: str = _DAYS, finder: Finder = Finder.NONE) -> Kind:
    return Kind(source, Place.LOG, finder, title, ends, from_calendar=finder is not Finder.NONE)


KINDS = (
    _row(
        "consents", Finder.MAILBOX, say("Your permission to read your calendar, sealed, and its state"),
        say("Goes when you disconnect. If your organisation switches this off, it waits sealed for five days."), from_calendar=True,
    ),
    _row(
        "freshness", Finder.MAILBOX, say("When your calendar was last heard of and checked"),
        say("Goes when you disconnect, and two days after the last check."), from_calendar=True,
    ),
    _row(
        "endings", Finder.MAILBOX, say("Subscriptions that are still to be ended at your calendar system, sealed"),
        say("Goes once they have been ended."), from_calendar=True,
    ),
    _records(
        "calendar-state",
        say("References to the events of your calendar: ids, times, keyed codes of rooms and people with their answers; and how"
        " far it was read"),
        say("Goes when you disconnect, and about a day after an event. Of meetings with a room that you organise, their"
        " pseudonyms alone stay until they end, so that a meeting you cancel meanwhile is noticed when you come back."),
        Finder.REFERENCES,
    ),
    _records(
        "meeting-state",
        say("Your meetings with rooms: keyed codes, times, and how each room answered"),
        say(
            "Goes when you disconnect, and a day after a meeting."
            " What a colleague's calendar shows of the same meeting is theirs."
        ),
        Finder.MEETINGS,
    ),
    _row(
        "users", Finder.USER, say("You: your account at your calendar system, and your addresses, sealed or as keyed codes"),
        say("Stays while your organisation uses this; goes five days after it is switched off, unless you are an administrator."),
    ),
    _row(
        "people-index", Finder.ADDRESSES, say("By which keyed codes of addresses you are found when a meeting names you"),
        say("Goes five days after your organisation switches this off."),
    ),
    _row("sessions", Finder.SESSIONS, say("Browsers in which you are signed in"), say("Goes twelve hours after its last use.")),
    _row(
        "notifications", Finder.USER, say("How you want to be notified"),
        say("Goes five days after your organisation switches this off."),
    ),
    _row(
        "notice-browsers", Finder.USER, say("Browsers in which you asked for notices; how they are reached, sealed"),
        say("Goes when you remove the browser or sign out in it; five days after your organisation switches this off."),
    ),
    _row(
        "office-days", Finder.NAMED, say("Where you said that you work on a day"),
        say("Goes sixty days after the day, when you take it away, or when your organisation switches this off."),
    ),
    _row(
        "attendances", Finder.NAMED, say("Where you said that you attend a meeting from"),
        say("Goes sixty days after the meeting, when you take it away, or when your organisation switches this off."),
    ),
    _row(
        "dismissals", Finder.NAMED, say("Prompts that you put away"),
        say("Goes 400 days after the meeting, so that a later date of the series does not ask again, or when your organisation"
        " switches this off."),
    ),
    _row("takes", Finder.TAKES, say("Rooms that you chose in place of another"), say("Goes after a day.")),
    _row(
        "appointments", Finder.APPOINTMENT, say("Rights that were given to your address or account before you signed in"),
        say("Goes when an administrator takes them back."),
    ),
    _row(
        "test-runs", Finder.TEST, say("That you began your organisation's latest test, or gave the permission for it"),
        say("Goes with the next test, or five days after your organisation switches this off."),
    ),
    _row(
        "bookings", Finder.NONE, say("The room that was chosen for a booking that left the choice to us, under a name that"
        " nobody can read you from"), say("Goes after a day."),
    ),
    _row("sign-ins", Finder.NONE, say("That you are on your way to your calendar system and back"), say("Goes after ten minutes.")),
    _row(
        "audit", Finder.NONE, say("What you did as an administrator, or what an administrator did with your rights, by your id"),
        say("Stays as your organisation's record of a year. Disconnecting takes nothing out of it."),
    ),
    _records(
        "notification-state",
        say("Which messages about an open prompt were sent to you, by keyed codes, and what your calendar calls a"
        " reminder of ours while it stands there"),
        say("Goes when the prompt is closed, or a day after the meeting begins."),
    ),
    _records("notifications.graph", say("That Microsoft said that something changed in your calendar, and not what")),
    _records("notifications.google", say("That Google said that something changed in your calendar, and not what")),
    _records("commands", say("Requests about your calendar: connect, look again, take a room")),
    _records("observations", say("What your calendar showed of a meeting with rooms, in keyed codes")),
    _records("dismissals", say("That you put a prompt away, on its way to where prompts are decided")),
    _records("room-rejections", say("That a room declined a meeting that you organise, by your keyed code")),
    _records("room-outcomes", say("How such a decline ended")),
    _records("person-prompts", say("That you are to be notified of a prompt")),
    _records("organisation-declines", say("That a room declined, for counting declines that come together")),
    _records("dead-letters", say("A record about your calendar that could not be handled")),
)  # fmt: skip

NAMES_NOBODY = {
    Place.REGISTRY: frozenset(
        {
            "tenants", "directories", "tenant-consents", "rooms", "room-imports", "audit-heads", "decline-incidents",
            "service-tokens", "webhooks", "webhook-deliveries", "chat-channels", "leases",
        }
    ),
    Place.LOG: frozenset({"repairs", "room-status", "webhook-requests", "webhook-state", "erasures"}),
}  # fmt: skip
"""The tables and topics whose records name no person who uses this: the organisation, its rooms and systems, or work to do."""
