"""Whether a person's calendar may be changed from here: it depends on the deployment, and on what they permitted."""

from __future__ import annotations

from http import HTTPStatus

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from services.portal.my_calendar.deciding.writing_words import OBSERVING, Writing
from shared.contracts.rows import ConsentState
from shared.domain.identity import Provider
from shared.grants.oauth import missing_scopes
from shared.language.deciding.sentences import say
from shared.registry import tables


def read_writing(deps: Deps, person: Person) -> Writing:
    """Find out whether the person's calendar may be changed. Raises StoreUnavailableError."""
    if not deps.settings.may_write:
        return Writing.OFF
    row = tables.consents(deps.engine.registry).get(person.tenant, person.mailbox.id)
    if row is None or row.state is ConsentState.REVOKED or not missing_scopes(Provider(row.provider), row.scopes):
        return Writing.ON  # also for somebody who is not connected: connecting asks for it
    return Writing.RECONNECT


def require_writing(deps: Deps, person: Person) -> None:
    """
    Let a request pass that changes the person's calendar.

    Raises:
        ProblemError: 403, the deployment only observes; 409, the person permitted to read alone.
        StoreUnavailableError: the registry is away.
    """
    match read_writing(deps, person):
        case Writing.OFF:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "writes-off",
                OBSERVING,
                next_step=say("Change the meeting in your calendar itself; what the room answers is seen here."),
            )
        case Writing.RECONNECT:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "read-only-permission",
                say("Your permission lets us read your calendar, and not change it."),
                next_step=say("Connect again on your profile, and send this once more: /profile"),
            )
        case Writing.ON:
            return
