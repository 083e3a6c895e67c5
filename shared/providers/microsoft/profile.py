"""Microsoft 365 as facts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

from shared.contracts.topics import NOTIFICATIONS_GRAPH
from shared.domain.identity import Provider
from shared.language.deciding.sentences import say
from shared.providers.microsoft.failures import FAILURES
from shared.providers.microsoft.token_codes import CODES
from shared.providers.profile import OPENID_WORDS, ROOM_IMPORT_WORDS, Hooks, Profile, Registration, Scopes, Traits


class MicrosoftSettings(Protocol):
    """The settings of this provider."""

    @property
    def microsoft_client_id(self) -> str: ...  # noqa: D102
    @property
    def microsoft_client_secret(self) -> str: ...  # noqa: D102
    @property
    def microsoft_directory(self) -> str: ...  # noqa: D102
    @property
    def microsoft_login_url(self) -> str: ...  # noqa: D102
    @property
    def microsoft_graph_url(self) -> str: ...  # noqa: D102


def registration(settings: MicrosoftSettings) -> Registration:
    """
    Our application at Entra; tokens are asked for in the organisation's own directory where that is known.

    An application that is registered for one tenant is refused at the address for all of them (AADSTS50194):
    https://learn.microsoft.com/entra/identity-platform/howto-convert-app-to-be-multi-tenant
    """
    root, whose = settings.microsoft_login_url, quote(settings.microsoft_directory, safe="")

    def token_url(directory: str) -> str:
        return f"{root}/{quote(directory, safe='') or whose}/oauth2/v2.0/token"

    def consent_url(directory: str) -> str:
        # https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
        return f"{root}/{quote(directory, safe='') or whose}/v2.0/adminconsent"

    return Registration(
        client_id=settings.microsoft_client_id,
        client_secret=settings.microsoft_client_secret,
        authorize_url=f"{root}/{whose}/oauth2/v2.0/authorize",
        discovery_url=f"{root}/{whose}/v2.0/.well-known/openid-configuration",
        token_url=token_url,
        consent_url=consent_url,
    )


PROFILE = Profile(
    provider=Provider.MICROSOFT,
    name="Microsoft 365",
    company="Microsoft",
    calendar="Outlook",
    registering="register an application at Entra (App registrations)",
    where_to_remove=(
        say("My Apps (myapps.microsoft.com), then roomsync, then Manage your application, then Revoke permissions")
    ),
    approval=say(
        "In most organisations nobody may give these permissions alone: a Cloud Application Administrator (or Global "
        "Administrator) approves them once for everybody, in the Entra admin centre under Enterprise applications."
    ),
    refusal_examples=say("AADSTS90094, or its heading, such as “Need admin approval”"),
    client_id_name=say("client id"),
    room_import_hint="",
    no_photos=say("Your directory has no photo to give: the places of Microsoft 365 hold none."),
    directory="Entra tenant id",
    sdk="msgraph",
    extra="graph",
    address_settings=("microsoft_login_url", "microsoft_graph_url"),
    several_directories=False,
    authorization={"response_mode": "query"},
    registration=registration,
    scopes=Scopes(
        identity=("openid", "profile", "email"),
        basis=("openid", "profile", "offline_access", "User.Read"),
        reading=("Calendars.Read",),
        writing=("Calendars.ReadWrite",),
        room_import="Place.Read.All",
        resource="https://graph.microsoft.com/",
        words={
            **OPENID_WORDS,
            "offline_access": say("go on while they are not at a page of ours"),
            "User.Read": say("read their own profile"),
            "Calendars.Read": say("read their own calendar"),
            "Calendars.ReadWrite": say("read their own calendar, and book or swap a room in it"),
            "Place.Read.All": ROOM_IMPORT_WORDS,
        },
    ),
    token_codes=CODES,
    failures=FAILURES,
    hooks=Hooks(
        path="/hooks/graph",
        lifecycle_path="/hooks/graph/lifecycle",
        acknowledgement=HTTPStatus.ACCEPTED,
        topic=NOTIFICATIONS_GRAPH,
    ),
    # Only the organiser's copy holds everybody's answers (microsoftgraph/microsoft-graph-docs#5281).
    traits=Traits(push_may_run_ahead=True),
)
