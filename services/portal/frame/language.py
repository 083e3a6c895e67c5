"""Which language and manner of writing times the current request is answered in: pages, JSON and refusals alike."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from flask import Flask, Response, g, has_request_context, request
from jinja2 import Environment
from jinja2.filters import do_join

from services.portal.frame.sessions import own_row
from shared.errors import RoomsyncError
from shared.language.catalogues import catalogue_for
from shared.language.deciding.negotiation import Manner, choose_manner
from shared.language.deciding.sentences import Catalogue, Sentence, translate, translate_all

TEMPLATE_OPTIONS = {"extensions": ["jinja2.ext.i18n"], "finalize": lambda value: translated(value)}  # noqa: PLW0108  # defined below
"""How the templates of the portal are compiled."""


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


def translated(value: Any) -> Any:
    """Translate what is a sentence for the person behind this request; anything else stays as it is."""
    return translate(value, current_catalogue()) if isinstance(value, Sentence) else value


def translated_answer(value: Any) -> Any:
    """Translate every sentence in the JSON that answers this request."""
    return translate_all(value, current_catalogue())


def register(app: Flask) -> None:
    """Have `app` answer each request in the language of its person. Register it before anything uses the templates."""
    app.jinja_options = {**app.jinja_options, **TEMPLATE_OPTIONS}
    environment = app.jinja_env
    install_catalogue(environment, current_catalogue)
    environment.globals["manner"] = current_manner
    environment.filters["translated"] = translated

    @app.after_request
    def name_language(response: Response) -> Response:
        if response.mimetype in {"text/html", "application/json", "application/problem+json"}:
            response.content_language.add(current_manner().language)
        return response


def install_catalogue(environment: Environment, catalogue: Any) -> None:
    """Have `{% trans %}` and `join` in templates translate with what `catalogue` returns at that moment."""
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        lambda message: catalogue().gettext(message),
        lambda one, many, count: catalogue().ngettext(one, many, count),
        newstyle=True,
    )

    def join(eval_ctx: Any, parts: Iterable[Any], between: str = "", attribute: Any = None) -> str:
        joined: str = do_join(eval_ctx, [translate(part, catalogue()) for part in parts], between, attribute)
        return joined

    join.jinja_pass_arg = do_join.jinja_pass_arg  # type: ignore[attr-defined]  # as the filter that it stands for
    environment.filters["join"] = join


def _find_manner() -> Manner:
    accept, row = request.headers.get("Accept-Language", ""), None
    with suppress(RoomsyncError):
        row = own_row()
    if row is None:
        return choose_manner(accept)
    return choose_manner(accept, row.language, row.clock, row.week)
