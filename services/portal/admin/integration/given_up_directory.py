"""
Giving up a directory of the organisation, such as a domain that it no longer has: whom it concerns, and the act once confirmed.

It is the counterpart of joining one (`domains`, `roomsync tenants join`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypedDict

from flask import Blueprint, make_response, redirect, render_template, request
from msgspec import Meta
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.admin.integration.answers import IntegrationAnswer
from services.portal.admin.integration.confirmation import confirmation, is_confirmed
from services.portal.admin.integration.overview import overview
from services.portal.admin.integration.switch_off import ConfirmationBody
from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.deps import Deps
from services.portal.frame.bodies import read_fields
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, require_right
from services.portal.interface.fields import Count, ProviderName
from services.portal.interface.operation import operation
from services.portal.my_calendar.connection import CalendarSwitch
from shared.contracts.rows import UserRow
from shared.domain.identity import Mailbox
from shared.domain.roles import Right
from shared.errors import RefusedError
from shared.language.deciding.sentences import say
from shared.organisations.given_up_directory import (
    Concerned,
    DirectoryMembers,
    JoinedDirectory,
    Obstacle,
    directories_of,
    find_obstacle,
)


class GivenUpBody(ConfirmationBody):
    """Which directory, and the word that confirms it."""

    provider: ProviderName = ""
    directory: Annotated[str, Meta(examples=["second.test"])] = ""
    """One of the organisation's, as the integration names it."""


class ConcernedShape(TypedDict):
    """Whom giving it up concerns, counted now."""

    people: Count
    """Of the directory, who have signed in: they cannot any more."""
    connected: Count
    """Of these, whose calendar is disconnected."""
    administrators: Count
    """Of these, who lose a role."""
    unknown: Count
    """Of whom it is not known: they are signed out, and stay connected."""


class WhomItConcerns(TypedDict):
    """Whom it concerns, and the word that confirms it."""

    concerned: ConcernedShape
    confirmation: str


def give_up(deps: Deps, person: Person, directory: JoinedDirectory) -> Concerned:
    """
    Give a directory of the person's organisation up; whether it can be is asked beforehand. To be repeated when it failed.

    Raises:
        ProblemError: 409, the other one was given up at the same time.
        LogUnavailableError: nobody is let in from it any more, and not everybody is disconnected yet.
        StoreUnavailableError: the same.
    """
    members = DirectoryMembers(deps.engine.registry, deps.engine.keyring, person.tenant, directory)
    switch = CalendarSwitch(deps)

    def disconnect(user: str, row: UserRow) -> None:
        theirs = Mailbox(person.tenant, row.mailbox)
        switch.disconnect(Person(person.tenant, user, theirs, row.provider, csrf="", session=""))

    try:
        concerned = members.give_up(disconnect, deps.clock.now_ms())
    except RefusedError as error:
        raise _in_use() from error
    outcome = f"{concerned.people} people, {concerned.connected} disconnected"
    entries.record(deps, person, "integration.directory-left", about=directory.provider, outcome=outcome)
    return concerned


def blueprint(deps: Deps, flow: TestFlow) -> Blueprint:
    """`/admin/integration/domains/leave` and its counterpart below `/v1`."""
    bp = Blueprint("given_up_directory", __name__)

    @bp.get("/admin/integration/domains/leave")
    def ask() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        directory = _chosen(deps, person, request.args.get("provider", ""), request.args.get("directory", ""))
        return _asked(deps, person, directory, HTTPStatus.OK)

    @bp.post("/admin/integration/domains/leave")
    def leave() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        directory = _chosen(deps, person, request.form.get("provider", ""), request.form.get("directory", ""))
        if not is_confirmed(deps, person, _act(directory), request.form.get("confirmation", "")):
            return _asked(deps, person, directory, HTTPStatus.CONFLICT)
        give_up(deps, person, directory)
        return redirect("/admin/integration", HTTPStatus.SEE_OTHER)

    @bp.post("/v1/admin/integration/domains/leave")
    @operation(
        Right.SWITCH_INTEGRATION,
        body=GivenUpBody,
        problems=("directory-in-use", "no-such-directory", "not-confirmed", "own-directory"),
    )
    def leave_for_programs() -> IntegrationAnswer:
        """Give up a directory. Without its confirmation nothing is done, and the answer counts whom it would concern."""
        person, body = require_right(Right.SWITCH_INTEGRATION), read_fields(GivenUpBody)
        directory = _chosen(deps, person, body.provider, body.directory)
        if not is_confirmed(deps, person, _act(directory), body.confirmation):
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "not-confirmed",
                say("Giving up a directory has consequences, which have not been confirmed."),
                next_step=say("Show the counts to whoever decides, then send the `confirmation` of this answer along."),
                members=_whom_it_concerns(deps, person, directory),
            )
        give_up(deps, person, directory)
        return overview(deps, flow, person)

    return bp


def _chosen(deps: Deps, person: Person, provider: str, name: str) -> JoinedDirectory:
    """The directory of that name, which can be given up. Raises ProblemError."""
    theirs = directories_of(deps.engine.registry, person.tenant)
    directory = next((each for each in theirs if (each.provider, each.name) == (provider, name)), None)
    if directory is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "no-such-directory",
            say("This directory is not your organisation's."),
            next_step=say("Choose one that the integration's page names: /admin/integration"),
        )
    obstacle = find_obstacle(read_organisation(deps, person.tenant), theirs, directory)
    if obstacle in {Obstacle.LAST, Obstacle.IN_USE}:
        raise _in_use()
    members = DirectoryMembers(deps.engine.registry, deps.engine.keyring, person.tenant, directory)
    if members.may_include(person.user):
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "own-directory",
            say("This is the directory of your own account."),
            next_step=say(
                "Have another administrator do it, who signs in from another one; or whoever runs this service."
            ),
        )
    return directory


def _asked(deps: Deps, person: Person, directory: JoinedDirectory, status: HTTPStatus) -> AnyResponse:
    page = render_template(
        "directory_leave.html",
        directory=directory,
        csrf=person.csrf,
        unconfirmed=status is HTTPStatus.CONFLICT,
        it=_whom_it_concerns(deps, person, directory),
    )
    return make_response(page, status)


def _whom_it_concerns(deps: Deps, person: Person, directory: JoinedDirectory) -> WhomItConcerns:
    found = DirectoryMembers(deps.engine.registry, deps.engine.keyring, person.tenant, directory).count()
    shape = ConcernedShape(
        people=found.people, connected=found.connected, administrators=found.administrators, unknown=found.unknown
    )
    return {"concerned": shape, "confirmation": confirmation(deps, person, _act(directory))}


def _in_use() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "directory-in-use",
        say("Your organisation has no other directory in its place."),
        next_step=say("Add the other one first, or switch the integration off: /admin/integration"),
    )


def _act(directory: JoinedDirectory) -> str:
    return f"leave/{directory.provider}/{directory.name}"
