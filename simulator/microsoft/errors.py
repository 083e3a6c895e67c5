"""Graph's error body, and how the world's refusals become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from flask import Response, jsonify

from simulator.world import InvalidError, NotOrganizerError, NotThereError, TakenError, WorldError


class GraphError(Exception):
    """One refused call: status, Graph's code, a sentence, and headers to go with it."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})

    def response(self, request_id: str, date: str) -> Response:
        """The error as Graph sends it."""
        inner = {"date": date, "request-id": request_id, "client-request-id": request_id}
        body = jsonify({"error": {"code": self.code, "message": str(self), "innerError": inner}})
        body.status_code = self.status
        body.headers.update(self.headers)
        return body


def refuse(text: str) -> NoReturn:
    """A subscription that cannot be. Raises GraphError 400."""
    raise GraphError(400, "InvalidRequest", text)


def not_found() -> GraphError:
    """An event that is not (or no longer) in this mailbox."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def translate_error(error: WorldError) -> GraphError:
    """What the world refused, in Graph's words."""
    match error:
        case NotThereError():
            return not_found()
        case TakenError():
            return GraphError(409, "ErrorDuplicate", str(error))
        case NotOrganizerError():
            return GraphError(403, "ErrorAccessDenied", str(error))
        case InvalidError():
            return GraphError(400, "ErrorInvalidRequest", str(error))
        case _:
            return GraphError(500, "ErrorInternalServerError", str(error))
