"""Importing the rooms of the provider's directory: read with a permission that is used once and kept nowhere, shown, then done."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from services.portal.admin.rooms.deciding.directory_match import plain_listing
from services.portal.admin.rooms.pending_listing import PendingListing
from services.portal.admin.rooms.room_list import RoomList
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, require_right
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.departure import Departure, Departures
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.refusals import RefusedSignInError
from shared.domain.identity import Provider
from shared.domain.roles import Right
from shared.domain.sighting import Access, DirectoryRoom
from shared.errors import RefusedError
from shared.grants.oauth import Granted
from shared.language.deciding.sentences import say
from shared.organisations.enrolment import tenant_of
from shared.providers.catalogue import meaning_of
from shared.providers.failures import Meaning


class RoomImport:
    """The errand of `Purpose.ROOMS`; see `services.portal.sign_in.routes.SignInPurpose`."""

    page = "/admin/rooms"

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._departures = Departures(deps)

    def depart(self) -> Departure:
        """Send one who may change rooms to the calendar system that they signed in with. Raises ProblemError (403)."""
        person = require_right(Right.CHANGE_ROOMS)
        return self._departures.begin(person, Provider(person.provider), Purpose.ROOMS)

    def come_back(self, identity: Identity, grant: Granted) -> str:
        """Read the directory, then go on to the page that shows what an import would do."""
        person = require_right(Right.CHANGE_ROOMS)
        listed = read_directory(self._deps, person, identity, grant)
        RoomList(self._deps, person).plan_listing(listed)  # refused now where there are too many
        return f"/admin/rooms/import/{PendingListing(self._deps, person.tenant).keep(listed)}"

    def turned_away(self, error: RefusedSignInError) -> str:
        """The page that explains every refused sign-in explains this one as well."""
        raise error


def read_directory(deps: Deps, person: Person, identity: Identity, grant: Granted) -> Sequence[DirectoryRoom]:
    """
    Read the directory as the administrator who has just come back from their provider.

    Raises:
        ProblemError: 403 when they came back as somebody of another organisation; 409 when they may not list its rooms.
        RetryableError: the provider is busy or away.
    """
    if tenant_of(deps.engine.registry, identity.provider, identity.directory) != person.tenant:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "other-organisation",
            say("You came back as somebody of another organisation, so nothing was imported."),
            next_step=say("Import again, and choose your work account of this organisation."),
        )
    access = Access(token=grant.access_token, subject=identity.subject, address=identity.address)
    try:
        return plain_listing(deps.providers[identity.provider].directory_rooms(access))
    except RefusedError as error:
        raise _directory_refused(error) from error


def find_listing(deps: Deps, person: Person, preview: str) -> list[DirectoryRoom]:
    """What a preview shows. Raises ProblemError: 404, it was imported, is too old, or another import was begun."""
    listed = PendingListing(deps, person.tenant).read(preview)
    if listed is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "no-such-preview",
            say(
                "This preview of an import is not there any more: it was imported, an hour has passed,"
                " or another import was begun."
            ),
            next_step=say("Import from your directory again: /admin/rooms"),
        )
    return listed


def _directory_refused(error: RefusedError) -> ProblemError:
    """Whether the account may not list the rooms, or this service's own registration was never allowed to ask for them."""
    if meaning_of(error.provider_code) is Meaning.FAULT:
        title = say("This service's registration at your calendar system does not include the list of rooms.")
        next_step = say("Whoever runs the service enables the API that lists rooms there; then import again.")
    else:
        title = say("Your calendar system does not let this account list the organisation's rooms.")
        next_step = say(
            "Have an administrator of the calendar system import them, or enter rooms by hand: /admin/rooms"
        )
    return ProblemError(HTTPStatus.CONFLICT, "directory-refused", title, next_step=next_step)
