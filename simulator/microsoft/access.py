"""Who is calling, whether they may, and whether the call is throttled; the two spellings of every mailbox route."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, g, request

from simulator.microsoft import wire
from simulator.microsoft.errors import GraphError, translate_error
from simulator.microsoft.side import side
from simulator.world import Principal, User, WorldError

READ = ("Calendars.Read", "Calendars.ReadWrite")
WRITE = ("Calendars.ReadWrite",)
FREE_BUSY = ("Calendars.ReadBasic", *READ)
PLACES = ("Place.Read.All",)
PROFILE = ("User.Read",)

_THROTTLE_CODES = {"concurrency": ("ApplicationThrottled", "Application is over its MailboxConcurrency limit.")}


def guard(blueprint: Blueprint) -> None:
    """Check the token before each call of the blueprint, count calls in and out, and write errors Graph's way."""
    blueprint.before_request(_admit)
    blueprint.teardown_request(_leave)
    blueprint.register_error_handler(GraphError, _write)
    blueprint.register_error_handler(WorldError, _write)


def principal() -> Principal:
    """Whom the current call's token speaks for."""
    found: Principal = g.principal
    return found


def caller() -> User:
    """The person whom the current call's token speaks for."""
    return side().world.directory.user(principal().user_id)


def needs(*scopes: str) -> None:
    """Refuse a token that holds none of `scopes`. Raises GraphError 403."""
    held = {scope.rsplit("/", 1)[-1].lower() for scope in principal().scopes}
    if not held & {scope.lower() for scope in scopes}:
        raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def mailbox_route(blueprint: Blueprint, path: str, method: str, *scopes: str) -> Callable[..., Any]:
    """Serve `/me{path}` and `/users/{id}{path}`; the view gets the owner. A delegated token reaches its own only."""

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def serve(owner_key: str = "", **more: str) -> Any:
            needs(*scopes)
            return view(_own(owner_key), **more)

        blueprint.add_url_rule(f"/me{path}", f"{view.__name__}_me", serve, methods=[method])
        blueprint.add_url_rule(f"/users/<owner_key>{path}", f"{view.__name__}_user", serve, methods=[method])
        return view

    return register


def _own(key: str) -> User:
    me = caller()
    key = unquote(key)
    if not key or key == me.id or key.lower() in me.addresses:
        return me
    if side().world.directory.find(key) is None:
        raise GraphError(404, "ErrorInvalidUser", f"The requested user '{key}' is invalid.")
    raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _admit() -> None:
    world = side().world
    found = world.identity.bearer(dict(request.headers))
    owner = world.directory.find(found.user_id) if found else None
    if found is None or not isinstance(owner, User) or owner.provider != "microsoft" or _is_revoked(owner):
        challenge = {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'}
        raise GraphError(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.", challenge)
    g.principal = found
    g.counted_in = owner.id
    refusal, wait_s, g.in_flight = world.traffic.enter("microsoft", owner.id, {owner.id, owner.address}, request.path)
    if wait_s:
        time.sleep(wait_s)
    if refusal:
        headers = {} if refusal.retry_after is None else {"Retry-After": refusal.retry_after}
        code, text = _THROTTLE_CODES.get(refusal.reason, _code_of(refusal.status))
        raise GraphError(refusal.status, code, text, headers)


def _code_of(status: int) -> tuple[str, str]:
    known = {
        429: ("TooManyRequests", "Too many requests. Please wait and try again."),
        503: ("serviceNotAvailable", "The service is temporarily unavailable."),
        504: ("gatewayTimeout", "The upstream service did not answer in time."),
    }
    return known.get(status, ("ErrorInternalServerError", "An internal server error occurred."))


def _is_revoked(owner: User) -> bool:
    return bool({owner.id, owner.address} & set(side().world.faults.get("revokedTokens", "microsoft")))


def _leave(_: BaseException | None) -> None:
    counted = g.pop("counted_in", None)
    if counted:
        side().world.traffic.leave(counted)


def _write(error: Exception) -> Response:
    refused = translate_error(error) if isinstance(error, WorldError) else error
    if not isinstance(refused, GraphError):  # the two handlers above register no other kind
        raise refused
    world = side().world
    return refused.response(world.ids.guid("request", world.ids.count("error")), wire.instant(world.now_ms())[:19])
