"""
An administrator of a calendar system's directory makes it their organisation's own.

A sign-in says only that somebody is a member. Where the provider's sign-in does not say who administers the directory (Google),
its own interface for administrators does: asked once, with a permission for that alone, which is kept nowhere.
"""

from __future__ import annotations

from services.portal.admin.audit import entries
from services.portal.admin.integration.testflow.completion import is_taken, known_directories
from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.sessions import Person, require_right
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.departure import Departure, Departures
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.domain.sighting import Access
from shared.errors import RefusedError
from shared.grants.oauth import Granted
from shared.organisations.enrolment import join
from shared.providers.catalogue import profile_of


class DirectoryProof:
    """What `Purpose.PROVE` is; see `services.portal.sign_in.routes.SignInPurpose`."""

    page = "/admin/integration/test/permissions"

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._departures = Departures(deps)

    def is_open(self, tenant: str, provider: Provider) -> bool:
        """Whether the organisation has no directory of `provider` yet, and an administrator can prove one this way."""
        return bool(profile_of(provider).scopes.administration) and not known_directories(self._deps, tenant, provider)

    def depart(self, person: Person, provider: Provider) -> Departure:
        """Send an administrator of the organisation to the provider, to show that they administer the directory there too."""
        return self._departures.begin(person, provider, Purpose.PROVE)

    def come_back(self, identity: Identity, grant: Granted) -> str:
        """
        Join the directory if its account administers it.

        Raises:
            ProblemError: 403, they may not switch the integration.
            RefusedSignInError: the account administers no directory, or that of another organisation.
            RetryableError: the provider is busy or away.
        """
        person = require_right(Right.SWITCH_INTEGRATION)
        contact = read_organisation(self._deps, person.tenant).contact
        known = known_directories(self._deps, person.tenant, identity.provider)
        if known and identity.directory not in known:
            raise RefusedSignInError(Cause.OTHER_DIRECTORY)
        if is_taken(self._deps, person.tenant, identity.provider, identity.directory):
            raise RefusedSignInError(Cause.DIRECTORY_TAKEN, contact=contact)
        if not administers(self._deps, identity, grant):
            raise RefusedSignInError(Cause.DIRECTORY_UNPROVEN)
        registry = self._deps.engine.registry
        if not join(registry, person.tenant, provider=identity.provider, directory=identity.directory):
            raise RefusedSignInError(Cause.DIRECTORY_TAKEN, contact=contact)
        entries.record(self._deps, person, "integration.directory-joined", about=identity.provider)
        return self.page

    def turned_away(self, error: RefusedSignInError) -> str:
        """The page that explains every refused sign-in explains this one as well."""
        raise error


def administers(deps: Deps, identity: Identity, grant: Granted) -> bool:
    """
    Whether the account administers the whole directory that it is of.

    Raises:
        RetryableError: the provider is busy or away.
    """
    try:
        return identity.administers or deps.providers[identity.provider].administers_directory(
            access_of(identity, grant)
        )
    except RefusedError:  # who administers nothing may not even ask
        return False


def access_of(identity: Identity, grant: Granted) -> Access:
    """What has just been allowed, to be used at once."""
    return Access(token=grant.access_token, subject=identity.subject, address=identity.address)
