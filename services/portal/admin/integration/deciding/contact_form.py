"""Whom people may ask about the integration, as an administrator enters it, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from shared.language.deciding.sentences import say

MAX_CHARS = 200


class ContactForm(msgspec.Struct, frozen=True):
    """An address, a telephone number or a place; "" for nobody."""

    contact: Annotated[str, Meta(max_length=MAX_CHARS, examples=["it@contoso.test"])] = ""


def read_contact(sent: Mapping[str, Any]) -> str:
    """
    Read the contact out of a form or a JSON object.

    Raises:
        ProblemError: 422, it is longer than a line, or holds signs that cannot be shown.
    """
    try:
        contact = read_form(sent, ContactForm).contact
    except FieldError as error:
        raise _refuse() from error
    if not contact.isprintable():
        raise _refuse()
    return contact


def _refuse() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "contact",
        say("A contact is one line of at most {most} characters.").format(most=MAX_CHARS),
        next_step=say("Give an address or a telephone number that people may ask."),
    )
