"""Follows who is invited to what a person organises, and what each answered: from a look to the pieces that change. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.sync_worker.deciding.references import Merge, References
from services.sync_worker.deciding.snapshots import (
    Pieces,
    Snapshot,
    changed_pieces,
    cut_snapshot,
    is_half_written,
    read_snapshot,
)
from shared.contracts.attendee_snapshot import SnapshotPiece
from shared.contracts.calendar_state import EventReference
from shared.domain.attendees import Answer
from shared.domain.keys import TenantKeys, pseudonym

_NAME_CHARS = 12
"""Of an event among those of one series: 60 bits."""

Snapshots = Mapping[str, Pieces]
"""Name of a series → its pieces, of one mailbox."""


@dataclass(frozen=True, slots=True)
class PeopleChange:
    """What a look changes in the snapshots of a mailbox."""

    snapshots: dict[str, Pieces]
    """All of them, afterwards."""
    changed: dict[str, dict[str, SnapshotPiece | None]]
    """Name of a series → bits → the piece to be written, or None where it is to be deleted."""
    events: dict[str, str]
    """Name of a changed series → the id of an event of it that the look was about."""


def follow_people(known: Snapshots, before: References, merged: Merge, keys: TenantKeys) -> PeopleChange:
    """
    Find out which pieces a look changes.

    Args:
        known: As they were.
        before: The mailbox's references before the look.
        merged: What the look makes of them.
        keys: Of the tenant.
    """
    after = merged.references
    about = {
        series_of(references[event_id]): event_id
        for event_id in sorted({*merged.changed, *merged.people})
        for references in (before, after)
        if event_id in references
    }
    earlier, now = _remembered(before, about), _remembered(after, about)
    change = PeopleChange(dict(known), {}, {})
    for series, event_id in about.items():
        name = series_name(series, keys)
        pieces = known.get(name, {})
        snapshot = read_snapshot(pieces.values(), [event_name(each, keys) for each in earlier[series]])
        newest = _newest(snapshot, now[series], merged.people, keys)
        if newest == snapshot and not is_half_written(pieces):
            continue
        wanted = cut_snapshot(name, newest)
        if changed := changed_pieces(pieces, wanted):
            change.changed[name], change.events[name] = changed, event_id
        change.snapshots.pop(name, None)
        if wanted:
            change.snapshots[name] = wanted
    return change


def series_of(reference: EventReference) -> str:
    """The event id of a date's series; a single meeting's own."""
    return reference.master_id or reference.event_id


def series_name(series: str, keys: TenantKeys) -> str:
    """The pseudonym that a series has in the keys of its pieces."""
    return pseudonym(keys.hash_key, "event", series)


def event_name(event_id: str, keys: TenantKeys) -> str:
    """The name that an event has in the snapshot of its series."""
    return pseudonym(keys.hash_key, "event", event_id)[:_NAME_CHARS]


def _remembered(references: References, series: Collection[str]) -> dict[str, list[str]]:
    """The event ids of each of `series` whose people stand in its pieces."""
    found: dict[str, list[str]] = defaultdict(list)
    for event_id, reference in references.items():
        if reference.people_apart and series_of(reference) in series:
            found[series_of(reference)].append(event_id)
    return found


def _newest(
    snapshot: Snapshot, events: Collection[str], people: Mapping[str, Mapping[str, Answer]], keys: TenantKeys
) -> dict[str, Mapping[str, Answer]]:
    """The snapshot of a series with what the look says, and without events that are gone."""
    names = {event_name(event_id, keys): event_id for event_id in events}
    return {
        name: people[event_id] if event_id in people else snapshot.get(name, {}) for name, event_id in names.items()
    }
