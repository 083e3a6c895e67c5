"""Who calls a route that a person with a right and a back-end service of their organisation may both use."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import request

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import accepts_token, bearer_token, require_right
from shared.domain.roles import Right
from shared.organisations.service_tokens import prove_token

__all__ = ["Caller", "accepts_token", "no_service_token", "require_right_or_token"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose organisation it is, and who acts."""

    tenant: str
    name: str
    """The id of a person, or `token:` and the name of a service token; for the audit."""


def require_right_or_token(deps: Deps, right: Right) -> Caller:
    """
    The caller: whoever sends an `Authorization` header is judged by it alone, everybody else by their session.

    Raises:
        ProblemError: 401 without a session, or with a token that is none of ours; 403 without the right.
    """
    if "Authorization" not in request.headers:
        person = require_right(right)
        return Caller(person.tenant, person.user)
    proven = prove_token(deps.engine.registry, bearer_token())
    if proven is None:
        raise no_service_token()
    tenant, name = proven
    return Caller(tenant, f"token:{name}")


def no_service_token() -> ProblemError:
    """401: nothing was sent that proves a back-end service."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "service-token",
        "This interface needs a service token.",
        next_step="Send Authorization: Bearer with a token that `roomsync tokens make` printed.",
    )
