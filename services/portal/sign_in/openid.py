"""What is asked of a provider at sign-in, and who it is that comes back: addresses, permissions, claims. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.domain.email_addresses import is_address
from shared.domain.identity import Provider
from shared.grants.oauth import identity_scopes, scopes_for
from shared.providers.catalogue import profile_of, registration
from shared.runtime.settings import Settings

IDENTITY_ALONE = frozenset({Purpose.SIGN_IN, Purpose.ENTER})
"""Purposes for which nothing but who somebody is is asked."""
NO_CALENDAR = IDENTITY_ALONE | {Purpose.PROVE, Purpose.DOMAINS}
"""Purposes that ask for no calendar, and for no permission that lasts."""
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""Microsoft's tenant of personal accounts: nobody's organisation."""
DIRECTORY_ADMINISTRATORS = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
    }
)
"""Entra's role templates that may consent for everybody; https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"""
_GUEST_MARK = "#ext#"
_MAX_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A provider's addresses, out of the settings."""

    authorize: str
    token: str
    discovery: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, as their provider vouches."""

    provider: Provider
    subject: str
    """Entra's object id, Google's `sub`."""
    directory: str
    """Entra's tenant id, Google's hosted domain."""
    address: str
    name: str = ""
    """As their provider shows it: for people to recognise them by, never for rights."""
    administers: bool = False
    """Whether the provider vouches that they administer the whole directory; Google's id_token never says so."""


def endpoints(settings: Settings, provider: Provider) -> Endpoints:
    """The addresses of `provider`, for any organisation."""
    ours = registration(provider, settings)
    return Endpoints(
        authorize=ours.authorize_url,
        token=ours.token_url(""),
        discovery=ours.discovery_url,
        client_id=ours.client_id,
        client_secret=ours.client_secret,
    )


def asked_for(provider: Provider, purpose: Purpose, *, writes: bool = True) -> tuple[str, ...]:
    """The permissions that a sign-in of this purpose asks for: pages list these very words. `writes` False: only to read."""
    if purpose in IDENTITY_ALONE:
        return identity_scopes(provider)
    if purpose in NO_CALENDAR:
        scopes = profile_of(provider).scopes
        domains = scopes.domains if purpose is Purpose.DOMAINS else ""
        return (*identity_scopes(provider), *filter(None, [scopes.administration, domains]))
    return scopes_for(provider, writes=writes, room_import=purpose in {Purpose.TEST_ROOMS, Purpose.ROOMS})


def identity_of(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    """
    Read an id_token's verified claims. A claim of another type than its provider documents says nothing.

    Raises:
        RefusedSignInError: a personal account, a guest of the directory, or no address that the provider vouches for.
    """
    match provider:
        case Provider.MICROSOFT:
            found = _microsoft_identity(claims)
        case Provider.GOOGLE:
            found = _google_identity(claims)
        case _:
            assert_never(provider)
    if not found.directory or not found.subject or found.directory == PERSONAL_ACCOUNTS:
        raise RefusedSignInError(Cause.NO_DIRECTORY)
    if not is_address(found.address):  # mails go there: neither a second address nor a line of a header
        raise RefusedSignInError(Cause.NO_ADDRESS)
    return found


def _microsoft_identity(claims: Mapping[str, Any]) -> Identity:
    """
    `email` is not read: Entra neither verifies nor keeps it. A user principal name's domain is one that the directory owns.

    Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference and optional-claims-reference
    (`acct`: 0 for members, 1 for guests; `idp`: another issuer's for accounts of elsewhere; `wids`: directory roles).
    """
    name = _text(claims, "preferred_username").lower()
    home = _text(claims, "idp") or _text(claims, "iss")
    if claims.get("acct", 0) != 0 or home != _text(claims, "iss") or _GUEST_MARK in name:
        raise RefusedSignInError(Cause.GUEST)
    roles = claims.get("wids")
    administers = isinstance(roles, list) and any(role in DIRECTORY_ADMINISTRATORS for role in roles)
    return Identity(
        provider=Provider.MICROSOFT,
        subject=_text(claims, "oid"),
        directory=_text(claims, "tid").lower(),
        address=name,
        name=_shown_name(claims),
        administers=administers,
    )


def _google_identity(claims: Mapping[str, Any]) -> Identity:
    address = _text(claims, "email") if claims.get("email_verified") is True else ""
    return Identity(
        provider=Provider.GOOGLE,
        subject=_text(claims, "sub"),
        directory=_text(claims, "hd").lower(),
        address=address.lower(),
        name=_shown_name(claims),
    )


def _shown_name(claims: Mapping[str, Any]) -> str:
    """A line of at most 100 characters that can be printed; the rest of what somebody calls themselves is not kept."""
    return "".join(sign for sign in _text(claims, "name")[:_MAX_NAME_CHARS] if sign.isprintable())


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
