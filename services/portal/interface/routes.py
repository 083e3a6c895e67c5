"""The description of the interface, for programs (`/v1/openapi.json`) and people (`/api`): nobody's data, for anybody to read."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template

from services.portal.interface.document import describe_interface
from services.portal.interface.operation import Audience, operation
from services.portal.interface.presentation import list_operations, list_types

PAGE = "/api"
_EXTENSION = "interface"


def blueprint() -> Blueprint:
    """The routes `/api` and `/v1/openapi.json`."""
    bp = Blueprint("interface", __name__)

    @bp.get("/v1/openapi.json")
    @operation(Audience.ANYBODY)
    def document() -> dict[str, Any]:
        """Describe this interface: the very document that you read (OpenAPI 3.1)."""
        return read_document()

    @bp.get(PAGE)
    def page() -> str:
        found = read_document()
        return render_template("api.html", info=found["info"], subjects=list_operations(found), types=list_types(found))

    return bp


def read_document() -> dict[str, Any]:
    """Read the document of the application that answers the current request; it is made once a process."""
    made = current_app.extensions.get(_EXTENSION)
    if made is None:
        made = describe_interface(current_app.url_map.iter_rules(), current_app.view_functions)
        current_app.extensions[_EXTENSION] = made
    found: dict[str, Any] = made
    return found
