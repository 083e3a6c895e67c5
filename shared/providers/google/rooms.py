"""Which attendees and location an event has after one room took another's place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.attendees import Answer
from shared.domain.sighting import RoomContact
from shared.errors import EventGoneError, RefusedError
from shared.providers.google.parse import answer_of

Json = dict[str, Any]


def is_swapped(event: Mapping[str, Any], declined: str, room: RoomContact) -> bool:
    """Whether `room` is invited and the declined one is not."""
    invited = {_address(entry) for entry in _attendees(event)} - {""}
    return room.address.lower() in invited and declined.lower() not in invited


def swap_patch(event: Mapping[str, Any], declined: str, room: RoomContact) -> Json:
    """
    The PATCH body that invites `room` in place of the room with address `declined`.

    The other entries go back exactly as they were read: Google replaces the whole list, and a bare address would ask
    everybody anew.

    Raises:
        EventGoneError: the meeting was cancelled.
        RefusedError: this person may not change it, or its guest list was cut short, or the declined room is not invited.
    """
    if event.get("status") == "cancelled":
        message = "the meeting was cancelled; there is nothing to rebook"
        raise EventGoneError(message)
    if not ((event.get("organizer") or {}).get("self") or event.get("guestsCanModify")):
        message = "only the organiser can change the rooms of this meeting; ask them"
        raise RefusedError(message)
    if event.get("attendeesOmitted"):
        message = (
            "Google shows only part of the guest list, so writing it back would drop people; change it in Calendar"
        )
        raise RefusedError(message)
    old = next((entry for entry in _attendees(event) if declined and _address(entry) == declined.lower()), None)
    if old is None:
        message = "the room that declined is no longer invited; look at the meeting again before choosing"
        raise RefusedError(message)
    return {"attendees": _attendees_after(event, declined, room), **_location_after(event, old, room)}


def answers(event: Mapping[str, Any], *, but: RoomContact) -> dict[str, Answer]:
    """Address → answer of everybody but one room; those whose answer is in a word that we do not know are left out."""
    said = {_address(entry): answer_of(str(entry.get("responseStatus") or "")) for entry in _attendees(event)}
    return {
        address: answer
        for address, answer in said.items()
        if answer is not None and address not in {"", but.address.lower()}
    }


def _attendees_after(event: Mapping[str, Any], declined: str, room: RoomContact) -> list[Json]:
    invite = {"email": room.address, "displayName": room.name, "resource": True, "responseStatus": "needsAction"}
    gone = {declined.lower(), room.address.lower()}
    return [entry for entry in _attendees(event) if _address(entry) not in gone] + [invite]


def _location_after(event: Mapping[str, Any], old: Mapping[str, Any], room: RoomContact) -> Json:
    """Free text that people wrote stays; only the part that named the old room changes."""
    text = str(event.get("location") or "")
    named = [name for name in (str(old.get("displayName") or ""), str(old.get("email") or "")) if name and name in text]
    return {"location": text.replace(named[0], room.name)} if named else {}


def _attendees(event: Mapping[str, Any]) -> list[Json]:
    return [entry for entry in event.get("attendees") or () if isinstance(entry, dict)]


def _address(entry: Mapping[str, Any]) -> str:
    return str(entry.get("email") or "").lower()
