"""Sets the spaces of a language that writes some before its punctuation, so that no line ends there."""

from __future__ import annotations

import re

_WIDE, _NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
_FRENCH = (
    (re.compile(r" (?=[:»](?!\w))"), _WIDE),
    (re.compile(r"(?<=«) "), _WIDE),
    (re.compile(r" (?=[;!?](?!\w))"), _NARROW),
)
"""As France's Imprimerie nationale sets them: inside quotation marks and before a colon wide, before `; ! ?` narrow."""


def set_spaces(language: str, text: str) -> str:
    """
    Set no-break spaces where `language`, one of `LANGUAGES`, has a space that belongs to a punctuation mark.

    Translators write the plain space of their keyboard; a browser or a mail program would break the line at it, and begin the
    next one with the mark.
    """
    if language == "fr":
        for plain, space in _FRENCH:
            text = plain.sub(space, text)
    return text
