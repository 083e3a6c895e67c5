"""Settings > Integrations: the toggle, and the three screens of the test, as pages and as JSON."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from flask import Blueprint, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.admin.integration.answers import IntegrationAnswer, IntegrationBegun, IntegrationForPrograms, WayOn
from services.portal.admin.integration.chosen_provider import ProviderBody, chosen_provider
from services.portal.admin.integration.deciding.contact_form import ContactForm, read_contact
from services.portal.admin.integration.directory_proof import DirectoryProof
from services.portal.admin.integration.overview import overview
from services.portal.admin.integration.testflow.authorization import RESULT, TestPurpose
from services.portal.admin.integration.testflow.deciding.presentation import STEP_STATES
from services.portal.admin.integration.testflow.deciding.troubles import TROUBLES
from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.deps import Deps
from services.portal.frame.bodies import read_fields, read_object
from services.portal.frame.organisations import read_organisation
from services.portal.frame.sessions import Person, change_token, require_right
from services.portal.interface.operation import LEAVING_PROBLEMS, operation
from services.portal.sign_in.departure import LeadingAnswer, leading_answer, leading_page
from services.portal.sign_in.refusals import WHO_WORDS, Refusal, Who
from services.portal.sign_in.reported import require_reported_code
from shared.contracts.rows import IntegrationState, TenantRow
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.language.deciding.sentences import say
from shared.registry import tables

TEST_PROBLEMS = ("integration-on", "no-organisation", "no-test", "test-under-way", "tests-full")
"""What a route can answer that begins, continues or ends a test."""

_FIXING = {
    Who.YOU: say("What you can fix"),
    Who.IT: say("What your organisation's IT administrator can fix"),
    Who.ADMINISTRATOR: say("What your subscription administrator can fix"),
    Who.OPERATOR: say("What whoever runs this service can fix"),
}

TO_THE_PROVIDER: WayOn = {"next": TestPurpose.page, "depart": "/v1/admin/integration/test/depart"}
"""How a test goes on: on the page with the permissions, or by a change of a program's."""


def blueprint(deps: Deps, flow: TestFlow, purpose: TestPurpose, proof: DirectoryProof) -> Blueprint:
    """The routes below `/admin/integration` and `/v1/admin/integration`, without switching off."""
    bp = Blueprint("integration", __name__)
    _depart(bp, deps, purpose)
    _prove(bp, deps, proof)
    _show(bp, deps, flow, proof)
    _act(bp, deps, flow)
    _api(bp, deps, flow)
    return bp


def _show(bp: Blueprint, deps: Deps, flow: TestFlow, proof: DirectoryProof) -> None:
    @bp.get("/admin/integration")
    def page() -> str:
        person = require_right(Right.SEE_INTEGRATION)
        return render_template("integration.html", it=overview(deps, flow, person), csrf=person.csrf)

    @bp.get("/admin/integration/test")
    def explanation() -> AnyResponse | str:
        return _screen(deps, flow, "test_explained.html")

    @bp.get("/admin/integration/test/permissions")
    def asked() -> AnyResponse | str:
        return _screen(deps, flow, "test_permissions.html", proof)

    @bp.get("/admin/integration/test/result")
    def result() -> AnyResponse | str:
        return _screen(deps, flow, "test_result.html")

    @bp.get("/admin/integration/help")
    def article() -> str:
        require_right(Right.SEE_INTEGRATION)
        return render_template("test_help.html", troubles=_article(), fixing=_FIXING)


