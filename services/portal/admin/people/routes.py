"""Appointing, confirming and dismissing administrators, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import TypedDict

import msgspec
from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.people.administrators import Administrator, AdministratorList, ShownCandidate
from services.portal.admin.people.deciding.administrator_form import (
    APPOINTABLE,
    AdministratorForm,
    RoleName,
    read_administrator,
    read_role,
)
from services.portal.deps import Deps
from services.portal.frame.bodies import read_object
from services.portal.frame.deciding.refilled import Refilled
from services.portal.frame.navigation import ROLE_WORDS
from services.portal.frame.problems import FieldProblemError
from services.portal.frame.sessions import Person, require_right
from services.portal.interface.operation import operation
from shared.domain.roles import Right, Role


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/admin/people` and `/v1/admin/people`."""
    bp = Blueprint("people", __name__)
    _pages(bp, deps)
    _api(bp, deps)
    return bp


def _pages(bp: Blueprint, deps: Deps) -> None:
    @bp.get("/admin/people")
    def page() -> str:
        return _page(deps, require_right(Right.APPOINT), Refilled())

    @bp.post("/admin/people")
    def appoint_by_form() -> AnyResponse:
        person = require_right(Right.APPOINT)
        try:
            AdministratorList(deps, person).appoint(*read_administrator(request.form))
        except FieldProblemError as error:
            return make_response(_page(deps, person, error.refill(request.form)), error.status)
        return redirect("/admin/people", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/people/<row_id>/candidates/<user>/<any(confirm, refuse):act>")
    def answer_by_form(row_id: str, user: str, act: str) -> AnyResponse:
        person = require_right(Right.APPOINT)
        _answer(AdministratorList(deps, person), row_id, user, act, request.form.getlist("role"))
        return redirect("/admin/people", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/people/<row_id>/dismiss")
    def dismiss_by_form(row_id: str) -> AnyResponse:
        person = require_right(Right.APPOINT)
        AdministratorList(deps, person).dismiss(row_id, read_role(request.form))
        return redirect("/admin/people", HTTPStatus.SEE_OTHER)


def _page(deps: Deps, person: Person, form: Refilled) -> str:
    return render_template(
        "people.html",
        people=AdministratorList(deps, person).all(),
        candidates=AdministratorList(deps, person).candidates(),
        csrf=person.csrf,
        me=person.user,
        roles=[(role.value, ROLE_WORDS[role]) for role in APPOINTABLE],
        words={role.value: words for role, words in ROLE_WORDS.items()},
        form=form,
    )


def _api(bp: Blueprint, deps: Deps) -> None:
    @bp.get("/v1/admin/people")
    @operation(Right.APPOINT)
    def people() -> PeopleAnswer:
        """List who administers, and who waits to be confirmed."""
        return _shape(AdministratorList(deps, require_right(Right.APPOINT)))

    @bp.post("/v1/admin/people")
    @operation(
        Right.APPOINT,
        status=HTTPStatus.CREATED,
        body=AdministratorForm,
        problems=("no-address", "no-such-role", "appointments-full"),
    )
    def appoint() -> PeopleAnswer:
        """Mean a role for whoever has an address: accounts that sign in with it wait to be confirmed."""
        list_of = AdministratorList(deps, require_right(Right.APPOINT))
        list_of.appoint(*read_administrator(read_object()))
        return _shape(list_of)

    @bp.post("/v1/admin/people/<row_id>/candidates/<user>/<any(confirm, refuse):act>")
    @operation(Right.APPOINT, body=RolesBody, problems=("no-candidate", "no-such-role"))
    def answer(row_id: str, user: str, act: str) -> PeopleAnswer:
        """Give a candidate the roles as they were shown, or refuse them."""
        list_of = AdministratorList(deps, require_right(Right.APPOINT))
        roles = read_object().get("roles")
        _answer(list_of, row_id, user, act, [str(each) for each in roles] if isinstance(roles, list) else [])
        return _shape(list_of)

    @bp.delete("/v1/admin/people/<row_id>/roles/<role>")
    @operation(Right.APPOINT, problems=("no-such-appointment", "no-such-role", "last-subscription-admin"))
    def dismiss(row_id: str, role: str) -> PeopleAnswer:
        """Take a role away, at once."""
        list_of = AdministratorList(deps, require_right(Right.APPOINT))
        list_of.dismiss(row_id, read_role({"role": role}))
        return _shape(list_of)


class RolesBody(msgspec.Struct):
    """What a candidate is confirmed for; nothing is sent with a refusal."""

    roles: tuple[RoleName, ...] = ()
    """All those that the list shows with the candidate."""


class PeopleAnswer(TypedDict):
    """Who administers."""

    people: list[Administrator]
    candidates: list[ShownCandidate]
    roles: list[Role]
    """Those that can be given."""


def _shape(people: AdministratorList) -> PeopleAnswer:
    return {
        "people": people.all(),
        "candidates": people.candidates(),
        "roles": list(APPOINTABLE),
    }


def _answer(people: AdministratorList, row_id: str, user: str, act: str, roles: Collection[str]) -> None:
    """Confirm a candidate for `roles`, or refuse them."""
    if act == "confirm":
        people.confirm(row_id, user, [read_role({"role": word}) for word in roles])
    else:
        people.refuse(row_id, user)
