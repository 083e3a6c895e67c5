"""An administrator's way to their provider and back, for a test."""

from __future__ import annotations

from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.admin.integration.testflow.preflight import refusal_of
from services.portal.deps import Deps
from services.portal.frame.provider_calls import waiting_for
from services.portal.frame.sessions import Person, require_right
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.departure import Departure, Departures
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.refusals import RefusedSignInError
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.grants.oauth import Granted
from shared.registry import tables

RESULT = "/admin/integration/test/result"


def test_purpose(deps: Deps, tenant: str) -> Purpose:
    """What a test asks for: the directory of rooms only where no room is entered, which would be an Entra administrator's turn."""
    entered = any(True for _ in tables.rooms(deps.engine.registry).scan(tenant))
    return Purpose.TEST if entered else Purpose.TEST_ROOMS


class TestPurpose:
    """See `services.portal.sign_in.routes.SignInPurpose`."""

    __test__ = False

    page = "/admin/integration/test/permissions"

    def __init__(self, deps: Deps, flow: TestFlow) -> None:
        """One a process."""
        self._deps = deps
        self._flow = flow
        self._departures = Departures(deps)

    def depart(self, person: Person, provider: Provider) -> Departure | None:
        """
        Send an administrator whose test waits for it.

        Returns:
            None, with the test failed, for whom the provider would only show an error page: the result says here what it
            would have said.

        Raises:
            ProblemError: 409, no test with this provider has been begun; 503, too many wait for the provider already.
        """
        with waiting_for(provider):
            self._flow.send(person, provider)
            departure = self._departures.begin(person, provider, test_purpose(self._deps, person.tenant))
            refusal = refusal_of(departure.address, self._deps.settings.call_timeout_s)
        if refusal is None:
            return departure
        self._flow.refuse(person, *refusal)
        return None

    def come_back(self, identity: Identity, grant: Granted) -> str:
        """The test runs from here on."""
        self._flow.come_back(require_right(Right.SWITCH_INTEGRATION), identity, grant)
        return RESULT

    def turned_away(self, error: RefusedSignInError) -> str:
        """The test has failed at its first step."""
        self._flow.refuse(require_right(Right.SWITCH_INTEGRATION), error.error, error.description, error.subcode)
        return RESULT
