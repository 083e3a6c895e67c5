"""
When many declines of an organisation are one incident, what they have in common, and when it is over. Pure.

A decline counts at the moment at which its room's answer was seen, not when the notifier read it: what has piled up while nobody
read it is no incident, unless the rooms did say no within a minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from shared.contracts.decline_incident import CauseKind, DeclineIncident, LikelyCause, OrganisationDecline
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS

WINDOW_MS = MINUTE_MS
LEAST = 20
"""So many declines at once are no incident, however small the organisation."""
SHARE_PERCENT = 5
"""Nor is this part of the rooms that are asked for meetings to come."""
QUIET_MS = 15 * MINUTE_MS
"""An incident is over when so long no room has said no."""
OLD_MS = DAY_MS
"""A decline that was seen so long ago begins no first rung, and no incident."""
ACT_MS = HOUR_MS
"""An act so long before the incident may have caused it."""
COMMON_PERCENT = 80
"""What so many of the declines have in common is the likely cause."""


@dataclass(frozen=True, slots=True)
class RoomAct:
    """What an administrator did to a room."""

    at_ms: int
    act: str
    room: str


def is_counted_at(decline: OrganisationDecline, now_ms: int) -> bool:
    """Whether a decline may begin an incident when it is read at `now_ms`."""
    return decline.observed_at_ms > now_ms - OLD_MS


def as_read(decline: OrganisationDecline, now_ms: int) -> OrganisationDecline:
    """The decline once it is read: the clock of whoever saw it may be a little ahead of this one."""
    return msgspec.structs.replace(decline, read_at_ms=now_ms, observed_at_ms=min(decline.observed_at_ms, now_ms))


def in_window(declines: Iterable[OrganisationDecline]) -> list[OrganisationDecline]:
    """Those of the minute that ends with the latest of `declines`, the earliest first."""
    ordered = sorted(declines, key=lambda each: (each.observed_at_ms, each.prompt))
    return [each for each in ordered if each.observed_at_ms > ordered[-1].observed_at_ms - WINDOW_MS]


def outgrown(declines: Collection[OrganisationDecline], now_ms: int) -> list[str]:
    """The prompts of the declines that no window can hold any more, however late a record comes."""
    kept = {each.prompt for each in in_window(declines)}
    return sorted(each.prompt for each in declines if each.prompt not in kept or each.read_at_ms <= now_ms - WINDOW_MS)


def is_suspected(declines: Collection[OrganisationDecline]) -> bool:
    """Whether there are so many that the number of rooms to come has to be known."""
    return len(declines) > LEAST


def is_incident(count: int, upcoming: int) -> bool:
    """Whether `count` declines within a minute are one incident of an organisation with so many rooms to come."""
    return count > LEAST and count * 100 > upcoming * SHARE_PERCENT


def begin(
    name: str, declines: Collection[OrganisationDecline], upcoming: int, cause: LikelyCause, now_ms: int
) -> DeclineIncident:
    """The incident that these declines are."""
    return DeclineIncident(
        id=name, began_at_ms=now_ms, last_at_ms=now_ms, declines=len(declines), upcoming=upcoming, cause=cause
    )


def go_on(incident: DeclineIncident, more: int, now_ms: int) -> DeclineIncident:
    """The incident once `more` declines have come."""
    return msgspec.structs.replace(incident, declines=incident.declines + more, last_at_ms=now_ms)


def quiet_at(incident: DeclineIncident) -> int:
    """When the incident is over by itself, if no decline comes."""
    return incident.last_at_ms + QUIET_MS


def likely_cause(
    declines: Collection[OrganisationDecline], building_of: Mapping[str, str], acts: Iterable[RoomAct], now_ms: int
) -> LikelyCause:
    """
    Say what most of the declines have in common: the first of act, room, building, organiser and provider that four in five share.

    Args:
        declines: Those of the incident.
        building_of: Room → its building; rooms of no known building are left out.
        acts: What administrators did to rooms lately.
        now_ms: The present, in epoch milliseconds.
    """
    rooms = Counter(each.room for each in declines)
    candidates = [
        _common(CauseKind.ACT, _rooms_by_act(acts, rooms, now_ms)),
        _common(CauseKind.ROOM, rooms),
        _common(CauseKind.BUILDING, Counter(building_of[each.room] for each in declines if each.room in building_of)),
        _common(CauseKind.ORGANIZER, Counter(each.organizer for each in declines)),
        _common(CauseKind.PROVIDER, Counter(each.provider for each in declines)),
    ]
    enough = (each for each in candidates if each.share * 100 >= len(declines) * COMMON_PERCENT)
    return next(enough, LikelyCause(kind=CauseKind.NONE))


def _common(kind: CauseKind, counts: Counter[str]) -> LikelyCause:
    about, share = max(counts.items(), key=lambda each: (each[1], each[0]), default=("", 0))
    return LikelyCause(kind=kind, about=about, share=share)


def _rooms_by_act(acts: Iterable[RoomAct], rooms: Mapping[str, int], now_ms: int) -> Counter[str]:
    """Word of an act → how many declines are of rooms to which it was done lately."""
    done = {(each.act, each.room) for each in acts if now_ms - ACT_MS < each.at_ms <= now_ms}
    found: Counter[str] = Counter()
    for act, room in done:
        found[act] += rooms.get(room, 0)
    return found
