"""The language, the clock and the first day of the week that a person chose, as JSON and from the form on the profile."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, TypedDict

import msgspec
from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.language import current_manner
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, member
from services.portal.interface.operation import operation
from shared.contracts.rows import UserRow
from shared.decoders import convert
from shared.domain.roles import Right
from shared.language.deciding.sentences import say
from shared.registry import tables

_API = "/v1/me/language"
_EXAMPLE = '{"language": "de", "clock": "24", "week": "monday"}'


class LanguageForm(msgspec.Struct, frozen=True):
    """What a person chooses; what is empty or left out is as their browser and what is usual there have it."""

    language: Literal["", "en", "de", "fr", "nl"] = ""
    clock: Literal["", "12", "24"] = ""
    """Hours of the day."""
    week: Literal["", "monday", "saturday", "sunday"] = ""
    """The day on which weeks begin."""


class LanguageAnswer(TypedDict):
    """What a person chose, and what follows from it for this browser."""

    language: Literal["", "en", "de", "fr", "nl"]
    """Empty: as the browser asks for."""
    clock: Literal["", "12", "24"]
    week: Literal["", "monday", "saturday", "sunday"]
    shownIn: Literal["en", "de", "fr", "nl"]
    """The language of answers to this person."""


def blueprint(deps: Deps) -> Blueprint:
    """The routes `/v1/me/language` and `/profile/language`."""
    bp = Blueprint("language", __name__)

    @bp.get(_API)
    @operation(Right.OWN_CALENDAR)
    def shown() -> LanguageAnswer:
        """Say in which language one is answered, and how times are written."""
        return describe_choice(deps, member())

    @bp.put(_API)
    @operation(Right.OWN_CALENDAR, body=LanguageForm, problems=("json-missing", "language-invalid"))
    def choose() -> LanguageAnswer:
        """Choose the language, the clock and the first day of the week; what is left out is automatic."""
        person = member()
        _change(deps, person, require_object(_EXAMPLE))
        return describe_choice(deps, person)

    @bp.post("/profile/language")
    def choose_by_form() -> AnyResponse:
        _change(deps, member(), request.form)
        return redirect("/profile?done=language#language", HTTPStatus.SEE_OTHER)

    return bp


def describe_choice(deps: Deps, person: Person) -> LanguageAnswer:
    """What a person chose. Raises StoreUnavailableError."""
    row = tables.users(deps.engine.registry).get(person.tenant, person.user)
    form = _form_of(row) if row else LanguageForm()
    return {"language": form.language, "clock": form.clock, "week": form.week, "shownIn": current_manner().language}  # type: ignore[typeddict-item]  # one of them


def remember_browser(deps: Deps, tenant: str, user: str) -> None:
    """Keep the language that the browser of this request asks for: mails are written in it. Raises StoreUnavailableError."""
    tag = current_manner().tag
    tables.users(deps.engine.registry).change(
        tenant, user, lambda row: msgspec.structs.replace(row, browser_language=tag) if row else None
    )


def _form_of(row: UserRow) -> LanguageForm:
    return convert({"language": row.language, "clock": row.clock, "week": row.week}, LanguageForm)


def _change(deps: Deps, person: Person, sent: Mapping[str, Any]) -> None:
    try:
        form = read_form(sent, LanguageForm)
    except FieldError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "language-invalid",
            say("The field {field} cannot be used.").format(field=error.field),
            next_step=say("Send one of the values that the document of the interface lists, or leave it out."),
        ) from error
    chosen = msgspec.structs.asdict(form)
    tables.users(deps.engine.registry).change(
        person.tenant, person.user, lambda row: msgspec.structs.replace(row, **chosen) if row else None
    )
    g.pop("manner", None)  # the answer to this request is written as chosen
    if g.get("user_row") is not None:
        g.user_row = msgspec.structs.replace(g.user_row, **chosen)
