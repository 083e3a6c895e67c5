"""Reads what a person filled in, or a program sent, into a struct whose annotations say what each field may be. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from shared.decoders import convert
from shared.language.deciding.sentences import say

T = TypeVar("T", bound=msgspec.Struct)

_BLANKS = re.compile(r"[\t\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000 ]{1,10000}")
MAX_TEXT_CHARS = 10_000
"""Longer text is not looked at: no field of ours takes a tenth of it."""
MAX_NUMBER = 10**15
_REFUSED = ("Cc", "Cs")
"""Control characters, and halves of a character, which no store can write. Marks and joiners belong to names."""


class FieldError(ValueError):
    """One field that cannot be used."""

    def __init__(self, field: str, why: str = "") -> None:
        """Name the field as it is sent, and say why in a sentence; "" where the rule of the field says it all."""
        super().__init__(f"{field}: {why or 'it cannot be used'}")
        self.field = field
        self.why = why


def read_form(sent: Mapping[str, Any], kind: type[T]) -> T:
    """
    Read the fields of `kind` out of a form or a JSON object; others are left alone.

    Blanks in text become single spaces, and none stands at either end. A field that is absent, null or empty takes its default;
    a number may be sent as text, and text as a number.

    Raises:
        FieldError: the first field that is missing or breaks its annotation.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        value = plain(field.encode_name, sent.get(field.encode_name))
        if value is None:
            if field.required:
                raise FieldError(field.encode_name, say("It is missing."))
            continue
        try:
            values[field.name] = convert(value, field.type, strict=False)
        except msgspec.ValidationError as error:
            raise FieldError(field.encode_name) from error
    return kind(**values)


def plain(field: str, value: object) -> object | None:
    """
    The value as `read_form` converts it; None for an empty one. Of a list each item, without the empty ones.

    Raises:
        FieldError: text with a control character or far too long, or a number that is far too large.
    """
    if isinstance(value, list):
        items = (_plain_item(field, each) for each in value)
        return [each for each in items if each is not None]
    return _plain_item(field, value)


def single_spaced(text: str) -> str:
    """With every run of blanks as one space: no-break, ideographic and other wide or narrow spaces are blanks as well."""
    return _BLANKS.sub(" ", text).strip()


def _plain_item(field: str, value: object) -> object | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) > MAX_NUMBER:
            raise FieldError(field, say("It is far too large."))
        return str(value)
    if not isinstance(value, str):
        return value
    if len(value) > MAX_TEXT_CHARS:
        raise FieldError(field, say("It is far too long."))
    line = single_spaced(value)
    refused = next((sign for sign in line if unicodedata.category(sign) in _REFUSED), None)
    if refused is not None:
        raise FieldError(
            field,
            say("It holds the control character U+{number}, which cannot be shown.").format(
                number=f"{ord(refused):04X}"
            ),
        )
    return line or None
