"""
Sentences that are translated where they are shown, and not where they are decided. Pure.

A `Sentence` is its English text, so that logs, tests and programs read it as any other text. It also remembers the text that the
catalogues know it by, and what was filled in: whoever shows it to a person translates it then, with `translate`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Protocol, Self

_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = ("R", "AL")


class Catalogue(Protocol):
    """The translations into one language; what it does not know it returns in English."""

    def gettext(self, message: str, /) -> str:
        """Translate a text."""
        ...

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        """Translate a text in the form that goes with `count`."""
        ...


class Sentence(str):  # noqa: SLOT000  # a text of which there are few, each with what it is made of
    """A text that a catalogue may know. Its value is the English text with everything filled in."""

    message: str
    """As the catalogues have it, with `{names}` of what is filled in."""
    many: str
    """The same for several, as English has it; "" for a sentence with one form."""
    values: Mapping[str, Any]
    parts: tuple[str, ...]
    """Sentences that follow each other, instead of a message."""
    between: str

    def __new__(cls, text: str, message: str, many: str = "", **values: Any) -> Self:
        """Make one; use `say`, `say_many` and `join_sentences`."""
        made = super().__new__(cls, text)
        made.message, made.many, made.values, made.parts, made.between = message, many, values, (), " "
        return made

    def format(self, *_nothing: object, **values: Any) -> Sentence:
        """Fill in `values` by their names; they are filled in again in the other language."""
        text = self.message.format(**values)
        return Sentence(text, self.message, **values)


def say(message: str) -> Sentence:
    """Mark an English text for translation. What goes into its `{names}` is given to `format`."""
    return Sentence(message, message)


def say_many(one: str, many: str, count: int, **values: Any) -> Sentence:
    """
    Say something of a number.

    Args:
        one: The English text for one, with `{count}` or without it.
        many: The English text for any other number.
        count: How many.
        values: What else is filled in.
    """
    filled = {"count": count, **values}
    return Sentence((one if count == 1 else many).format(**filled), one, many, **filled)


def join_sentences(*parts: str, between: str = " ") -> Sentence:
    """Put sentences after each other; empty ones are left out."""
    given = tuple(part for part in parts if part)
    made = Sentence(between.join(given), "")
    made.parts, made.between = given, between
    return made


def translate(text: str, catalogue: Catalogue) -> str:
    """Translate a sentence, and what is filled into it, as far as that is a sentence; any other text stays as it is."""
    if not isinstance(text, Sentence):
        return text
    if text.parts:
        return text.between.join(translate(part, catalogue) for part in text.parts)
    if not text.message:
        return str(text)
    found = _look_up(text, catalogue)
    return (
        found
        if not text.values
        else found.format(**{name: _filled_in(value, catalogue) for name, value in text.values.items()})
    )


_WORDLESS = frozenset({str, int, float, bool})
"""Most of an answer by far: told by their very type, so that they are not asked what else they may be."""


def translate_all(value: Any, catalogue: Catalogue) -> Any:
    """Translate every sentence in what is sent as JSON: dictionaries, lists and tuples are gone through."""
    if value is None or type(value) in _WORDLESS:
        return value
    if isinstance(value, Sentence):
        return translate(value, catalogue)
    if isinstance(value, Mapping):
        return {translate_all(name, catalogue): translate_all(each, catalogue) for name, each in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [translate_all(each, catalogue) for each in value]
    return value


def isolate_direction(text: str) -> str:
    """Set a name apart that is written from right to left, so that it does not reorder the sentence around it."""
    turns = any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in text)
    return f"{_ISOLATE}{text}{_END_ISOLATE}" if turns else text


def _look_up(text: Sentence, catalogue: Catalogue) -> str:
    if text.many:
        return catalogue.ngettext(text.message, text.many, text.values["count"])
    return catalogue.gettext(text.message)


def _filled_in(value: Any, catalogue: Catalogue) -> Any:
    if isinstance(value, Sentence):
        return translate(value, catalogue)
    return isolate_direction(value) if isinstance(value, str) else value
