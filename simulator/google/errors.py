"""Google's error bodies: what is refused, with which status, reason and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass(eq=False)
class ApiError(Exception):
    """
    A refusal in Google's words.

    `location` names the parameter or header at fault, `more` is put beside code and message (newer quota errors carry
    `status` and `details`), `headers` go with the answer.
    """

    status: int
    reason: str
    message: str
    domain: str = "global"
    location: str = ""
    location_type: str = "parameter"
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """As sent."""
        entry = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            entry |= {"locationType": self.location_type, "location": self.location}
        return {"error": {"errors": [entry], "code": self.status, "message": self.message, **self.more}}


def invalid(message: str, location: str = "") -> NoReturn:
    """400 `invalid`. Raises ApiError."""
    raise ApiError(400, "invalid", message, location=location)


def required(name: str) -> NoReturn:
    """400 `required`. Raises ApiError."""
    message = f"Missing {name}."
    raise ApiError(400, "required", message, location=name)


def not_found() -> NoReturn:
    """404 `notFound`: gone, or not visible to this user. Raises ApiError."""
    raise ApiError(404, "notFound", "Not Found")


def deleted() -> NoReturn:
    """410 `deleted`. Raises ApiError."""
    raise ApiError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> NoReturn:
    """410 `fullSyncRequired`. Raises ApiError."""
    message = "Sync token is no longer valid, a full sync is required."
    raise ApiError(410, "fullSyncRequired", message, domain="calendar", location="syncToken")


def condition_not_met() -> NoReturn:
    """412 `conditionNotMet`. Raises ApiError."""
    raise ApiError(412, "conditionNotMet", "Precondition Failed", location="If-Match", location_type="header")


def insufficient_permissions() -> NoReturn:
    """403 `insufficientPermissions`: the token lacks a scope. Raises ApiError."""
    message = "Request had insufficient authentication scopes."
    more = {"status": "PERMISSION_DENIED"}
    raise ApiError(403, "insufficientPermissions", message, more=more)


def api_not_enabled(api: str) -> NoReturn:
    """403 `accessNotConfigured`: the project of the client has not enabled the API. Raises ApiError."""
    message = f"{api} has not been used in project 424242424242 before or it is disabled."
    more = {"status": "PERMISSION_DENIED"}
    raise ApiError(403, "accessNotConfigured", message, domain="usageLimits", more=more)


def unauthorized() -> NoReturn:
    """401 `authError`. Raises ApiError."""
    raise ApiError(
        401,
        "authError",
        "Invalid Credentials",
        location="Authorization",
        location_type="header",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )
