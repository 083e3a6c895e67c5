"""What a room answers, from its rules and one request. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.world.model import AttendeeAnswer, RoomRules

MINUTE_MS = 60_000
DAY_MS = 86_400_000
_SERIES_LIMITS = {"microsoft": (0, 0.0), "google": (8, 0.5)}
"""Exchange declines a series with any conflict unless told otherwise; Google allows eight and half of the dates."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One date that is asked for, in milliseconds; `taken` when the room holds another meeting then."""

    start_ms: int
    end_ms: int
    taken: bool
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer (None: the room stays silent) and the reason, which only the history tells."""

    answer: AttendeeAnswer | None
    reason: str
    declined_dates: tuple[int, ...] = ()


def verdict(
    rules: RoomRules, slots: Sequence[Slot], *, organizer: str, foreign: bool, now_ms: int, provider: str
) -> Verdict:
    """
    Decide one request: right first, then the room's limits, then conflicts.

    Args:
        rules: the room's.
        slots: every date asked for; more than one is a series.
        organizer: lower-case address of the one who books.
        foreign: the booker is of another organisation.
        now_ms: the moment of deciding, for the lead time.
        provider: decides the default limits of conflicts in a series.
    """
    right = _right(rules, organizer, foreign=foreign)
    if right is not None:
        return right
    for slot in slots:
        reason = _limit(rules, slot, now_ms)
        if reason and (reason != "past" or len(slots) == 1):
            return Verdict(AttendeeAnswer.DECLINED, reason)
    return _conflicts(rules, slots, provider)


def _right(rules: RoomRules, organizer: str, *, foreign: bool) -> Verdict | None:
    if rules.mode == "never":
        return Verdict(None, "never-answers")
    if rules.mode == "forbid":
        return Verdict(AttendeeAnswer.DECLINED, "forbidden")
    if foreign:
        return Verdict(AttendeeAnswer.DECLINED, "foreign")
    if rules.mode == "group" and organizer not in rules.group:
        return Verdict(AttendeeAnswer.DECLINED, "not-in-group")
    if rules.mode == "manual":
        return Verdict(None, "awaits-approval")
    return None


def _limit(rules: RoomRules, slot: Slot, now_ms: int) -> str:
    if rules.max_duration_minutes is not None and slot.end_ms - slot.start_ms > rules.max_duration_minutes * MINUTE_MS:
        return "too-long"
    if rules.max_lead_days is not None and slot.start_ms - now_ms > rules.max_lead_days * DAY_MS:
        return "too-early"
    return "past" if slot.end_ms <= now_ms else ""


def _conflicts(rules: RoomRules, slots: Sequence[Slot], provider: str) -> Verdict:
    taken = [] if rules.allow_conflicts else [slot for slot in slots if slot.taken]
    if not taken:
        return Verdict(AttendeeAnswer.ACCEPTED, "free")
    if len(slots) == 1:
        return Verdict(AttendeeAnswer.DECLINED, "conflict")
    most, share = _SERIES_LIMITS[provider]
    most = most if rules.series_max_conflicts is None else rules.series_max_conflicts
    share = share if rules.series_conflict_share is None else rules.series_conflict_share
    if len(taken) > most or len(taken) > share * len(slots):
        return Verdict(AttendeeAnswer.DECLINED, "conflict")
    return Verdict(
        AttendeeAnswer.ACCEPTED, "conflict-on-some-dates", tuple(slot.key for slot in taken if slot.key is not None)
    )
