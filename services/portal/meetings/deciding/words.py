"""The words for rooms, prompts and takes: one table a concept, for templates, JSON and script alike. Pure."""

from __future__ import annotations

from typing import Any

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import TakeState
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.meetings.prompts import Closing

STATE_BADGES = {
    RoomState.PENDING: "Pending",
    RoomState.ACCEPTED: "Accepted",
    RoomState.DECLINED: "Declined",
    RoomState.RELEASED: "Released",
    RoomState.GONE: "Gone",
    RoomState.UNKNOWN: "Not known",
}
"""State → one or two words."""
STATE_WORDS = {
    RoomState.PENDING: "Pending: the room has not answered yet.",
    RoomState.ACCEPTED: "The room has accepted.",
    RoomState.DECLINED: "The room has declined. It gave no reason.",
    RoomState.RELEASED: "The room had accepted and is no longer invited.",
    RoomState.GONE: "The room is no longer asked.",
    RoomState.UNKNOWN: "Not known: only the organiser's calendar shows the room's answer.",
}
"""State → a sentence."""
GUEST_DECLINED_WORDS = "The room has declined. Only {organizer} can choose another one."
ORGANIZER_WORDS = "whoever organises the meeting"
OUT_OF_SIGHT_WORDS = "Not known just now: no connected calendar shows the room's answer."
QUIET_WORDS = "Declined before you connected."
CLOSING_WORDS = {
    Closing.REBOOKED: "Closed: the meeting has asked for a room again.",
    Closing.ACCEPTED: "Closed: the room has accepted after all.",
    Closing.CANCELLED: "Closed: the meeting, or its wish for this room, is gone.",
    Closing.PAST: "Closed: the meeting is over.",
    Closing.DISMISSED: "Closed: you put it away.",
    Closing.NOT_YOURS: "Closed: you can no longer change this meeting's rooms. Its organizer can.",
}
TAKE_WORDS = {
    TakeState.ASKED: "Asking for {room} in your calendar …",
    TakeState.DONE: "{room} has been asked. It is pending until it answers.",
    TakeState.FAILED: "Asking for {room} did not work.",
}
SHARE_WORDS = {
    "accepted": "{accepted} of {dates} dates have the room.",
    "pendingOne": "{pending} has no answer yet.",
    "pendingMany": "{pending} have no answer yet.",
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
    whom = "The guest gets" if guests == 1 else f"Each of the {guests} guests gets"
    return f"{whom} 1 mail." if dates == 1 else f"{whom} {dates} mails, one for each date."


WAIT_WORDS = {DAY_MS: "in {count} days", HOUR_MS: "in {count} hours", MINUTE_MS: "in {count} minutes"}
"""How long until a meeting, for pages without a script; a script knows today and tomorrow, and its reader's language."""
FLOOR_WORDS = "floor {floor}"

PAGE_WORDS: dict[str, Any] = {
    "states": {state.value: words for state, words in STATE_BADGES.items()},
    "share": SHARE_WORDS,
    "asking": TAKE_WORDS[TakeState.ASKED],
    "floor": FLOOR_WORDS,
    "room": "A room",
    "untitled": "Untitled meeting",
    "loading": "Reading the title …",
    "unread": "Meeting",
    "unreadWhy": "(title could not be read just now)",
    "lostRoom": "{title} lost its room",
    "seats": "Needs {people} seats.",
    "takeRoom": "Take {room}",
    "suggestedFor": "Free now, not confirmed: {reasons}.",
    "holding": "{room} is asked in ten seconds. Everybody invited is then told of the change.",
    "undo": "Undo",
    "askNow": "Ask now",
    "notAsked": "Nothing was asked.",
    "outcomes": {
        "pending": "{room} has been asked for {title}. It is pending until it answers.",
        "accepted": "{room} has accepted: {title} has its room.",
        "some": "{room} has accepted {accepted} of {dates} dates of {title}.",
    },
    "seen": "OK",
    "takeAll": "Take the suggested room for all {count}",
    "takingAll": "In ten seconds a room is asked for each of {count} meetings, one after the other. Stay on this page.",
    "tookSome": "A room was asked for {asked} of {count} meetings.",
    "couldNot": "Not for: {titles}.",
    "saidNo": "{room} said no. Choose another room.",
    "saidNoToo": "{room} said no on another date.",
    "choose": "Choose another room",
    "chooseForAll": "Choose one room for all",
    "notNow": "Not now",
    "onDates": "on {count} dates",
    "onTheseDates": "on these dates",
    "more": "Show all {count} free rooms",
    "building": "Building",
    "floorLabel": "Floor",
    "seatsLabel": "Seats at least",
    "any": "Any",
    "noneSuch": "None of the free rooms is like that.",
    "looking": "Looking for free rooms …",
    "choices": (
        "Free now, not confirmed. The room itself still decides. Your calendar system mails the change to everybody invited."
    ),
    "folded": "And {count} more",
    "many": (
        "Many rooms of your organisation said no at once. Its administrators know, and it may be put right:"
        " what cannot wait, you can change now."
    ),
    "openLink": "Open the meeting in {calendar}",
    "observing": "This service only observes for now and changes nothing in your calendar: choose another room there.",
    "readOnly": "Your permission lets us read your calendar, and not change it. To take a room from here, connect again.",
    "slow": "This is taking long. Look at your calendar, or try again.",
    "failed": "That did not work. Try again in a moment.",
    "live": "Live: changes appear by themselves.",
    "reconnecting": "Reconnecting …",
    "replaced": "Live in your other windows. Reload this page to follow it here.",
    "zone": "Times are those of {zone}.",
}
"""What the pages of meetings say beside the tables above; handed to their script as JSON, which has no words of its own."""

OBSERVING_WORDS: dict[str, Any] = {
    "saidNo": "{room} said no. Choose another room in your calendar.",
    "choose": "See which rooms are free",
    "chooseForAll": "See which rooms are free on all dates",
    "choices": "Free now, as you may see it. The room itself still decides.",
}
"""What they say instead where the service only observes."""


def describe_wait(wait_ms: int) -> str:
    """`in 20 minutes`, `in 5 hours`, `in 2 days`; "" for what has begun. Without a zone nobody knows what is tomorrow."""
    if wait_ms <= 0:
        return ""
    unit_ms = next((unit_ms for unit_ms in WAIT_WORDS if wait_ms >= 2 * unit_ms), MINUTE_MS)
    return WAIT_WORDS[unit_ms].format(count=round(wait_ms / unit_ms) or 1)


def share_words(accepted: int, pending: int, dates: int) -> str:
    """`8 of 10 dates have the room. 1 has no answer yet.`; "" for a meeting of one date."""
    if dates < 2:  # noqa: PLR2004
        return ""
    parts = [SHARE_WORDS["accepted"].format(accepted=accepted, dates=dates)]
    if pending:
        parts.append(SHARE_WORDS["pendingOne" if pending == 1 else "pendingMany"].format(pending=pending))
    return " ".join(parts)
