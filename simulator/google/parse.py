"""What a caller sent as an event resource, read into the world's drafts and edits. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator.google import rrule
from simulator.google.errors import invalid, required
from simulator.google.render import OWN_FIELDS, RESPONSES, SHARED_FLAGS, SHARED_TEXT
from simulator.google.times import read_event_time
from simulator.world import Attendee, AttendeeAnswer, Edit, Invitee, MeetingDraft

ANSWERS = {word: answer for answer, word in RESPONSES.items()}
SHARED_FIELDS = {"summary", "start", "end", "recurrence", "status", *SHARED_TEXT, *SHARED_FLAGS}
_CLIENT_ID = re.compile(r"[a-v0-9]{5,1024}")
_MOST_EXTENDED = 300
_KEY_LENGTH = 44
_VALUE_LENGTH = 1024

IsRoom = Callable[[str], bool]


def draft(sent: Mapping[str, Any], *, organizer: str, zone: str, is_room: IsRoom) -> MeetingDraft:
    """
    Read an insert.

    Args:
        sent: the request's body.
        organizer: address of the calendar's owner.
        zone: the calendar's time zone, for times without one.
        is_room: whether an address is a room's.

    Raises:
        ApiError: 400.
    """
    if sent.get("id") is not None and not _CLIENT_ID.fullmatch(str(sent["id"])):
        invalid("Invalid resource id value.", "id")
    start_ms, start_zone, all_day = read_event_time(sent.get("start"), "start", zone)
    end_ms, _, end_all_day = read_event_time(sent.get("end"), "end", start_zone or zone)
    if all_day != end_all_day:
        invalid("Invalid start time.", "start")
    if end_ms < start_ms:
        invalid("The specified time range is empty.", "timeRangeEmpty")
    recurrence = rrule.parse_recurrence(sent.get("recurrence") or [], start_ms, start_zone or zone)
    if recurrence is not None and not all_day and start_zone is None:
        required("time zone definition for start time")
    entries = attendees(sent.get("attendees") or [])
    return MeetingDraft(
        title=str(sent.get("summary") or ""),
        start_ms=start_ms,
        end_ms=end_ms,
        invitees=[_invitee(one, is_room, None) for one in entries],
        time_zone=start_zone or zone,
        recurrence=recurrence,
        details={**_details(sent), **_shared(sent), "allDay": all_day, **_organizer_attends(entries, organizer)},
        event_id=sent.get("id"),
        ical_uid=sent.get("iCalUID"),
    )


def edit(
    sent: Mapping[str, Any], *, organizer: str, zone: str, is_room: IsRoom, known: Mapping[str, Attendee]
) -> Edit | None:
    """
    Read what an organiser changes; None when nothing that others share is named.

    The array of attendees replaces the old one: entries without an answer, or with `needsAction`, are asked again;
    any other answer is kept as it is known, since nobody answers for somebody else.
    """
    made = Edit()
    if "summary" in sent:
        made.title = str(sent["summary"] or "")
    if sent.get("start") is not None:
        made.start_ms, start_zone, all_day = read_event_time(sent["start"], "start", zone)
        made.time_zone = start_zone
        made.details = {"allDay": all_day}
    if sent.get("end") is not None:
        made.end_ms, _, _ = read_event_time(sent["end"], "end", made.time_zone or zone)
    details = _details(sent)
    if "attendees" in sent:
        entries = attendees(sent["attendees"] or [])
        made.invitees = [_invitee(one, is_room, known.get(one["email"])) for one in entries]
        if not sent.get("attendeesOmitted"):
            details |= _organizer_attends(entries, organizer)
        else:
            named = {one["email"] for one in entries}
            made.invitees += [_as_invitee(one) for address, one in known.items() if address not in named]
    if details:
        made.details = {**(made.details or {}), **details}
    return made if made != Edit() else None


def own(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What concerns this copy alone; a None value removes."""
    found = {name: sent[name] for name in OWN_FIELDS if name in sent}
    extended = sent.get("extendedProperties") or {}
    return found | ({"extendedProperties": extended["private"] or {}} if "private" in extended else {})


def attendees(sent: Any) -> list[dict[str, Any]]:
    """The entries with lower-case addresses. Raises ApiError 400."""
    if not isinstance(sent, list):
        invalid("Invalid value for: attendees", "attendees")
    found = []
    for entry in sent:
        email = str(entry.get("email") or "") if isinstance(entry, dict) else ""
        if "@" not in email:
            message = "Missing attendee email." if not email else "Invalid attendee email."
            invalid(message, "attendees")
        if entry.get("responseStatus") not in {None, *ANSWERS}:
            invalid("Invalid attendee response status.", "attendees")
        found.append({**entry, "email": email.lower()})
    return found


def merge_properties(before: Mapping[str, Any] | None, sent: Mapping[str, Any]) -> dict[str, str]:
    """Extended properties after a patch: too long a key is dropped, too long a value cut, null deletes."""
    merged = {**(before or {}), **{key: value for key, value in sent.items() if len(key) <= _KEY_LENGTH}}
    kept = {key: str(value)[:_VALUE_LENGTH] for key, value in merged.items() if value is not None}
    return dict(list(kept.items())[:_MOST_EXTENDED])


def _details(sent: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: sent[name] for name in (*SHARED_TEXT, *SHARED_FLAGS) if name in sent}
    if sent.get("status") in {"confirmed", "tentative"}:
        found["status"] = sent["status"]
    shared = (sent.get("extendedProperties") or {}).get("shared")
    return found | ({"sharedExtendedProperties": shared} if shared is not None else {})


def _shared(sent: Mapping[str, Any]) -> dict[str, Any]:
    shared = (sent.get("extendedProperties") or {}).get("shared")
    return {"sharedExtendedProperties": merge_properties(None, shared)} if shared else {}


def _organizer_attends(entries: list[dict[str, Any]], organizer: str) -> dict[str, Any]:
    return {"organizerAttends": any(one["email"] == organizer for one in entries)}


def _invitee(entry: Mapping[str, Any], is_room: IsRoom, known: Attendee | None) -> Invitee:
    said = ANSWERS[entry.get("responseStatus") or "needsAction"]
    # Only settable when the attendee is first added, by whoever writes the event, and of anybody: "Subsequent modifications
    # are ignored" (developers.google.com/workspace/calendar/api/v3/reference/events, `attendees[].resource`).
    called = bool(entry.get("resource")) if known is None else known.role == "resource"
    role = "resource" if called or is_room(entry["email"]) else "optional" if entry.get("optional") else "required"
    return Invitee(
        address=entry["email"],
        name=str(entry.get("displayName") or ""),
        role="resource" if role == "resource" else "optional" if role == "optional" else "required",
        answer=AttendeeAnswer.NONE if said == AttendeeAnswer.NONE or known is None else None,
    )


def _as_invitee(one: Attendee) -> Invitee:
    return Invitee(one.address, one.name, one.role)
