"""The control API's JSON read into the world's words; every refusal says which field and what to send instead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

from flask import request

from simulator.world import AttendeeAnswer, Edit, InvalidError, Invitee, MeetingDraft, Recurrence, RoomRules, World
from simulator.world.recurrence import MAX_COUNT

_MODES = ("auto", "manual", "never", "forbid", "group")
_RULES = {"mode", "delayMs", "maxDurationMinutes", "maxLeadDays", "group", "allowConflicts", "seriesConflicts"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def body() -> dict[str, Any]:
    """The current request's JSON object."""
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        _refuse("send a JSON object")
    return value


def text(sent: dict[str, Any], name: str) -> str:
    """A required text."""
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        _refuse(f"{name} is required, as text")
    return value


def instant(value: object, name: str) -> int:
    """Milliseconds of an RFC 3339 text or of a number of milliseconds; a text without an offset is UTC."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        _refuse(f"{name} must be RFC 3339, as in 2026-11-23T10:00:00Z")
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def occurrence(value: object) -> int | None:
    """The original start that names one date of a series, or None."""
    return None if value is None else instant(value, "occurrence")


def answer(sent: dict[str, Any]) -> AttendeeAnswer:
    """One of accepted, declined, tentative."""
    try:
        return AttendeeAnswer(str(sent.get("answer")))
    except ValueError:
        _refuse("answer must be accepted, declined, tentative, or released for a room")


def rules(sent: dict[str, Any] | None) -> RoomRules:
    """How a room decides."""
    sent = sent or {}
    unknown = sorted(set(sent) - _RULES)
    if unknown:
        _refuse(f"unknown rule {', '.join(unknown)}: known are {', '.join(sorted(_RULES))}")
    mode = sent.get("mode", "auto")
    if mode not in _MODES:
        _refuse(f"mode must be one of {', '.join(_MODES)}")
    delay, series = sent.get("delayMs"), sent.get("seriesConflicts") or {}
    return RoomRules(
        mode=mode,
        delay_ms=_span(delay) if delay is not None else None,
        max_duration_minutes=sent.get("maxDurationMinutes"),
        max_lead_days=sent.get("maxLeadDays"),
        group=frozenset(address.lower() for address in sent.get("group") or []),
        allow_conflicts=bool(sent.get("allowConflicts", False)),
        series_max_conflicts=series.get("max"),
        series_conflict_share=series.get("share"),
    )


def draft(world: World, sent: dict[str, Any]) -> MeetingDraft:
    """A meeting to book."""
    organizer = world.directory.mailbox(text(sent, "organizer"))
    start_ms = instant(sent.get("start"), "start")
    known = {"title", "start", "end", "rooms", "attendees", "recurrence", "organizer", "timeZone"}
    return MeetingDraft(
        title=str(sent.get("title") or "Meeting"),
        start_ms=start_ms,
        end_ms=instant(sent.get("end"), "end"),
        time_zone=str(sent.get("timeZone") or organizer.time_zone),
        invitees=invitees(world, sent.get("rooms") or [], sent.get("attendees") or []),
        recurrence=_recurrence(sent.get("recurrence")),
        details={name: value for name, value in sent.items() if name not in known},
    )


def edit(world: World, sent: dict[str, Any], present: dict[str, str]) -> Edit:
    """
    A change of a meeting: `rooms` replaces the rooms and `attendees` the people; what is absent stays.

    Args:
        world: for telling rooms from people.
        sent: the request.
        present: role by address of those invited now.
    """
    known = {"title", "start", "end", "rooms", "attendees", "timeZone", "occurrence"}
    invited = None
    if "rooms" in sent or "attendees" in sent:
        rooms = sent.get("rooms", [address for address, role in present.items() if role == "resource"])
        people = sent.get("attendees", [address for address, role in present.items() if role != "resource"])
        invited = invitees(world, rooms, people)
    return Edit(
        title=sent.get("title"),
        start_ms=instant(sent["start"], "start") if "start" in sent else None,
        end_ms=instant(sent["end"], "end") if "end" in sent else None,
        time_zone=sent.get("timeZone"),
        invitees=invited,
        details={name: value for name, value in sent.items() if name not in known} or None,
    )


def invitees(world: World, rooms: list[Any], people: list[Any]) -> list[Invitee]:
    """Rooms by id or address, people by address (or user id)."""
    found = [Invitee(world.directory.room(str(room)).address, role="resource") for room in rooms]
    for person in people:
        mailbox = world.directory.find(str(person))
        invited_as = str(person) if "@" in str(person) or mailbox is None else mailbox.address
        found.append(Invitee(invited_as))
    return found


def _recurrence(sent: Any) -> Recurrence | None:
    if not sent:
        return None
    if not isinstance(sent, dict) or sent.get("frequency") not in {"daily", "weekly"}:
        _refuse('recurrence must be {"frequency": "daily"|"weekly", "count": N, "interval"?, "weekdays"?}')
    count = sent.get("count")
    if not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
        _refuse(f"recurrence.count must be 1 to {MAX_COUNT}")
    days = tuple(_WEEKDAYS.index(day) if isinstance(day, str) else int(day) for day in sent.get("weekdays") or [])
    return Recurrence(sent["frequency"], count, int(sent.get("interval") or 1), days)


def _span(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    if not isinstance(value, list) or len(value) != 2 or not 0 <= value[0] <= value[1]:  # noqa: PLR2004 (a pair)
        _refuse("delayMs must be [min, max] in milliseconds")
    return value[0], value[1]


def _refuse(why: str) -> NoReturn:
    raise InvalidError(why)
