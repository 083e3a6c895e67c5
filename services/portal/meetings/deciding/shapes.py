"""How rooms, prompts and choices look in JSON and on pages: one shape for both, and for the stream. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.meetings.deciding.answers import (
    ChoicesAnswer,
    ChoiceShape,
    ForecastShape,
    FreeRoomsAnswer,
    FreeTimeShape,
    LiveShape,
    PromptShape,
    RoomShape,
    SeriesShape,
    TakeShape,
)
from services.portal.meetings.deciding.board import SeriesShare
from services.portal.meetings.deciding.choices import LABEL, Choices, RoomCandidate
from services.portal.meetings.deciding.forecast import Forecast
from services.portal.meetings.deciding.free_times import FreeTime
from services.portal.meetings.deciding.health import span_words
from services.portal.meetings.deciding.room_filter import FilterOptions
from services.portal.meetings.deciding.take_reasons import explain_reason
from services.portal.meetings.deciding.words import (
    CLOSING_WORDS,
    GUEST_DECLINED_WORDS,
    ORGANIZER_WORDS,
    OUT_OF_SIGHT_WORDS,
    PAGE_WORDS,
    QUIET_WORDS,
    STATE_WORDS,
    TAKE_WORDS,
    mail_words,
    series_mail_words,
    share_words,
)
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import TakeRow
from shared.domain.instants import SECOND_MS, to_rfc3339
from shared.domain.sighting import LiveMeeting
from shared.language.deciding.sentences import join_sentences
from shared.meetings.prompts import Actor, Prompt, PromptState, RoomLine, line_id

Json = dict[str, Any]


def room_shape(
    line: RoomLine, name: str | None, live: LiveMeeting | None, expected: Forecast | None = None
) -> RoomShape:
    """
    One room of one date.

    Args:
        name: The room's name, None when nobody told us.
        live: The event as just read; None when it could not be: then the title is null and the times are those last seen.
        expected: When it usually answers; None where that is not known.
    """
    return {
        "id": line.id,
        "series": line.series,
        "meetingRef": line.meeting,
        "occurrenceRef": line.occurrence,
        "roomId": line.room,
        "roomName": name,
        "state": line.state,
        "quiet": line.quiet,
        "words": join_sentences(_room_words(line, live), expected.words if expected else ""),
        "canChange": line.actor is Actor.YOU,
        "since": to_rfc3339(line.since_ms),
        "organizer": line.organizes,
        "provider": line.provider,
        "forecast": forecast_shape(expected),
        **_live(line, live),
    }


def forecast_shape(expected: Forecast | None) -> ForecastShape | None:
    """When a room can be expected to answer."""
    if expected is None:
        return None
    return {
        "usual": span_words(expected.usual_ms),
        "usualSeconds": expected.usual_ms // SECOND_MS,
        "silentSeconds": round(expected.silent_ms / SECOND_MS),
        "unusual": expected.unusual,
    }


def prompt_shape(
    prompt: Prompt,
    name: str | None,
    live: LiveMeeting | None,
    take: TakeShape | None,
    part: SeriesShare | None = None,
) -> PromptShape:
    """
    One prompt, with what can be done about it.

    Args:
        part: How the room stands on the other dates of the meeting; None where that was not asked.
    """
    path = f"/v1/me/prompts/{prompt.id}"
    seen = _live(prompt, live)
    return {
        "id": prompt.id,
        "meetingRef": prompt.meeting,
        "occurrenceRef": prompt.occurrence,
        "roomId": prompt.room,
        "roomName": name,
        "open": prompt.open,
        "closed": prompt.closing,
        "words": _prompt_words(prompt),
        "people": prompt.people,
        "declinedAt": to_rfc3339(prompt.since_ms),
        "series": _series(prompt.series, part),
        "provider": prompt.provider,
        "take": take,
        "links": {"choices": f"{path}/choices", "take": f"{path}/take", "dismiss": f"{path}/dismiss"},
        "title": seen["title"],
        "link": seen["link"],
        "read": seen["read"],
        "start": seen["start"],
        "end": seen["end"],
    }


def _prompt_words(prompt: Prompt) -> str:
    if prompt.closing is not None:
        return CLOSING_WORDS[prompt.closing]
    return OUT_OF_SIGHT_WORDS if prompt.state is PromptState.OUT_OF_SIGHT else STATE_WORDS[RoomState.DECLINED]


def choices_shape(
    prompts: Sequence[Prompt],
    choices: Choices,
    options: FilterOptions,
    apart: int | None = None,
    times: Sequence[FreeTime] = (),
) -> ChoicesAnswer:
    """
    What could be taken instead, how many mails that sends, and what is said when nothing can.

    Args:
        prompts: The prompt, and the others of its series for which one room is to be found; closed ones are left alone.
        choices: What was found for them.
        options: What filters can be set to.
        apart: Where the whole series is changed at once, how many of its dates are changed for themselves beside it.
        times: Near that of the prompt, at which a room is free.
    """
    prompt, dates = prompts[0], sum(each.open for each in prompts)
    guests = max((each.people for each in prompts if each.open), default=prompt.people) - 1
    changes = max(dates, 1) if apart is None else apart + 1
    words = mail_words(guests, changes) if apart is None else series_mail_words(guests, apart)
    return {
        "promptId": prompt.id,
        "mails": {"guests": guests, "each": changes if guests and dates else 0, "words": words},
        "wholeSeries": apart is not None,
        **free_rooms_shape(prompt.people, choices, options, times),
    }


def free_rooms_shape(
    people: int, choices: Choices, options: FilterOptions, times: Sequence[FreeTime] = ()
) -> FreeRoomsAnswer:
    """
    Rooms that are free, and what is said when none is.

    Args:
        people: How many seats are needed.
        choices: What was found.
        options: What filters can be set to.
        times: Near the wanted one, at which a room is free.
    """
    wanted = choices.wanted
    found: FreeRoomsAnswer = {
        "people": people,
        "label": LABEL,
        "choices": [_choice(each) for each in choices.rooms],
        "filter": {
            "building": wanted.building,
            "floor": wanted.floor,
            "seats": wanted.seats,
            "equipment": list(wanted.equipment),
            "accessible": wanted.accessible,
        },
        "options": {
            "buildings": list(options.buildings),
            "floors": list(options.floors),
            "equipment": list(options.equipment),
            "accessible": options.accessible,
        },
        "empty": choices.empty,
        "words": choices.words or None,
        "wider": [
            {"without": list(each.without), "rooms": each.rooms, "query": each.left.query, "words": each.words}
            for each in choices.wider
        ],
    }
    if times:
        found["times"] = [free_time_shape(each) for each in times]
    return found


def free_time_shape(found: FreeTime) -> FreeTimeShape:
    """A time at which a meeting could be, with its room."""
    return {
        "start": to_rfc3339(found.time.start_ms),
        "end": to_rfc3339(found.time.end_ms),
        "roomId": found.room.id,
        "name": found.room.room.name,
        "reasons": list(found.room.reasons),
    }


def take_shape(take_id: str, take: TakeRow, room_name: str) -> TakeShape:
    """How far a "take that one" has come."""
    return {
        "takeId": take_id,
        "promptId": take.prompt,
        "roomId": take.room,
        "roomName": room_name,
        "state": take.state,
        "reason": take.reason or None,
        "why": explain_reason(take.reason) or None,
        "words": TAKE_WORDS[take.state].format(room=room_name),
    }


def outcome_shape(
    takes: Sequence[tuple[str, TakeRow]], prompts: Sequence[Prompt], accepted: int, shown: RoomShape
) -> Json:
    """
    What came of a room that was taken for one or several dates of a meeting, until its person has seen it.

    Args:
        takes: Those whose room was put into the calendar, newest first, with their ids.
        prompts: The prompt of each.
        accepted: For how many of the dates the room has accepted.
        shown: The first prompt's shape: title and times.
    """
    words = PAGE_WORDS["outcomes"]
    whole = accepted == len(takes)
    return {
        "takeId": takes[0][0],
        "lines": [line_id(prompt.occurrence, take.room) for (_, take), prompt in zip(takes, prompts, strict=True)],
        "state": (RoomState.ACCEPTED if whole else RoomState.PENDING).value,
        "words": words["accepted" if whole else "some" if accepted else "pending"],
        "accepted": accepted,
        "dates": len(takes),
        "title": shown["title"],
        "read": shown["read"],
        "start": shown["start"],
        "end": shown["end"],
    }


def name_in(live: LiveMeeting | None, room_ids: Mapping[str, str], room: str) -> str | None:
    """
    The room's name as the event itself shows it.

    Args:
        room_ids: Attendee address → room id.
    """
    if live is None:
        return None
    found = (each for each in live.attendees if each.is_room and room_ids.get(each.address) == room)
    return next((each.name or each.address for each in found), None)


def _room_words(line: RoomLine, live: LiveMeeting | None) -> str:
    """What is said of a room; to a guest who cannot choose another also who can."""
    if line.quiet:
        return QUIET_WORDS
    if line.state is RoomState.DECLINED and line.actor is not Actor.YOU:
        return GUEST_DECLINED_WORDS.format(organizer=(live.organizer if live else "") or ORGANIZER_WORDS)
    return STATE_WORDS[line.state]


def _choice(each: RoomCandidate) -> ChoiceShape:
    return {
        "roomId": each.id,
        "name": each.room.name,
        "capacity": each.room.capacity or None,
        "building": each.room.building or None,
        "floor": each.room.floor or None,
        "equipment": list(each.room.equipment),
        "accessible": each.room.accessible,
        "section": each.room.section or None,
        "description": each.room.description or None,
        "doubt": each.doubt,
        "reasons": list(each.reasons),
        "label": LABEL,
    }


def _series(series: str, part: SeriesShare | None) -> SeriesShape:
    if part is None:
        return {"id": series}
    return {
        "id": series,
        "dates": part.dates,
        "accepted": part.accepted,
        "pending": part.pending,
        "words": share_words(part.accepted, part.pending, part.dates),
    }


def _live(known: RoomLine | Prompt, live: LiveMeeting | None) -> LiveShape:
    """What the event says itself; a day, which the event names only, begins and ends where the meeting is held."""
    begins_ms, ends_ms = known.begins_ms, known.ends_ms
    if live is not None and (live.start_ms, live.end_ms) != (known.start_ms, known.end_ms):
        begins_ms, ends_ms = live.start_ms, live.ends_ms or live.end_ms
    return {
        "title": live.title if live else None,
        "link": (live.link if live else "") or None,
        "read": live is not None,
        "start": to_rfc3339(begins_ms),
        "end": to_rfc3339(ends_ms),
    }
