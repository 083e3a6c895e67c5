"""Who is signed in: a random cookie, its row under a keyed hash, and the token that guards every change."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from services.portal.deps import Deps, deps
from services.portal.frame.problems import ProblemError, not_allowed, not_enabled
from services.portal.interface.fields import ChangeToken
from shared.contracts.rows import IntegrationState, SessionRow, UserRow
from shared.domain.hosts import is_loopback
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from shared.domain.keys import pseudonym
from shared.domain.roles import Right, may
from shared.errors import ConflictError, RowRefusedError, StoreUnavailableError
from shared.language.deciding.sentences import say
from shared.ports.registry import Registry
from shared.registry import tables

LIFE_MS = 12 * HOUR_MS
"""From its last use on, give or take `PROLONGED_EVERY_MS`."""
MAX_LIFE_MS = 7 * DAY_MS
"""From signing in on, however much it is used: a stolen cookie is not good for ever."""
PROLONGED_EVERY_MS = 10 * MINUTE_MS
"""A session in use costs a write this often, and not one a request."""
MAX_SESSIONS = 20
"""Of one person: the oldest ends when one more is opened."""
COOKIE = "roomsync_session"
BROWSER_COOKIE = "roomsync_sign_in"
"""Binds the answer of a provider to the browser that was sent there."""
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
_TOKEN_BYTES = 32
_SAFE = ("GET", "HEAD", "OPTIONS")
View = TypeVar("View", bound=Callable[..., Any])
_SELF_PROVING: set[Callable[..., Any]] = set()
_ACCEPTING_TOKENS: set[Callable[..., Any]] = set()
_NEEDING_NO_SESSION: set[Callable[..., Any]] = set()


@dataclass(frozen=True, slots=True)
class Person:
    """The one who is signed in with this request. Everything they may see follows from `mailbox`."""

    tenant: str
    user: str
    mailbox: Mailbox
    provider: str
    csrf: str
    session: str
    roles: tuple[str, ...] = ()


def register(app: Flask) -> None:
    """Guard every change made through `app`, and prolong the sessions that are used."""
    app.before_request(_refuse_forged_change)
    app.after_request(_prolong_session)


def proves_itself(view: View) -> View:
    """Mark a route whose address is itself the proof that a change is wanted: it needs neither session nor token."""
    _SELF_PROVING.add(view)
    return view


def needs_no_session(view: View) -> View:
    """Mark a route that a page may post to after its session has ended: without a session it needs no token."""
    _NEEDING_NO_SESSION.add(view)
    return view


def accepts_token(view: View) -> View:
    """
    Mark a route that a back-end service may use with its token instead of a session.

    A request with an `Authorization` header needs no token of a page: no other site's page can have a browser send one.
    """
    _ACCEPTING_TOKENS.add(view)
    return view


def bearer_token() -> str:
    """What was sent as `Authorization: Bearer …`; "" when nothing was."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    return sent.strip() if scheme.lower() == "bearer" else ""


def signed_in() -> Person:
    """
    The person behind this request, whose organisation has this switched on.

    Raises:
        ProblemError: 401 without a live session; 409 while their organisation has this switched off.
    """
    person = member()
    tenant = tables.tenants(deps().engine.registry).get(person.tenant, "tenant")
    if tenant is None or tenant.integration is not IntegrationState.ENABLED:
        raise not_enabled(tenant.contact if tenant else "")
    return person


def member() -> Person:
    """The person behind this request, whatever state the integration is in. Raises ProblemError: 401 without a live session."""
    person = _person()
    if person is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "not-signed-in",
            say("You are not signed in."),
            next_step=say("Sign in: /auth/login"),
        )
    return person


def require_right(right: Right) -> Person:
    """
    The person behind this request, who has `right`, whatever state the integration is in.

    Raises:
        ProblemError: 401 without a live session; 403 without the right, naming whom to ask.
    """
    person = member()
    if may(person.roles, right):
        return person
    tenant = tables.tenants(deps().engine.registry).get(person.tenant, "tenant")
    raise not_allowed(tenant.contact if tenant else "")


def anybody() -> Person | None:
    """The person behind this request, or None; says nothing about their organisation."""
    return _person()


def change_token(person: Person) -> ChangeToken:
    """What a program of `person` sends with every change."""
    return {"csrf": person.csrf, "csrfHeader": CSRF_HEADER}


