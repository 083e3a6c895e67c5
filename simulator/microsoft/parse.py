"""An event as a client sends it, read into what the world can book or change."""

from __future__ import annotations

from typing import Any

from flask import request

from simulator.microsoft import recurrence, wire
from simulator.microsoft.errors import GraphError
from simulator.microsoft.render import OPTIONAL
from simulator.world import AttendeeAnswer, Edit, Invitee, MeetingDraft
from simulator.world.model import Role

_ROLES: dict[str, Role] = {"required": "required", "optional": "optional", "resource": "resource"}
_DETAILS = {"isAllDay": "allDay", "body": "body", "showAs": "showAs", **{name: name for name in OPTIONAL}}


def body() -> dict[str, Any]:
    """The current request's JSON object. Raises GraphError 400."""
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
    return value


def draft(sent: dict[str, Any]) -> MeetingDraft:
    """A new event. Raises GraphError 400."""
    start_ms, zone_name = wire.parse_date_time(sent.get("start"), "start")
    end_ms, _ = wire.parse_date_time(sent.get("end"), "end")
    return MeetingDraft(
        title=str(sent.get("subject") or ""),
        start_ms=start_ms,
        end_ms=end_ms,
        time_zone=zone_name,
        invitees=_invitees(sent.get("attendees") or []),
        recurrence=recurrence.parse_recurrence(sent.get("recurrence"), start_ms),
        details={name: value for name, value in _details(sent).items() if value is not None},
        transaction_id=sent.get("transactionId"),
    )


def edit(sent: dict[str, Any], *, forgets_answers: bool = False, keeps_declines: bool = False) -> Edit:
    """
    A change of an event: what is absent stays. Raises GraphError 400.

    Args:
        sent: The request's body.
        forgets_answers: Whether an attendee who is written without `status` has not answered any more.
        keeps_declines: Whether a `declined` that is written back stays.
    """
    start = wire.parse_date_time(sent["start"], "start") if sent.get("start") else None
    end = wire.parse_date_time(sent["end"], "end") if sent.get("end") else None
    details = _details(sent)
    return Edit(
        title=str(sent["subject"] or "") if "subject" in sent else None,
        start_ms=start[0] if start else None,
        end_ms=end[0] if end else None,
        time_zone=start[1] if start else None,
        invitees=_invitees(sent["attendees"] or [], forgets=forgets_answers, keeps=keeps_declines)
        if "attendees" in sent
        else None,
        details=details or None,
    )


def _details(sent: dict[str, Any]) -> dict[str, Any]:
    found = {ours: sent[theirs] for theirs, ours in _DETAILS.items() if theirs in sent}
    if "locations" in sent:
        found["locations"] = [_location(one) for one in sent["locations"] or []] or None
    elif "location" in sent:
        # Writing location replaces locations.
        found["locations"] = [_location(sent["location"])] if sent["location"] else None
    if isinstance(found.get("body"), dict):
        found["body"] = {
            "contentType": found["body"].get("contentType", "html"),
            "content": found["body"].get("content"),
        }
    return found


def _location(sent: dict[str, Any]) -> dict[str, Any]:
    location = {"displayName": sent.get("displayName") or ""}
    if sent.get("locationEmailAddress"):
        location |= {"locationEmailAddress": sent["locationEmailAddress"], "locationType": "conferenceRoom"}
    else:
        location |= {"locationType": "default"}
    return location


def _opens_anew(status: Any, *, forgets: bool, keeps: bool) -> bool:
    """
    Whether an attendee has not answered any more once this was written of them.

    An organiser answers for nobody: what they write is not kept, but a `declined` that is written back becomes `notResponded`
    (microsoftgraph/microsoft-graph-docs#5545, #16158).
    """
    if not isinstance(status, dict) or not status:
        return forgets
    return status.get("response") == "declined" and not keeps


def _invitees(sent: list[Any], *, forgets: bool = False, keeps: bool = False) -> list[Invitee]:
    found = []
    for one in sent:
        address = (one.get("emailAddress") or {}).get("address") if isinstance(one, dict) else None
        if not address:
            raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        name = one["emailAddress"].get("name") or ""
        answer = AttendeeAnswer.NONE if _opens_anew(one.get("status"), forgets=forgets, keeps=keeps) else None
        found.append(Invitee(address, name, _ROLES.get(one.get("type") or "required", "required"), answer))
    return found
