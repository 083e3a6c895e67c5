"""The words for rooms, prompts and takes: one table a concept, for templates, JSON and script alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import TakeState
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.language.deciding.sentences import join_sentences, say, say_many
from shared.meetings.prompts import Closing

STATE_BADGES = {
    RoomState.PENDING: say("Pending"),
    RoomState.ACCEPTED: say("Accepted"),
    RoomState.DECLINED: say("Declined"),
    RoomState.RELEASED: say("Released"),
    RoomState.GONE: say("Gone"),
    RoomState.UNKNOWN: say("Not known"),
}
"""State → one or two words."""
STATE_WORDS = {
    RoomState.PENDING: say("Pending: the room has not answered yet."),
    RoomState.ACCEPTED: say("The room has accepted."),
    RoomState.DECLINED: say("The room has declined. It gave no reason."),
    RoomState.RELEASED: say("The room had accepted and is no longer invited."),
    RoomState.GONE: say("The room is no longer asked."),
    RoomState.UNKNOWN: say("Not known: only the organiser's calendar shows the room's answer."),
}
"""State → a sentence."""
GUEST_DECLINED_WORDS = say("The room has declined. Only {organizer} can choose another one.")
ORGANIZER_WORDS = say("whoever organises the meeting")
OUT_OF_SIGHT_WORDS = say("Not known just now: no connected calendar shows the room's answer.")
QUIET_WORDS = say("Declined before you connected.")
CLOSING_WORDS = {
    Closing.REBOOKED: say("Closed: the meeting has asked for a room again."),
    Closing.ACCEPTED: say("Closed: the room has accepted after all."),
    Closing.CANCELLED: say("Closed: the meeting, or its wish for this room, is gone."),
    Closing.PAST: say("Closed: the meeting is over."),
    Closing.DISMISSED: say("Closed: you put it away."),
    Closing.NOT_YOURS: say("Closed: you can no longer change this meeting's rooms. Its organizer can."),
}
TAKE_WORDS = {
    TakeState.ASKED: say("Asking for {room} in your calendar …"),
    TakeState.DONE: say("{room} has been asked. It is pending until it answers."),
    TakeState.FAILED: say("Asking for {room} did not work."),
}
SHARE_WORDS = {
    "accepted": say("{accepted} of {dates} dates have the room."),
    "pendingOne": say("{pending} has no answer yet."),
    "pendingMany": say("{pending} have no answer yet."),
}


def mail_words(guests: int, dates: int) -> str:
    """
    How many mails taking a room sends; "" where nobody else is invited.

    Both calendar systems mail a change of a meeting to everybody invited, and each date that is changed is a change.

    Args:
        guests: How many people are invited beside the organiser.
        dates: On how many dates the room is taken.
    """
    if guests < 1:
        return ""
    if guests == 1:
        return say_many("The guest gets {count} mail.", "The guest gets {count} mails, one for each date.", dates)
    return say_many(
        "Each of the {guests} guests gets {count} mail.",
        "Each of the {guests} guests gets {count} mails, one for each date.",
        dates,
        guests=guests,
    )


def series_mail_words(guests: int, apart: int) -> str:
    """
    As `mail_words`, where the whole series is changed at once.

    Args:
        guests: How many people are invited beside the organiser.
        apart: How many dates keep their own attendees, and are changed for themselves.
    """
    if guests < 1:
        return ""
    if not apart:
        return say_many(
            "The guest gets 1 mail for the whole series.",
            "Each of the {count} guests gets 1 mail for the whole series.",
            guests,
        )
    return join_sentences(
        mail_words(guests, 1),
        say_many(
            "One date stands apart from the series, and is mailed for itself.",
            "{count} dates stand apart from the series, and each is mailed for itself.",
            apart,
        ),
    )


WAIT_WORDS: Mapping[int, Callable[[int], str]] = {
    DAY_MS: lambda count: say_many("in {count} day", "in {count} days", count),
    HOUR_MS: lambda count: say_many("in {count} hour", "in {count} hours", count),
    MINUTE_MS: lambda count: say_many("in {count} minute", "in {count} minutes", count),
}
"""How long until a meeting, for pages without a script; a script knows today and tomorrow, and its reader's language."""
FLOOR_WORDS = say("floor {floor}")
SECTION_WORDS = say("section {section}")
"""A part of a floor."""