def own_row() -> UserRow | None:
    """The row of the person behind this request, as it was when they were looked up; None for nobody."""
    found: UserRow | None = g.get("user_row") if _person() else None
    return found


def open_session(response: Response, tenant: str, user: str) -> None:
    """Sign `user` in with the browser that gets `response`; a session it had ends, and the person's oldest if they have many."""
    _forget()
    registry = deps().engine.registry
    cookie = f"{tenant}.{secrets.token_urlsafe(_TOKEN_BYTES)}"
    person = _list_session(registry, tenant, user, _name(cookie))
    now_ms = deps().clock.now_ms()
    row = SessionRow(
        user=user,
        csrf=secrets.token_urlsafe(_TOKEN_BYTES),
        epoch=person.session_epoch if person else 0,
        opened_at_ms=now_ms,
        prolonged_at_ms=now_ms,
    )
    tables.sessions(registry).put(tenant, _name(cookie), row, not_after_ms=now_ms + LIFE_MS)
    keep_cookie(response, COOKIE, cookie, LIFE_MS)


def keep_cookie(response: Response, name: str, value: str, life_ms: int) -> None:
    """Have the browser keep a cookie of ours, which no script reads and no other site's form sends."""
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=life_ms // SECOND_MS,
        secure=is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Have the browser forget a cookie that `keep_cookie` had it keep."""
    response.delete_cookie(cookie_name(name), path="/", secure=is_secure(), httponly=True, samesite="Lax")


def end_session(response: Response) -> None:
    """Sign out: the row goes first, so that a kept cookie is worth nothing."""
    _forget()
    drop_cookie(response, COOKIE)


def end_every_session(response: Response, person: Person) -> None:
    """
    Sign a person out in all of their browsers: sessions opened so far are of an earlier epoch from now on.

    Costs the same however many there are; their rows hold nothing of use any more, and go when they would have ended.
    """
    tables.users(deps().engine.registry).change(
        person.tenant,
        person.user,
        lambda row: msgspec.structs.replace(row, session_epoch=row.session_epoch + 1, sessions=()) if row else None,
    )
    end_session(response)


def find_unwelcome(found: Deps, tenant: str, people: Iterable[tuple[str, str]]) -> set[str]:
    """
    Of one organisation's sessions those that have ended, or all of them once it has this switched off: three questions in all.

    Args:
        found: Where sessions stand. Needs no request.
        tenant: The organisation.
        people: Session and user of each.

    Returns:
        Sessions.

    Raises:
        StoreUnavailableError: nothing is known of any.
    """
    people, registry = tuple(people), found.engine.registry
    try:
        row = tables.tenants(registry).get(tenant, "tenant")
        if row is None or row.integration is not IntegrationState.ENABLED:
            return {session for session, _ in people}
        sessions = tables.sessions(registry).get_many(tenant, {session for session, _ in people})
        users = tables.users(registry).get_many(tenant, {user for _, user in people})
    except RowRefusedError:
        if len(people) == 1:
            return {people[0][0]}
        return set().union(*(find_unwelcome(found, tenant, [each]) for each in people))
    return {name for name, user in people if not _goes_on(sessions.get(name), user, users.get(user))}


def _goes_on(session: SessionRow | None, user: str, person: UserRow | None) -> bool:
    """Whether it is a session of `user`, who is there as `person` and has not signed out everywhere since."""
    return session is not None and session.user == user and person is not None and session.epoch == person.session_epoch


def is_secure() -> bool:
    """Cookies travel over TLS alone, except on this very machine."""
    url = urlsplit(deps().settings.public_url or request.host_url)
    return url.scheme == "https" or not is_loopback(url.hostname or "")


def cookie_name(name: str) -> str:
    """With the prefix that makes browsers insist on Secure, on this host alone."""
    return f"__Host-{name}" if is_secure() else name


def _person() -> Person | None:
    if "person" not in g:
        g.person = _look_up(request.cookies.get(cookie_name(COOKIE), ""))
    found: Person | None = g.person
    return found


def _look_up(cookie: str) -> Person | None:
    tenant = cookie.partition(".")[0]
    if not tenant:
        return None
    name = _name(cookie)
    live = _live(deps().engine.registry, tenant, name)
    if live is None:
        return None
    session, user = live
    g.user_row = user
    g.prolonged_at_ms = session.prolonged_at_ms
    return Person(tenant, session.user, Mailbox(tenant, user.mailbox), user.provider, session.csrf, name, user.roles)


def _live(registry: Registry, tenant: str, name: str) -> tuple[SessionRow, UserRow] | None:
    """A session and its person; None once it has ended, here or everywhere, or the person is gone."""
    session = tables.sessions(registry).get(tenant, name)
    user = tables.users(registry).get(tenant, session.user) if session else None
    return (session, user) if session and user and _goes_on(session, session.user, user) else None


def _prolong_session(response: Response) -> Response:
    """Move the end of the session behind this request, and of its cookie, if that was not done in the last minutes."""
    person: Person | None = g.get("person")
    now_ms = deps().clock.now_ms()
    if person is None or request.endpoint == "static" or now_ms - g.prolonged_at_ms < PROLONGED_EVERY_MS:
        return response
    with suppress(StoreUnavailableError, ConflictError):  # the next request does it
        row = tables.sessions(deps().engine.registry).change(
            person.tenant, person.session, partial(_prolonged, now_ms), not_after_ms=_deadline_ms
        )
        if row is not None and row.prolonged_at_ms == now_ms:
            cookie = request.cookies.get(cookie_name(COOKIE), "")
            keep_cookie(response, COOKIE, cookie, _deadline_ms(row) - now_ms)
    return response


def _prolonged(now_ms: int, row: SessionRow | None) -> SessionRow | None:
    if row is None or not row.opened_at_ms or now_ms - row.prolonged_at_ms < PROLONGED_EVERY_MS:
        return row
    return msgspec.structs.replace(row, prolonged_at_ms=now_ms)


def _deadline_ms(row: SessionRow) -> int:
    return min(row.prolonged_at_ms + LIFE_MS, row.opened_at_ms + MAX_LIFE_MS)


def _list_session(registry: Registry, tenant: str, user: str, name: str) -> UserRow | None:
    """Add a session to its person's list, and end those that no longer fit in; returns the person, None for one who is gone."""
    surplus: tuple[str, ...] = ()

    def listed(row: UserRow | None) -> UserRow | None:
        nonlocal surplus
        if row is None:
            return None
        sessions = (*row.sessions, name)
        surplus = sessions[:-MAX_SESSIONS]
        return msgspec.structs.replace(row, sessions=sessions[-MAX_SESSIONS:])

    person = tables.users(registry).change(tenant, user, listed)
    for each in surplus:
        tables.sessions(registry).delete(tenant, each)
    return person