def _act(bp: Blueprint, deps: Deps, flow: TestFlow) -> None:
    @bp.post("/admin/integration/test")
    def begin() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        provider = chosen_provider(deps, request.form.get("provider", ""))
        if _is_other(deps, person, provider):
            return redirect(f"/admin/integration/switch?provider={provider.value}", HTTPStatus.SEE_OTHER)
        flow.begin(person, provider)
        again = "/permissions" if "again" in request.form else ""
        return redirect(f"/admin/integration/test{again}", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/integration/test/reported")
    def reported() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        code = require_reported_code(request.form.get("code", ""))
        flow.refuse(person, code, code)
        return redirect("/admin/integration/test/result", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/integration/test/give-up")
    def give_up() -> AnyResponse:
        flow.give_up(require_right(Right.SWITCH_INTEGRATION))
        return redirect("/admin/integration", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/integration/contact")
    def contact() -> AnyResponse:
        _set_contact(deps, require_right(Right.SWITCH_INTEGRATION), read_contact(request.form))
        return redirect("/admin/integration", HTTPStatus.SEE_OTHER)


def _depart(bp: Blueprint, deps: Deps, purpose: TestPurpose) -> None:
    @bp.post("/admin/integration/test/depart")
    def depart() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        departure = purpose.depart(person, chosen_provider(deps, request.form.get("provider", "")))
        if departure is None:
            return redirect(RESULT, HTTPStatus.SEE_OTHER)
        return leading_page(departure, say("to try the integration with your own account"))

    @bp.post("/v1/admin/integration/test/depart")
    @operation(
        Right.SWITCH_INTEGRATION,
        answer=LeadingAnswer,
        body=ProviderBody,
        problems=(*LEAVING_PROBLEMS, *TEST_PROBLEMS),
    )
    def depart_for_programs() -> AnyResponse:
        """Go on with a test at the provider: the answer says where the browser is to be sent."""
        person = require_right(Right.SWITCH_INTEGRATION)
        departure = purpose.depart(person, chosen_provider(deps, read_fields(ProviderBody).provider))
        if departure is None:
            refused = LeadingAnswer(
                location=RESULT, next=say("The provider refuses the application; `location` says why.")
            )
            return jsonify(refused)
        return leading_answer(departure)


def _prove(bp: Blueprint, deps: Deps, proof: DirectoryProof) -> None:
    @bp.post("/admin/integration/directory")
    def prove() -> AnyResponse:
        person = require_right(Right.SWITCH_INTEGRATION)
        departure = proof.depart(person, chosen_provider(deps, request.form.get("provider", "")))
        return leading_page(departure, say("to see that you administer your organisation there"))

    @bp.post("/v1/admin/integration/directory")
    @operation(Right.SWITCH_INTEGRATION, answer=LeadingAnswer, body=ProviderBody, problems=LEAVING_PROBLEMS)
    def prove_for_programs() -> AnyResponse:
        """Begin to show that one administers the organisation's directory: the answer says where the browser is to be sent."""
        person = require_right(Right.SWITCH_INTEGRATION)
        return leading_answer(proof.depart(person, chosen_provider(deps, read_fields(ProviderBody).provider)))


def _api(bp: Blueprint, deps: Deps, flow: TestFlow) -> None:
    @bp.get("/v1/admin/integration")
    @operation(Right.SEE_INTEGRATION)
    def shown() -> IntegrationForPrograms:
        """Show where the integration stands, both calendar systems, and the latest test."""
        person = require_right(Right.SEE_INTEGRATION)
        return {**overview(deps, flow, person), **change_token(person)}

    @bp.post("/v1/admin/integration/test")
    @operation(
        Right.SWITCH_INTEGRATION,
        status=HTTPStatus.ACCEPTED,
        body=ProviderBody,
        problems=("no-such-provider", *TEST_PROBLEMS),
    )
    def begin_test() -> IntegrationBegun:
        """Begin a test of the integration with a calendar system; nobody can connect until it has passed."""
        person = require_right(Right.SWITCH_INTEGRATION)
        provider = chosen_provider(deps, read_fields(ProviderBody).provider)
        flow.begin(person, provider)
        return {**overview(deps, flow, person), **TO_THE_PROVIDER}

    @bp.delete("/v1/admin/integration/test")
    @operation(Right.SWITCH_INTEGRATION, problems=("provider-slow", *TEST_PROBLEMS))
    def leave_test() -> IntegrationAnswer:
        """Give a test up: what it made at the provider is removed."""
        person = require_right(Right.SWITCH_INTEGRATION)
        flow.give_up(person)
        return overview(deps, flow, person)

    @bp.put("/v1/admin/integration/contact")
    @operation(Right.SWITCH_INTEGRATION, body=ContactForm, problems=("contact",))
    def put_contact() -> IntegrationAnswer:
        """Set whom people may ask about the integration; empty for nobody."""
        person = require_right(Right.SWITCH_INTEGRATION)
        _set_contact(deps, person, read_contact(read_object()))
        return overview(deps, flow, person)


def _screen(deps: Deps, flow: TestFlow, template: str, proof: DirectoryProof | None = None) -> AnyResponse | str:
    person = require_right(Right.SEE_INTEGRATION)
    it = overview(deps, flow, person)
    if it["test"] is None:
        return redirect("/admin/integration", HTTPStatus.SEE_OTHER)
    chosen = next(each for each in it["providers"] if each["provider"] == it["test"]["provider"])
    return render_template(
        template,
        it=it,
        test=it["test"],
        chosen=chosen,
        csrf=person.csrf,
        wait_s=int(deps.settings.test_flow_s),
        step_states=STEP_STATES,
        who_words=WHO_WORDS,
        unproven=proof is not None and proof.is_open(person.tenant, Provider(it["test"]["provider"])),
    )


def _is_other(deps: Deps, person: Person, provider: Provider) -> bool:
    """Whether the integration is on with the other calendar system."""
    row = read_organisation(deps, person.tenant)
    return row.integration is IntegrationState.ENABLED and row.provider != provider


def _set_contact(deps: Deps, person: Person, contact: str) -> None:
    def set_contact(row: TenantRow | None) -> TenantRow | None:
        return msgspec.structs.replace(row, contact=contact) if row else None

    tables.tenants(deps.engine.registry).change(person.tenant, "tenant", set_contact)
    entries.record(deps, person, "integration.contact-changed")


def _article() -> list[Refusal]:
    """Every reason, by whose turn it is."""
    turn = list(Who)
    return sorted(TROUBLES.values(), key=lambda each: (turn.index(each.who), each.code))