PAGE_WORDS: dict[str, Any] = {
    "page": say("My rooms"),
    "states": {state.value: words for state, words in STATE_BADGES.items()},
    "share": SHARE_WORDS,
    "asking": TAKE_WORDS[TakeState.ASKED],
    "floor": FLOOR_WORDS,
    "section": SECTION_WORDS,
    "room": say("A room"),
    "untitled": say("Untitled meeting"),
    "loading": say("Reading the title …"),
    "unread": say("Meeting"),
    "unreadWhy": say("(title could not be read just now)"),
    "lostRoom": say("{title} lost its room"),
    "seats": say("Needs {people} seats."),
    "takeRoom": say("Take {room}"),
    "suggestedFor": say("Free now, not confirmed: {reasons}."),
    "holding": say("{room} is asked in ten seconds. Everybody invited is then told of the change."),
    "undo": say("Undo"),
    "askNow": say("Ask now"),
    "notAsked": say("Nothing was asked."),
    "outcomes": {
        "pending": say("{room} has been asked for {title}. It is pending until it answers."),
        "accepted": say("{room} has accepted: {title} has its room."),
        "some": say("{room} has accepted {accepted} of {dates} dates of {title}."),
    },
    "seen": say("OK"),
    "takeAll": say("Take the suggested room for all {count}"),
    "takingAll": say(
        "In ten seconds a room is asked for each of {count} meetings, one after the other. Stay on this page."
    ),
    "tookSome": say("A room was asked for {asked} of {count} meetings."),
    "couldNot": say("Not for: {titles}."),
    "saidNo": say("{room} said no. Choose another room."),
    "saidNoToo": say("{room} said no on another date."),
    "choose": say("Choose another room"),
    "chooseForAll": say("Choose one room for all"),
    "notNow": say("Not now"),
    "onDates": say("on {count} dates"),
    "onTheseDates": say("on these dates"),
    "more": say("Show all {count} free rooms"),
    "wheelchair": say("Wheelchair access"),
    "freeRooms": say("Free rooms: {count}."),
    "looking": say("Looking for free rooms …"),
    "choices": (
        say(
            "Free now, not confirmed. The room itself still decides. Your calendar system mails the change to everybody invited."
        )
    ),
    "folded": say("And {count} more"),
    "many": (
        say(
            "Many rooms of your organisation said no at once. Its administrators know, and it may be put right:"
            " what cannot wait, you can change now."
        )
    ),
    "times": say("You and a room are free, as your calendar system says now:"),
    "moveYourself": say(
        "Meetings are not moved from here: open yours in your calendar and move it, and everybody invited is told there."
        " Whether your guests are free is not known here."
    ),
    "openLink": say("Open the meeting in {calendar}"),
    "observing": say(
        "This service only observes for now and changes nothing in your calendar: choose another room there."
    ),
    "readOnly": say(
        "Your permission lets us read your calendar, and not change it. To take a room from here, connect again."
    ),
    "slow": say("This is taking long. Look at your calendar, or try again."),
    "failed": say("That did not work. Try again in a moment."),
    "live": say("Live: changes appear by themselves."),
    "reconnecting": say("Reconnecting …"),
    "replaced": say("Live in your other windows. Reload this page to follow it here."),
    "zone": say("Times are those of {zone}."),
}
"""What the pages of meetings say beside the tables above; handed to their script as JSON, which has no words of its own."""

OBSERVING_WORDS: dict[str, Any] = {
    "saidNo": say("{room} said no. Choose another room in your calendar."),
    "choose": say("See which rooms are free"),
    "chooseForAll": say("See which rooms are free on all dates"),
    "choices": say("Free now, as you may see it. The room itself still decides."),
}
"""What they say instead where the service only observes."""


def describe_wait(wait_ms: int) -> str:
    """`in 20 minutes`, `in 5 hours`, `in 2 days`; "" for what has begun. Without a zone nobody knows what is tomorrow."""
    if wait_ms <= 0:
        return ""
    unit_ms = next((unit_ms for unit_ms in WAIT_WORDS if wait_ms >= 2 * unit_ms), MINUTE_MS)
    return WAIT_WORDS[unit_ms](round(wait_ms / unit_ms) or 1)


def share_words(accepted: int, pending: int, dates: int) -> str:
    """`8 of 10 dates have the room. 1 has no answer yet.`; "" for a meeting of one date."""
    if dates < 2:  # noqa: PLR2004
        return ""
    parts = [SHARE_WORDS["accepted"].format(accepted=accepted, dates=dates)]
    if pending:
        parts.append(SHARE_WORDS["pendingOne" if pending == 1 else "pendingMany"].format(pending=pending))
    return join_sentences(*parts)