def _forget() -> None:
    cookie = request.cookies.get(cookie_name(COOKIE), "")
    if not cookie:
        return
    registry, tenant, name = deps().engine.registry, cookie.partition(".")[0], _name(cookie)
    with suppress(RowRefusedError):  # of a row that was put there beside us nobody's list is changed
        session = tables.sessions(registry).get(tenant, name)
        if session is not None:
            tables.users(registry).change(tenant, session.user, partial(_without_session, name))
    tables.sessions(registry).delete(tenant, name)


def _without_session(name: str, row: UserRow | None) -> UserRow | None:
    if row is None or name not in row.sessions:
        return None
    return msgspec.structs.replace(row, sessions=tuple(each for each in row.sessions if each != name))


def _name(cookie: str) -> str:
    return pseudonym(deps().session_key, "session", cookie)


def _is_self_proving() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view in _SELF_PROVING or (view in _ACCEPTING_TOKENS and "Authorization" in request.headers)


def _refuse_forged_change() -> None:
    if request.method in _SAFE or _is_self_proving():
        return
    person = _person()
    if person is None:
        if current_app.view_functions.get(request.endpoint or "") in _NEEDING_NO_SESSION:
            return
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "not-signed-in",
            say("You are not signed in."),
            next_step=say("Sign in: /auth/login"),
        )
    sent = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    if not hmac.compare_digest(sent.encode(), person.csrf.encode()):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "csrf",
            say("This change did not come from a page of ours."),
            next_step=say("Reload the page; a program sends the `csrf` of GET /v1/me as {csrf_header}.").format(
                csrf_header=CSRF_HEADER
            ),
        )
