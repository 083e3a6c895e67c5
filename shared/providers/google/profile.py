"""Google Workspace as facts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from shared.contracts.topics import NOTIFICATIONS_GOOGLE
from shared.domain.identity import Provider
from shared.domain.instants import SECOND_MS
from shared.language.deciding.sentences import say
from shared.providers.google.failures import FAILURES
from shared.providers.google.token_codes import CODES
from shared.providers.profile import OPENID_WORDS, ROOM_IMPORT_WORDS, Hooks, Profile, Registration, Scopes, Traits

_SCOPE = "https://www.googleapis.com/auth/"


class GoogleSettings(Protocol):
    """The settings of this provider."""

    @property
    def google_client_id(self) -> str: ...  # noqa: D102
    @property
    def google_client_secret(self) -> str: ...  # noqa: D102
    @property
    def google_auth_url(self) -> str: ...  # noqa: D102
    @property
    def google_token_url(self) -> str: ...  # noqa: D102
    @property
    def google_calendar_url(self) -> str: ...  # noqa: D102
    @property
    def google_directory_url(self) -> str: ...  # noqa: D102


def registration(settings: GoogleSettings) -> Registration:
    """Our OAuth client at Google, which has one token endpoint for all organisations."""
    return Registration(
        client_id=settings.google_client_id,
        client_secret=settings.google_client_secret,
        authorize_url=settings.google_auth_url,
        discovery_url=f"{settings.google_auth_url.partition('/o/oauth2')[0]}/.well-known/openid-configuration",
        token_url=lambda _: settings.google_token_url,
    )


PROFILE = Profile(
    provider=Provider.GOOGLE,
    name="Google Workspace",
    company="Google",
    calendar="Google Calendar",
    registering="make an OAuth client at the Google Cloud console",
    where_to_remove=say("Google Account, then Security, then Your connections to third-party apps and services"),
    approval=say(
        "In many organisations an administrator has to trust the application first: in the Google Admin console under "
        "Security, API controls, App access control."
    ),
    refusal_examples=say("admin_policy_enforced or org_internal"),
    client_id_name=say("OAuth client id"),
    room_import_hint=say(
        "Listing rooms needs an account with an administrator’s right to read resources; without it, enter a room by hand."  # noqa: RUF001
    ),
    no_photos=say("Your directory has no photo to give: the resources of Google Workspace hold none."),
    directory="Google Workspace domain",
    sdk="googleapiclient",
    extra="google",
    address_settings=("google_auth_url", "google_token_url", "google_calendar_url"),
    # `hd` follows the person's own address, be it of a secondary domain (belief `google.hosted-domain`).
    several_directories=True,
    # A refresh token is handed out at a consent only, so every sign-in is one (Google's OAuth 2.0 for web servers).
    authorization={"access_type": "offline", "prompt": "consent"},
    registration=registration,
    scopes=Scopes(
        identity=("openid", "email"),
        basis=("openid", "email"),
        reading=(f"{_SCOPE}calendar.events.owned.readonly", f"{_SCOPE}calendar.freebusy"),
        writing=(f"{_SCOPE}calendar.events.owned", f"{_SCOPE}calendar.freebusy"),
        room_import=f"{_SCOPE}admin.directory.resource.calendar.readonly",
        administration=f"{_SCOPE}admin.directory.user.readonly",
        domains=f"{_SCOPE}admin.directory.domain.readonly",
        words={
            **OPENID_WORDS,
            "calendar.events.owned.readonly": say("read the calendars they own"),
            "calendar.events.owned": say("read the calendars they own, and book or swap a room in them"),
            "calendar.freebusy": say("see when rooms are free"),
            "admin.directory.user.readonly": say("see that you are a super administrator: once"),
            "admin.directory.domain.readonly": say("list your organisation's domains: once, to add them here"),
            "admin.directory.resource.calendar.readonly": ROOM_IMPORT_WORDS,
        },
    ),
    token_codes=CODES,
    failures=FAILURES,
    hooks=Hooks(
        path="/hooks/google",
        acknowledgement=HTTPStatus.OK,
        topic=NOTIFICATIONS_GOOGLE,
        # "After creating a notification channel, Google sends a sync message" (Calendar API, *Push notifications*).
        opens_with_message=True,
        proof_names_channel=True,
    ),
    traits=Traits(replaces_rooms_itself_ms=15 * SECOND_MS, guests_see_answers=True),
)
