"""
The further domains of an organisation, where each sign-in names the person's own (Google).

They are added by the directory's own super administrator, who has the provider list them, and by nobody else's sign-in: all that
the provider has verified as one organisation's, one of which is this organisation's already (ADR 17 and 34).
"""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.admin.integration.chosen_provider import ProviderBody, chosen_provider
from services.portal.admin.integration.directory_proof import access_of, administers
from services.portal.admin.integration.testflow.completion import is_taken, known_directories
from services.portal.deps import Deps
from services.portal.frame.bodies import read_fields
from services.portal.frame.organisations import read_organisation
from services.portal.frame.sessions import require_right
from services.portal.interface.operation import LEAVING_PROBLEMS, operation
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.departure import Departure, Departures, LeadingAnswer, leading_answer, leading_page
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.errors import RefusedError
from shared.grants.oauth import Granted
from shared.language.deciding.sentences import say
from shared.organisations.enrolment import join
from shared.providers.catalogue import profile_of


class DomainProof:
    """What `Purpose.DOMAINS` is; see `services.portal.sign_in.routes.SignInPurpose`."""

    page = "/admin/integration"

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._departures = Departures(deps)

    def depart(self, name: str) -> Departure:
        """
        Send an administrator to the provider, to have it list the organisation's domains.

        Args:
            name: The calendar system.

        Raises:
            ProblemError: 403, they may not switch the integration; 422, the calendar system is not set up here.
        """
        person = require_right(Right.SWITCH_INTEGRATION)
        return self._departures.begin(person, chosen_provider(self._deps, name), Purpose.DOMAINS)

    def come_back(self, identity: Identity, grant: Granted) -> str:
        """
        Join every domain of the account's organisation that is nobody's yet, if it administers that organisation.

        Raises:
            ProblemError: 403, they may not switch the integration.
            RefusedSignInError: the account administers nothing, or an organisation that is not this one.
            RetryableError: the provider is busy or away.
        """
        person = require_right(Right.SWITCH_INTEGRATION)
        if is_taken(self._deps, person.tenant, identity.provider, identity.directory):
            contact = read_organisation(self._deps, person.tenant).contact
            raise RefusedSignInError(Cause.DIRECTORY_TAKEN, contact=contact)
        domains = self._domains(identity, grant)
        if identity.directory not in domains:
            raise RefusedSignInError(Cause.DIRECTORY_UNPROVEN)
        known = known_directories(self._deps, person.tenant, identity.provider)
        if known and not known & domains:
            raise RefusedSignInError(Cause.OTHER_DIRECTORY)
        joined = [each for each in sorted(domains - known) if self._join(person.tenant, identity.provider, each)]
        outcome = f"{len(joined)} joined, {len(domains - known) - len(joined)} of another organisation"
        entries.record(self._deps, person, "integration.domains-joined", about=identity.provider, outcome=outcome)
        return self.page

    def turned_away(self, error: RefusedSignInError) -> str:
        """The page that explains every refused sign-in explains this one as well."""
        raise error

    def _domains(self, identity: Identity, grant: Granted) -> frozenset[str]:
        if not administers(self._deps, identity, grant):
            return frozenset()
        try:
            return self._deps.providers[identity.provider].verified_domains(access_of(identity, grant))
        except RefusedError:  # the permission was left out on the provider's page
            return frozenset()

    def _join(self, tenant: str, provider: Provider, directory: str) -> bool:
        return join(self._deps.engine.registry, tenant, provider=provider, directory=directory)


def may_have_several(provider: Provider) -> bool:
    """Whether an organisation of that calendar system may have further domains, and an administrator can add them."""
    profile = profile_of(provider)
    return profile.several_directories and bool(profile.scopes.domains)


def blueprint(proof: DomainProof) -> Blueprint:
    """The routes that begin it."""
    bp = Blueprint("domains", __name__)

    @bp.post("/admin/integration/domains")
    def add() -> AnyResponse:
        departure = proof.depart(request.form.get("provider", ""))
        return leading_page(
            departure, say("to see that you administer your organisation there, and which domains it has")
        )

    @bp.post("/v1/admin/integration/domains")
    @operation(Right.SWITCH_INTEGRATION, answer=LeadingAnswer, body=ProviderBody, problems=LEAVING_PROBLEMS)
    def add_for_programs() -> AnyResponse:
        """Begin to add the organisation's further domains: the answer says where the browser is to be sent."""
        return leading_answer(proof.depart(read_fields(ProviderBody).provider))

    return bp
