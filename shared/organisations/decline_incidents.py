"""The incident of an organisation whose rooms said no by the dozen, as pages and the notifier share it in the registry."""

from __future__ import annotations

import msgspec

from shared.contracts.decline_incident import CauseKind, DeclineIncident
from shared.contracts.rows import DeclineIncidentRow
from shared.language.deciding.sentences import say
from shared.ports.registry import Registry
from shared.providers.catalogue import profile_of
from shared.registry import tables

LATEST = "latest"
INCIDENT_PAGE = "/admin/incident"
"""The page that shows the incident and ends it."""
_WORDS = {
    CauseKind.ACT: say("An administrator changed the rooms of {share} of them within the hour before."),
    CauseKind.ROOM: say("{share} of them are of one room: {about}."),
    CauseKind.BUILDING: say("{share} of them are of rooms in one building: {about}."),
    CauseKind.ORGANIZER: say("{share} of them are of meetings of one organiser."),
    CauseKind.PROVIDER: say(
        "All came from {about}, of several buildings and organisers: look at the calendar system's own state."
    ),
    CauseKind.NONE: say("They have no room, building or organiser in common."),
}


def read_latest(registry: Registry, tenant: str) -> DeclineIncidentRow | None:
    """The organisation's latest incident, whether it is over or not. Raises StoreUnavailableError."""
    return tables.decline_incidents(registry).get(tenant, LATEST)


def read_open(registry: Registry, tenant: str) -> DeclineIncidentRow | None:
    """The organisation's incident while it lasts. Raises StoreUnavailableError."""
    row = read_latest(registry, tenant)
    return row if row is not None and not row.over_at_ms else None


def publish(registry: Registry, tenant: str, incident: DeclineIncident) -> DeclineIncidentRow | None:
    """Show an incident as it stands; what ended it stays. Returns the row. Raises StoreUnavailableError."""
    cause = incident.cause

    def show(row: DeclineIncidentRow | None) -> DeclineIncidentRow:
        same = row is not None and row.id == incident.id
        return DeclineIncidentRow(
            id=incident.id,
            began_at_ms=incident.began_at_ms,
            last_at_ms=incident.last_at_ms,
            declines=incident.declines,
            upcoming=incident.upcoming,
            cause=cause.kind,
            about=cause.about,
            share=cause.share,
            ended_at_ms=row.ended_at_ms if row and same else 0,
            released_at_ms=row.released_at_ms if row and same else 0,
        )

    return tables.decline_incidents(registry).change(tenant, LATEST, show)


def end(registry: Registry, tenant: str, incident: str, now_ms: int) -> None:
    """Show that the incident of that id is over by itself. Idempotent. Raises StoreUnavailableError."""

    def close(row: DeclineIncidentRow | None) -> DeclineIncidentRow | None:
        if row is None or row.id != incident or row.over_at_ms:
            return row
        return msgspec.structs.replace(row, ended_at_ms=now_ms)

    tables.decline_incidents(registry).change(tenant, LATEST, close)


def release(registry: Registry, tenant: str, now_ms: int) -> DeclineIncidentRow | None:
    """
    End the organisation's incident on a person's word: what was held is sent.

    Returns:
        The incident as it was until now; None when none lasts.

    Raises:
        StoreUnavailableError: it lasts on.
    """
    before: list[DeclineIncidentRow | None] = [None]

    def let_go(row: DeclineIncidentRow | None) -> DeclineIncidentRow | None:
        before[0] = row if row is not None and not row.over_at_ms else None
        return msgspec.structs.replace(row, released_at_ms=now_ms) if before[0] is not None and row else row

    tables.decline_incidents(registry).change(tenant, LATEST, let_go)
    return before[0]


def describe_cause(registry: Registry, tenant: str, cause: str, about: str, share: int) -> str:
    """What the declines of an incident have in common, as a sentence. Raises StoreUnavailableError."""
    kind = CauseKind(cause) if cause in set(CauseKind) else CauseKind.NONE
    if kind is CauseKind.ROOM:
        room = tables.rooms(registry).get(tenant, about)
        about = room.name if room and room.name else say("one that is not listed")
    elif kind is CauseKind.PROVIDER:
        about = profile_of(about).name
    return _WORDS[kind].format(share=share, about=about)
