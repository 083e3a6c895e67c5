"""What a calendar system is, as facts: everything that differs between two of them and is no program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from shared.contracts.topics import Topic
from shared.domain.identity import Provider
from shared.language.deciding.sentences import say
from shared.providers.failures import Failures
from shared.providers.token_refusal import TokenCodes

OPENID_WORDS = {
    "openid": say("know who signs in"),
    "profile": say("know their name"),
    "email": say("know their address"),
}
"""For people: what the scopes let us do that OpenID Connect defines."""
ROOM_IMPORT_WORDS = say("list the organisation's rooms: for this test and for importing rooms only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Our client at a provider, and the addresses of its sign-in, out of the settings."""

    client_id: str
    """"" when the deployment is not registered with this provider."""
    client_secret: str = field(repr=False)
    authorize_url: str
    discovery_url: str
    """Where OpenID Connect's metadata is."""
    token_url: Callable[[str], str]
    """An organisation's directory ("" for any) → where its tokens are asked for."""
    consent_url: Callable[[str], str] | None = None
    """An organisation's directory ("" for any) → where its administrator consents for everybody; None: there is no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """The permissions that we ask for, delegated, least privilege, in the provider's own words."""

    identity: tuple[str, ...]
    """Who somebody is, and nothing of their calendar."""
    basis: tuple[str, ...]
    """What connecting asks for beside the calendar."""
    reading: tuple[str, ...]
    """Of the calendar, for a pilot that only observes."""
    writing: tuple[str, ...]
    """Of the calendar, to change a meeting's room as well; each includes the one of `reading` in the same place."""
    room_import: str
    """Beside those: an administrator imports the organisation's rooms."""
    words: Mapping[str, str]
    """For people: what each of them lets us do, by the last part of its name."""
    resource: str = ""
    """What stands before the name of a permission of its own, in full; OpenID Connect's have nothing there."""
    administration: str = ""
    """Beside `identity`: the provider says whether somebody administers the directory; "" where each sign-in says it."""
    domains: str = ""
    """Beside those two: the provider lists the organisation's domains; "" where every sign-in names the one directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How the provider pushes to the receiver."""

    path: str
    acknowledgement: HTTPStatus
    """What it takes for "it is ours now"."""
    topic: Topic
    lifecycle_path: str = ""
    """Where it sends news of a subscription itself; "" when it sends none."""
    opens_with_message: bool = False
    """Whether a message follows each new subscription; where none does, the provider asks the receiver before it makes one."""
    proof_names_channel: bool = False
    """Whether a proof holds for one channel only, since each push names its channel in the clear."""

    @property
    def paths(self) -> tuple[str, ...]:
        """All of the receiver's paths for this provider."""
        return tuple(filter(None, (self.path, self.lifecycle_path)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How its calendars behave."""

    replaces_rooms_itself_ms: int = 0
    """How long a decline may be the first half of the provider's own replacement of the room."""
    push_may_run_ahead: bool = False
    """Whether a look right after a push may not show yet what the push was about."""
    guests_see_answers: bool = False
    """Whether a guest's copy holds everybody's answers, if the guest list is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One calendar system. Code that serves every provider reads these facts and names none."""

    provider: Provider
    name: str
    """For people: the product that an organisation has."""
    company: str
    """For people: whom they give a permission to, or take it from."""
    calendar: str
    """For people: what they see their meetings in."""
    registering: str
    """For operators: how to register a client."""
    where_to_remove: str
    """For people: where they take the permission away."""
    approval: str
    """For administrators: who has to allow our client before people can give a permission, and where."""
    refusal_examples: str
    """For people: what stands on the provider's own page where it refuses, after "such as"."""
    client_id_name: str
    """For administrators: what our client's id is called there."""
    room_import_hint: str
    """For administrators: what importing the rooms needs beside the permission; "" for nothing."""
    no_photos: str
    """For administrators: why an import brings no photo of a room."""
    directory: str
    """What names an organisation there."""
    sdk: str
    """The package that its client needs; see `extra`."""
    extra: str
    """The extra of ours that installs `sdk`."""
    address_settings: tuple[str, ...]
    """The settings that hold its addresses."""
    several_directories: bool
    """Whether an organisation there may have several of these, and each sign-in names the person's own."""
    authorization: Mapping[str, str]
    """Parameters of the authorisation request that others do not have."""
    registration: Callable[[Any], Registration]
    """Settings of this provider → our client there."""
    scopes: Scopes
    token_codes: TokenCodes
    """What its token endpoint's refusals mean."""
    failures: Failures
    """What its calendar's refusals mean."""
    hooks: Hooks
    traits: Traits
