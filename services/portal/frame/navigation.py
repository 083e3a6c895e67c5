"""What stands around every page: where this person may go, which organisation it is, and what they are in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Flask, request

from services.portal.deps import deps
from services.portal.frame.deciding.page_words import STALE_WORDS
from services.portal.frame.sessions import Person, anybody, own_row
from shared.contracts.rows import IntegrationState
from shared.domain.roles import Right, Role, may
from shared.errors import RoomsyncError
from shared.grants.vault import ConsentVault
from shared.language.deciding.sentences import say
from shared.organisations.decline_incidents import read_open
from shared.registry import tables
from shared.runtime.settings import Settings

ROLE_WORDS = {
    Role.EMPLOYEE: say("Employee"),
    Role.BUILDING_ADMIN: say("Building administrator"),
    Role.SUBSCRIPTION_ADMIN: say("Subscription administrator"),
}


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One place to go."""

    path: str
    words: str
    right: Right
    only_enabled: bool = False
    """Hidden while the integration is anything but enabled: there is nothing behind it then."""
    needs: str = ""
    """Hidden where the deployment does not do this: a word of `_done`; "": always there."""


ENTRIES = (
    NavigationEntry("/", say("My rooms"), Right.OWN_CALENDAR, only_enabled=True),
    NavigationEntry("/day", say("My day"), Right.OWN_CALENDAR, only_enabled=True),
    NavigationEntry("/book", say("Book a room"), Right.OWN_CALENDAR, only_enabled=True, needs="writes"),
    NavigationEntry("/month", say("Month"), Right.OWN_CALENDAR, only_enabled=True),
    NavigationEntry("/profile", say("Profile"), Right.OWN_CALENDAR),
    NavigationEntry("/admin", say("Overview"), Right.SEE_INTEGRATION, only_enabled=True),
    NavigationEntry("/admin/rooms", say("Rooms"), Right.SEE_ROOMS),
    NavigationEntry("/admin/integration", say("Integration"), Right.SEE_INTEGRATION),
    NavigationEntry("/admin/report", say("Report"), Right.SEE_INTEGRATION, only_enabled=True),
    NavigationEntry("/admin/people", say("People"), Right.APPOINT),
    NavigationEntry("/admin/webhooks", say("Webhooks"), Right.MANAGE_WEBHOOKS, only_enabled=True, needs="webhooks"),
    NavigationEntry("/admin/chat", say("Chat"), Right.MANAGE_WEBHOOKS, only_enabled=True, needs="chat"),
    NavigationEntry("/admin/audit", say("Audit"), Right.SEE_AUDIT),
)


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one person's pages."""

    csrf: str
    organisation: str
    role: str
    address: str
    """What this person signed in with; "" while it cannot be read."""
    entries: tuple[NavigationEntry, ...]
    current: str
    """The path of the entry that the page belongs to; "" for none."""
    many_declines: int = 0
    """How many rooms said no at once, for an administrator while messages are held because of it."""


def visible(roles: Collection[str], state: IntegrationState, done: Collection[str] = ()) -> tuple[NavigationEntry, ...]:
    """
    The entries of somebody who holds `roles`, in an organisation whose integration is in `state`.

    Args:
        done: What the deployment does, of what it may leave: `webhooks`, `chat`, `writes`.
    """
    enabled = state is IntegrationState.ENABLED
    return tuple(
        each
        for each in ENTRIES
        if may(roles, each.right) and (enabled or not each.only_enabled) and (not each.needs or each.needs in done)
    )


def role_words(roles: Collection[str]) -> str:
    """What people call the most that somebody is."""
    held = max((role for role in Role if role in roles), key=list(Role).index, default=Role.EMPLOYEE)
    return ROLE_WORDS[held]


def place(path: str) -> str:
    """Which entry's path a page belongs to: the longest that it lies under."""
    under = [
        each.path for each in ENTRIES if path == each.path or (each.path != "/" and path.startswith(f"{each.path}/"))
    ]
    return max(under, key=len, default="")


def register(app: Flask) -> None:
    """Give every template of `app` its `shell`; None for somebody who is not signed in."""
    app.jinja_env.globals["stale_words"] = STALE_WORDS

    @app.context_processor
    def around() -> dict[str, Any]:
        try:
            return {"shell": _shell()}
        except RoomsyncError:
            return {"shell": None}  # the page says what is away; its frame must not fail for the same reason


def _shell() -> Shell | None:
    person = anybody()
    if person is None:
        return None
    row = tables.tenants(deps().engine.registry).get(person.tenant, "tenant")
    state = row.integration if row else IntegrationState.OFF
    return Shell(
        csrf=person.csrf,
        organisation=row.name if row else "",
        role=role_words(person.roles),
        address=_address_of(person),
        entries=visible(person.roles, state, _done(deps().settings)),
        current=place(request.path),
        many_declines=_many_declines(person),
    )


def _done(settings: Settings) -> set[str]:
    switches = {"webhooks": settings.sends_webhooks, "chat": settings.posts_to_chat, "writes": settings.may_write}
    return {name for name, is_on in switches.items() if is_on}


def _many_declines(person: Person) -> int:
    if not may(person.roles, Right.SEE_INTEGRATION):
        return 0
    row = read_open(deps().engine.registry, person.tenant)
    return row.declines if row else 0


def _address_of(person: Person) -> str:
    user = own_row()
    try:
        return ConsentVault(deps().engine.keyring).address_of(person.tenant, person.user, user) if user else ""
    except RoomsyncError:
        return ""  # the consent key is destroyed with the organisation's grants: its administrators still have pages
