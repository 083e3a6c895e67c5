"""Who may do what: the role matrix, as data. Pages, API and tests read this one table."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in their organisation; everybody is an employee, some are more."""

    EMPLOYEE = "employee"
    BUILDING_ADMIN = "building-admin"
    SUBSCRIPTION_ADMIN = "subscription-admin"


class Right(StrEnum):
    """One thing that somebody may or may not do."""

    OWN_CALENDAR = "own-calendar"
    """Connect and disconnect one's own calendar, see one's own day."""
    SEE_ROOMS = "see-rooms"
    """The administrators' list of rooms and their health."""
    CHANGE_ROOMS = "change-rooms"
    """Enter, import, change and pair rooms."""
    SEE_INTEGRATION = "see-integration"
    """State, test results and health of the integration."""
    SWITCH_INTEGRATION = "switch-integration"
    """Test, enable, disable and change the provider."""
    APPOINT = "appoint"
    """Give and take roles."""
    MANAGE_WEBHOOKS = "manage-webhooks"
    """Where the organisation's events are sent, and what was sent."""
    SEE_AUDIT = "see-audit"


MATRIX: dict[Right, frozenset[Role]] = {
    Right.OWN_CALENDAR: frozenset(Role),
    Right.SEE_ROOMS: frozenset({Role.BUILDING_ADMIN, Role.SUBSCRIPTION_ADMIN}),
    Right.CHANGE_ROOMS: frozenset({Role.BUILDING_ADMIN, Role.SUBSCRIPTION_ADMIN}),
    Right.SEE_INTEGRATION: frozenset({Role.BUILDING_ADMIN, Role.SUBSCRIPTION_ADMIN}),
    Right.SWITCH_INTEGRATION: frozenset({Role.SUBSCRIPTION_ADMIN}),
    Right.APPOINT: frozenset({Role.SUBSCRIPTION_ADMIN}),
    Right.MANAGE_WEBHOOKS: frozenset({Role.SUBSCRIPTION_ADMIN}),
    Right.SEE_AUDIT: frozenset({Role.SUBSCRIPTION_ADMIN}),
}


def may(roles: Collection[str], right: Right) -> bool:
    """Whether somebody who holds `roles` (words of `Role`; unknown ones give nothing) has `right`."""
    held = {Role.EMPLOYEE, *(Role(word) for word in roles if word in set(Role))}
    return bool(held & MATRIX[right])
