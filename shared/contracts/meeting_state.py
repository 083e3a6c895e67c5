"""The fold's memory of one meeting: the last observation per copy, each room's state, the declines so far. Sealed at rest."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.observation import Observation

TYPE = "meeting-state"


class RoomState(StrEnum):
    """What is true of one room of one occurrence."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RELEASED = "released"
    """It had accepted, and is no longer invited although the meeting goes on."""
    GONE = "gone"
    """No longer asked: the room was removed before it accepted, or the meeting is off."""
    UNKNOWN = "unknown"
    """No connected copy can be believed about it. Not the same as pending."""


class RoomMemory(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One room of one occurrence."""

    occurrence: str
    room: str
    state: RoomState
    ask: str
    start_ms: int
    end_ms: int
    asked_at_ms: int
    """When this ask was first observed."""
    since_ms: int
    """When the state was first observed."""
    quiet: bool = False
    """Declined before its owner connected: shown on the page, never announced."""
    repeats: dict[str, int] = {}
    """Ask → declines announced so far."""
    decline_id: str = ""
    """The id of the decline that stands behind DECLINED; "" when quiet."""


class MeetingState(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One meeting, total. Key on `meeting-state`: tenant/meeting."""

    provider: str
    meeting: str
    copies: dict[str, Observation] = {}
    """Mailbox id → the last observation of that copy."""
    voice: str = ""
    """The mailbox whose word counts; "" when there is none."""
    rooms: tuple[RoomMemory, ...] = ()
    version: int = 0
    """Counts the changes since the meeting was first seen: a replay sees by it whether a part of the past is missing."""
