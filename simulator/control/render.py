"""The world written as the control API's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from simulator.world import Attendee, Instance, Mailbox, Meeting, Room, Tenant, User, World
from simulator.world.recurrence import instances


def tenant(one: Tenant) -> dict[str, Any]:
    """An organisation."""
    return {
        "id": one.id,
        "provider": one.provider,
        "name": one.name,
        "domain": one.domain,
        "secondaryDomains": list(one.secondary_domains),
        "unverifiedDomains": list(one.unverified_domains),
        "autoReplace": one.auto_replace,
    }


def user(one: User) -> dict[str, Any]:
    """A person."""
    return {
        "id": one.id,
        "tenant": one.tenant_id,
        "provider": one.provider,
        "name": one.name,
        "address": one.address,
        "signInName": one.login,
        "aliases": list(one.aliases),
        "timeZone": one.time_zone,
    }


def room(one: Room) -> dict[str, Any]:
    """A room with its rules, which no provider would show."""
    rules = one.rules
    return {
        "id": one.id,
        "tenant": one.tenant_id,
        "provider": one.provider,
        "name": one.name,
        "address": one.address,
        "capacity": one.capacity,
        "building": one.building,
        "floor": one.floor,
        "equipment": list(one.equipment),
        "accessible": one.accessible,
        "section": one.section,
        "description": one.description,
        "rules": {
            "mode": rules.mode,
            "delayMs": list(rules.delay_ms) if rules.delay_ms else None,
            "maxDurationMinutes": rules.max_duration_minutes,
            "maxLeadDays": rules.max_lead_days,
            "group": sorted(rules.group),
            "allowConflicts": rules.allow_conflicts,
            "seriesConflicts": {"max": rules.series_max_conflicts, "share": rules.series_conflict_share},
        },
    }


def meeting(world: World, one: Meeting) -> dict[str, Any]:
    """A meeting as its organiser's copy stands, with every date of a series."""
    owner = world.directory.mailbox(one.organizer_id)
    copy = world.calendar.copy_of(owner.id, one.id)
    return {
        "id": one.id,
        "tenant": one.tenant_id,
        "iCalUId": one.ical_uid,
        "eventId": copy.event_id if copy else None,
        "organizer": owner.address,
        "title": one.title,
        "start": written(one.start_ms),
        "end": written(one.end_ms),
        "startMs": one.start_ms,
        "endMs": one.end_ms,
        "cancelled": one.cancelled,
        "rooms": _attendees(world, one.attendees, rooms=True),
        "attendees": _attendees(world, one.attendees, rooms=False),
        "occurrences": [_date(world, date) for date in instances(one)] if one.recurrence else [],
    }


def agenda(world: World, owner: Mailbox) -> list[dict[str, Any]]:
    """What a mailbox holds, date by date; Exchange writes the organiser's name where the subject was into a room."""
    found = []
    for copy, held in world.calendar.copies(owner.id):
        organizer = world.directory.mailbox(held.organizer_id)
        for date in world.calendar.dates(copy):
            if date.cancelled:
                continue
            hides = isinstance(owner, Room) and owner.provider == "microsoft"
            found.append(
                {
                    "meeting": held.id,
                    "eventId": copy.event_id,
                    "title": organizer.name if hides else date.title,
                    "organizer": organizer.address,
                    "start": written(date.start_ms),
                    "end": written(date.end_ms),
                    "occurrence": date.key,
                    "answer": "organizer" if copy.is_organizer else world.calendar.own_answer(copy, date.key).value,
                }
            )
    return sorted(found, key=lambda entry: (entry["start"], entry["meeting"]))


def written(ms: int) -> str:
    """An instant in UTC, RFC 3339."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _attendees(world: World, attendees: dict[str, Attendee], *, rooms: bool) -> list[dict[str, Any]]:
    shown = []
    for one in attendees.values():
        mailbox = world.directory.find(one.address)
        if isinstance(mailbox, Room) == rooms:
            entry: dict[str, Any] = {"address": one.address, "name": one.name, "answer": one.answer.value}
            if mailbox:
                entry["id"] = mailbox.id
            shown.append(entry)
    return shown


def _date(world: World, date: Instance) -> dict[str, Any]:
    return {
        "occurrence": date.key,
        "start": written(date.start_ms),
        "end": written(date.end_ms),
        "cancelled": date.cancelled,
        "exception": date.is_exception,
        "rooms": _attendees(world, date.attendees, rooms=True),
        "attendees": _attendees(world, date.attendees, rooms=False),
    }
