"""
Sending somebody who is signed in to their provider for a permission.

It begins with a change of ours, which carries the session's token, and ends in the session and browser that began it: a
provider that remembers a consent asks nobody again, so that an address that is merely followed must begin nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypedDict
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, render_template, request
from msgspec import Meta
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import BROWSER_COOKIE, Person, cookie_name, keep_cookie
from services.portal.sign_in.attempts import LIFE_MS, Purpose, SignIns
from services.portal.sign_in.openid_providers import OpenIdProviders
from shared.domain.hosts import is_loopback
from shared.domain.identity import Provider
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants.vault import ConsentVault
from shared.language.deciding.sentences import say
from shared.registry import tables

CALLBACK = "/auth/callback"


@dataclass(frozen=True, slots=True)
class Departure:
    """A way to a provider that was begun."""

    provider: Provider
    address: str
    """Where to send the browser."""
    browser: str
    """The value of the cookie that binds the answer to it."""


class Departures:
    """Begins ways to the providers. Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._clients = OpenIdProviders(deps)

    def begin(self, person: Person, provider: Provider, purpose: Purpose, back_to: str = "") -> Departure:
        """
        Begin the way of a signed-in person, in answer to a change that they made.

        Args:
            person: Who; only they, in this session, may come back.
            provider: Where to.
            purpose: Decides which permissions are asked.
            back_to: The page of ours to come back to, where the purpose has no page of its own.
        """
        browser = request.cookies.get(cookie_name(BROWSER_COOKIE), "") or secrets.token_urlsafe(32)
        sign_ins = SignIns(self._deps.engine.registry, self._deps.clock, self._deps.session_key)
        sign_in = sign_ins.begin(browser, provider, back_to, purpose, user=person.user, session=person.session)
        hint = self._address(person) if provider == person.provider else ""
        address = self._clients[provider].address(sign_in, callback_address(self._deps), hint)
        return Departure(provider, address, browser)

    def _address(self, person: Person) -> str:
        """So that the provider offers the right account; "" when nobody can read it any more."""
        registry, vault = self._deps.engine.registry, ConsentVault(self._deps.engine.keyring)
        user = tables.users(registry).get(person.tenant, person.user)
        try:
            return vault.address_of(person.tenant, person.user, user) if user else ""
        except (KeyDestroyedError, MalformedRecordError):
            return ""


def leading_page(departure: Departure, asks: str) -> AnyResponse:
    """
    Answer with a page that leads on to the provider; `asks` says which permission is asked for.

    No redirect: browsers hold where a form ends against our own policy (`form-action`).
    """
    page = render_template("connecting.html", address=departure.address, provider=departure.provider, asks=asks)
    response = make_response(page)
    keep_browser(response, departure.browser)
    return response


class LeadingAnswer(TypedDict):
    """Where the browser is to be sent."""

    location: Annotated[str, Meta(examples=["https://provider.test/authorize?…"])]
    """At the provider, or a page of ours that says why it cannot be."""
    next: Annotated[str, Meta(examples=["Open `location` in this browser; it leads back here."])]


def leading_answer(departure: Departure) -> Response:
    """The same for programs: where the browser is to be sent."""
    leads = LeadingAnswer(location=departure.address, next=say("Open `location` in this browser; it leads back here."))
    response = jsonify(leads)
    keep_browser(response, departure.browser)
    return response


def keep_browser(response: AnyResponse, browser: str) -> None:
    """Bind the answer that will come to the browser that gets `response`."""
    keep_cookie(response, BROWSER_COOKIE, browser, LIFE_MS)


def callback_address(deps: Deps) -> str:
    """
    The address that is registered at the providers.

    Without PUBLIC_URL it is this machine's own, and only that: a Host header from elsewhere builds no address.
    """
    if deps.settings.public_url:
        return f"{deps.settings.public_url}{CALLBACK}"
    if not is_loopback(urlsplit(request.host_url).hostname or ""):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "public-url",
            say("This service does not know its own public address."),
            next_step=say("Set ROOMSYNC_PUBLIC_URL to the address people use."),
        )
    return f"{request.host_url.rstrip('/')}{CALLBACK}"
