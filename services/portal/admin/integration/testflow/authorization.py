"""An administrator's way to their provider and back, for a test."""

from __future__ import annotations

from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.admin.integration.testflow.preflight import refusal_of
from services.portal.deps import Deps
from services.portal.frame.sessions import entitled
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.refusals import RefusedSignInError
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.grants.oauth import Granted

RESULT = "/admin/integration/test/result"


class TestPurpose:
    """See `services.portal.sign_in.routes.SignInPurpose`."""

    __test__ = False

    def __init__(self, deps: Deps, flow: TestFlow) -> None:
        """One a process."""
        self._deps = deps
        self._flow = flow

    def depart(self, provider: Provider, address: str) -> str:
        """Whom the provider would only show an error page is not sent: the page says here what it would have said."""
        person = entitled(Right.SWITCH_INTEGRATION)
        self._flow.send(person, provider)
        refusal = refusal_of(address, self._deps.settings.call_timeout_s)
        if refusal is None:
            return ""
        self._flow.refuse(person, *refusal)
        return RESULT

    def come_back(self, identity: Identity, grant: Granted) -> str:
        """The test runs from here on."""
        self._flow.come_back(entitled(Right.SWITCH_INTEGRATION), identity, grant)
        return RESULT

    def turned_away(self, error: RefusedSignInError) -> str:
        """The test has failed at its first step."""
        self._flow.refuse(entitled(Right.SWITCH_INTEGRATION), error.error, error.description)
        return RESULT
