"""Switching off, and changing the calendar system: what would follow, with the real counts, and the act once confirmed."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.admin.integration.chosen_provider import chosen_provider
from services.portal.admin.integration.confirmation import confirmation, is_confirmed
from services.portal.admin.integration.overview import Json, overview
from services.portal.admin.integration.routes import TO_THE_PROVIDER
from services.portal.admin.integration.switching import consequences, switch_off
from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.deps import Deps
from services.portal.frame.bodies import read_object
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import ProblemError, not_enabled
from services.portal.frame.sessions import Person, require_right
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.roles import Right

_OFF = "off"


def blueprint(deps: Deps, flow: TestFlow) -> Blueprint:
    """`/admin/integration/{off,switch}` and their counterparts below `/v1`."""
    bp = Blueprint("off", __name__)
    _pages(bp, deps, flow)
    _api(bp, deps, flow)
    return bp


def _pages(bp: Blueprint, deps: Deps, flow: TestFlow) -> None:
    @bp.get("/admin/integration/off")
    def ask_off() -> AnyResponse:
        return _asked(deps, require_right(Right.SWITCH_INTEGRATION), None, HTTPStatus.OK)

    @bp.post("/admin/integration/off")
    def off() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        if not is_confirmed(deps, person, _OFF, request.form.get("confirmation", "")):
            return _asked(deps, person, None, HTTPStatus.CONFLICT)
        switch_off(deps, person)
        return redirect("/admin/integration", HTTPStatus.SEE_OTHER)

    @bp.get("/admin/integration/switch")
    def ask_switch() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        return _asked(deps, person, chosen_provider(deps, request.args.get("provider", "")), HTTPStatus.OK)

    @bp.post("/admin/integration/switch")
    def switch() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        provider = chosen_provider(deps, request.form.get("provider", ""))
        if not is_confirmed(deps, person, _to(provider), request.form.get("confirmation", "")):
            return _asked(deps, person, provider, HTTPStatus.CONFLICT)
        _switch(deps, flow, person, provider)
        return redirect("/admin/integration/test", HTTPStatus.SEE_OTHER)


def _api(bp: Blueprint, deps: Deps, flow: TestFlow) -> None:
    @bp.get("/v1/admin/integration/off")
    def ask_off_api() -> Response:
        return jsonify(_what_follows(deps, require_right(Right.SWITCH_INTEGRATION), _OFF))

    @bp.post("/v1/admin/integration/off")
    def off_api() -> Response:
        person = require_right(Right.SWITCH_INTEGRATION)
        _insist(deps, person, _OFF)
        switch_off(deps, person)
        return jsonify(overview(deps, flow, person))

    @bp.post("/v1/admin/integration/switch")
    def switch_api() -> tuple[Response, HTTPStatus]:
        person = require_right(Right.SWITCH_INTEGRATION)
        provider = chosen_provider(deps, str(read_object().get("provider", "")))
        _insist(deps, person, _to(provider))
        _switch(deps, flow, person, provider)
        return jsonify({**overview(deps, flow, person), **TO_THE_PROVIDER}), HTTPStatus.ACCEPTED


def _switch(deps: Deps, flow: TestFlow, person: Person, provider: Provider) -> None:
    """The whole off path first; then the other calendar system is tested like any, so that this must be possible beforehand."""
    flow.check_idle(person.tenant)
    switch_off(deps, person)
    entries.record(deps, person, "integration.switched", about=provider.value)
    flow.begin(person, provider)


def _asked(deps: Deps, person: Person, to: Provider | None, status: HTTPStatus) -> AnyResponse:
    """What would follow, and the button. Where nothing is on there is nothing to ask."""
    row = read_organisation(deps, person.tenant)
    if row.integration is not IntegrationState.ENABLED or row.provider == to:
        return redirect("/admin/integration", HTTPStatus.SEE_OTHER)
    page = render_template(
        "integration_off.html",
        provider=row.provider,
        to=to.value if to else "",
        csrf=person.csrf,
        unconfirmed=status is HTTPStatus.CONFLICT,
        it=_what_follows(deps, person, _to(to) if to else _OFF),
    )
    return make_response(page, status)


def _insist(deps: Deps, person: Person, act: str) -> None:
    if read_organisation(deps, person.tenant).integration is not IntegrationState.ENABLED:
        raise not_enabled(title="The integration is not on.", next_step="See /v1/admin/integration")
    if is_confirmed(deps, person, act, str(read_object().get("confirmation", ""))):
        return
    raise ProblemError(
        HTTPStatus.CONFLICT,
        "not-confirmed",
        "Switching off has consequences, which have not been confirmed.",
        next_step="Show the counts to whoever decides, then send the `confirmation` of this answer along.",
        members=_what_follows(deps, person, act),
    )


def _what_follows(deps: Deps, person: Person, act: str) -> Json:
    return {"consequences": asdict(consequences(deps, person.tenant)), "confirmation": confirmation(deps, person, act)}


def _to(provider: Provider) -> str:
    return f"switch/{provider.value}"
