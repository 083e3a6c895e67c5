"""What every call passes: token, quota and trouble on the way in; Google's error bodies on the way out."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from simulator.google.errors import ApiError, api_not_enabled, deleted, invalid, not_found, unauthorized
from simulator.google.quota import rate_limited
from simulator.google.side import BATCH, side
from simulator.world import InvalidError, NotThereError, Principal, User, WorldError

CALENDAR_API, DIRECTORY_API = "calendar-json.googleapis.com", "admin.googleapis.com"
DIRECTORY_PATH = "/google/admin/"
_TOO_MANY = {403, 429}


def guard(blueprint: Blueprint) -> None:
    """Admit each call of the blueprint, count it out again, and write errors Google's way."""
    blueprint.before_request(_admit)
    blueprint.teardown_request(_leave)
    blueprint.register_error_handler(ApiError, _refuse)
    blueprint.register_error_handler(WorldError, _translate)
    blueprint.register_error_handler(HTTPException, _plain)


def principal() -> Principal:
    """Whom the current call's token speaks for."""
    found: Principal = g.principal
    return found


def caller() -> User:
    """The person whom the current call's token speaks for."""
    return side().world.directory.user(principal().user_id)


def is_overridden() -> bool:
    """Whether a POST is really a GET whose query was too long for an address."""
    return request.method == "POST" and request.headers.get("X-HTTP-Method-Override", "").upper() == "GET"


def arguments() -> MultiDict[str, str]:
    """The query, wherever it was put."""
    if not is_overridden():
        return request.args
    merged = MultiDict(request.args)
    merged.update(request.form)
    return merged


def sent() -> dict[str, Any]:
    """The JSON object in the body. Raises ApiError 400."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        message = "This API does not support parsing form-encoded input." if request.form else "Parse Error"
        raise ApiError(400, "parseError", message)
    return body


def _admit() -> None:
    if request.path == BATCH:
        return  # its parts are calls of their own
    world = side().world
    found = world.identity.bearer({"Authorization": request.headers.get("Authorization", "")})
    user = world.directory.find(found.user_id) if found else None
    if found is None or not isinstance(user, User) or user.provider != "google":
        unauthorized()
    api = DIRECTORY_API if request.path.startswith(DIRECTORY_PATH) else CALENDAR_API
    if not world.identity.has_enabled(found.client_id, api):
        api_not_enabled(api)
    g.principal = found
    refusal, wait_s, g.in_flight = world.traffic.enter("google", user.id, {user.id, user.address}, request.path)
    g.entered = user.id
    if wait_s:
        time.sleep(wait_s)
    if refusal is not None:
        raise _as_error(refusal.status, refusal.retry_after)
    with world.lock:
        quota_user = request.args.get("quotaUser") or request.headers.get("X-Goog-Quota-User", "")
        side().quota.charge(user, quota_user)


def _as_error(status: int, retry_after: str | None) -> ApiError:
    error = rate_limited(status) if status in _TOO_MANY else ApiError(status, "backendError", "Backend Error")
    if retry_after is not None:
        error.headers["Retry-After"] = retry_after
    return error


def _leave(_: BaseException | None) -> None:
    entered = g.pop("entered", None)
    if entered is not None:
        side().world.traffic.leave(entered)


def _refuse(error: ApiError) -> Response:
    answer = jsonify(error.body())
    answer.status_code = error.status
    answer.headers.update(error.headers)
    return answer


def _translate(error: WorldError) -> Response:
    """What the world refuses at the last moment (a race with another caller, mostly)."""
    try:
        if isinstance(error, NotThereError):
            not_found()
        if isinstance(error, InvalidError):
            invalid(str(error))
        deleted()
    except ApiError as said:
        return _refuse(said)


def _plain(error: HTTPException) -> Response:
    return _refuse(ApiError(error.code or 500, "badRequest", error.description or error.name))
