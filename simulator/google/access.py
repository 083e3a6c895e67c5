"""Which calendars a token reaches: scopes per method, ownership, and what a colleague may see."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.google.errors import ApiError, insufficient_permissions, not_found
from simulator.world import Mailbox, Principal, Room, User, World

_PREFIX = "https://www.googleapis.com/auth/"
_ANY_CALENDAR_READ = {"calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly"}
_OWNED = {"calendar.events.owned", "calendar.events.owned.readonly"}
READ_EVENTS = _ANY_CALENDAR_READ | _OWNED
WRITE_EVENTS = {"calendar", "calendar.events", "calendar.events.owned"}
FREE_BUSY = {"calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy"}
USERS = {"admin.directory.user", "admin.directory.user.readonly"}
DOMAINS = {"admin.directory.domain", "admin.directory.domain.readonly"}
RESOURCES = {"admin.directory.resource.calendar", "admin.directory.resource.calendar.readonly"}


@dataclass(frozen=True, slots=True)
class ReachedCalendar:
    """A calendar and the words by which it was addressed."""

    user: User
    mailbox: Mailbox
    addressed_as: str

    @property
    def is_own(self) -> bool:
        """Whether the caller owns the calendar."""
        return self.user.id == self.mailbox.id


def read_scopes(principal: Principal) -> set[str]:
    """The token's Google scopes without their prefix."""
    return {scope.removeprefix(_PREFIX) for scope in principal.scopes}


def demand(principal: Principal, allowed: set[str]) -> None:
    """Raises ApiError 403 unless the token has one of these scopes."""
    if not read_scopes(principal) & allowed:
        insufficient_permissions()


def reach(world: World, principal: Principal, calendar_id: str, allowed: set[str]) -> ReachedCalendar:
    """
    The calendar a call is about.

    A token that only has `.owned` scopes sees no calendar but the caller's own; other people's calendars are not
    shared; rooms are visible to everybody in their organisation.

    Raises:
        ApiError: 403 without a scope, 404 when the calendar is not there for this token.
    """
    demand(principal, allowed)
    user = world.directory.user(principal.user_id)
    mailbox = user if calendar_id == "primary" else world.directory.find(calendar_id)
    if mailbox is None or mailbox.provider != "google":
        not_found()
    if mailbox.id == user.id:
        return ReachedCalendar(user, user, calendar_id)
    wide = read_scopes(principal) & allowed & (_ANY_CALENDAR_READ | WRITE_EVENTS) - _OWNED
    if not wide or not isinstance(mailbox, Room) or mailbox.tenant_id != user.tenant_id:
        not_found()
    return ReachedCalendar(user, mailbox, calendar_id)


def demand_writer(reached: ReachedCalendar) -> None:
    """Raises ApiError 403 unless the caller may write here: the own calendar only."""
    if not reached.is_own:
        message = "You need to have writer access to this calendar."
        raise ApiError(403, "requiredAccessLevel", message, domain="calendar")


def sees_busy(world: World, user: User, calendar_id: str) -> Mailbox | None:
    """The mailbox whose free/busy this user may ask for: anybody's and any room's in the same organisation."""
    mailbox = user if calendar_id == "primary" else world.directory.find(calendar_id)
    if mailbox is None or mailbox.provider != "google" or mailbox.tenant_id != user.tenant_id:
        return None
    return mailbox
