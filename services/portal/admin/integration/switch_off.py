"""Switching off, and changing the calendar system: what would follow, with the real counts, and the act once confirmed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypedDict

import msgspec
from flask import Blueprint, make_response, redirect, render_template, request
from msgspec import Meta
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.admin.integration.answers import IntegrationAnswer, IntegrationBegun
from services.portal.admin.integration.chosen_provider import ProviderBody, chosen_provider
from services.portal.admin.integration.confirmation import confirmation, is_confirmed
from services.portal.admin.integration.overview import overview
from services.portal.admin.integration.routes import TEST_PROBLEMS, TO_THE_PROVIDER
from services.portal.admin.integration.switching import Consequences, consequences, switch_off
from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.deps import Deps
from services.portal.frame.bodies import read_fields
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import ProblemError, not_enabled
from services.portal.frame.sessions import Person, require_right
from services.portal.interface.operation import operation
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.language.deciding.sentences import say

_OFF = "off"
Confirmation = Annotated[str, Meta(examples=["3k5m7o2q4s6u7w3y5a2c"])]


class ConfirmationBody(msgspec.Struct):
    """The word that confirms the act, as it was given out with what would follow."""

    confirmation: Confirmation = ""
    """Good for one act, in one session, and while things stand as they stood."""


class SwitchBody(ProviderBody):
    """To which calendar system, and the word that confirms it."""

    confirmation: Confirmation = ""


class WhatFollows(TypedDict):
    """What would be ended, counted now, and the word that confirms it."""

    consequences: Consequences
    confirmation: Confirmation


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
    @operation(Right.SWITCH_INTEGRATION)
    def ask_off_api() -> WhatFollows:
        """Count what switching off would end, and get the word that confirms it."""
        return _what_follows(deps, require_right(Right.SWITCH_INTEGRATION), _OFF)

    @bp.post("/v1/admin/integration/off")
    @operation(Right.SWITCH_INTEGRATION, body=ConfirmationBody, problems=("not-confirmed",))
    def off_api() -> IntegrationAnswer:
        """Switch the integration off. Without its confirmation nothing is done, and the answer counts what would be."""
        person = require_right(Right.SWITCH_INTEGRATION)
        _insist(deps, person, _OFF)
        switch_off(deps, person)
        return overview(deps, flow, person)

    @bp.post("/v1/admin/integration/switch")
    @operation(
        Right.SWITCH_INTEGRATION,
        status=HTTPStatus.ACCEPTED,
        body=SwitchBody,
        problems=("no-such-provider", "not-confirmed", *TEST_PROBLEMS),
    )
    def switch_api() -> IntegrationBegun:
        """Switch the integration off and begin a test with the other calendar system, once that is confirmed."""
        person = require_right(Right.SWITCH_INTEGRATION)
        provider = chosen_provider(deps, read_fields(SwitchBody).provider)
        _insist(deps, person, _to(provider))
        _switch(deps, flow, person, provider)
        return {**overview(deps, flow, person), **TO_THE_PROVIDER}


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
        raise not_enabled(title=say("The integration is not on."), next_step=say("See /v1/admin/integration"))
    if is_confirmed(deps, person, act, read_fields(ConfirmationBody).confirmation):
        return
    raise ProblemError(
        HTTPStatus.CONFLICT,
        "not-confirmed",
        say("Switching off has consequences, which have not been confirmed."),
        next_step=say("Show the counts to whoever decides, then send the `confirmation` of this answer along."),
        members=_what_follows(deps, person, act),
    )


def _what_follows(deps: Deps, person: Person, act: str) -> WhatFollows:
    return {"consequences": consequences(deps, person.tenant), "confirmation": confirmation(deps, person, act)}


def _to(provider: Provider) -> str:
    return f"switch/{provider.value}"
