"""Which attendees and places an event has after one room took another's place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.attendees import Answer
from shared.domain.sighting import RoomContact
from shared.errors import EventGoneError, RefusedError
from shared.providers.microsoft.booking import place_of
from shared.providers.microsoft.parse import answer_of

Json = dict[str, Any]


def is_swapped(event: Mapping[str, Any], declined: str, room: RoomContact) -> bool:
    """Whether `room` is invited and the declined one is not."""
    invited = addresses(event)
    return room.address.lower() in invited and declined.lower() not in invited


def swap_patch(event: Mapping[str, Any], declined: str, room: RoomContact) -> Json:
    """
    The PATCH body that invites `room` in place of the room with address `declined`.

    The other attendees go back as they were read, since Graph replaces the whole list, but without their answers: a `declined`
    that is written back becomes `notResponded` (microsoftgraph/microsoft-graph-docs#5545, #16158), and an answer that came
    since the reading would be overwritten.

    Raises:
        EventGoneError: the meeting was cancelled.
        RefusedError: not this person's meeting, or the declined room is not invited any more.
    """
    if event.get("isCancelled"):
        message = "the meeting was cancelled; there is nothing to rebook"
        raise EventGoneError(message)
    if not event.get("isOrganizer"):
        message = "only the organiser can change the rooms of a meeting; ask them"
        raise RefusedError(message)
    old = next((entry for entry in _attendees(event) if declined and _address(entry) == declined.lower()), None)
    if old is None:
        message = "the room that declined is no longer invited; look at the meeting again before choosing"
        raise RefusedError(message)
    return {
        "attendees": _attendees_after(event, declined, room),
        **_places_after(event, declined, _name(old), room),
    }


def addresses(event: Mapping[str, Any]) -> frozenset[str]:
    """Everybody invited, lower-cased."""
    return frozenset(filter(None, (_address(entry) for entry in _attendees(event))))


def answers(event: Mapping[str, Any], *, but: RoomContact) -> dict[str, Answer]:
    """Address → answer of everybody but one room; those whose answer is in a word that we do not know are left out."""
    said = {_address(entry): answer_of((entry.get("status") or {}).get("response")) for entry in _attendees(event)}
    return {
        address: answer
        for address, answer in said.items()
        if answer is not None and address not in {"", but.address.lower()}
    }


def _attendees_after(event: Mapping[str, Any], declined: str, room: RoomContact) -> list[Json]:
    invite = {"type": "resource", "emailAddress": {"address": room.address, "name": room.name}}
    gone = {declined.lower(), room.address.lower()}
    return [_unanswered(entry) for entry in _attendees(event) if _address(entry) not in gone] + [invite]


def _unanswered(entry: Mapping[str, Any]) -> Json:
    return {name: value for name, value in entry.items() if name != "status"}


def _places_after(event: Mapping[str, Any], declined: str, declined_name: str, room: RoomContact) -> Json:
    place = place_of(room)
    others = [entry for entry in _places(event) if not _names(entry, declined, declined_name)]
    places = [place, *(entry for entry in others if entry.get("displayName"))]
    # Writing `location` replaces `locations`: both only where they say the same.
    return {"locations": places} if len(places) > 1 else {"location": place, "locations": places}


def _places(event: Mapping[str, Any]) -> list[Json]:
    several = [entry for entry in event.get("locations") or () if isinstance(entry, dict)]
    single = event.get("location")
    return several or ([single] if isinstance(single, dict) else [])


def _names(place: Mapping[str, Any], address: str, name: str) -> bool:
    known = {str(place.get(key) or "").lower() for key in ("locationEmailAddress", "locationUri", "uniqueId")}
    shown = str(place.get("displayName") or "").strip().lower()
    return address.lower() in known or shown in {address.lower(), name.strip().lower()} - {""}


def _attendees(event: Mapping[str, Any]) -> list[Json]:
    return [entry for entry in event.get("attendees") or () if isinstance(entry, dict)]


def _address(entry: Mapping[str, Any]) -> str:
    return str((entry.get("emailAddress") or {}).get("address") or "").lower()


def _name(entry: Mapping[str, Any]) -> str:
    return str((entry.get("emailAddress") or {}).get("name") or "")
