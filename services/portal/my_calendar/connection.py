"""Connecting one's own calendar, and taking that back: the two acts behind the switch, for pages and programs alike."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypedDict

import msgspec
from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import ProblemError, not_enabled
from services.portal.frame.sessions import Person
from services.portal.interface.fields import ProviderName
from services.portal.meetings.takes import append_command
from services.portal.my_calendar.connection_state import ConnectionShape, read_connection
from services.portal.my_calendar.deciding.writing_words import Writing
from services.portal.my_calendar.writing import read_writing
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.departure import Departure, Departures
from services.portal.sign_in.openid import asked_for
from shared.contracts.command import Disconnect
from shared.contracts.rows import ConsentState, IntegrationState, TenantRow, UserRow
from shared.domain.identity import Provider
from shared.language.deciding.sentences import say
from shared.providers.catalogue import profile_of
from shared.registry import tables

CONNECTED = ("connecting", "first-sync", "connected", "failing", "suspended")
"""Stages in which the switch stands on."""


class RefusalShape(TypedDict):
    """Why something cannot be done, and what to do."""

    title: Annotated[
        str, Meta(examples=["Calendars cannot be connected: this is not switched on for your organisation."])
    ]
    next: Annotated[str, Meta(examples=["Ask your subscription administrator to switch it on."])]


class CalendarAnswer(ConnectionShape, TypedDict):
    """Where the switch of the person's own calendar stands."""

    on: bool
    mayConnect: bool
    whyNot: RefusalShape | None
    """Why it cannot be connected; null when it can."""
    provider: ProviderName
    permissions: list[Annotated[str, Meta(examples=["Calendars.ReadWrite"])]]
    """What connecting asks the calendar system for."""
    removeAt: Annotated[str, Meta(examples=["https://provider.test/applications"])]
    """Where the person takes the permission away at their provider, in words."""
    writing: Writing
    """Whether the calendar is changed from here."""


class CalendarSwitch:
    """One person's switch. Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._departures = Departures(deps)

    def shown(self, person: Person) -> CalendarAnswer:
        """Where the switch stands, whether it may be turned, and if not, why and whom to ask."""
        row = read_organisation(self._deps, person.tenant)
        found = read_connection(self._deps, person)
        if row.integration is not IntegrationState.ENABLED and found["state"] in CONNECTED:
            found["state"] = "sleeping"  # nothing is read from the switch on, whether or not its worker has let go yet
        refusal = _refusal(person, row)
        return {
            **found,
            "on": found["state"] in CONNECTED,
            "mayConnect": refusal is None,
            "whyNot": None if refusal is None else {"title": refusal.title, "next": refusal.next_step},
            "provider": person.provider,
            "permissions": list(
                asked_for(Provider(person.provider), Purpose.CONNECT, writes=self._deps.settings.may_write)
            ),
            "removeAt": where_to_remove(Provider(person.provider)),
            "writing": read_writing(self._deps, person),
        }

    def depart(self, person: Person, back_to: str) -> Departure:
        """
        Begin connecting.

        Args:
            person: Who.
            back_to: The page of ours to come back to.

        Raises:
            ProblemError: 409 while it is not enabled for them, with whom to ask.
        """
        refusal = find_refusal(self._deps, person)
        if refusal is not None:
            raise refusal
        return self._departures.begin(person, Provider(person.provider), Purpose.CONNECT, back_to)

    def disconnect(self, person: Person) -> None:
        """
        End what was connected: the owner of the mailbox ends the subscription first, and then forgets the grant.

        Idempotent, and possible in every state of the integration: a grant that sleeps is forgotten as well.

        Raises:
            LogUnavailableError: nothing was changed.
        """
        row = tables.consents(self._deps.engine.registry).get(person.tenant, person.mailbox.id)
        if row is None:
            return
        if row.state is ConsentState.REVOKED:
            self._deps.broker.forget(person.mailbox)
        elif row.state is ConsentState.SLEEPING:
            self._forget_asleep(person)
        else:
            wish = Disconnect(at_ms=self._deps.clock.now_ms())
            append_command(self._deps, person.mailbox, wish)
            self._deps.broker.leaving(person.mailbox)

    def mark_welcomed(self, person: Person) -> None:
        """The welcome has been answered, one way or the other: it is not shown again. Idempotent."""
        now_ms = self._deps.clock.now_ms()

        def answered(row: UserRow | None) -> UserRow | None:
            return msgspec.structs.replace(row, welcomed_at_ms=row.welcomed_at_ms or now_ms) if row else None

        tables.users(self._deps.engine.registry).change(person.tenant, person.user, answered)

    def is_welcome_due(self, person: Person) -> bool:
        """Whether they have not been asked yet: never while it is not enabled, nor once they have connected."""
        user = tables.users(self._deps.engine.registry).get(person.tenant, person.user)
        if user is None or user.welcomed_at_ms:
            return False
        if find_refusal(self._deps, person) is not None:
            return False
        return tables.consents(self._deps.engine.registry).get(person.tenant, person.mailbox.id) is None

    def _forget_asleep(self, person: Person) -> None:
        """A subscription that could not be ended yet is ended with it first."""
        endings = tables.endings(self._deps.engine.registry)
        self._deps.broker.leaving(person.mailbox)
        if endings.get(person.tenant, person.mailbox.id) is None:
            self._deps.broker.forget(person.mailbox)


def find_refusal(deps: Deps, person: Person) -> ProblemError | None:
    """Why their calendar cannot be connected, with whom to ask; None when it can. Raises StoreUnavailableError."""
    return _refusal(person, read_organisation(deps, person.tenant))


def where_to_remove(provider: Provider) -> str:
    """Where a person takes the permission away at their provider, in words: only they can, and we cannot see whether they did."""
    return profile_of(provider).where_to_remove


def _refusal(person: Person, row: TenantRow) -> ProblemError | None:
    if row.integration is not IntegrationState.ENABLED:
        title = say("Calendars cannot be connected: this is not switched on for your organisation.")
        return not_enabled(row.contact, title=title)
    if row.provider != person.provider:
        return ProblemError(
            HTTPStatus.CONFLICT,
            "other-calendar",
            say("Your organisation uses the other calendar system here."),
            next_step=say("Sign out, and sign in with your account of that calendar system."),
        )
    return None
