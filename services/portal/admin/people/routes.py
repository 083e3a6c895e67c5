"""Appointing, confirming and dismissing administrators, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.people.administrators import AdministratorList
from services.portal.admin.people.deciding.administrator_form import APPOINTABLE, read_administrator, read_role
from services.portal.deps import Deps
from services.portal.frame.bodies import read_object
from services.portal.frame.navigation import ROLE_WORDS
from services.portal.frame.sessions import require_right
from services.portal.meetings.deciding.shapes import Json
from shared.domain.roles import Right


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/admin/people` and `/v1/admin/people`."""
    bp = Blueprint("people", __name__)
    _pages(bp, deps)
    _api(bp, deps)
    return bp


def _pages(bp: Blueprint, deps: Deps) -> None:
    @bp.get("/admin/people")
    def page() -> str:
        person = require_right(Right.APPOINT)
        return render_template(
            "people.html",
            people=AdministratorList(deps, person).all(),
            candidates=AdministratorList(deps, person).candidates(),
            csrf=person.csrf,
            me=person.user,
            roles=[(role.value, ROLE_WORDS[role]) for role in APPOINTABLE],
            words={role.value: words for role, words in ROLE_WORDS.items()},
        )

    @bp.post("/admin/people")
    def appoint_by_form() -> AnyResponse:
        person = require_right(Right.APPOINT)
        AdministratorList(deps, person).appoint(*read_administrator(request.form))
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


def _api(bp: Blueprint, deps: Deps) -> None:
    @bp.get("/v1/admin/people")
    def people() -> Response:
        return jsonify(_shape(AdministratorList(deps, require_right(Right.APPOINT))))

    @bp.post("/v1/admin/people")
    def appoint() -> tuple[Response, HTTPStatus]:
        list_of = AdministratorList(deps, require_right(Right.APPOINT))
        list_of.appoint(*read_administrator(read_object()))
        return jsonify(_shape(list_of)), HTTPStatus.CREATED

    @bp.post("/v1/admin/people/<row_id>/candidates/<user>/<any(confirm, refuse):act>")
    def answer(row_id: str, user: str, act: str) -> Response:
        list_of = AdministratorList(deps, require_right(Right.APPOINT))
        roles = read_object().get("roles")
        _answer(list_of, row_id, user, act, [str(each) for each in roles] if isinstance(roles, list) else [])
        return jsonify(_shape(list_of))

    @bp.delete("/v1/admin/people/<row_id>/roles/<role>")
    def dismiss(row_id: str, role: str) -> Response:
        list_of = AdministratorList(deps, require_right(Right.APPOINT))
        list_of.dismiss(row_id, read_role({"role": role}))
        return jsonify(_shape(list_of))


def _shape(people: AdministratorList) -> Json:
    return {
        "people": [asdict(each) for each in people.all()],
        "candidates": [asdict(each) for each in people.candidates()],
        "roles": [role.value for role in APPOINTABLE],
    }


def _answer(people: AdministratorList, row_id: str, user: str, act: str, roles: Collection[str]) -> None:
    """Confirm a candidate for `roles`, or refuse them."""
    if act == "confirm":
        people.confirm(row_id, user, [read_role({"role": word}) for word in roles])
    else:
        people.refuse(row_id, user)
