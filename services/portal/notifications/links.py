"""
Links in messages: `/p/…`. Mail scanners open every link, some in a real browser: reading one changes nothing.

The link of a prompt leads its person, signed in, to the prompt's card, and is dead once the prompt is closed. The link that stops
mails, or notices in browsers, shows a button; sent as POST it stops them, as RFC 8058 has it for mails: without a session, since
what is signed in it is the proof.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template
from werkzeug.wrappers import Response

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, anybody, proves_itself
from services.portal.meetings.deciding.words import CLOSING_WORDS
from services.portal.meetings.personal_view import PersonalView
from services.portal.notifications.preferences import LadderPreferences
from shared.crypto.links import Link, LinkPurpose, LinkSigner, link_path
from shared.domain.identity import Mailbox
from shared.errors import KeyDestroyedError
from shared.language.deciding.sentences import say
from shared.registry import tables

_GONE_WORDS = say("There is nothing to do any more: this prompt is closed.")


def blueprint(deps: Deps) -> Blueprint:
    """The route `/p/…`."""
    bp = Blueprint("links", __name__)
    signer = LinkSigner(deps.link_keys or [secrets.token_bytes(32)])
    preferences = LadderPreferences(deps)
    stops = {LinkPurpose.STOP: preferences.stop_mails, LinkPurpose.STOP_BROWSERS: preferences.stop_browsers}

    @bp.get("/p/<signed>")
    def follow(signed: str) -> Response:
        link = _read(signer, signed)
        if link.purpose in stops:
            return _page(link.purpose, HTTPStatus.OK, action=link_path(signed))
        return _lead(deps, link, signed)

    @bp.post("/p/<signed>")
    @proves_itself
    def stop(signed: str) -> Response:
        link = _read(signer, signed)
        if link.purpose not in stops:
            raise ProblemError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "link-only-read",
                say("This link can be opened, and does nothing else."),
                next_step=say("Open it in your browser."),
            )
        stops[link.purpose](link.tenant, link.user)
        return _page(f"{link.purpose}-done", HTTPStatus.OK)

    return bp


def _read(signer: LinkSigner, signed: str) -> Link:
    link = signer.read(signed)
    if link is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "no-such-link",
            say("This link is incomplete, or not one of ours."),
            next_step=say("Copy it whole from the message, or go to your rooms: /"),
        )
    return link


def _lead(deps: Deps, link: Link, signed: str) -> Response:
    """To the card of the prompt; its person has to be signed in, and is sent to do so."""
    closed = _closed_words(deps, link)
    if closed:
        return _page("closed", HTTPStatus.GONE, words=closed)
    person = anybody()
    if person is None:
        return redirect(f"/auth/login?next={link_path(signed)}", HTTPStatus.SEE_OTHER)
    if (person.tenant, person.user) != (link.tenant, link.user):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "link-of-another",
            say("This link was sent to somebody else."),
            next_step=say("Sign out, and sign in as the person whom the message was sent to."),
        )
    return redirect(f"/prompts/{link.prompt}", HTTPStatus.SEE_OTHER)


def _closed_words(deps: Deps, link: Link) -> str:
    """Why nothing has to be done any more; "" while something has, or while it cannot be told."""
    user = tables.users(deps.engine.registry).get(link.tenant, link.user)
    if user is None:
        return _GONE_WORDS
    person = Person(link.tenant, link.user, Mailbox(link.tenant, user.mailbox), user.provider, csrf="", session="")
    try:
        view = PersonalView(deps, person)
    except KeyDestroyedError:
        return _GONE_WORDS
    found = view.read_meetings()
    prompt = view.board(found.meetings.values()).prompts.get(link.prompt)
    if prompt is None:
        return "" if found.rebuilding else _GONE_WORDS
    return CLOSING_WORDS[prompt.closing] if prompt.closing else ""


def _page(kind: str, status: HTTPStatus, **known: str) -> Response:
    response = make_response(render_template("link.html", kind=kind, **known), status)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
