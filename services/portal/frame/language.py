"""Which language and manner of writing times the current request is answered in: pages, JSON and refusals alike."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from services.portal.frame.sessions import own_row
from shared.errors import RoomsyncError
from shared.language.catalogues import catalogue_for
from shared.language.deciding.negotiation import Manner, choose_manner
from shared.language.deciding.sentences import Catalogue, translate_all
from shared.language.templates import template_options, use_catalogue

ENGLISH_ONLY = ("/api",)
"""Pages that have no words but English ones: the document of the interface."""


def current_manner() -> Manner:
    """
    How the person behind this request is written to: by their own choice, else as their browser says.

    Outside of a request, and while the registry cannot say what they chose, in English and as the browser says.
    """
    if not has_request_context():
        return choose_manner("")
    if "manner" not in g:
        g.manner = _find_manner()
    found: Manner = g.manner
    return found


def current_catalogue() -> Catalogue:
    """The translations for the person behind this request."""
    return catalogue_for(current_manner())


def translated_answer(value: Any) -> Any:
    """Translate every sentence in the JSON that answers this request."""
    return translate_all(value, current_catalogue())


def is_english_only() -> bool:
    """Whether the page that is asked for has no words but English ones; what stands around them is translated all the same."""
    manner = current_manner()
    return (manner.language != "en" or manner.pseudo) and request.path.startswith(ENGLISH_ONLY)


def register(app: Flask) -> None:
    """Have `app` answer each request in the language of its person. Register it before anything uses the templates."""
    app.jinja_options = {**app.jinja_options, **template_options(current_catalogue)}
    use_catalogue(app.jinja_env, current_catalogue)
    app.jinja_env.globals["manner"] = current_manner
    app.jinja_env.globals["english_only"] = is_english_only

    @app.after_request
    def name_language(response: Response) -> Response:
        if response.mimetype in {"text/html", "application/json", "application/problem+json"}:
            response.content_language.add(current_manner().language)
        return response


def _find_manner() -> Manner:
    accept, row = request.headers.get("Accept-Language", ""), None
    with suppress(RoomsyncError):
        row = own_row()
    if row is None:
        return choose_manner(accept)
    return choose_manner(accept, row.language, row.clock, row.week)
